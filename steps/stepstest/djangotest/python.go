// Package djangotest gives tests a real Django project, and the Python to run
// it. Only tests import it.
//
// Python comes from a virtual environment with pinned packages, prepared once
// per machine in the user's cache folder; the first test that needs one waits
// for pip. Where that cannot be done, the tests that need Django are skipped,
// or fail when KEYSPLIT_REQUIRE_DJANGO=1 is set.
package djangotest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Generation names a set of package versions.
type Generation string

// The generations. Modern is Django 5.2 with simplejwt 5.5, Legacy is Django 3.2 with
// simplejwt 5.2, Servers is Modern with the servers that run backends in production, of
// which one is compiled when it is installed, and Field is Modern with other readers of
// the environment and other packages that make tokens or log in. Newest is Django 6.0,
// which needs Python 3.12.
const (
	Modern  Generation = "modern"
	Legacy  Generation = "legacy"
	Servers Generation = "servers"
	Field   Generation = "field"
	Newest  Generation = "newest"

	// Formatters has black and ruff, and no Django.
	Formatters Generation = "formatters"
)

// Generations returns those of Django.
func Generations() []Generation { return []Generation{Modern, Legacy} }

// setupLimit is the time for one set-up: pip on a slow network.
const setupLimit = 8 * time.Minute

// cacheFolder is asked for when the program starts: a test may point
// XDG_CACHE_HOME elsewhere later and would then build everything again.
var cacheFolder = findCache()

func findCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "keysplit")
}

// proofs are what an environment that is whole can import.
var proofs = map[Generation]string{Modern: "django", Legacy: "django", Servers: "django", Field: "django", Newest: "django", Formatters: "black"}

var prepared = map[Generation]func() (string, error){
	Modern: sync.OnceValues(func() (string, error) { return prepare(Modern) }),
	Legacy: sync.OnceValues(func() (string, error) { return prepare(Legacy) }),

	Servers: sync.OnceValues(func() (string, error) { return prepare(Servers) }),
	Field:   sync.OnceValues(func() (string, error) { return prepare(Field) }),
	Newest:  sync.OnceValues(func() (string, error) { return prepare(Newest) }),

	Formatters: sync.OnceValues(func() (string, error) { return prepare(Formatters) }),
}

// Python returns the absolute path of an interpreter with the generation's
// packages. Without one it skips the test, or fails it when
// KEYSPLIT_REQUIRE_DJANGO=1 is set.
func Python(t testing.TB, g Generation) string {
	t.Helper()
	python, err := prepared[g]()
	if err == nil {
		return python
	}
	text := fmt.Sprintf("no Python with Django (%s): %v. Set up python3 (3.%d or newer, with venv and pip) and access to PyPI", g, err, least(g))
	if os.Getenv("KEYSPLIT_REQUIRE_DJANGO") == "1" {
		t.Fatal(text)
	}
	fmt.Fprintln(os.Stderr, "SKIPPED: "+t.Name()+": "+text)
	t.Skip("SKIPPED: " + text)
	return ""
}

// prepare returns the interpreter of a finished virtual environment, and makes
// it first when there is none. A system interpreter that has old packages by
// itself (Debian's python3-django and its companions) stands in for Legacy.
func prepare(g Generation) (string, error) {
	python, err := venv(g)
	if err == nil || g != Legacy {
		return python, err
	}
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		path, lookErr := exec.LookPath(name)
		if lookErr == nil && run(path, "-c", "import django, rest_framework, rest_framework_simplejwt, decouple") == nil {
			return path, nil
		}
	}
	return "", err
}

func venv(g Generation) (string, error) {
	requirements, err := testdata.ReadFile("testdata/requirements-" + string(g) + ".txt")
	if err != nil {
		return "", err
	}
	base, err := found[least(g)]()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(base.version + "\n" + string(requirements)))
	folder := filepath.Join(cacheFolder, "test-python-"+hex.EncodeToString(sum[:8]))
	// A virtual environment cannot be moved, so it is built in its place; the
	// marker, written last, tells a whole one from one that was cut off.
	marker := filepath.Join(folder, "complete")
	python := filepath.Join(folder, "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(folder, "Scripts", "python.exe")
	}
	if exists(marker) && run(python, "-c", "import "+proofs[g]) == nil {
		return python, nil
	}
	unlock, err := lock(folder + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(marker) && run(python, "-c", "import "+proofs[g]) == nil {
		return python, nil
	}
	fmt.Fprintf(os.Stderr, "djangotest: preparing Python with Django (%s) in %s, once; this takes a minute\n", g, folder)
	if err := os.RemoveAll(folder); err != nil {
		return "", fmt.Errorf("remove a half-built virtual environment: %w", err)
	}
	if err := run(base.path, "-m", "venv", folder); err != nil {
		return "", fmt.Errorf("make a virtual environment: %w", err)
	}
	list := filepath.Join(folder, "requirements.txt")
	if err := os.WriteFile(list, requirements, 0o600); err != nil {
		return "", err
	}
	if err := run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", list); err != nil {
		return "", fmt.Errorf("install Django: %w", err)
	}
	return python, os.WriteFile(marker, nil, 0o600)
}

type interpreter struct{ path, version string }

// found are the interpreters that basePython finds, by their least version. It is asked
// once: a version manager takes half a second to refuse a name.
var found = map[int]func() (interpreter, error){
	10: sync.OnceValues(func() (interpreter, error) { return basePython(10) }),
	12: sync.OnceValues(func() (interpreter, error) { return basePython(12) }),
}

// least is the oldest minor version of Python 3 that a generation's packages run on.
func least(g Generation) int {
	if g == Newest {
		return 12
	}
	return 10
}

// basePython finds a python3 of at least a minor version that can make virtual
// environments. Each name is tried by running it: a version manager leaves
// names on PATH that refuse to run, and has the interpreters themselves elsewhere. The
// system's own comes first: it is built with optimizations, without which Django takes
// a third longer to start, and the tests start it some hundred times.
func basePython(least int) (interpreter, error) {
	ask := fmt.Sprintf("import sys, venv, ensurepip; assert sys.version_info >= (3, %d); print(sys.executable); print(sys.version)", least)
	names := []string{"/usr/bin/python3", "python3.13", "python3.12", "python3.11", "python3.10", "python3", "python"}
	if home, err := os.UserHomeDir(); err == nil {
		managed, _ := filepath.Glob(filepath.Join(home, ".pyenv", "versions", "3.*", "bin", "python3"))
		names = append(names, managed...)
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.Command(path, "-c", ask).Output()
		if err != nil {
			continue
		}
		executable, version, _ := strings.Cut(strings.ReplaceAll(string(out), "\r", ""), "\n")
		return interpreter{executable, executable + version}, nil
	}
	return interpreter{}, fmt.Errorf("python3 of version 3.%d or newer with venv was not found on PATH", least)
}

// run runs a command of the set-up and gives the end of what it said as error.
func run(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, tail(string(out), 600))
	}
	return nil
}

func tail(text string, n int) string {
	text = strings.TrimSpace(text)
	if len(text) > n {
		text = text[len(text)-n:]
	}
	return text
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lock waits until this process alone holds the file. Several test binaries
// run at once.
func lock(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the cache folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open a lock: %w", err)
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

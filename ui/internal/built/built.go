// Package built builds keysplit for tests that run the program itself.
package built

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Program is a program that is built when the first test asks for it. Its zero
// value is keysplit.
type Program struct {
	Package string            // what to build, keysplit when empty
	Extra   map[string]string // files (path in the module: text) that are compiled into it, in place of its own or as well

	once sync.Once
	dir  string
	path string
	err  error
}

// Path gives the program's path, the same for all tests of a package.
func (p *Program) Path(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("KEYSPLIT_BUILT"); path != "" && p.Package == "" && p.Extra == nil {
		return path // where nothing can be built, as in a container
	}
	p.once.Do(func() { p.err = p.build() })
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.path
}

// Remove deletes what was built, after the last test.
func (p *Program) Remove() { _ = os.RemoveAll(p.dir) } // it is a temporary folder

func (p *Program) build() (err error) {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	if err := readSources(root); err != nil {
		return fmt.Errorf("read the sources: %w", err)
	}
	if p.dir, err = os.MkdirTemp("", "keysplit-built-"); err != nil {
		return err
	}
	p.path = filepath.Join(p.dir, "keysplit")
	replace := map[string]string{}
	for name, text := range p.Extra {
		path := filepath.Join(p.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
		replace[filepath.Join(root, name)] = path
	}
	overlay := filepath.Join(p.dir, "overlay.json")
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		err = os.WriteFile(overlay, data, 0o600)
	}
	if err != nil {
		return err
	}
	pkg := p.Package
	if pkg == "" {
		pkg = "dj/keysplit"
	}
	// Nobody debugs it, and without those tables it links faster.
	if out, err := exec.Command("go", "build", "-ldflags=-w", "-overlay", overlay, "-o", p.path, pkg).CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("these tests do not run in keysplit's module")
		}
		dir = up
	}
}

// readSources opens every source of the program. go test takes a result from its
// cache when the test's own binary and the files that its tests opened are the
// same; of a program that a child builds it knows nothing else.
func readSources(root string) error {
	r, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer r.Close()
	sources := r.FS()
	return fs.WalkDir(sources, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != ".":
			return fs.SkipDir
		case !d.Type().IsRegular() || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		_, err = fs.ReadFile(sources, path)
		return err
	})
}

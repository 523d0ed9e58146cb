// Package faults tries to break the built program: it kills it at every file
// call, makes calls fail and lie, and looks for leaks. There is no other code
// in it than tests.
//
// The short form is a part of go test ./...; KEYSPLIT_LONG=1 tries everything.
package faults

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/built"
)

// long reports whether everything is to be tried, not a part.
var long = stepstest.Long()

// few is up to how many calls every one is tried, also in the short form: the careless
// double makes no more, and the controls must not depend on which of them are taken.
const few = 20

// every is what the short form tries of a list: one of n, from the first on. The long
// form tries all.
func every[T any](n int, all []T) []T {
	if long || len(all) <= few {
		return all
	}
	var some []T
	for i := 0; i < len(all); i += n {
		some = append(some, all[i])
	}
	return some
}

// The programs under test: keysplit as a user has it, but for one thing, and the
// double that writes a file as one should not.
//
// The main goroutine is kept on the main thread: strace counts calls by thread,
// so the nth call is the same one in every run.
var (
	keysplit = &built.Program{Extra: map[string]string{"pinned.go": "package main\n\nimport \"runtime\"\n\nfunc init() { runtime.LockOSThread() }\n"}}
	careless = &built.Program{Package: "./testdata/careless"}
)

func TestMain(m *testing.M) {
	stepstest.Waiting()
	code := m.Run()
	keysplit.Remove()
	careless.Remove()
	resolving.Remove()
	os.Exit(code)
}

// house is a real project without its key, and a state folder of its own.
type house struct {
	program *built.Program
	project *djangotest.Project
	state   string
	old     []byte // what .env held at first
	shop    *shop  // the second place that the key goes to, nil for none
	plan    *plan  // where the upgrade edits more files than .env, nil for none
	leave   func() // restores it to how it began, for the next one; nil where it is used once
}

// done gives a house back.
func (h *house) done() {
	if h.leave != nil {
		h.leave()
	}
}

// again begins like begin, with a house that one before is done with where there is
// one: what begin does, starting Django for one, is done a few times, not each time.
func again(begin func(*testing.T) *house) func(*testing.T) *house {
	var mu sync.Mutex
	var idle []*house
	return func(t *testing.T) *house {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if n := len(idle); n > 0 {
			h := idle[n-1]
			idle = idle[:n-1]
			return h
		}
		h := begin(t)
		restore := h.keep(t)
		h.leave = func() {
			restore()
			mu.Lock()
			defer mu.Unlock()
			idle = append(idle, h)
		}
		return h
	}
}

const envMode = 0o640

// owner is who .env belongs to: for root someone else, so that keeping the
// owner takes a call.
func owner() (uid, gid int) {
	if os.Getuid() == 0 {
		return 1234, 1234
	}
	return os.Getuid(), os.Getgid()
}

// asRoot keeps the project's code with root, who alone has the interpreter of the
// tests, though .env is somebody else's.
func asRoot(args ...string) []string {
	if os.Getuid() == 0 {
		args = append(args, "--as", "root")
	}
	return args
}

// newHouse lays one out. Its .env has no final line feed, so that the new line
// touches the last one.
func newHouse(t *testing.T, program *built.Program) *house {
	t.Helper()
	h := &house{
		program: program, state: filepath.Join(t.TempDir(), "state"),
		project: djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n# the end"}),
	}
	data, err := os.ReadFile(h.project.EnvPath)
	if err != nil {
		t.Fatal(err)
	}
	h.old = data
	uid, gid := owner()
	if err := os.Chown(h.project.EnvPath, uid, gid); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(h.project.EnvPath, envMode); err != nil {
		t.Fatal(err)
	}
	return h
}

// upgrade and rollback are the two commands that change the file.
func (h *house) upgrade() []string {
	args := asRoot("upgrade", "--yes", "--python", h.project.Python, "--skip", "restart,smoke-test", "--no-color")
	if h.shop != nil {
		args = append(args, "--target", "dotenv", "--target", "fly:shop")
	}
	if h.plan != nil {
		args = append(args, h.plan.flag)
	}
	return args
}

func (h *house) rollback() []string {
	args := asRoot("rollback", "--yes", "--no-color")
	if h.shop != nil {
		args = append(args, "--restart", "none") // the app has no machines
	}
	return args
}

// end is how one run ended.
type end struct {
	code   int // -1: killed
	out    string
	traced string
}

// calls are the system calls on files, and those on open ones that change
// something or decide.
const calls = "%file,read,write,pwrite64,pread64,fsync,fdatasync,ftruncate,fchmod,fchown,fgetxattr,fsetxattr,fremovexattr,flock,getdents64"

// run runs the program to its end, under strace when there are injections or
// the calls are wanted. Only the main thread is traced, which does all the
// work; children and the runtime's threads are left alone.
func (h *house) run(t *testing.T, trace bool, args []string, injections ...string) end {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	argv := append([]string{h.program.Path(t)}, args...)
	log := filepath.Join(filepath.Dir(h.state), "trace")
	if trace || len(injections) > 0 {
		// -s 0: no content of a file in the trace, since it may be shown.
		traced := []string{"strace", "-qq", "-y", "-s", "0", "-o", log, "-e", "trace=" + calls}
		for _, in := range injections {
			traced = append(traced, "-e", in)
		}
		argv = append(traced, argv...)
	}
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Dir = h.project.Root
	c.Env = djangotest.CleanEnviron("KEYSPLIT_STATE_DIR="+h.state, "LANG=C.UTF-8")
	if h.shop != nil {
		c.Env = append(c.Env, h.shop.environ())
	}
	c.WaitDelay = 5 * time.Second
	out, err := c.CombinedOutput()
	if h.shop != nil {
		h.shop.rest(t)
	}
	if c.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("run %v: %v", argv, err)
	}
	e := end{code: c.ProcessState.ExitCode(), out: string(out)}
	if data, err := os.ReadFile(log); err == nil {
		e.traced = string(data)
		_ = os.Remove(log)
	}
	return e
}

// content tells which version .env holds.
type content string

const (
	isOld     content = "old"
	isNew     content = "new"
	isNeither content = "neither"
)

var newLine = regexp.MustCompile(`^\nJWT_SECRET_KEY=[A-Za-z0-9_-]{86}\n$`)

// look tells what .env holds, and what is wrong with the project's folder.
// The temporary file may lie there right after a kill, not later.
func (h *house) look(t *testing.T, killed bool) (content, []string) {
	t.Helper()
	if h.plan != nil {
		return h.lookAtAll(t, killed)
	}
	var wrong []string
	data, err := os.ReadFile(h.project.EnvPath)
	if err != nil {
		return isNeither, []string{err.Error()}
	}
	has := isNeither
	switch added, ok := bytes.CutPrefix(data, h.old); {
	case ok && len(added) == 0:
		has = isOld
	case ok && newLine.Match(added):
		has = isNew
	default:
		wrong = append(wrong, fmt.Sprintf(".env has %d bytes, neither the old version nor the new one", len(data)))
	}
	uid, gid := owner()
	if got := ownerAndMode(t, h.project.EnvPath); got != fmt.Sprintf("%d:%d %o", uid, gid, envMode) {
		wrong = append(wrong, "owner and mode are now "+got)
	}
	if h.shop != nil && !killed {
		wrong = append(wrong, h.shop.differs(t, string(bytes.TrimPrefix(data, h.old)))...)
		wrong = append(wrong, h.keptKeys(t)...)
	}
	beside, err := os.ReadDir(h.project.Root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range beside {
		switch name := e.Name(); name {
		case ".env", ".env.example", "accounts", "config", "manage.py", "db.sqlite3":
		default:
			if !killed || !strings.HasPrefix(name, ".env.keysplit-") {
				wrong = append(wrong, name+" was left beside .env")
			}
		}
	}
	return has, wrong
}

// keep copies the project and the state folder away, and gives a function that puts
// the copy back.
func (h *house) keep(t *testing.T) (restore func()) {
	t.Helper()
	away := t.TempDir()
	places := map[string]string{h.project.Dir: filepath.Join(away, "project"), h.state: filepath.Join(away, "state")}
	copyTo := func(from, to string) {
		t.Helper()
		if out, err := exec.Command("cp", "-a", "-T", from, to).CombinedOutput(); err != nil {
			t.Fatalf("copy: %v: %s", err, out)
		}
	}
	for place, kept := range places {
		copyTo(place, kept)
	}
	return func() {
		t.Helper()
		for place, kept := range places {
			if err := os.RemoveAll(place); err != nil {
				t.Fatal(err)
			}
			copyTo(kept, place)
		}
	}
}

// stateFile is the file of the journal's folder whose name begins so, "" if
// there is none.
func (h *house) stateFile(t *testing.T, name string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(h.state, "*", name+"*"))
	if len(found) == 0 && err == nil {
		found, err = filepath.Glob(filepath.Join(h.state, name)) // the key of them all
	}
	if err != nil || len(found) > 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func ownerAndMode(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	sys := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%d:%d %o", sys.Uid, sys.Gid, info.Mode().Perm())
}

// needStrace skips where strace cannot be used, and fails where it must.
func needStrace(t *testing.T) {
	t.Helper()
	out, err := exec.Command("strace", "-qq", "-o", os.DevNull, "true").CombinedOutput()
	if err == nil {
		return
	}
	if os.Getenv("KEYSPLIT_REQUIRE_TOOLS") == "1" {
		t.Fatalf("strace cannot be used: %v: %s", err, out)
	}
	t.Skipf("SKIPPED, NOT TESTED: strace cannot be used: %v: %s", err, out)
}

// point is one system call of a run: the nth of its name.
type point struct {
	call string
	nth  int
	line string // as strace shows it
}

func (pt point) String() string { return fmt.Sprintf("%s %d: %s", pt.call, pt.nth, pt.line) }

func (pt point) inject(what string) string {
	return fmt.Sprintf("inject=%s:%s:when=%d", pt.call, what, pt.nth)
}

// within is the point for a run that made fewer calls of its name, as one may that
// has less to wait for or to look at: the last of them.
func (pt point) within(trace string) point {
	n := 0
	for line := range strings.Lines(trace) {
		if m := callName.FindStringSubmatch(line); m != nil && m[1] == pt.call {
			n++
		}
	}
	if n > 0 {
		pt.nth = min(pt.nth, n)
	}
	return pt
}

var callName = regexp.MustCompile(`^(\w+)\(`)

// points lists the calls of a run after the program's own code began, which its
// first look at the working folder shows.
func points(trace string) []point {
	var all []point
	count := map[string]int{}
	began := false
	for line := range strings.Lines(trace) {
		m := callName.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		count[m[1]]++
		began = began || m[1] != "execve" && strings.Contains(line, `".", {`)
		if began && !noFile.MatchString(line) {
			all = append(all, point{m[1], count[m[1]], strings.TrimSpace(line)})
		}
	}
	return all
}

// noFile is a call on what is no file: the runtime's own wake-ups, which come
// when they come, and the pipes of the output.
var noFile = regexp.MustCompile(`^\w+\(\d+<(?:anon_inode|pipe|socket):`)

// changes reports whether a call can change a file or a folder, or ends a wait for
// the disk. Between two of them nothing happens that a kill could break off.
func (pt point) changes() bool {
	switch pt.call {
	case "openat":
		return strings.Contains(pt.line, "O_CREAT") || strings.Contains(pt.line, "O_WRONLY") || strings.Contains(pt.line, "O_RDWR")
	case "write", "pwrite64":
		return onFile.MatchString(pt.line)
	case "fsync", "fdatasync", "ftruncate", "fchmod", "fchown", "fsetxattr", "fremovexattr", "flock",
		"renameat", "renameat2", "unlinkat", "mkdirat", "linkat", "symlinkat", "fchmodat", "fchownat":
		return true
	}
	return false
}

// place is the kind of the call and the file that it is on.
func (pt point) place() string { return pt.call + strings.Join(named.FindAllString(pt.line, -1), " ") }

var named = regexp.MustCompile(`"/[^"]*"|<[^>]*>`)

var onFile = regexp.MustCompile(`^\w+\(\d+</[^>]*>`)

// changing are the calls that change something.
func changing(all []point) []point {
	return slices.DeleteFunc(slices.Clone(all), func(pt point) bool { return !pt.changes() })
}

// trace runs a command undisturbed in a house of its own, and lists its calls.
func trace(t *testing.T, make func(*testing.T) *house, args func(*house) []string, injections ...string) []point {
	t.Helper()
	h := make(t)
	e := h.run(t, true, args(h), injections...)
	if e.code != 0 {
		t.Fatalf("undisturbed, exit %d: %s", e.code, e.out)
	}
	all := points(e.traced)
	if len(all) == 0 {
		t.Fatalf("no call was traced:\n%s", e.traced)
	}
	return all
}

// slots are for what runs at the same time, of all tests together.
var slots = make(chan struct{}, 4)

// each calls do for every item and its number, a few at a time.
func each[T any](all []T, do func(int, T)) {
	var wg sync.WaitGroup
	for n, item := range all {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(n, item)
		})
	}
	wg.Wait()
}

// tally collects what was found wrong, and how much was tried.
type tally struct {
	mu    sync.Mutex
	wrong []string
	tried int
}

func (c *tally) add(at fmt.Stringer, wrong ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range wrong {
		c.wrong = append(c.wrong, at.String()+"\n\t"+w)
	}
}

func (c *tally) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried++
}

// report fails the test for everything that is wrong, and says the figures, as
// .ci/figures reads them.
func (c *tally) report(t *testing.T, what string, least int) {
	t.Helper()
	for _, w := range c.wrong {
		t.Error(w)
	}
	if c.tried < least {
		t.Errorf("only %d %s", c.tried, what)
	}
	figures(t, figure{c.tried, what}, figure{len(c.wrong), "violations"})
}

// figure is how much was tried of something, or found.
type figure struct {
	n    int
	what string
}

// figures prints them, and puts them where go test -json shows them to .ci/figures.
func figures(t *testing.T, all ...figure) {
	t.Helper()
	for _, f := range all {
		t.Logf("%d %s", f.n, f.what)
		t.Attr("figure", fmt.Sprintf("%d %s", f.n, f.what))
	}
}

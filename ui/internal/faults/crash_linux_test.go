package faults

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/ptytest"
)

const soon = 30 * time.Second

// A wizard that is made to crash on any of its screens, with all its views looked
// at, prints the stacks of its goroutines, and no secret among them; and it
// leaves no core.
func TestACrashShowsNoSecret(t *testing.T) {
	t.Parallel()
	all := []int{0, 1, 2, 3, 4, 5, 6}
	for _, c := range []struct {
		flavour djangotest.Flavour
		file    string
		pages   []int // in the short form
		least   int   // of them that differ, in the short form
	}{
		{djangotest.Tokens, "missing", []int{2}, 1},
		{djangotest.Cookies, "equal", []int{4}, 1}, // a key is in force, and login cookies went by
		{djangotest.Tokens, "glued", nil, 0},       // the wizard shows the fixed line
		{djangotest.Tokens, "good", nil, 0},        // whose third enter is the last
	} {
		if long {
			c.pages, c.least = all, 2
			if c.file == "good" {
				c.pages = all[:3]
			}
		}
		if len(c.pages) > 0 {
			t.Run(string(c.flavour)+", file "+c.file, func(t *testing.T) {
				t.Parallel()
				crash(t, c.flavour, c.file, c.pages, c.least)
			})
		}
	}
}

func crash(t *testing.T, flavour djangotest.Flavour, file string, pages []int, least int) {
	w := newWatched(t, flavour)
	titles := map[string]bool{}
	texts, searched, leaks := 0, 0, 0
	for _, page := range pages {
		w.project.WriteEnv(t, files[file])
		if err := os.RemoveAll(w.dir + "/state"); err != nil {
			t.Fatal(err)
		}
		tm := ptytest.Start(t, ptytest.Options{
			Program: "/bin/sh", Args: []string{"-c", largestCore, "sh", keysplit.Path(t), "--python", w.project.Python, "--username", w.account, "--url", w.url, "--restart", "none"},
			Dir: w.project.Root, Env: append(w.env(), "GOTRACEBACK=crash"), Cols: 100, Rows: 34,
		})
		tm.WaitFor("enter ", soon)
		for range page {
			tm.Press(ptytest.Enter)
			tm.Settled(400*time.Millisecond, soon)
		}
		for _, key := range []string{"?", "\x1b", "w", "\x1b", "l", "\x1b", "t", "\x1b"} {
			tm.Type(key)
			tm.Settled(60*time.Millisecond, soon)
		}
		titles[tm.Frame().Lines()[0]] = true
		if limit := coreLimit(t, tm); limit != "0" {
			t.Errorf("page %d: a core of %s bytes may be written", page, limit)
		}
		tm.Signal(syscall.SIGQUIT)
		tm.Exit(soon)
		if !strings.Contains(tm.Raw(), "SIGQUIT") || !strings.Contains(tm.Raw(), "goroutine ") {
			t.Errorf("page %d: it did not crash: %q", page, tm.Frame().Text())
		}
		h := w.hunt(t)
		w.search(t, h, fmt.Sprintf("page %d", page), tm.Raw(), "")
		for _, leak := range h.found {
			t.Error(leak)
		}
		texts, searched, leaks = texts+h.texts, searched+h.searched, leaks+len(h.found)
	}
	figures(t, figure{len(pages), "crashes of the wizard"}, figure{texts, "texts searched"}, figure{searched, "bytes searched"}, figure{leaks, "violations"})
	if len(titles) < least {
		t.Errorf("only these screens were reached: %v", titles)
	}
}

// largestCore runs a program with a core as large as this machine allows, unless the
// program forbids it.
const largestCore = `ulimit -S -c "$(ulimit -H -c)"; exec "$@"`

// The control: of another program a core may be written.
func TestACoreWouldBeSeen(t *testing.T) {
	t.Attr("part", "controls that a fault is found")
	tm := ptytest.Start(t, ptytest.Options{Program: "/bin/sh", Args: []string{"-c", largestCore, "sh", "/bin/sh", "-c", "ulimit -H -c; read -r line"}, Env: os.Environ()})
	tm.WaitFor(`\w`, soon)
	if tm.Frame().Lines()[0] == "0" {
		t.Fatal("this machine allows no core to any program: nothing is proved here")
	}
	if limit := coreLimit(t, tm); limit == "0" {
		t.Error("no core may be written of a program that does not forbid it")
	}
}

var coreLine = regexp.MustCompile(`Max core file size +(\w+)`)

func coreLimit(t *testing.T, tm *ptytest.Terminal) string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", tm.PID()))
	if err != nil {
		t.Fatal(err)
	}
	m := coreLine.FindSubmatch(data)
	if m == nil {
		t.Fatalf("no limit in %s", data)
	}
	return string(m[1])
}

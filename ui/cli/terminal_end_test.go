//go:build unix

package cli_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/ui/internal/ptytest"
)

// leaving lists the ways out of the wizard.
var leaving = map[string]struct {
	leave func(*ptytest.Terminal)
	gone  bool // the terminal is closed
}{
	"q":                 {leave: func(tm *ptytest.Terminal) { tm.Type("q") }},
	"ctrl+c":            {leave: func(tm *ptytest.Terminal) { tm.Press(ptytest.CtrlC) }},
	"SIGTERM":           {leave: func(tm *ptytest.Terminal) { tm.Signal(syscall.SIGTERM) }},
	"SIGHUP":            {leave: func(tm *ptytest.Terminal) { tm.Signal(syscall.SIGHUP) }},
	"SIGINT":            {leave: func(tm *ptytest.Terminal) { tm.Signal(syscall.SIGINT) }},
	"a closed terminal": {leave: func(tm *ptytest.Terminal) { tm.Hangup() }, gone: true},
}

func TestLeavingAtRest(t *testing.T) {
	t.Attr("part", "ways out of the wizard, at rest, on each page and in each step")
	t.Parallel()
	for name, way := range leaving {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tm, folder := demo(t, size{80, 24}, nil)
			atRest(t, tm)
			onward(t, tm, ptytest.Enter)
			way.leave(tm)
			if code := tm.Exit(soon); code != 130 && !way.gone {
				t.Errorf("exit %d\n%s", code, tm.Frame().Text())
			}
			isGone(t, folder)
			if way.gone {
				return
			}
			isRestored(t, tm)
			if text := tm.Frame().Text(); !strings.Contains(text, "Stopped.") || strings.Contains(text, "panic") || strings.Contains(text, "jwt-key-missing") || strings.Contains(tm.Raw(), "again to stop at once") {
				t.Errorf("the scrollback has\n%s", text)
			}
		})
	}
}

// The same on every later page, and on those that one comes back to from the last, each way on some of them, or in the long form on all.
func TestLeavingOnEveryPage(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Attr("part", "ways out of the wizard, at rest, on each page and in each step")
	t.Parallel()
	names := slices.Sorted(maps.Keys(leaving))
	type leave struct {
		page int
		name string
	}
	var all []leave
	for page := range 10 {
		for n, name := range names {
			if stepstest.Long() || n == page%len(names) {
				all = append(all, leave{page, name})
			}
		}
	}
	for _, l := range all {
		page, name := l.page, l.name
		t.Run(fmt.Sprintf("%d, %s", page, name), func(t *testing.T) {
			t.Parallel()
			tm, folder := demo(t, size{80, 24}, nil)
			f := atRest(t, tm)
			for n := range page {
				if n < 5 {
					f = onward(t, tm, ptytest.Enter)
				} else {
					f = onward(t, tm, ptytest.Esc)
				}
			}
			if (page == 5) != atTheEnd(f) {
				t.Fatalf("page %d is\n%s", page, f.Text())
			}
			way := leaving[name]
			way.leave(tm)
			if code := tm.Exit(soon); code != 130 && !way.gone && !atTheEnd(f) {
				t.Errorf("exit %d\n%s", code, tm.Frame().Text())
			}
			isGone(t, folder)
			if !way.gone {
				isRestored(t, tm)
			}
		})
	}
}

// The ways out while a step runs, all but the keys, which ask: while the server is
// restarted, and in the long form in every step.
func TestLeavingWhileItWrites(t *testing.T) {
	t.Attr("part", "ways out of the wizard, at rest, on each page and in each step")
	t.Parallel()
	steps := []string{"4"}
	if stepstest.Long() {
		steps = []string{"1", "2", "4", "5"} // the second goes on to the third by itself
	}
	for name, way := range leaving {
		if name == "q" || name == "ctrl+c" {
			continue
		}
		for _, step := range steps {
			t.Run(step+", "+name, func(t *testing.T) {
				t.Parallel()
				tm, folder := demo(t, size{80, 24}, nil)
				f := atRest(t, tm)
				// At rest before the step, and not behind it.
				for !strings.Contains(f.Lines()[0], "Step "+step+" of 5") {
					f = onward(t, tm, ptytest.Enter)
				}
				tm.Press(ptytest.Enter)
				if step == "4" { // the others may be over before they are seen
					tm.WaitFor("x stop", soon)
				}
				way.leave(tm)
				if code := tm.Exit(soon); code != 130 && !way.gone {
					t.Errorf("exit %d\n%s", code, tm.Frame().Text())
				}
				isGone(t, folder)
				if !way.gone {
					isRestored(t, tm)
				}
			})
		}
	}
}

// While something is written, the keys that quit ask first. Each is typed
// together with the enter that starts the work.
func TestQuittingWhileItWritesAsks(t *testing.T) {
	t.Attr("part", "ways out of the wizard, at rest, on each page and in each step")
	t.Parallel()
	const question = "Stop at the next safe place and quit"
	for name, c := range map[string]struct {
		keys string // that start the work and quit
		then ptytest.Key
		ends bool
	}{
		"q, keep going":    {keys: "\rq", then: ptytest.Enter},
		"ctrl+c, then esc": {keys: "\r\x03", then: ptytest.Esc},
		"q, then ctrl+c":   {keys: "\rq", then: ptytest.CtrlC, ends: true},
		"ctrl+c twice":     {keys: "\r\x03", then: ptytest.CtrlC, ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tm, folder := demo(t, size{80, 24}, nil)
			f := atRest(t, tm)
			for !strings.Contains(f.Text(), "Restart the server now?") {
				f = onward(t, tm, ptytest.Enter)
			}
			tm.Type(c.keys)
			tm.WaitFor(question, soon)
			tm.Press(c.then)
			if !c.ends {
				// The question rests as well, until it has taken the key.
				f := resting(t, tm, func(f ptytest.Frame) bool { return !strings.Contains(f.Text(), question) })
				if !strings.Contains(f.Text(), "Step 5 of 5") || !strings.Contains(f.Text(), "✓ Restart   server answers") {
					t.Errorf("it did not go on:\n%s", f.Text())
				}
				return
			}
			if code := tm.Exit(soon); code != 130 {
				t.Errorf("exit %d", code)
			}
			isRestored(t, tm)
			isGone(t, folder)
		})
	}
}

// fromAShell starts the demo as a person does, in front of a shell. leave quits both.
func fromAShell(t *testing.T) (tm *ptytest.Terminal, leave func()) {
	t.Helper()
	folder := t.TempDir()
	tm = ptytest.Start(t, ptytest.Options{
		Program: "/bin/bash", Args: []string{"--norc", "--noprofile", "-i"}, Dir: t.TempDir(),
		Env: plainEnv(t, "TMPDIR="+folder, "PS1=ready$ ", "KS="+binary.Path(t), "HISTFILE="),
	})
	tm.WaitFor(`ready\$`, soon)
	tm.Type("\"$KS\" demo\r")
	return tm, func() {
		t.Helper()
		tm.Type("q")
		tm.WaitUntil("the shell", soon, func(f ptytest.Frame) bool { return !f.Alt && strings.Contains(f.Text(), "Stopped.") })
		tm.Type("exit\r")
		tm.Exit(soon)
		isGone(t, folder)
	}
}

// In front of a shell ctrl+z gives the shell back, with its own screen, and fg
// draws the wizard again.
func TestSuspendAndResume(t *testing.T) {
	t.Attr("part", "stops and continues, ctrl+z and SIGTSTP")
	t.Parallel()
	tm, leave := fromAShell(t)
	atRest(t, tm)
	page := onward(t, tm, ptytest.Enter)
	for range 2 {
		tm.Press(ptytest.CtrlZ)
		tm.WaitUntil("the shell", soon, func(f ptytest.Frame) bool {
			return !f.Alt && f.CursorVisible && strings.Contains(f.Text(), "Stopped")
		})
		if on := tm.Modes(); len(on) > 1 || len(on) == 1 && on[0] != 2004 { // bash itself wants pastes marked
			t.Errorf("private modes in the shell: %v", on)
		}
		tm.Type("clear; echo typed-in-the-shell\r")
		tm.WaitFor("(?m)^typed-in-the-shell", soon)
		tm.Type("fg\r")
		tm.WaitUntil("the wizard as it was", soon, func(f ptytest.Frame) bool {
			return f.Alt && !f.CursorVisible && f.Text() == page.Text()
		})
	}
	page = onward(t, tm, ptytest.Enter)
	if !strings.Contains(page.Text(), "✓ Key       key made") {
		t.Errorf("after fg the wizard does not go on:\n%s", page.Text())
	}
	leave()
}

// A real SIGTSTP does what ctrl+z does, at rest and while a step runs.
func TestStoppedBySignal(t *testing.T) {
	t.Attr("part", "stops and continues, ctrl+z and SIGTSTP")
	t.Parallel()
	tm, leave := fromAShell(t)
	f := atRest(t, tm)
	stop := func() {
		t.Helper()
		if err := syscall.Kill(childOf(t, tm.PID()), syscall.SIGTSTP); err != nil {
			t.Fatal(err)
		}
		tm.WaitUntil("the shell", soon, func(f ptytest.Frame) bool {
			return !f.Alt && f.CursorVisible && strings.Contains(f.Text(), "Stopped")
		})
		tm.Type("clear; echo typed-in-the-shell\r")
		tm.WaitFor("(?m)^typed-in-the-shell", soon)
		tm.Type("fg\r")
		tm.WaitUntil("the wizard", soon, func(f ptytest.Frame) bool { return f.Alt && !f.CursorVisible })
	}
	for range 2 { // the second time the signal is caught again
		stop()
	}
	for !strings.Contains(f.Text(), "Restart the server now?") {
		f = onward(t, tm, ptytest.Enter)
	}
	tm.Press(ptytest.Enter)
	tm.WaitFor("x stop", soon)
	stop()
	if f := atRest(t, tm); !strings.Contains(f.Text(), "✓ Restart   server answers") {
		t.Errorf("the step did not go on:\n%s", f.Text())
	}
	leave()
}

// childOf is the one child of a process.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatalf("the children are %q", data)
	}
	return child
}

// Where there is no shell to go back to, nothing stops: nobody could continue it.
func TestNothingStopsWithoutAShell(t *testing.T) {
	t.Attr("part", "stops and continues, ctrl+z and SIGTSTP")
	t.Parallel()
	tm, folder := demo(t, size{80, 24}, nil)
	atRest(t, tm)
	tm.Press(ptytest.CtrlZ)
	tm.WaitFor("There is no shell here to go back to", soon)
	onward(t, tm, ptytest.Enter)
	tm.Signal(syscall.SIGTSTP)
	tm.WaitFor("There is no shell here to go back to", soon)
	tm.Type("q")
	tm.Exit(soon)
	isRestored(t, tm)
	isGone(t, folder)
}

// What was on the screen before the wizard is there after it, and the summary
// stands below.
func TestTheScrollbackIsKept(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	tm := ptytest.Start(t, ptytest.Options{
		Program: "/bin/sh", Args: []string{"-c", `echo before; "$0" demo; echo "after $?"`, binary.Path(t)}, Dir: t.TempDir(),
		Env: plainEnv(t, "TMPDIR="+folder),
	})
	toTheEnd(t, tm)
	tm.Press(ptytest.Enter)
	tm.Exit(soon)
	lines := tm.Frame().Lines()
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	if lines[0] != "before" || !strings.HasSuffix(text, "after 0") || !strings.Contains(text, "Done. The backend has a JWT key of its own.") {
		t.Errorf("the scrollback has\n%s", text)
	}
	if n := strings.Count(text, "\n"); n > 12 {
		t.Errorf("the summary is not short: %d lines", n)
	}
	for _, step := range []string{"Key", "Write", "Verify", "Restart", "Login"} {
		if !regexp.MustCompile("(?m)^  ✓ " + step + " +\\w").MatchString(text) {
			t.Errorf("the proof of %s is missing:\n%s", step, text)
		}
	}
}

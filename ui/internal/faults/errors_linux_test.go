package faults

import (
	"fmt"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
)

// faults are the ways in which a call fails or lies.
var faults = []string{"error=EIO", "error=ENOSPC", "error=EDQUOT", "error=EROFS", "error=EACCES", "error=EMFILE"}

// fault is one call that fails in one way, or at which a signal comes.
type fault struct {
	point
	how string
}

func (f fault) String() string { return f.point.String() + " with " + f.how }

// mark is what a trace shows when it has come to pass.
func (f fault) mark() string {
	if name, ok := strings.CutPrefix(f.how, "signal="); ok {
		return "--- SIG" + name + " {"
	}
	return "(INJECTED)"
}

// struck reports whether the call failed. A call of Go's own poller, which may come at
// its number, is none of the program's.
func (f fault) struck(traced string) bool {
	for line := range strings.Lines(traced) {
		if strings.Contains(line, f.mark()) && !strings.Contains(line, "[eventfd]") && !strings.Contains(line, "[eventpoll]") {
			return true
		}
	}
	return false
}

// everyFault lists them: the long form fails each call in every second way, by turns, the short one one in
// 48 of them in one way, by turns. Each write to a file also lies, in the short form
// every twelfth: one byte was taken.
func everyFault(all []point) (out []fault) {
	writes := 0
	for n, pt := range all {
		var hows []string
		for m, how := range faults {
			if (n+m)%2 == 0 {
				hows = append(hows, how)
			}
		}
		if !long && len(all) > few {
			hows = nil
			if n%48 == 0 {
				hows = []string{faults[n/48%len(faults)]}
			}
		}
		for _, how := range hows {
			out = append(out, fault{pt, how})
		}
		if pt.call == "write" || pt.call == "pwrite64" {
			if long || writes%12 == 0 {
				out = append(out, fault{pt, "retval=1"})
			}
			writes++
		}
	}
	return out
}

// failEverywhere makes the calls of a command fail. Whatever it then says must be
// true, and the next command must end as if nothing had happened.
func (k killing) failEverywhere(t *testing.T, want content) *tally {
	t.Helper()
	c := &tally{}
	all := changing(trace(t, k.begin, k.command))
	each(everyFault(all), func(n int, f fault) { k.failAt(t, c, n, f, want) })
	return c
}

func (k killing) failAt(t *testing.T, c *tally, n int, f fault, want content) {
	t.Helper()
	for next, command := range []string{"upgrade", "rollback"} {
		if n%2 == next {
			k.failOnce(t, c, f, want, command)
		}
	}
}

// failOnce makes one call fail once, and then runs the next command.
func (k killing) failOnce(t *testing.T, c *tally, f fault, want content, next string) {
	t.Helper()
	h, e, injected := k.fail(t, f)
	if !injected {
		c.add(f, "no call was failed")
		return
	}
	c.count()
	said := stepstest.OneLine(e.out)
	// One that could not be removed is said so, and goes with the next run.
	has, wrong := h.look(t, strings.Contains(said, "remove the temporary file") || strings.Contains(said, "remove the earlier version"))
	c.add(f, wrong...)
	switch {
	case e.code == 0 && has != want:
		c.add(f, fmt.Sprintf("it ended well, and the file is the %s one:\n%s", has, e.out))
	case e.code < 0 || strings.Contains(e.out, "panic"), e.code != 0 && len(strings.TrimSpace(e.out)) < 20:
		c.add(f, fmt.Sprintf("it ended with %d and %q", e.code, e.out))
	case strings.Contains(said, "See above") && strings.Count(e.out, "✗") < 2:
		c.add(f, "what is said to stand above does not:\n"+e.out)
	case has == isNeither:
		c.add(f, "it said:\n"+e.out)
	}
	c.add(f, h.goesOn(t, next)...)
	h.done()
}

// fail runs the command in a house of its own with one call failing. As with a kill,
// the call may not come at its number: then it is tried again.
func (k killing) fail(t *testing.T, f fault) (h *house, e end, injected bool) {
	t.Helper()
	for range 5 {
		h = k.begin(t)
		e = h.run(t, false, k.command(h), f.inject(f.how))
		if f.struck(e.traced) {
			return h, e, true
		}
		h.done()
		f.point = f.within(e.traced)
	}
	return h, e, false
}

func TestFailedAtEveryCall(t *testing.T) {
	t.Parallel()
	needStrace(t)
	upgrading.failEverywhere(t, isNew).report(t, "faults in calls of an upgrade", 4)
	if !long {
		return
	}
	rollback := killing{begin: again(upgraded), command: (*house).rollback}
	rollback.failEverywhere(t, isOld).report(t, "faults in calls of a rollback", 2)
}

// The control: a program that does not look at what its calls return.
func TestTheHarnessCatchesACarelessWriterOfLies(t *testing.T) {
	t.Parallel()
	t.Attr("part", "controls that a fault is found")
	needStrace(t)
	k := killing{begin: laid(careless), command: (*house).upgrade}
	found := strings.Join(k.failEverywhere(t, isNew).wrong, "\n")
	if !strings.Contains(found, "neither the old version nor the new one") {
		t.Errorf("a careless writer passed:\n%s", found)
	}
}

// reading lists the calls on files of the project and of the state that only look,
// and the ways in which each fails: the long form tries the first call of each kind on each file, the short one a few.
func reading(all []point) (out []fault) {
	seen := map[string]bool{}
	hows := map[string][]string{
		"read": {"error=EIO", "retval=0"}, "pread64": {"error=EIO", "retval=0"},
		"openat": {"error=EACCES", "error=EIO"}, "newfstatat": {"error=EACCES", "error=EIO"},
	}
	for _, pt := range all {
		if pt.changes() || !strings.Contains(pt.line, "/TestReadsThatFail") || seen[pt.place()] {
			continue
		}
		seen[pt.place()] = true
		for _, how := range hows[pt.call] {
			out = append(out, fault{pt, how})
		}
	}
	return every(90, out)
}

// A disk that fails or lies when it is read: no word of a run is wrong for it, and
// nothing is lost.
func TestReadsThatFail(t *testing.T) {
	t.Parallel()
	needStrace(t)
	c := &tally{}
	each(reading(trace(t, upgrading.begin, upgrading.command)), func(n int, f fault) { upgrading.failAt(t, c, n, f, isNew) })
	c.report(t, "faults in reads of an upgrade", 2)
}

// The control: a fault that does not come to pass, in a call that is never made, counts for nothing.
func TestAFaultThatIsNotInjectedIsNoticed(t *testing.T) {
	t.Parallel()
	t.Attr("part", "controls that a fault is found")
	needStrace(t)
	c := &tally{}
	upgrading.failOnce(t, c, fault{point{call: "symlinkat", nth: 1}, "error=EIO"}, isNew, "upgrade")
	if len(c.wrong) != 1 || !strings.Contains(c.wrong[0], "no call was failed") || c.tried != 0 {
		t.Errorf("%d tried, %v", c.tried, c.wrong)
	}
}

// A state folder that disappears in mid-run, here by the command that restarts: it
// is said what is wrong, and nothing points to what does not stand there.
func TestAStateFolderThatDisappears(t *testing.T) {
	t.Parallel()
	t.Attr("part", "a state folder that disappears")
	h := newHouse(t, keysplit)
	args := asRoot("upgrade", "--yes", "--python", h.project.Python, "--skip", "smoke-test", "--restart", "command:rm -rf "+h.state, "--url", "http://127.0.0.1:9", "--timeout", "5s", "--no-color")
	e := h.run(t, false, args)
	said := stepstest.OneLine(e.out)
	if e.code == 0 || !strings.Contains(said, "write the journal") || !strings.Contains(said, "no such file or directory") {
		t.Errorf("exit %d:\n%s", e.code, e.out)
	}
	if has, _ := h.look(t, false); has != isNew {
		t.Errorf("the file is the %s one", has)
	}
}

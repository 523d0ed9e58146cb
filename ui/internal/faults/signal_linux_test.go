package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
)

// endings are the signals that tell a run to end.
var endings = []string{"INT", "TERM", "HUP"}

// everyEnding lists them: the long form sends each signal at each call, the short one
// each signal at a few, by turns.
func everyEnding(all []point) (out []fault) {
	for n, pt := range all {
		for m, sig := range endings {
			if long || len(all) <= few || n%(24*len(endings)) == 24*m {
				out = append(out, fault{pt, "signal=" + sig})
			}
		}
	}
	return out
}

// told counts the runs that were told to end, and those that then stopped early.
type told struct {
	tally
	stopped int
}

// endEverywhere tells a command to end at its calls that change something. It stops
// at a safe place or goes to its end, and what it says of that is true; the next
// command ends as if nothing had happened.
func (k killing) endEverywhere(t *testing.T, want content, says map[content][]string) *told {
	t.Helper()
	c := &told{}
	each(everyEnding(changing(trace(t, k.begin, k.command))), func(n int, f fault) {
		h, e, injected := k.fail(t, f)
		if !injected {
			c.add(f, "no signal came")
			return
		}
		c.count()
		has, wrong := h.look(t, false)
		c.add(f, wrong...)
		if e.code == 130 {
			c.mu.Lock()
			c.stopped++
			c.mu.Unlock()
		}
		switch said := stepstest.OneLine(e.out); {
		case e.code == 130 && !(strings.Contains(said, "Stopping.") && containsAll(said, says[has])),
			e.code != 130 && (e.code != 0 || has != want):
			c.add(f, fmt.Sprintf("it ended with %d, and the file is the %s one:\n%s", e.code, has, e.out))
		}
		c.add(f, h.goesOn(t, []string{"upgrade", "rollback"}[n%2])...)
		h.done()
	})
	return c
}

func containsAll(text string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}

func TestToldToEndAtEveryCall(t *testing.T) {
	t.Parallel()
	needStrace(t)
	rollback := killing{begin: again(upgraded), command: (*house).rollback}
	upgrade := map[content][]string{isOld: {"No file was changed. To continue: keysplit upgrade"}, isNew: {"To undo everything: keysplit rollback", "To continue: keysplit upgrade"}}
	back := map[content][]string{isOld: {"Everything is restored, but the server still has to restart. To continue: keysplit rollback"}, isNew: {"Nothing was undone. To continue: keysplit rollback"}}
	for _, c := range stepstest.Every(2, []struct {
		what    string
		command killing
		end     content
		says    map[content][]string
	}{
		{"an upgrade", upgrading, isNew, upgrade},
		{"a rollback", rollback, isOld, back},
	}) {
		told := c.command.endEverywhere(t, c.end, c.says)
		if told.stopped == 0 {
			t.Errorf("no signal stopped %s: this looked at nothing", c.what)
		}
		told.report(t, "signals to "+c.what, 2)
	}
}

// The control: a program that does not listen ends in the middle.
func TestTheHarnessCatchesACarelessEnd(t *testing.T) {
	t.Attr("part", "controls that a fault is found")
	needStrace(t)
	c := killing{begin: laid(careless), command: (*house).upgrade}.endEverywhere(t, isNew, nil)
	if found := strings.Join(c.wrong, "\n"); !strings.Contains(found, ".env.bak was left beside .env") || !strings.Contains(found, "it ended with -1") || c.stopped != 0 {
		t.Errorf("a careless program passed:\n%s", found)
	}
}

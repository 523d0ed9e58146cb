package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/ui/internal/built"
)

// killing is a command that is killed at every call, each time in a house of its
// own.
type killing struct {
	begin      func(*testing.T) *house
	command    func(*house) []string
	injections []string // in every run, the undisturbed one too
	// damage is allowed right after the kill, where a file is overwritten since
	// it cannot be renamed over. It must be gone after the next run.
	damage bool
	few    bool // only the calls that change something, also in the long form
	// chosen are the calls of the short form, nil for all that change something.
	chosen func([]point) []point
}

// laid begins with a project without its key.
func laid(program *built.Program) func(*testing.T) *house {
	return func(t *testing.T) *house { return newHouse(t, program) }
}

// upgraded begins where an upgrade has ended.
func upgraded(t *testing.T) *house {
	t.Helper()
	h := newHouse(t, keysplit)
	if e := h.run(t, false, h.upgrade()); e.code != 0 {
		t.Fatalf("exit %d: %s", e.code, e.out)
	}
	return h
}

// at begins where the command was killed at a call.
func (k killing) at(pt point) func(*testing.T) *house {
	return func(t *testing.T) *house {
		t.Helper()
		h, killed := k.kill(t, pt)
		if !killed {
			t.Fatalf("was not killed at %v", pt)
		}
		return h
	}
}

// everywhere kills the command at each of its calls. After each kill the file is
// the old or the new one; then the next command ends as if nothing had happened:
// an upgrade or a rollback, by turns. The long form tries all calls that change
// something, and a sample of those between.
func (k killing) everywhere(t *testing.T) *tally {
	t.Helper()
	c := &tally{}
	all := trace(t, k.begin, k.command, k.injections...)
	switch {
	case !long && k.chosen != nil:
		all = k.chosen(changing(all))
	case !long || k.few:
		all = changing(all)
	default:
		all = between(all)
	}
	each(all, func(n int, pt point) {
		h, killed := k.kill(t, pt)
		if !killed {
			c.add(pt, "was not killed")
			return
		}
		c.count()
		if _, wrong := h.look(t, true); !k.damage {
			c.add(pt, wrong...)
		}
		c.add(pt, h.goesOn(t, []string{"upgrade", "rollback"}[n%2])...)
		h.done()
	})
	return c
}

// between are the calls that change something and, after every fourth of them, the next
// that does not: all those up to the next change leave the disk alike.
func between(all []point) (out []point) {
	changes := 0
	for i, pt := range all {
		if pt.changes() {
			changes++
			out = append(out, pt)
		} else if changes%4 == 1 && i > 0 && all[i-1].changes() {
			out = append(out, pt)
		}
	}
	return out
}

// kill runs the command in a house of its own and kills it at a call. The
// runtime's wake-ups count as writes, so that the call may not come at its number:
// then it is tried again.
func (k killing) kill(t *testing.T, pt point) (h *house, killed bool) {
	t.Helper()
	for range 5 {
		h = k.begin(t)
		e := h.run(t, false, k.command(h), append(slices.Clone(k.injections), pt.inject("signal=KILL"))...)
		if e.code < 0 {
			return h, true
		}
		h.done()
		pt = pt.within(e.traced)
	}
	return h, false
}

// goesOn runs the next command and says what is wrong with its end. An upgrade
// is rolled back after that, so the file ends as it began either way.
func (h *house) goesOn(t *testing.T, next string) (wrong []string) {
	t.Helper()
	step := func(args []string, want content) {
		e := h.run(t, false, args)
		has, bad := h.look(t, false)
		if has != want {
			bad = append(bad, "the file is the "+string(has)+" one")
		}
		if e.code != 0 {
			bad = append(bad, fmt.Sprintf("exit %d", e.code))
		}
		if len(bad) > 0 {
			wrong = append(wrong, fmt.Sprintf("after the next %s: %s\n%s", args[0], strings.Join(bad, "; "), e.out))
		}
	}
	if next == "upgrade" {
		step(h.upgrade(), isNew)
	}
	step(h.rollback(), isOld)
	return wrong
}

// pointOf is the first call of an undisturbed run that fits.
func (k killing) pointOf(t *testing.T, call string, parts ...string) point {
	t.Helper()
	for _, pt := range trace(t, k.begin, k.command) {
		if pt.call == call && !slices.ContainsFunc(parts, func(s string) bool { return !strings.Contains(pt.line, s) }) {
			return pt
		}
	}
	t.Fatalf("no %s with %q was traced", call, parts)
	return point{}
}

// An upgrade, and the places where a kill leaves most to recover.
var upgrading = killing{begin: laid(keysplit), command: (*house).upgrade}

func beforeTheRename(t *testing.T) func(*testing.T) *house {
	t.Helper()
	return upgrading.at(upgrading.pointOf(t, "renameat2", ".env.keysplit-"))
}

func afterTheRename(t *testing.T) func(*testing.T) *house {
	t.Helper()
	return upgrading.at(upgrading.pointOf(t, "fsync", "/backend>"))
}

const busy = "inject=renameat2:error=EBUSY"

// fortieth and outer are what the short form tries of the calls: one in forty, or the first
// that changes something, the last, and one between.
func fortieth(all []point) []point { return every(40, all) }
func outer(all []point) []point    { return []point{all[0], all[len(all)/2], all[len(all)-1]} }

func TestKilledAtEveryCall(t *testing.T) {
	t.Parallel()
	needStrace(t)
	upgrade, rollback := (*house).upgrade, (*house).rollback
	for name, k := range stepstest.Part(5, map[string]killing{
		"upgrade":                             {begin: laid(keysplit), command: upgrade, chosen: fortieth},
		"upgrade in place":                    {begin: laid(keysplit), command: upgrade, injections: []string{busy}, damage: true, chosen: outer},
		"rollback":                            {begin: again(upgraded), command: rollback, chosen: outer},
		"recovery before the rename, upgrade": {begin: again(beforeTheRename(t)), command: upgrade, chosen: outer},
		"recovery after the rename, rollback": {begin: again(afterTheRename(t)), command: rollback, chosen: outer},
	}) {
		t.Run(name, func(t *testing.T) {
			k.everywhere(t).report(t, "calls killed", 3)
		})
	}
}

// A recovery that is killed, and then the recovery from that one too.
func TestKilledRecoveryOfAKilledRecovery(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	needStrace(t)
	first := killing{begin: afterTheRename(t), command: (*house).rollback}
	all := changing(trace(t, first.begin, first.command))
	some := all[len(all)/2:][:1]
	for n := 0; long && n < 8; n++ {
		some = append(some, all[n*len(all)/8])
	}
	total := &tally{}
	for _, pt := range some {
		c := killing{begin: again(first.at(pt)), command: first.command, few: true, chosen: outer}.everywhere(t)
		total.wrong, total.tried = append(total.wrong, c.wrong...), total.tried+c.tried
	}
	total.report(t, "calls of a second recovery killed", 3)
}

// The control of the tests above: the same harness finds what is wrong with a
// program that truncates the file and writes it again.
func TestTheHarnessCatchesACarelessWriter(t *testing.T) {
	t.Attr("part", "controls that a fault is found")
	needStrace(t)
	k := killing{begin: laid(careless), command: (*house).upgrade}
	found := strings.Join(k.everywhere(t).wrong, "\n")
	for _, want := range []string{"neither the old version nor the new one", "was left beside .env", "after the next rollback"} {
		if !strings.Contains(found, want) {
			t.Errorf("a careless writer passed: %q was not found in\n%s", want, found)
		}
	}
}

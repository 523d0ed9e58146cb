package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/ui/built"
)

// killing is a command that is killed at every call: in a house that prepare
// brought to where the command begins.
type killing struct {
	program    *built.Program
	prepare    func(*testing.T, *house)
	command    func(*house) []string
	injections []string // in every run, the undisturbed one too
	// damage is allowed right after the kill, where a file is overwritten since
	// it cannot be renamed over. It must be gone after the next run.
	damage bool
	// only the calls that change something, also in the long form.
	few bool
}

func (k killing) house(t *testing.T) *house {
	h := newHouse(t, k.program)
	if k.prepare != nil {
		k.prepare(t, h)
	}
	return h
}

// everywhere kills the command at each of its calls. After each kill the file is
// the old or the new one; then the next command ends as if nothing had happened:
// an upgrade and, in a house of its own, a rollback. The short form takes turns,
// and so does the long one at calls that change nothing.
func (k killing) everywhere(t *testing.T) *tally {
	t.Helper()
	c := &tally{}
	all := trace(t, k.house, k.command, k.injections...)
	if !long || k.few {
		all = changing(all)
	}
	each(all, func(n int, pt point) {
		for next, name := range []string{"upgrade", "rollback"} {
			if !(long && pt.changes()) && n%2 != next {
				continue
			}
			h, killed := k.kill(t, pt)
			if !killed {
				c.add(pt, "was not killed")
				continue
			}
			c.count()
			if _, wrong := h.look(t, true); !k.damage {
				c.add(pt, wrong...)
			}
			c.add(pt, h.goesOn(t, name)...)
		}
	})
	return c
}

// kill runs the command in a house of its own and kills it at a call. The
// runtime's wake-ups count as writes, so that the call may not come at its number:
// then it is tried again.
func (k killing) kill(t *testing.T, pt point) (h *house, killed bool) {
	t.Helper()
	for range 5 {
		h = k.house(t)
		if e := h.run(t, false, k.command(h), append(slices.Clone(k.injections), pt.inject("signal=KILL"))...); e.code < 0 {
			return h, true
		}
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
		step(h.upgrade(), new)
	}
	step(h.rollback(), old)
	return wrong
}

// pointOf is the first call of an undisturbed upgrade that fits.
func pointOf(t *testing.T, call string, parts ...string) point {
	t.Helper()
	for _, pt := range trace(t, killing{program: keysplit}.house, (*house).upgrade) {
		if pt.call == call && !slices.ContainsFunc(parts, func(s string) bool { return !strings.Contains(pt.line, s) }) {
			return pt
		}
	}
	t.Fatalf("no %s with %q was traced", call, parts)
	return point{}
}

// killedAt is the state that an upgrade leaves which was killed at a call.
func killedAt(pt point) func(*testing.T, *house) {
	return func(t *testing.T, h *house) {
		if e := h.run(t, false, h.upgrade(), pt.inject("signal=KILL")); e.code >= 0 {
			t.Fatalf("was not killed at %v: exit %d", pt, e.code)
		}
	}
}

func upgraded(t *testing.T, h *house) {
	if e := h.run(t, false, h.upgrade()); e.code != 0 {
		t.Fatalf("exit %d: %s", e.code, e.out)
	}
}

const busy = "inject=renameat:error=EBUSY"

func killings(t *testing.T) map[string]killing {
	// The places where a kill leaves most to recover.
	beforeTheRename := killedAt(pointOf(t, "renameat", ".env.keysplit-"))
	afterTheRename := killedAt(pointOf(t, "fsync", "/backend>"))
	upgrade, rollback := (*house).upgrade, (*house).rollback
	return map[string]killing{
		"upgrade":                             {program: keysplit, command: upgrade},
		"upgrade in place":                    {program: keysplit, command: upgrade, injections: []string{busy}, damage: true},
		"rollback":                            {program: keysplit, command: rollback, prepare: upgraded},
		"recovery before the rename, upgrade": {program: keysplit, command: upgrade, prepare: beforeTheRename},
		"recovery after the rename, rollback": {program: keysplit, command: rollback, prepare: afterTheRename},
	}
}

func TestKilledAtEveryCall(t *testing.T) {
	needStrace(t)
	for name, k := range killings(t) {
		t.Run(name, func(t *testing.T) {
			k.everywhere(t).report(t, "kills", 20)
		})
	}
}

// A recovery that is killed, and then the recovery from that one too.
func TestKilledRecoveryOfAKilledRecovery(t *testing.T) {
	needStrace(t)
	first := killings(t)["recovery after the rename, rollback"]
	all := changing(trace(t, first.house, first.command))
	if !long {
		// The first and the last thing that it changes, and one between.
		all = []point{all[0], all[len(all)/2], all[len(all)-1]}
	}
	total := &tally{}
	for _, pt := range all {
		second := first
		second.few = true
		second.prepare = func(t *testing.T, h *house) {
			first.prepare(t, h)
			if e := h.run(t, false, first.command(h), pt.inject("signal=KILL")); e.code >= 0 {
				t.Fatalf("was not killed at %v: exit %d", pt, e.code)
			}
		}
		c := second.everywhere(t)
		total.wrong, total.tried = append(total.wrong, c.wrong...), total.tried+c.tried
	}
	total.report(t, "kills of a second recovery", 30)
}

// The control of the tests above: the same harness finds what is wrong with a
// program that truncates the file and writes it anew.
func TestTheHarnessCatchesACarelessWriter(t *testing.T) {
	needStrace(t)
	k := killing{program: careless, command: (*house).upgrade}
	found := strings.Join(k.everywhere(t).wrong, "\n")
	for _, want := range []string{"neither the old version nor the new one", "was left beside .env", "after the next rollback"} {
		if !strings.Contains(found, want) {
			t.Errorf("a careless writer passed: %q was not found in\n%s", want, found)
		}
	}
}

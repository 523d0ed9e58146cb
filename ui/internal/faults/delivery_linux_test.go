package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
)

// withShop begins with a project without its key, and an app without it.
func withShop(t *testing.T) *house {
	t.Helper()
	h := newHouse(t, keysplit)
	h.shop = newShop(t)
	return h
}

// delivered begins where an upgrade of both places has ended.
func delivered(t *testing.T) *house {
	t.Helper()
	h := withShop(t)
	e := h.run(t, false, h.upgrade())
	if has, wrong := h.look(t, false); e.code != 0 || has != isNew || len(wrong) > 0 {
		t.Fatalf("exit %d, %v: %s", e.code, wrong, e.out)
	}
	return h
}

// around chooses the first call and the last one, and every other one of those that end
// what is noted about the delivery and about the file.
func around(all []point) []point {
	from := slices.IndexFunc(all, func(pt point) bool { return pt.call == "renameat2" })
	out := all[:1:1]
	ends := 0
	for _, pt := range all[from:min(from+20, len(all))] {
		if pt.call == "fsync" || pt.call == "unlinkat" {
			if ends%4 == 0 {
				out = append(out, pt)
			}
			ends++
		}
	}
	for _, pt := range all {
		if pt.call == "fsync" && strings.Contains(pt.line, "/backup-") { // of the key, before it is chosen
			out = append(out, pt)
		}
	}
	return append(out, all[len(all)-1])
}

// A run over two places, one of which shows no value, is killed anywhere: the next
// one with the same flags brings the same key to both, a rollback takes both back,
// and no key stays in the state folder.
func TestKilledDelivery(t *testing.T) {
	t.Parallel()
	needStrace(t)
	for name, k := range stepstest.Part(2, map[string]killing{
		"upgrade":  {begin: withShop, command: (*house).upgrade, few: true, chosen: around},
		"rollback": {begin: delivered, command: (*house).rollback, few: true, chosen: around},
	}) {
		t.Run(name, func(t *testing.T) { k.everywhere(t).report(t, "calls around a delivery killed", 3) })
	}
}

// call is one call of the stand-in in which keysplit is killed.
type call struct {
	nth  int
	when string
	line string
}

func (c call) String() string { return fmt.Sprintf("%s call %d: %s", c.when, c.nth, c.line) }

// The same while the other program runs, before or after that did its work.
func TestKilledWhileItDelivers(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	for name, k := range map[string]killing{
		"upgrade":  {begin: withShop, command: (*house).upgrade},
		"rollback": {begin: delivered, command: (*house).rollback},
	} {
		t.Run(name, func(t *testing.T) {
			h := k.begin(t)
			from := h.shop.calls(t)
			if e := h.run(t, false, k.command(h)); e.code != 0 {
				t.Fatalf("exit %d: %s", e.code, e.out)
			}
			var all []call
			for n, line := range strings.Split(h.shop.file(t, "said"), "\n") {
				changes := strings.Contains(line, " import ") || strings.Contains(line, " unset ")
				for _, when := range []string{"before", "after"} {
					if n >= from && (long || changes) {
						all = append(all, call{n + 1, when, line})
					}
				}
			}
			c := &tally{}
			each(all, func(n int, at call) {
				for next, name := range []string{"upgrade", "rollback"} {
					if !long && n%2 != next {
						continue
					}
					h := k.begin(t)
					h.shop.put(t, "kill", fmt.Sprintf("%d %s", at.nth, at.when))
					if e := h.run(t, false, k.command(h)); e.code >= 0 {
						c.add(at, "was not killed")
						continue
					}
					c.count()
					c.add(at, h.goesOn(t, name)...)
				}
			})
			c.report(t, "kills while the other program runs", 2)
		})
	}
}

// The control: what the two tests above look at is found out.
func TestALostDeliveryIsFoundOut(t *testing.T) {
	t.Parallel()
	t.Attr("part", "controls that a fault is found")
	h := delivered(t)
	for want, harm := range map[string]func(){
		"two different keys":       func() { h.shop.put(t, "value", strings.Repeat("k", 86)) },
		"the app has no key":       func() { h.shop.put(t, "value", "") },
		"a key is left in journal": func() { h.leak(t) },
	} {
		harm()
		if _, wrong := h.look(t, false); !strings.Contains(strings.Join(wrong, "\n"), want) {
			t.Errorf("%s: not found in %v", want, wrong)
		}
	}
}

package faults

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"dj/keysplit/steps/stepstest"
)

// run is the number of one of several runs.
type run int

func (r run) String() string { return fmt.Sprintf("run %d", r) }

// Several runs at once, each with a state folder of its own, and each held up when it
// has compared the file and not yet replaced it: one key wins, and whoever did not
// write it says so.
func TestSlowRunsAtOnce(t *testing.T) {
	stepstest.OnlyLong(t)
	needStrace(t)
	first := newHouse(t, keysplit)
	c := &tally{}
	var wrote, refused atomic.Int32
	each([]run{1, 2, 3, 4}, func(_ int, at run) {
		h := *first
		h.state = filepath.Join(t.TempDir(), "state")
		e := h.run(t, false, h.upgrade(), "inject=renameat2:delay_enter=2000000")
		c.count()
		switch {
		case e.code == 0 && strings.Contains(e.out, "wrote .env"):
			wrote.Add(1)
		case e.code == 1 && (strings.Contains(e.out, "env-file-changed") || strings.Contains(e.out, "another value")):
			refused.Add(1)
		case e.code != 0:
			c.add(at, fmt.Sprintf("exit %d\n%s", e.code, e.out))
		}
	})
	has, wrong := first.look(t, false)
	if has != isNew || wrote.Load() != 1 {
		wrong = append(wrong, fmt.Sprintf("%d runs wrote the key, and the file is the %s one", wrote.Load(), has))
	}
	c.add(run(0), wrong...)
	if refused.Load() == 0 {
		t.Error("no run met another one: this looked at nothing")
	}
	c.report(t, "slow runs at once", 4)
}

package ui

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
)

// What was begun is said with its time, and with its day when that is another one.
func TestWhatWasBegun(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 18, 0, 0, 0, time.UTC)
	for want, b := range map[string]Begun{
		"You began at 10:07. The key ba0476 is written; no server was seen to use it yet.":                          {at: now.Add(-(7*60 + 53) * time.Minute), key: "ba0476", left: steps.Restart},
		"You began on 2026-01-01 at 23:59. A part of its places has the new key; no server was seen to use it yet.": {at: now.Add(-(18*60 + 1) * time.Minute), key: "ba0476", left: steps.Write},
	} {
		if got := b.said(now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The first page ticks what is done, and offers to go on with what is left, to choose
// again and to undo.
func TestWhatWasBegunIsTakenUp(t *testing.T) {
	for left, want := range map[steps.Name][]string{
		steps.Restart: {"✓ Key ──── ✓ Write ──── ○ Verify", "The key ba0476 is written", "✓ write the key", "○ restart the backend", "[ Go on: restart ]    Start over    Undo"},
		steps.Write:   {"✓ Key ──── ○ Write ──── ○ Verify", "A part of its places has the new key", "○ write the key", "[ Go on: write ]    Start over    Undo"},
	} {
		st := newStage(t, plainLight).open()
		st.w.begun = &Begun{at: st.w.now(), key: "ba0476", left: left}
		for _, text := range want {
			if v := st.w.View(); !strings.Contains(v, text) {
				t.Errorf("%q is not on the first page:\n%s", text, v)
			}
		}
		st.pick("Undo")
		if st.w.backPhase() != backAsked {
			t.Errorf("it does not ask:\n%s", st.w.View())
		}
		st.press("n").want(steps.Preflight, done)
		st.pick("Start over")
		st.want(steps.Generate, ready)
	}
}

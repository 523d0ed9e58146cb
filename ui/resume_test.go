package ui

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/prose"
)

// What was begun is said with its time, and with its day when that is another one.
func TestWhatWasBegun(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 18, 0, 0, 0, time.UTC)
	for want, b := range map[string]begun{
		"You began at 10:07. The key ba0476 is written; no server was seen to use it yet.":                          {at: now.Add(-(7*60 + 53) * time.Minute), key: "ba0476"},
		"You began on 2026-01-01 at 23:59. A part of its places has the new key; no server was seen to use it yet.": {at: now.Add(-(18*60 + 1) * time.Minute)},
	} {
		if got := b.said(now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The first page offers to go on and to undo it, and undoing asks with all that it does.
func TestWhatWasBegunCanBeUndone(t *testing.T) {
	st := newStage(t, plainLight).open()
	st.w.begun = &begun{at: st.w.now(), key: "ba0476", undoing: []prose.Text{prose.Say("backend/.env: content, mode and owner as before")}}
	if v := st.w.View(); !strings.Contains(v, "The key ba0476 is written") || !strings.Contains(v, "[ Go on ]    Undo") {
		t.Errorf("the first page is\n%s", v)
	}
	st.pick("Undo")
	if q := st.w.question; q == nil || !strings.HasPrefix(q.question, "backend/.env: content, mode and owner as before\n") || q.options[st.w.selected].label != "Back" {
		t.Fatalf("it asks %+v", q)
	}
	st.press("n")
	st.w.begun.confirm = "production"
	if v := st.w.View(); strings.Contains(v, "Undo") {
		t.Errorf("a yes would undo it in production:\n%s", v)
	}
}

//go:build unix && !race

package ui

import (
	"context"
	"slices"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
)

// Not with the race detector: when a model panics, Bubble Tea (1.3.10) closes its
// reader without waiting for it, which the detector reports.

// faulty is a screen that panics in one place.
type faulty struct {
	screen
	in   string
	when chan struct{}
}

func (f *faulty) plan(w *wizard, s *sheet, p steps.Plan) {
	if f.in == "View" {
		panic("on purpose")
	}
	f.screen.plan(w, s, p)
}

func (f *faulty) key(w *wizard, k tea.KeyMsg) (tea.Cmd, bool) {
	switch f.in {
	case "Update":
		panic("on purpose")
	case "a command":
		return func() tea.Msg { <-f.when; panic("on purpose") }, k.String() == "x"
	}
	return f.screen.key(w, k)
}

// Wherever keysplit itself goes wrong, the terminal is as it was, and the
// program ends with an error.
func TestAPanicRestoresTheTerminal(t *testing.T) {
	t.Attr("part", "panics in Update, View, a command, a step")
	for _, in := range []string{"View", "Update", "a command"} {
		t.Run(in, func(t *testing.T) {
			before := parts
			defer func() { parts = before }()
			parts = slices.Clone(parts)
			when := make(chan struct{})
			parts[1].screen = func() screen { return &faulty{newGenerate(), in, when} }
			st := newStage(t, plainLight)
			finished := slow(st, steps.Generate)
			y := show(t, context.Background(), st, Options{})
			y.until("[ Start ]")
			y.types("\r")
			if in != "View" {
				y.until("Step 1 of 5")
				y.types("x")
			}
			if in == "a command" {
				y.types("\r")
				y.until("it runs")
				close(when)
			}
			y.end()
			y.restored()
			if y.err == nil || finished() != (in == "a command") {
				t.Errorf("it ended with %v, and what ran had finished: %t", y.err, finished())
			}
		})
	}
}

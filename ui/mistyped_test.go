package ui

import (
	"context"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// What was given and is not there is asked for again, with what was typed.
func TestWhatIsNotThereIsAskedForAgain(t *testing.T) {
	t.Parallel()
	missing := steps.Fail(finding.New(finding.PlaceNotFound, ""))
	for flag, c := range map[string]struct {
		given string
		err   error
		label string // "" for none
	}{
		"target":   {"compose:compse.yaml", missing, "Another place"},
		"env-file": {"nowhere/.env", missing, "Another file"},
		"restart":  {"systemd:nowhere", missing, "Another restart"},
		"as":       {"nobody-here", steps.UsageOf("as", "--as: there is no such user"), "Another user"},
		"also":     {"compose:compse.yaml", steps.UsageOf("also", "--also: there is no such service"), ""},
		"settings": {"a.b", missing, ""},
	} {
		st := newStage(t, plainLight)
		st.e.Run.Options.Given = []string{"--" + flag, c.given}
		st.fakes[steps.Preflight].apply = func(context.Context, *steps.Run, steps.Emit) error { return c.err }
		st.open()
		st.want(steps.Preflight, failed)
		if c.label == "" {
			if v := st.w.View(); strings.Contains(v, "Another") {
				t.Errorf("--%s:\n%s", flag, v)
			}
			continue
		}
		st.pick(c.label)
		if st.press("enter"); st.w.again == nil || *st.w.again != (Again{Flag: flag, Value: c.given}) {
			t.Errorf("--%s: it begins again with %+v", flag, st.w.again)
		}
	}
}

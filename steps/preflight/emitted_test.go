//go:build unix

package preflight

import (
	"errors"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
)

// Whoever watches sees each finding once: those that end the look come with its error.
func TestEachFindingIsSeenOnce(t *testing.T) {
	t.Parallel()
	for name, shadow := range map[string]string{"a look that goes on": "", "one that ends": stepstest.Key()} {
		run := newRun(t)
		run.Options.Folder = layPython(t, map[string]string{"manage.py": manage, "config/settings.py": "from decouple import config\nSECRET_KEY = config('SECRET_KEY')\nJWT_SECRET_KEY = config('JWT_SECRET_KEY')\n", ".git/HEAD": "", ".env": "JWT_SECRET_KEY=" + stepstest.Key() + "\n"})
		run.Options.Static, run.Options.ReadOnly = true, true
		run.Environ = func(name string) (string, bool) { return shadow, name == "JWT_SECRET_KEY" && shadow != "" }
		var seen []finding.Code
		err := (&Step{}).Apply(t.Context(), run, func(ev steps.Event) {
			if ev.Finding != nil {
				seen = append(seen, ev.Finding.Code)
			}
		})
		var failure *steps.Failure
		if errors.As(err, &failure) {
			for _, f := range failure.Findings {
				seen = append(seen, f.Code)
			}
		}
		var want []finding.Code
		for _, f := range run.Project.Findings {
			want = append(want, f.Code)
		}
		if (err != nil) != (shadow != "") || len(want) == 0 || !same(seen, want) {
			t.Errorf("%s: seen %v, found %v, %v", name, seen, want, err)
		}
	}
}

// same reports whether each code is as often in one as in the other.
func same(a, b []finding.Code) bool {
	n := map[finding.Code]int{}
	for _, c := range a {
		n[c]++
	}
	for _, c := range b {
		n[c]--
	}
	for _, left := range n {
		if left != 0 {
			return false
		}
	}
	return true
}

// A session that does not end is not left behind for another one.
func TestASessionThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	run := newRun(t)
	stuck := errors.New("it does not end")
	run.Django = &closing{err: stuck}
	if err := (&Step{}).Apply(t.Context(), run, func(steps.Event) {}); !errors.Is(err, stuck) || run.Project != nil {
		t.Errorf("%v, looked %t", err, run.Project != nil)
	}
}

type closing struct {
	stepstest.Django
	err error
}

func (c closing) Close() error { return c.err }

// Two runs do not have one project at a time.
func TestAProjectThatAnotherRunHas(t *testing.T) {
	t.Parallel()
	p := stepstest.NewRun(t, "", nil).Project
	one, other := newRun(t), newRun(t)
	other.Options.State = one.Options.State
	t.Cleanup(one.Close)
	if err := openJournal(t.Context(), one, p, func(steps.Event) {}); err != nil {
		t.Fatal(err)
	}
	var held *journal.HeldError
	if err := openJournal(t.Context(), other, p, func(steps.Event) {}); !errors.As(err, &held) || other.Journal != nil {
		t.Errorf("%v", err)
	}
}

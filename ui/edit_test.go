package ui

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// A message that was broken for 76 columns is one paragraph on fewer.
func TestAMessageIsBrokenAnew(t *testing.T) {
	st := newStage(t, plainLight)
	s := newSheet(st.w.styles, 50, "")
	s.text("What\n  " + strings.Repeat("a", 59) + " b\n  c\n    d\n")
	if got := s.rows[len(s.rows)-2:]; !slices.Equal(got, []string{"  aaaaaaaaaaa b c", "    d"}) {
		t.Errorf("rows %q", s.rows)
	}
}

// withPipeline is a stage whose project has a pipeline without the key, on disk.
func withPipeline(t *testing.T) (st *stage, file string) {
	t.Helper()
	st = newStage(t, plainLight)
	run := stepstest.NewRun(t, "SECRET_KEY=x\n", nil)
	file = filepath.Join(run.Project.TopLevel, "ci.yml")
	if err := os.WriteFile(file, []byte("env:\n  SECRET_KEY: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	st.fakes[steps.Preflight].apply = func(_ context.Context, r *steps.Run, emit steps.Emit) error {
		r.Project, r.Journal = run.Project, run.Journal
		r.Project.Findings = []steps.Finding{missing()}
		emit.Find(missing())
		emit.Find(steps.NewFinding("ci-missing-key", "").At("ci.yml", 2))
		return nil
	}
	return st, file
}

// The edit of a file leaves the page alone and comes back to the list, which has
// one finding less.
func TestAnEditFromTheFindings(t *testing.T) {
	const gone = "A pipeline or build sets SECRET_KEY"
	for _, begin := range []steps.Name{steps.Preflight, steps.Write, steps.Checklist} {
		t.Run(string(begin), func(t *testing.T) {
			st, file := withPipeline(t)
			st.open()
			if begin != steps.Preflight {
				st.to(begin)
			}
			name, ph := st.at()
			ran := st.fakes[steps.Checklist].applied
			st.press("t")
			if begin != steps.Checklist { // there the key is written and proved
				st.press("down")
			}
			st.press("enter", "e")
			if data, err := os.ReadFile(file); err != nil || strings.Count(string(data), "JWT_SECRET_KEY") != 1 {
				t.Fatalf("the file has %q, %v", data, err)
			}
			v := st.w.View()
			here, _, ok := strings.Cut(v, "Everything that keysplit knows")
			if !ok || strings.Contains(here, gone) || !strings.Contains(v, "Edited ci.yml: 1 line added. Look at it with git diff.") {
				t.Errorf("the list is\n%s", v)
			}
			st.press("esc")
			st.want(name, ph)
			again := 0
			if begin == steps.Checklist {
				again = 1
			}
			if n := st.fakes[steps.Checklist].applied - ran; n != again {
				t.Errorf("the checklist ran %d times", n)
			}
			if o, _ := st.w.outcome(st.e, true, nil); steps.Has(o.Findings, "ci-missing-key") || o.Failed != nil {
				t.Errorf("outcome %+v", o)
			}
		})
	}
}

// While something runs there is no edit, and what runs goes on.
func TestAnEditWaitsForTheJob(t *testing.T) {
	st, file := withPipeline(t)
	st.open().to(steps.Write).during("enter", steps.Write)
	running := st.w.job
	st.press("t", "down", "enter", "e")
	if st.w.job != running || !strings.Contains(st.w.View(), "Something is running. Press x to stop it first.") {
		t.Errorf("the job was given up, or nothing was said:\n%s", st.w.View())
	}
	if data, _ := os.ReadFile(file); strings.Contains(string(data), "JWT_SECRET_KEY") {
		t.Error("the file was edited")
	}
	if st.press("x"); !strings.Contains(st.w.View(), "Stopping") {
		t.Errorf("x does not stop it:\n%s", st.w.View())
	}
}

// An edit that is refused says why, where it was asked for.
func TestAnEditThatIsRefused(t *testing.T) {
	st, file := withPipeline(t)
	st.open().press("t", "down", "enter")
	if err := os.WriteFile(file, []byte("env:\n  SECRET_KEY: changed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	st.press("e")
	if v := st.w.View(); !strings.Contains(v, "The file was not edited.") || !strings.Contains(v, "not edited: ci.yml was changed") {
		t.Errorf("the reason is missing:\n%s", v)
	}
	st.press("esc", "esc")
	st.want(steps.Preflight, done)
}

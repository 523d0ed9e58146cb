package ui

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
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
		r.Project.Findings = []finding.Finding{missing()}
		emit.Find(missing())
		emit.Find(finding.New("ci-missing-key", "").At("ci.yml", 2))
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
			if st.w.over == nil || st.w.over.list == nil || strings.Contains(v, gone) || !strings.Contains(v, "Edited ci.yml: 1 line added. Look at it with git diff.") {
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
			if o, _ := st.w.outcome(st.e, true, nil); finding.Has(o.Findings, "ci-missing-key") || o.Failed != nil {
				t.Errorf("outcome %+v", o)
			}
		})
	}
}

// e leads to the next edit from wherever the person is told of one, and shows it
// before anything is changed. What an edit cannot mend is named at once.
func TestAnEditThatLeavesALine(t *testing.T) {
	st, file := withPipeline(t)
	text := "jobs:\n  build:\n    env:\n      SECRET_KEY: x\n  test:\n    env: {SECRET_KEY: }\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	st.open()
	for _, page := range []steps.Name{steps.Preflight, "end"} {
		if page != steps.Preflight {
			st.to(page)
		}
		if v := st.w.View(); !strings.Contains(v, "e edit a file") {
			t.Errorf("%s does not tell of e:\n%s", page, v)
		}
		if v := st.press("e").w.View(); !strings.Contains(v, "5 +       JWT_SECRET_KEY:") || !strings.Contains(v, "Line 7 is left for you then.") {
			t.Errorf("on %s e shows\n%s", page, v)
		}
		st.press("esc", "esc")
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != text {
		t.Fatalf("the file has %q, %v", data, err)
	}
	v := st.press("e", "e").w.View()
	if !strings.Contains(v, "ci.yml, line 7") || strings.Contains(v, "line 2") || !strings.Contains(v, "Edited ci.yml: 1 line added, line 7 is left for you.") {
		t.Errorf("the list is\n%s", v)
	}
	if v := st.press("e").w.View(); !strings.Contains(v, "There is nothing here that keysplit can edit.") {
		t.Errorf("a second edit is offered:\n%s", v)
	}
	if v := st.press("esc").w.View(); !strings.Contains(v, "keysplit rollback") || !strings.Contains(v, "Roll back") {
		t.Errorf("no way back is named:\n%s", v)
	}
	if o, _ := st.w.outcome(st.e, true, nil); !o.Edited {
		t.Errorf("outcome %+v", o)
	}
	st.pick("Roll back")
	st.press("right", "enter")
	if o, _ := st.w.outcome(st.e, true, nil); o.Edited || o.Back == nil || o.Back.Err != nil {
		t.Errorf("after the rollback: %+v", o)
	}
}

// A page does not go on to show what was mended from it.
func TestAnEditIsSeenOnThePage(t *testing.T) {
	st, _ := withPipeline(t)
	const found = "1 more finding that can wait"
	if v := st.open().w.View(); !strings.Contains(v, found) {
		t.Fatalf("the page does not show it:\n%s", v)
	}
	if v := st.press("e", "e", "esc").w.View(); strings.Contains(v, found) || !strings.Contains(v, missing().Message.Rendered()) {
		t.Errorf("after the edit the page is\n%s", v)
	}
}

// What covers a page begins at its own top, however far the page was scrolled.
func TestAnOverlayBeginsAtItsTop(t *testing.T) {
	st := newStage(t, plainLight)
	st.open()
	for _, k := range []string{"?", "w", "t", "m", "b"} {
		st.w.scroll = 3
		if st.press(k); st.w.over == nil || st.w.scroll != 0 {
			t.Errorf("%s begins at row %d", k, st.w.scroll)
		}
		st.press("esc")
	}
}

// Where the step that writes was left out, the wizard cannot take an edit back, and
// names the command that does.
func TestAnEditWithoutTheStepThatWrites(t *testing.T) {
	st, _ := withPipeline(t)
	st.e.Run.Options.Skip = map[steps.Name]bool{steps.Write: true}
	if v := st.open().to("end").press("e", "e", "esc").w.View(); strings.Contains(v, "Roll back") || !strings.Contains(v, "keysplit rollback") {
		t.Errorf("the page is\n%s", v)
	}
}

// While something runs there is no edit, and what runs goes on.
func TestAnEditWaitsForTheJob(t *testing.T) {
	st, file := withPipeline(t)
	st.open().to(steps.Write).during("enter", steps.Write)
	running := st.w.job
	st.press("t", "down", "enter", "e")
	if st.w.job != running || !strings.Contains(st.w.View(), "A step is running. Press x to stop it first.") {
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

package ui

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/stepstest"
)

// The form takes no word without a name and a note, and esc gives it up.
func TestTheFormOfAnAttestation(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Checklist)
	st.w.page(steps.Checklist).screen.came(st.w, report{items: []checklist.Item{{Number: 7, Todo: prose.Say("Set it there.")}}})
	if v := st.size(120, 40); !strings.Contains(v, "Do  Set it there.") {
		t.Errorf("it does not say what to do:\n%s", v)
	}
	st.press("right", "enter", "enter")
	shows := func(want string) {
		t.Helper()
		if v := st.w.View(); !strings.Contains(v, want) {
			t.Fatalf("%q is not shown:\n%s", want, v)
		}
	}
	shows("CI/CD pipelines updated")
	shows("Your name: _")
	if v := st.w.View(); strings.Contains(v, "Do  ") { // it is being done
		t.Errorf("it says what to do:\n%s", v)
	}
	st.press("enter")
	shows("The report needs your name.")
	st.typed("Ada").press("enter")
	shows("Note: _")
	st.typed("   ").press("enter")
	shows("The report needs a note.")
	st.typed(strings.Repeat("x", checklist.MaxWords+1)).press("enter")
	shows("At most 300 characters.")
	st.press("ctrl+u").typed("q and ? are letters here").press("tab", "ctrl+u", "tab", "enter")
	shows("Your name: _") // the name is missing again
	st.press("esc")
	st.want(steps.Checklist, done)
	shows("[ Finish ]")
	if st.fakes[steps.Checklist].applied != 1 {
		t.Error("something was recorded without a whole word")
	}
}

// What the files show is no person's to say, and what is in order needs no word.
func TestOnlyOpenItemsOfAPersonAreOffered(t *testing.T) {
	st := attest(newStage(t, plainLight))
	var offered []string
	for _, o := range st.w.question.options {
		offered = append(offered, o.label[:1])
	}
	if got := strings.Join(offered, " "); got != "7 9" {
		t.Errorf("offered are %s, want 7 9", got)
	}
	st.press("esc")
	if st.w.question != nil {
		t.Error("esc does not close the question")
	}

	all := newStage(t, plainLight)
	apply := all.fakes[steps.Checklist].apply
	all.fakes[steps.Checklist].apply = func(ctx context.Context, r *steps.Run, emit steps.Emit) error {
		return apply(ctx, r, func(ev steps.Event) {
			ev.Mark = map[bool]steps.Mark{true: steps.MarkWarn, false: steps.MarkOK}[ev.ID == "item-1"]
			emit(ev)
		})
	}
	if v := all.open().to(steps.Checklist).w.View(); strings.Contains(v, "Attest") {
		t.Errorf("an item that only the files can show is offered:\n%s", v)
	}
}

// The details are about the item that is looked at: beside the list where there is room,
// below it elsewhere.
func TestTheItemThatIsLookedAt(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Checklist)
	for _, size := range [][2]int{{120, 40}, {100, 30}, {80, 40}} {
		for item, want := range map[string]string{"7": "ci.yml:12", "9": "only a person can know this", "1": "backend/.env:72 sets"} {
			v := st.press(item).size(size[0], size[1])
			for other, text := range map[string]string{"7": "ci.yml:12", "9": "only a person can know this", "1": "backend/.env:72 sets"} {
				if strings.Contains(v, text) != (other == item) {
					t.Errorf("at %v, item %s: %q is shown %t, want %q:\n%s", size, item, text, other != item, want, v)
				}
			}
			if beside := strings.Contains(v, "│"); beside != (size[0] >= 100) {
				t.Errorf("at %v the details stand beside the list: %t", size, beside)
			}
		}
	}
	st.press("9", "down", "up", "up")
	if v := st.w.View(); !strings.Contains(v, "ci.yml:12") && !strings.Contains(v, ".env.example") {
		t.Errorf("up does not move:\n%s", v)
	}
}

// Whoever commits here is who signs, unless they type another name.
func TestTheNameOfASignOffComesFromGit(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Checklist)
	st.w.page(steps.Checklist).screen.came(st.w, report{author: "Ada Lovelace", items: []checklist.Item{{Number: 9}}})
	st.press("9").pick("Sign an item off")
	if at := st.w.question.options[st.w.selected].label; !strings.HasPrefix(at, "9.") {
		t.Errorf("the item that is marked is 9, and the list begins at %q", at)
	}
	if v := st.press("9", "enter").w.View(); !strings.Contains(v, "Your name: Ada Lovelace") || !strings.Contains(v, "Note: _") {
		t.Errorf("the form is\n%s", v)
	}
}

// c puts the whole report on the clipboard, and says so.
func TestTheReportIsCopied(t *testing.T) {
	st := withPipeline(t)
	st.open().to(steps.Checklist).press("c")
	if len(st.copied) != 1 || !strings.Contains(st.copied[0], "1. ") || !strings.Contains(st.copied[0], "9. Team notified") || !strings.Contains(st.w.View(), "Copied") {
		t.Errorf("copied %q\n%s", st.copied, st.w.View())
	}
}

// withPipeline is a stage whose project has a pipeline without the key, on disk.
func withPipeline(t *testing.T) *stage {
	t.Helper()
	st := newStage(t, plainLight)
	run := stepstest.NewRun(t, "SECRET_KEY=x\n", nil)
	file := filepath.Join(run.Project.TopLevel, "ci.yml")
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
	return st
}

package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

func (st *stage) size(width, height int) string {
	st.send(tea.WindowSizeMsg{Width: width, Height: height})
	return st.w.View()
}

func lastRow(view string) string { return view[strings.LastIndex(view, "\n")+1:] }

// However narrow the terminal, the keys of a page name the help, and where there
// is room the way out.
func TestTheFooterKeepsTheHelp(t *testing.T) {
	for _, sc := range scenes {
		st := newStage(t, plainLight)
		sc.play(st)
		fields, _ := st.w.openFields()
		if st.w.over != nil || st.w.question != nil || st.w.leaving || st.w.flash != "" || len(fields) > 0 {
			continue
		}
		for _, size := range [][2]int{{120, 40}, {80, 24}, {60, 20}, {40, 20}, {20, 5}} {
			foot := lastRow(st.size(size[0], size[1]))
			if !strings.Contains(foot, "?") || size[0] >= 40 && !strings.Contains(foot, "q quit") {
				t.Errorf("%s at %v has %q", sc.name, size, foot)
			}
		}
	}
}

// What stands beside an option is read whole, or not at all.
func TestTheNotesOfOptionsAreNotCut(t *testing.T) {
	for _, n := range []steps.Name{steps.Generate, steps.SmokeTest} {
		st := newStage(t, plainLight).open().to(n)
		for width := 30; width <= 120; width++ {
			for _, row := range strings.Split(st.size(width, 24), "\n") {
				if strings.Contains(row, "┃") && strings.Contains(row, "…") {
					t.Errorf("%s at %d columns has %q", n, width, row)
				}
			}
		}
	}
}

// On a short terminal what is wrong comes before what is well, and the header
// says that there is more.
func TestAShortTerminalShowsWhatMattersFirst(t *testing.T) {
	st := newStage(t, plainLight).open()
	view := st.size(20, 5)
	if !strings.Contains(view, "✗ JWT_SECRET_KEY") {
		t.Errorf("what is wrong is not on the screen:\n%s", view)
	}
	if top, _, _ := strings.Cut(view, "\n"); !strings.Contains(top, "↓") {
		t.Errorf("nothing says that there is more: %q", top)
	}
	st.press("end")
	if top, _, _ := strings.Cut(st.w.View(), "\n"); !strings.Contains(top, "↑") {
		t.Errorf("nothing says that this is the end: %q", top)
	}
	if top, _, _ := strings.Cut(st.size(80, 24), "\n"); strings.ContainsAny(top, "↓↑") {
		t.Errorf("all is shown, and yet the header is %q", top)
	}
}

// The list of findings cuts nothing, and only what is wrong here looks wrong.
func TestTheListOfFindings(t *testing.T) {
	st := newStage(t, plainLight)
	apply := st.fakes[steps.Preflight].apply
	st.fakes[steps.Preflight].apply = func(ctx context.Context, r *steps.Run, emit steps.Emit) error {
		emit.Find(steps.NewFinding("jwt-key-old", ""))
		emit.Find(steps.NewFinding("env-file-in-build-context", "").At("Dockerfile", 3))
		return apply(ctx, r, emit)
	}
	st.open().press("t")
	for _, width := range []int{40, 60, 76, 80, 100, 120, 200} {
		view := st.size(width, 400)
		here, known, _ := strings.Cut(view, "Everything that keysplit knows")
		if strings.Contains(view, "…") {
			t.Errorf("something is cut at %d columns:\n%s", width, view)
		}
		if strings.ContainsAny(known, "✗!") {
			t.Errorf("the catalogue has marks of trouble at %d columns:\n%s", width, known)
		}
		last := -1
		for _, want := range []string{"✗ JWT_SECRET_KEY is not set.", "! The Dockerfile copies", "! Git does not ignore", "i JWT_SECRET_KEY is older"} {
			at := strings.Index(here, want)
			if at <= last {
				t.Errorf("%q is not in its place at %d columns:\n%s", want, width, here)
			}
			last = at
		}
	}
	// In columns: every message begins in the same one.
	at := -1
	for _, row := range strings.Split(st.size(80, 400), "\n") {
		if rest, ok := strings.CutPrefix(row, "     • "); ok {
			if _, message, ok := strings.Cut(rest, "  "); ok {
				now := ansi.StringWidth(row) - ansi.StringWidth(strings.TrimLeft(message, " "))
				if at < 0 {
					at = now
				}
				if now != at {
					t.Errorf("out of its column: %q", row)
				}
			}
		}
	}
}

// Moving through a list scrolls no more than it must.
func TestTheListScrollsAtItsEdges(t *testing.T) {
	st := newStage(t, plainLight).open().press("t")
	st.size(80, 24)
	for range 30 {
		st.press("down")
	}
	scroll := st.w.scroll
	st.press("up")
	if st.w.scroll != scroll || scroll == 0 {
		t.Errorf("one step up scrolls from row %d to %d", scroll, st.w.scroll)
	}
}

func TestThePathInTheHeader(t *testing.T) {
	st := newStage(t, plainLight).open()
	top := func(width int) string { row, _, _ := strings.Cut(st.size(width, 24), "\n"); return row }
	st.w.facts.folder = "~/work/customers/acme/plants-and-flowers/services/backend/of/the/shop"
	if got := top(120); !strings.HasSuffix(got, "  "+st.w.facts.folder) {
		t.Errorf("at 120 columns: %q", got)
	}
	if got := top(80); !strings.HasSuffix(got, "  …/services/backend/of/the/shop") {
		t.Errorf("at 80 columns: %q", got)
	}
	st.w.facts.folder = "/tmp/keysplit-demo-1568966994/plants/backend"
	st.w.throwaway = true
	if got := top(80); !strings.HasSuffix(got, "  plants/backend") || strings.Contains(got, "demo-15") {
		t.Errorf("in the demo: %q", got)
	}
}

// A finding names its place once.
func TestThePlaceIsSaidOnce(t *testing.T) {
	for _, tc := range []struct {
		message, file string
		line          int
		want          string
	}{
		{"JWT_SECRET_KEY is not set in .env.", ".env", 0, ""},
		{"JWT_SECRET_KEY is not set.", "backend/.env", 0, "backend/.env"},
		{"It is glued to the end of line 4 of .env.", ".env", 4, ""},
		{"It is glued to the end of line 41 of .env.", ".env", 4, "line 4"},
		{"backend/.env is not read.", ".env", 2, ".env, line 2"},
		{".env:7 sets it twice.", ".env", 7, ""},
		{"It is in .env twice.", ".env", 7, "line 7"},
		{"It is glued to the end of line 4.", ".env", 4, ".env"},
	} {
		if got := unsaid(steps.Finding{Message: tc.message, File: tc.file, Line: tc.line}); got != tc.want {
			t.Errorf("%q at %s:%d: %q, want %q", tc.message, tc.file, tc.line, got, tc.want)
		}
	}
}

// enter leads from the smoke test to the nine items; to stop there is no loop.
func TestTheChecklistBeginsAtOnce(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.SmokeTest).press("enter", "enter")
	st.want(steps.Checklist, done)
	for _, want := range []string{"9. Team notified of change", "2 of 9 items are still open.", "Attest an item"} {
		if v := st.w.View(); !strings.Contains(v, want) {
			t.Errorf("%q is not shown:\n%s", want, v)
		}
	}
	if n := st.fakes[steps.Checklist].applied; n != 1 {
		t.Errorf("it ran %d times", n)
	}
	st.hold = true
	st.press("r")
	st.send(resultMsg{id: st.w.lastJob, kind: jobApply, step: steps.Checklist, err: steps.ErrCancelled, facts: st.w.facts})
	if st.want(steps.Checklist, failed); st.w.job != nil {
		t.Error("it began again by itself")
	}
}

// After a login that was rejected the same password is not sent again.
func TestARejectedPasswordIsForgotten(t *testing.T) {
	st := newStage(t, plainLight)
	apply := st.fakes[steps.SmokeTest].apply
	st.fakes[steps.SmokeTest].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
		emit.Check("login", steps.MarkFailed, "log in as ada", "401")
		return steps.Fail(steps.NewFinding("login-rejected", ""))
	}
	st.open().to(steps.SmokeTest)
	st.pickRow(ownAccount)
	st.typed("ada").press("enter").typed("wrong").press("enter", "enter")
	st.want(steps.SmokeTest, failed)
	if st.e.Run.Options.Password.Set() {
		t.Error("the password is kept")
	}
	st.press("enter")
	st.want(steps.SmokeTest, ready)
	v := st.w.View()
	if !strings.Contains(v, "User name: ada") || !strings.Contains(v, "Password: _") {
		t.Fatalf("the form is not open, with the name in it:\n%s", v)
	}
	if st.press("enter"); st.fakes[steps.SmokeTest].applied != 1 {
		t.Error("enter sent an empty password")
	}
	st.fakes[steps.SmokeTest].apply = apply
	st.typed("right").press("enter", "enter")
	st.want(steps.SmokeTest, done)
	if o := st.e.Run.Options; o.Username != "ada" || o.Password.Reveal() != "right" || o.TempUser {
		t.Errorf("it logged in as %q, throwaway %v", o.Username, o.TempUser)
	}
}

// pickRow moves to an option of a list and takes it.
func (st *stage) pickRow(label string) {
	st.t.Helper()
	for range 5 {
		if p := st.w.prompt(); p.options[st.w.selected].label == label {
			st.press("enter")
			return
		}
		st.press("down")
	}
	st.t.Fatalf("%q is not offered:\n%s", label, st.w.View())
}

// A line of proof is in the log once, as it came out.
func TestTheLogHasALineOfProofOnce(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.SmokeTest)
	var events []steps.Event
	for n := range 20 {
		events = append(events, steps.Event{Kind: steps.EventCheck, ID: "new-key", Mark: steps.MarkRunning, Text: "signs", Detail: fmt.Sprintf("%d of 20", n)})
	}
	st.during("enter", steps.SmokeTest, events...).press("l")
	if v := st.w.View(); strings.Count(v, "signs") != 1 || !strings.Contains(v, "19 of 20") {
		t.Errorf("while it runs the log has\n%s", v)
	}
	st.send(eventMsg{st.w.job.id, steps.Event{Step: steps.SmokeTest, Kind: steps.EventCheck, ID: "new-key", Mark: steps.MarkOK, Text: "signs", Detail: "20 of 20"}})
	st.send(eventMsg{st.w.job.id, steps.Event{Step: steps.SmokeTest, Kind: steps.EventCheck, ID: "login", Mark: steps.MarkRunning, Text: "logs in"}})
	st.send(resultMsg{id: st.w.lastJob, kind: jobApply, step: steps.SmokeTest, err: errors.New("no"), facts: st.w.facts})
	if v := st.w.View(); strings.Count(v, "signs") != 1 || strings.Contains(v, "running") {
		t.Errorf("at the end the log has\n%s", v)
	}
}

// A line that was running when its step ended spins no more.
func TestALineThatDidNotFinish(t *testing.T) {
	for want, err := range map[string]error{"✗ kubernetes:x/y": errors.New("no access"), "○ kubernetes:x/y": steps.ErrCancelled} {
		st := newStage(t, plainLight)
		st.hold = true
		st.open()
		st.send(eventMsg{st.w.job.id, steps.Event{Step: steps.Preflight, Kind: steps.EventCheck, ID: "a", Mark: steps.MarkRunning, Text: "kubernetes:x/y"}})
		st.send(resultMsg{id: st.w.lastJob, kind: jobApply, step: steps.Preflight, err: err, facts: st.w.facts})
		if v := st.w.View(); !strings.Contains(v, want) || strings.Contains(v, st.w.spin.View()) {
			t.Errorf("%q is not shown after %v:\n%s", want, err, v)
		}
	}
}

// While the name of production is typed, the screen says which one it is.
func TestTheNameToTypeIsOnTheScreen(t *testing.T) {
	st := newStage(t, plainLight)
	production(st)
	st.open().to(steps.Write).press("enter").typed("pro")
	for _, size := range sizes {
		v := strings.Join(strings.Fields(st.size(size[0], size[1])), " ")
		if !strings.Contains(v, "Type production:") || !strings.Contains(v, "pro_") {
			t.Errorf("at %v:\n%s", size, st.w.View())
		}
		if size[1] >= 20 && !strings.Contains(v, "This is production.") {
			t.Errorf("at %v the question is gone:\n%s", size, st.w.View())
		}
	}
}

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
	const gone = "A pipeline sets SECRET_KEY"
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

// The message can be read to its end, and c copies all of it.
func TestTheMessageIsCopiedWhole(t *testing.T) {
	st := newStage(t, plainLight).open()
	st.hold = true
	st.press("m")
	text := strings.Repeat("A line of the message.\n", 40) + "The last line.\n"
	st.send(messageMsg(text))
	st.hold = false
	st.size(80, 24)
	for range 5 {
		st.press("pgdown")
	}
	if v := st.w.View(); !strings.Contains(v, "The last line.") {
		t.Errorf("the end is not in sight:\n%s", v)
	}
	if st.press("c"); len(st.copied) != 1 || st.copied[0] != text {
		t.Errorf("copied %q", st.copied)
	}
}

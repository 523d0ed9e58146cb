package ui

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/stepstest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scenes are the screens and states that the golden files show.
var scenes = []struct {
	name string
	play func(*stage)
}{
	{"preflight-running", func(st *stage) {
		st.hold = true
		st.open()
		for _, ev := range []steps.Event{
			{Kind: steps.EventCheck, ID: "project", Mark: steps.MarkOK, Text: prose.Say("Django project"), Detail: prose.Say("backend/manage.py")},
			{Kind: steps.EventCheck, ID: "django", Mark: steps.MarkRunning, Text: prose.Say("Django"), Detail: prose.Say("starts")},
		} {
			ev.Step = steps.Preflight
			st.send(eventMsg{st.w.job.id, ev})
		}
	}},
	{"preflight", func(st *stage) { st.open() }},
	{"preflight-failed", func(st *stage) {
		st.fakes[steps.Preflight].apply = func(context.Context, *steps.Run, steps.Emit) error {
			return fmt.Errorf("%w: %w", steps.ErrCannotLook, steps.Fail(finding.New("project-not-found", "")))
		}
		st.open()
	}},
	{"preflight-stopped", func(st *stage) {
		st.hold = true
		st.open()
		st.send(eventMsg{st.w.job.id, steps.Event{Step: steps.Preflight, Kind: steps.EventCheck, ID: "project", Mark: steps.MarkOK, Text: prose.Say("Django project"), Detail: prose.Say("backend/manage.py")}})
		st.send(eventMsg{st.w.job.id, steps.Event{Step: steps.Preflight, Kind: steps.EventCheck, ID: "place", Mark: steps.MarkRunning, Text: prose.Say("kubernetes:shop/backend")}})
		st.send(resultMsg{id: st.w.lastJob, kind: jobApply, step: steps.Preflight, err: steps.ErrCancelled, facts: st.w.facts})
	}},
	{"preflight-healthy", func(st *stage) {
		st.fakes[steps.Preflight].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
			emit.Check("django", steps.MarkOK, "Django", "5.2")
			return nil
		}
		st.healthy().open()
	}},
	{"preflight-blocked", func(st *stage) { shadow(st); st.open() }},
	{"generate", func(st *stage) { st.open().to(steps.Generate) }},
	{"generate-rotate", func(st *stage) { st.atChoice().press("r") }},
	{"generate-import", func(st *stage) { st.open().to(steps.Generate).press("down", "enter").typed("correct horse") }},
	{"generate-done", func(st *stage) { st.open().proof(steps.Generate) }},
	{"generate-show-question", func(st *stage) { st.open().proof(steps.Generate).press("right", "enter") }},
	{"generate-shown", func(st *stage) { st.open().proof(steps.Generate).press("right", "enter", "right", "enter") }},
	{"generate-failed", func(st *stage) { refuse(st); st.open().to(steps.Generate).press("enter") }},
	{"write", func(st *stage) { st.open().to(steps.Write) }},
	{"write-quit-question", func(st *stage) { st.open().to(steps.Write).during("enter", steps.Write).press("q") }},
	{"write-leaving", func(st *stage) { st.open().to(steps.Write).during("enter", steps.Write).press("ctrl+c", "ctrl+c") }},
	{"write-done", func(st *stage) { st.open().proof(steps.Write) }},
	{"write-failed", func(st *stage) {
		st.fakes[steps.Write].apply = func(context.Context, *steps.Run, steps.Emit) error {
			return fmt.Errorf("write backend/.env: no space left on device")
		}
		st.open().to(steps.Write).press("enter")
	}},
	{"distinct", func(st *stage) { st.open().proof(steps.Distinct).press("r") }},
	{"distinct-done", func(st *stage) { st.open().proof(steps.Distinct) }},
	{"restart", func(st *stage) { st.open().to(steps.Restart) }},
	{"restart-running", func(st *stage) {
		st.open().to(steps.Restart).during("enter", steps.Restart, steps.Event{Kind: steps.EventProgress,
			Text: prose.Say("Press ctrl+c in the terminal of process 4711 (in backend) and start it again. It was started without the autoreloader.")})
	}},
	{"restart-done", func(st *stage) { st.open().proof(steps.Restart) }},
	{"restart-skipped", func(st *stage) {
		st.e.Run.Options.Skip = map[steps.Name]bool{steps.Restart: true}
		st.w.facts = look(st.e)
		st.open().to(steps.SmokeTest).press("esc")
	}},
	{"smoketest", func(st *stage) { st.open().to(steps.SmokeTest) }},
	{"smoketest-form", func(st *stage) {
		st.open().to(steps.SmokeTest).press("down", "enter").typed("testuser").press("enter").typed("hunter22")
	}},
	{"smoketest-running", func(st *stage) {
		st.open().to(steps.SmokeTest).during("enter", steps.SmokeTest, proof(steps.MarkRunning)...)
	}},
	{"smoketest-done", func(st *stage) { st.open().proof(steps.SmokeTest) }},
	{"smoketest-failed", func(st *stage) { stale(st); st.open().to(steps.SmokeTest).press("enter") }},
	{"smoketest-rejected", func(st *stage) {
		st.fakes[steps.SmokeTest].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
			emit.Check("login", steps.MarkFailed, "log in as testuser", "401")
			return steps.Fail(finding.New("login-rejected", ""))
		}
		st.open().to(steps.SmokeTest)
		st.pickRow(ownAccount)
		st.typed("testuser").press("enter").typed("wrong").press("enter", "enter")
	}},
	{"checklist-done", func(st *stage) {
		st.open().to(steps.Checklist).w.page(steps.Checklist).screen.came(st.w, report{items: []checklist.Item{
			{Number: 1, Evidence: []checklist.Evidence{{Text: "sets JWT_SECRET_KEY, as decouple reads it", Check: "files", File: "backend/.env", Line: 72, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}},
			{Number: 7, Todo: prose.Say("Mention JWT_SECRET_KEY there too.")},
			{Number: 9, Todo: prose.Say("Send the message, then sign the item off. The message: `keysplit report --team`")},
		}})
	}},
	{"checklist-evidence", func(st *stage) {
		st.open().to(steps.Checklist).w.page(steps.Checklist).screen.came(st.w, report{items: []checklist.Item{
			{Number: 1, Evidence: []checklist.Evidence{{Text: "sets JWT_SECRET_KEY, as decouple reads it", Check: "files", File: "backend/.env", Line: 72, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}},
		}})
		st.press("1")
	}},
	{"checklist-attest", func(st *stage) { attest(st) }},
	{"checklist-attest-form", func(st *stage) {
		attest(st).press("down", "enter").typed("Ada Lovelace").press("enter").typed("mail to the list")
	}},
	{"end", func(st *stage) {
		st.e.Run.Options.Skip = map[steps.Name]bool{steps.Checklist: true}
		st.w.facts = look(st.e)
		st.open().to("end")
	}},
	{"rollback-question", func(st *stage) { st.open().to("end").foreseen(planOfBack()) }},
	{"rollback-running", func(st *stage) {
		st.open().to("end").foreseen(planOfBack()).during("y", steps.Write, steps.Event{Kind: steps.EventStarted}, steps.Event{Kind: steps.EventUndone})
		st.send(eventMsg{st.w.job.id, steps.Event{Step: steps.Restart, Kind: steps.EventStarted}})
	}},
	{"rollback-production", func(st *stage) {
		plan := planOfBack()
		plan.Question, plan.Confirm = prose.Say("This is production. Undo this there?"), "shop-prod"
		st.open().to("end").foreseen(plan).press("right", "enter").typed("shop")
	}},
	{"resume", func(st *stage) {
		st.open()
		st.w.begun = &Begun{at: st.w.now(), key: "ba0476", left: steps.Restart}
	}},
	{"rolled-back", func(st *stage) { st.open().to("end").pick("Roll back"); st.press("right", "enter") }},
	{"help", func(st *stage) { st.open().press("?") }},
	{"why", func(st *stage) { st.open().to(steps.Generate).press("w") }},
	{"log", func(st *stage) { st.open().to(steps.Restart).press("l") }},
	{"findings", func(st *stage) { st.open().press("t") }},
	{"finding", func(st *stage) { st.open().press("t", "down", "enter") }},
	{"write-edits", func(st *stage) {
		st.fakes[steps.Write].plan = func(*steps.Run) (steps.Plan, error) { return planOfEdits(nil), nil }
		st.open().to(steps.Write)
	}},
	{"message", func(st *stage) {
		st.open().hold = true
		st.press("m")
		st.send(messageMsg(checklist.Report{Project: "plantid", Environment: "staging", Items: make([]checklist.Item, 9)}.TeamMessage()))
	}},
	{"emergency", func(st *stage) { st.open().press("b") }},
	{"by-hand", func(st *stage) { byHand(st); st.open().to(steps.Write) }},
	{"no-project", func(st *stage) { nowhere(st); st.open().w.below = []string{"shop", "blog/backend"} }},
	{"restart-waiting", func(st *stage) { awaiting(st) }},
	{"restart-waiting-quit", func(st *stage) { awaiting(st).press("q") }},
	{"preflight-no-python", func(st *stage) {
		st.fakes[steps.Preflight].apply = func(context.Context, *steps.Run, steps.Emit) error {
			return steps.Fail(finding.New(finding.DjangoNotRunnable, ""))
		}
		st.open().pick("Another Python")
		st.typed("/opt/venv/bin/py")
	}},
	{"many-ways", manyWays},
	{"another-address", func(st *stage) {
		st.fakes[steps.SmokeTest].apply = func(context.Context, *steps.Run, steps.Emit) error {
			return steps.Fail(finding.New(finding.ServerUnreachable, "The server at http://127.0.0.1:8000 does not answer."))
		}
		st.open().to(steps.SmokeTest).press("enter").pick("Another address")
		st.typed("127.0.0.1")
	}},
	{"production", func(st *stage) { production(st); st.open().to(steps.Write) }},
	{"production-typing", func(st *stage) { production(st); st.open().to(steps.Write).press("enter").typed("prod").press("enter") }},
}

// awaiting is a restart that waits for the server.
func awaiting(st *stage) *stage {
	st.open().to(steps.Restart).during("enter", steps.Restart, steps.Event{Kind: steps.EventProgress, Text: prose.Say("Marked config/settings.py as changed, so that the server reads its settings again.")},
		steps.Event{Kind: steps.EventProgress, Text: prose.Say("Waiting for runserver"), Limit: 300 * time.Second, Watches: true, Time: st.w.started})
	st.w.elapsed = 3 * time.Second
	return st
}

// attest asks which item a person knows to be in order.
func attest(st *stage) *stage {
	return st.open().to(steps.Checklist).press("right", "enter")
}

// byHand makes the write step one that a person carries out.
func byHand(st *stage) {
	st.fakes[steps.Write].plan = func(*steps.Run) (steps.Plan, error) {
		return steps.Plan{
			Summary: prose.Say("Set the key by hand in the vault of the bank."), ByHand: true, Question: prose.Say("Have you set it there?"), Yes: "It is set",
			Details: []prose.Text{prose.Say("1. Copy the key."), prose.Say("2. Set it there as JWT_SECRET_KEY, with no quotes, spaces or line end added."), prose.Say("3. Confirm here. Later, the Login step proves that the backend has it.")},
		}, nil
	}
}

// nowhere is a folder without a project, below which there are two.
func nowhere(st *stage) {
	st.fakes[steps.Preflight].apply = func(context.Context, *steps.Run, steps.Emit) error {
		return fmt.Errorf("%w: %w", steps.ErrCannotLook, steps.Fail(finding.New("project-not-found", "")))
	}
	st.e.Run.Options.Folder = st.t.TempDir()
	for _, name := range []string{"shop", "blog"} {
		if err := os.MkdirAll(filepath.Join(st.e.Run.Options.Folder, name), 0o755); err != nil {
			st.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(st.e.Run.Options.Folder, name, "manage.py"), []byte("import django\n"), 0o600); err != nil {
			st.t.Fatal(err)
		}
	}
}

// production makes the write step deliver to a place of production.
func production(st *stage) {
	st.e.Run.Targets = []steps.Target{&stepstest.Place{Name: "kubernetes:shop/backend-secrets"}}
	st.fakes[steps.Write].plan = func(*steps.Run) (steps.Plan, error) {
		return steps.Plan{
			Summary:  prose.Say("Write JWT_SECRET_KEY to 1 place of production."),
			Details:  []prose.Text{prose.Say("kubernetes:shop/backend-secrets"), prose.Say("Secret backend-secrets, key JWT_SECRET_KEY, context prod-eu (https://k8s.example.com)"), prose.Say("It holds another value now; that is kept for a rollback.")},
			Effects:  []prose.Text{prose.Say("Everyone logs in again: access tokens live for 15 minutes, refresh tokens for 7 days.")},
			Question: prose.Say("This is production. Write the key there?"), Confirm: "production",
		}, nil
	}
	style := st.w.styles
	st.w = newWizard(context.Background(), st.e, style)
	st.w.runner.send = func(m tea.Msg) { st.msgs = append(st.msgs, m) }
}

// shadow makes preflight find what no later step fixes.
func shadow(st *stage) {
	apply := st.fakes[steps.Preflight].apply
	st.fakes[steps.Preflight].apply = func(ctx context.Context, r *steps.Run, emit steps.Emit) error {
		err := apply(ctx, r, emit)
		emit.Find(finding.New("jwt-key-shadowed", ""))
		return err
	}
}

// refuse makes the step fail with a finding that can be fixed.
func refuse(st *stage) {
	st.fakes[steps.Generate].apply = func(context.Context, *steps.Run, steps.Emit) error {
		return steps.Fail(finding.New("jwt-key-too-short", "The key you entered is shorter than 50 characters.").
			WithFix(finding.Do("Enter another key, or let keysplit make one.")))
	}
}

// stale makes the smoke test meet a server that was not restarted.
func stale(st *stage) {
	st.fakes[steps.SmokeTest].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
		emit.Check("answers", steps.MarkOK, "server answers", "41 ms")
		emit.Check("new-key", steps.MarkFailed, "signs with the new key", "5 of 20 new connections do not")
		return steps.Fail(finding.New("server-stale-key", "5 of 20 new connections met a process that does not sign with the new key: it was not restarted."))
	}
}

var sizes = [][2]int{{120, 40}, {80, 24}, {60, 20}, {20, 5}}

func TestGoldenViews(t *testing.T) {
	for _, sc := range scenes {
		t.Run(sc.name, func(t *testing.T) {
			var b strings.Builder
			bare := newStage(t, plainLight)
			sc.play(bare)
			for _, size := range sizes {
				bare.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
				fmt.Fprintf(&b, "== %dx%d\n%s\n", size[0], size[1], bare.w.View())
			}
			for _, dark := range []bool{true, false} {
				st := newStage(t, lit{profile: termenv.TrueColor, dark: dark})
				sc.play(st)
				for _, size := range sizes {
					for _, s := range []*stage{st, bare} {
						s.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
					}
					view := st.w.View()
					if got, want := ansi.Strip(view), bare.w.View(); got != want {
						t.Errorf("%v: colour changes the text: %s", size, difference(got, want))
					}
					if size[0] == 80 {
						fmt.Fprintf(&b, "== %dx%d, dark %v\n%s\n", size[0], size[1], dark, strings.ReplaceAll(view, "\x1b", "␛"))
					}
				}
			}
			compare(t, sc.name, b.String())
		})
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".txt")
	if windows := filepath.Join("testdata", "golden", "windows", name+".txt"); runtime.GOOS == "windows" {
		if _, err := os.Stat(windows); err == nil {
			path = windows // of a view with a command, which is PowerShell's there
		}
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the view differs from %s; look at it, then: go test ./ui -update\n%s", path, difference(got, string(want)))
	}
}

// difference is the first row in which two views differ.
func difference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("row %d is %q, want %q", i+1, a[i], append(b, "", "")[min(i, len(b))])
		}
	}
	return "rows are missing"
}

// Every scene fits every terminal, also an odd one, and in both sets of marks.
func TestViewsFitTheTerminal(t *testing.T) {
	for _, sc := range scenes {
		for _, l := range []lit{plainLight, {profile: termenv.Ascii, dark: true, ascii: true}} {
			st := newStage(t, l)
			sc.play(st)
			for _, width := range stepstest.Every(2, []int{1, 7, 20, 33, 60, 19, 80, 59, 200, 79}) {
				for _, height := range stepstest.Every(2, []int{1, 2, 3, 4, 5, 7, 11, 12, 20, 60, 24}) {
					st.send(tea.WindowSizeMsg{Width: width, Height: height})
					fits(t, sc.name, st.w.View(), width, height)
					if l.ascii {
						isASCII(t, sc.name, st.w.View())
					}
				}
			}
		}
	}
}

func fits(t *testing.T, name, view string, width, height int) {
	t.Helper()
	rows := strings.Split(view, "\n")
	if len(rows) > height {
		t.Errorf("%s at %dx%d has %d rows:\n%s", name, width, height, len(rows), view)
	}
	for _, r := range rows {
		if w := ansi.StringWidth(r); w > width {
			t.Errorf("%s at %dx%d has a row of %d columns: %q", name, width, height, w, r)
		}
	}
}

func isASCII(t *testing.T, name, view string) {
	t.Helper()
	for _, r := range view {
		if r > 126 {
			t.Errorf("%s shows %q where only ASCII can be shown", name, r)
			return
		}
	}
}

package ui

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
)

// What a failure can be led out of by naming something else is an action, and no advice
// about a flag.
func TestAnotherOneIsAnAction(t *testing.T) {
	for code, c := range map[finding.Code]struct{ label, wrong, typed, flag string }{
		finding.ServerUnreachable: {"Another address", "127.0.0.1", "http://127.0.0.1:9000", "url"},
		finding.DjangoNotRunnable: {"Another Python", "", "/opt/venv/bin/python", "python"},
		finding.EnvFileUnreadable: {"Another file", "", "deploy/.env", "env-file"},
	} {
		for _, throwaway := range []bool{false, true} {
			st := newStage(t, plainLight)
			st.w.throwaway = throwaway
			st.fakes[steps.Restart].apply = func(context.Context, *steps.Run, steps.Emit) error { return steps.Fail(finding.New(code, "")) }
			st.open().to(steps.Restart).press("enter")
			st.want(steps.Restart, failed)
			v := st.w.View()
			if strings.Contains(v, c.label) == throwaway || !throwaway && strings.Contains(v, "--"+c.flag) {
				t.Errorf("%s, the demo %t:\n%s", code, throwaway, v)
			}
			if throwaway {
				continue
			}
			st.pick(c.label)
			if st.typed(c.wrong).press("enter"); st.w.again != nil {
				t.Errorf("%s: %q is taken", code, c.wrong)
			}
			st.press("ctrl+u").typed(c.typed).press("enter")
			if a := st.w.again; a == nil || *a != (Again{Flag: c.flag, Value: c.typed}) || !st.quit {
				t.Errorf("%s: it begins again with %+v", code, a)
			}
		}
	}
}

// Advice that names a flag names the button in its place, but in the demo, whose project
// has no other.
func TestAFlagIsAButton(t *testing.T) {
	for _, throwaway := range []bool{false, true} {
		st := newStage(t, plainLight)
		st.w.throwaway = throwaway
		st.fakes[steps.Restart].apply = func(context.Context, *steps.Run, steps.Emit) error {
			return steps.Fail(finding.New(finding.DjangoNotRunnable, "The settings module shop is not there.").WithFix(finding.Do("Name the right one: `keysplit --settings MODULE`.")))
		}
		st.open().to(steps.Restart).press("enter")
		v := st.w.View()
		if strings.Contains(v, "Name the right one: Another settings module.") == throwaway || strings.Contains(v, "--settings") != throwaway {
			t.Errorf("the demo %t:\n%s", throwaway, v)
		}
		if throwaway {
			continue
		}
		st.pick("Another settings module")
		st.typed("config.settings").press("enter")
		if a := st.w.again; a == nil || *a != (Again{Flag: "settings", Value: "config.settings"}) {
			t.Errorf("it begins again with %+v", a)
		}
	}
}

// Where advice says to run keysplit again, the page says which button does it; and the
// steps that fix what is found are said to, in place of the command.
func TestAFixNamesTheButtonThatRepeats(t *testing.T) {
	t.Parallel()
	fix := finding.Do("Look at it, then run `keysplit` again. Or undo it: `keysplit rollback`")
	for want, play := range map[string]func(*stage){
		"then retry. Or undo it: Roll back": func(st *stage) { st.to(steps.Restart).press("enter") },
		"then look again.":                  func(*stage) {},
		"then press r.":                     func(st *stage) { st.press("t", "enter") },
	} {
		st := newStage(t, plainLight)
		st.fakes[steps.Preflight].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
			severity := map[bool]finding.Severity{true: finding.Error, false: finding.Warning}
			emit.Find(finding.New(finding.DjangoCheckFailed, "").WithSeverity(severity[want == "then look again."]).WithFix(fix))
			return nil
		}
		st.fakes[steps.Restart].apply = func(context.Context, *steps.Run, steps.Emit) error {
			return steps.Fail(finding.New(finding.RestartFailed, "").WithFix(fix))
		}
		if play(st.open()); !strings.Contains(strings.Join(strings.Fields(st.w.View()), " "), want) {
			t.Errorf("it does not say %q:\n%s", want, st.w.View())
		}
		if before := st.fakes[steps.Preflight].applied; st.w.over != nil {
			if st.press("r"); st.w.over != nil || st.fakes[steps.Preflight].applied != before+1 {
				t.Errorf("r does not look again:\n%s", st.w.View())
			}
		}
	}
	st := newStage(t, plainLight)
	if st.open().press("t", "enter"); strings.Contains(st.w.View(), "keysplit upgrade") || !strings.Contains(st.w.View(), "The steps of the upgrade fix this for you.") {
		t.Errorf("it says:\n%s", st.w.View())
	}
}

// The value that the advice gives its flag is said, and stands in the form.
func TestTheValueOfAFlagStandsInTheForm(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	st.fakes[steps.Restart].apply = func(context.Context, *steps.Run, steps.Emit) error {
		return steps.Fail(finding.New(finding.JWTKeyShadowed, "").NotFixable().WithFix(finding.Do("Write the key there: `keysplit --target dotenv:/etc/shop.env`.")))
	}
	st.open().to(steps.Restart).press("enter")
	if v := st.w.View(); !strings.Contains(v, "Write the key there: Another place, dotenv:/etc/shop.env.") || strings.Contains(v, "--target") {
		t.Errorf("it says:\n%s", v)
	}
	st.pick("Another place")
	st.press("enter")
	if a := st.w.again; a == nil || *a != (Again{Flag: "target", Value: "dotenv:/etc/shop.env"}) {
		t.Errorf("it begins again with %+v", a)
	}
}

// What a flag named and a finding is about can be named anew.
func TestAMistypedPlaceCanBeNamedAnew(t *testing.T) {
	t.Parallel()
	again := []string{"--env", "staging", "--target", "kubernetes:nope", "--restart", "systemd:shop,nginx"}
	for at, want := range map[string]string{"kubernetes:nope#jwt-secret-key": "Another place", "systemd:shop": "Another restart", "staging.env": "", "": "", "heroku:shop": ""} {
		label := ""
		for _, r := range Remedies(nil, []finding.Finding{finding.New(finding.PlaceUnreachable, "").At(at, 0)}, again) {
			label += r.Label
		}
		if label != want {
			t.Errorf("%q offers %q, want %q", at, label, want)
		}
	}
}

// A project that the steps cannot fix offers what can be named instead, too.
func TestABlockedProjectOffersAnotherFile(t *testing.T) {
	t.Parallel()
	f := finding.New(finding.EnvFileTrackedByGit, "").WithSeverity(finding.Error).NotFixable().WithFix(finding.Do("Or keep the key in a file that git does not track: `keysplit --env-file PATH`."))
	for _, f := range []finding.Finding{f, f.Asking("Is that on purpose?")} {
		st := newStage(t, plainLight)
		st.fakes[steps.Preflight].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
			emit.Find(f)
			return nil
		}
		st.open()
		if v := st.w.View(); strings.Contains(v, "not track: Another file.") != f.Ask.Empty() || strings.Contains(v, "--env-file") {
			t.Errorf("it says:\n%s", v)
		}
		st.pick("Another file")
		st.typed("/etc/shop.env").press("enter")
		if a := st.w.again; a == nil || *a != (Again{Flag: "env-file", Value: "/etc/shop.env"}) {
			t.Errorf("it begins again with %+v", a)
		}
	}
}

// Where there is no project, those below and the demo are one key away.
func TestWithoutAProjectOthersAreOffered(t *testing.T) {
	for label, want := range map[string]Again{"shop": {Flag: "project"}, "Try the demo": {Demo: true}} {
		st := newStage(t, plainLight)
		nowhere(st)
		st.open()
		p := st.w.prompt()
		for i, o := range p.options {
			if filepath.Base(o.label) == label {
				st.w.selected = i
			}
		}
		st.press("enter")
		if want.Flag != "" {
			want.Value = filepath.Join(st.e.Run.Options.Folder, label)
		}
		if st.w.again == nil || *st.w.again != want {
			t.Errorf("%s begins again with %+v\n%s", label, st.w.again, st.w.View())
		}
	}
}

// A letter that the footer explains does that, also where an option of the list begins with it.
func TestAHintedKeyIsNotTheLists(t *testing.T) {
	st := newStage(t, plainLight)
	nowhere(st)
	st.open()
	if st.press("t"); st.w.over == nil {
		t.Errorf("t does not show the findings:\n%s", st.w.View())
	}
	if st.press("esc", "q"); !st.quit {
		t.Errorf("q does not quit:\n%s", st.w.View())
	}
}

// Who is to set the key by hand gets it from a button, after a question.
func TestTheKeyForTheHandIsCopied(t *testing.T) {
	st := newStage(t, plainLight)
	byHand(st)
	st.open().to(steps.Write).press("enter")
	if len(st.copied) > 0 || st.w.question == nil {
		t.Fatalf("it was copied without a question:\n%s", st.w.View())
	}
	if st.press("y"); len(st.copied) != 1 || st.copied[0] != goodKey {
		t.Errorf("%d texts were copied", len(st.copied))
	}
	st.want(steps.Write, ready).press("right", "enter")
	if st.fakes[steps.Write].applied != 1 {
		t.Errorf("the word was not taken:\n%s", st.w.View())
	}
}

// A step says how long it waits and how long it may, and afterwards how long it took.
func TestAWaitIsCounted(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Restart)
	at := st.w.now()
	event := func(kind steps.EventKind, after, limit time.Duration, mark steps.Mark) steps.Event {
		return steps.Event{Kind: kind, ID: "restart web", Mark: mark, Text: prose.Say("restart web"), Time: at.Add(after), Limit: limit}
	}
	st.during("enter", steps.Restart, event(steps.EventProgress, 0, 30*time.Second, ""))
	shows := func(want string) {
		t.Helper()
		st.w.started, st.w.elapsed = at, 4*time.Second
		if v := st.w.View(); !strings.Contains(v, want) {
			t.Errorf("%q is not shown:\n%s", want, v)
		}
	}
	shows("restart web, 4 s of 30 s")
	st.send(eventMsg{st.w.job.id, with(steps.Restart, event(steps.EventCheck, 3*time.Second, 5*time.Minute, steps.MarkRunning))})
	shows("restart web, 3 s")
	shows("1 s of 300 s")
	st.send(eventMsg{st.w.job.id, with(steps.Restart, event(steps.EventCheck, 9*time.Second, 0, steps.MarkOK))})
	shows("6 s")
	st.send(eventMsg{st.w.job.id, with(steps.Restart, event(steps.EventProgress, 9*time.Second, 30*time.Second, ""))})
	st.send(eventMsg{st.w.job.id, with(steps.Restart, event(steps.EventProgress, 9*time.Second, 0, ""))})
	if v := st.w.View(); strings.Contains(v, " 0 s") || strings.Count(v, "restart web") != 3 {
		t.Errorf("what came at once is counted, or stays:\n%s", v)
	}
}

// That another run was waited for is no news once it is over.
func TestAWaitWithoutALimitGoesWithItsEnd(t *testing.T) {
	t.Parallel()
	p := &page{}
	p.take(steps.Event{Kind: steps.EventProgress, Text: prose.Say("Waiting for another run"), Watches: true})
	p.take(steps.Event{Kind: steps.EventProgress, Text: prose.Say("Another thing")})
	if len(p.lines) != 1 || p.lines[0].Text.Rendered() != "Another thing" {
		t.Errorf("%+v", p.lines)
	}
	if p.take(steps.Event{Kind: steps.EventCheck, Mark: steps.MarkOK}); len(p.lines) != 2 {
		t.Errorf("%+v", p.lines)
	}
}

func with(n steps.Name, ev steps.Event) steps.Event {
	ev.Step = n
	return ev
}

// The question whether a key was set by hand is answered by y and n as any other, and no
// letter copies the key.
func TestTheQuestionOfWhatIsDoneByHandIsAnsweredByLetters(t *testing.T) {
	st := newStage(t, plainLight)
	byHand(st)
	st.open().to(steps.Write)
	if st.press("n"); st.fakes[steps.Write].applied != 0 {
		t.Error("n is taken for a yes")
	}
	st.to(steps.Write)
	if st.press("y"); st.fakes[steps.Write].applied != 1 || len(st.copied) > 0 {
		t.Errorf("y: applied %d times, copied %d\n%s", st.fakes[steps.Write].applied, len(st.copied), st.w.View())
	}
}

// Another run at work is the headline, with who it is, and can be waited for.
func TestAnotherRunIsWaitedFor(t *testing.T) {
	st := newStage(t, plainLight)
	st.fakes[steps.Preflight].apply = func(context.Context, *steps.Run, steps.Emit) error {
		return &journal.HeldError{Environment: "staging", By: journal.Holder{PID: 4711, Owner: "ada", Command: "keysplit upgrade"}}
	}
	st.open()
	if v := st.w.View(); !strings.Contains(v, "✗ Another run of keysplit is at work on staging of this project.") || !strings.Contains(v, "keysplit upgrade of ada, process 4711") || strings.Contains(v, "--wait") {
		t.Errorf("it is not told:\n%s", v)
	}
	if said := Words(st.w.current().failure); !strings.Contains(said, "is at work on staging of this project. It is keysplit upgrade of ada") || strings.Contains(said, "--wait") {
		t.Errorf("at the end it says %q", said)
	}
	if first := st.w.prompt().options[0].label; first != "Wait for it" {
		t.Errorf("enter alone leads to %q", first)
	}
	st.pick("Wait for it")
	if a := st.w.again; a == nil || *a != (Again{Flag: "wait", Value: "true"}) || !st.quit {
		t.Errorf("it begins again with %+v", a)
	}
}

// A finding that is opened from the list has its way out there, by enter; a warning too.
func TestAFindingInTheListHasItsWayOut(t *testing.T) {
	t.Parallel()
	for _, throwaway := range []bool{false, true} {
		st := newStage(t, plainLight)
		st.w.throwaway = throwaway
		st.fakes[steps.Preflight].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
			emit.Find(finding.New(finding.EnvFileInGitHistory, ""))
			return nil
		}
		st.open().press("t", "enter")
		if v := st.w.View(); strings.Contains(v, "Make a new key: Another key.") == throwaway || strings.Contains(v, "enter another key") == throwaway || strings.Contains(v, "--rotate") != throwaway {
			t.Errorf("the demo %t:\n%s", throwaway, v)
		}
		st.press("enter")
		if a := st.w.again; throwaway != (a == nil) || a != nil && *a != (Again{Flag: "rotate", Value: "true"}) {
			t.Errorf("it begins again with %+v", a)
		}
	}
}

// What an open item of the checklist asks for is a button where the wizard has one.
func TestWhatAnItemAsksForIsAButton(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct {
		todo, says string
		leads      func(*stage) bool
	}{
		"Another file": {"For another file: `keysplit upgrade --env-file PATH`", "For another file: Another file", func(st *stage) bool { return st.w.form != nil }},
		"Log in": {"Log in with an account: `keysplit upgrade --username NAME`", "Log in with an account: Log in.", func(st *stage) bool {
			n, _ := st.at()
			return n == steps.SmokeTest
		}},
		"Finish": {"The message: `keysplit report --team`", "The message: press m", func(st *stage) bool { return st.w.finished }},
	} {
		st := newStage(t, plainLight)
		st.open().to(steps.Checklist).w.page(steps.Checklist).screen.came(st.w, report{items: []checklist.Item{{Number: 7, Todo: prose.Say(c.todo)}}})
		if v := st.size(120, 40); !strings.Contains(v, c.says) || strings.Contains(v, " --") {
			t.Errorf("%s:\n%s", label, v)
		}
		if st.pick(label); !c.leads(st) {
			t.Errorf("%s leads to\n%s", label, st.w.View())
		}
	}
}

// c copies a command that stands on the page, and none that a button has replaced.
func TestNoCommandIsCopiedThatIsNotSaid(t *testing.T) {
	t.Parallel()
	for fix, want := range map[string]string{"Try: `python manage.py check`": "python manage.py check", "Name it: `keysplit --target dotenv:a.env`": "", "Make one: `keysplit upgrade --rotate`": ""} {
		st := newStage(t, plainLight)
		st.fakes[steps.Restart].apply = func(context.Context, *steps.Run, steps.Emit) error {
			return steps.Fail(finding.New(finding.RestartFailed, "").WithFix(finding.Do(fix)))
		}
		st.open().to(steps.Restart).press("enter")
		if got := st.w.copyable(); got != want || strings.Contains(st.w.View(), "copy the command") != (want != "") {
			t.Errorf("%s: c copies %q\n%s", fix, got, st.w.View())
		}
	}
}

// A route that is only assumed can be named where the page says that it was not there.
func TestARouteThatIsNotThereCanBeNamed(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	st.fakes[steps.SmokeTest].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
		emit.Check("login", steps.MarkWarn, "log in", "not verified: 404")
		emit.Find(finding.New(finding.RouteUnknown, "").WithFix(finding.Do("Name the path: `keysplit upgrade --login PATH`")))
		return nil
	}
	st.open().to(steps.SmokeTest).press("enter")
	if v := st.w.View(); !strings.Contains(v, "Name the path: Login route") || strings.Index(v, "Name the path") > strings.Index(v, "not verified: 404") {
		t.Errorf("it says:\n%s", v)
	}
	st.pick("Login route")
	if st.typed("api/token/").press("enter"); st.w.again != nil {
		t.Errorf("a path without its slash is taken: %+v", st.w.again)
	}
	st.press("ctrl+u").typed("/api/token/").press("enter")
	if a := st.w.again; a == nil || *a != (Again{Flag: "login", Value: "/api/token/"}) {
		t.Errorf("it begins again with %+v", a)
	}
}

package steps

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// fake is a step that does as it is told and remembers what was asked of it.
type fake struct {
	name                      Name
	plan, apply, verify, undo error
	say                       string
	before                    func() // what an undo does before it fails
	calls                     []string
}

func (f *fake) Name() Name { return f.name }
func (f *fake) Plan(context.Context, *Run) (Plan, error) {
	f.calls = append(f.calls, "plan")
	return Plan{}, f.plan
}
func (f *fake) Apply(_ context.Context, _ *Run, emit Emit) error {
	f.calls = append(f.calls, "apply")
	if f.say != "" {
		emit.Tell(prose.Say(f.say))
	}
	return f.apply
}
func (f *fake) Verify(context.Context, *Run, Emit) error {
	f.calls = append(f.calls, "verify")
	return f.verify
}
func (f *fake) Undo(context.Context, *Run, Emit) error {
	f.calls = append(f.calls, "undo")
	if f.before != nil {
		f.before()
	}
	return f.undo
}

func engineOf(fakes ...*fake) (*Engine, *Run) {
	run := &Run{Prints: secret.NewFingerprinter(nil)}
	var all []Step
	for _, f := range fakes {
		all = append(all, f)
	}
	return NewEngine(run, all...), run
}

func pass(t *testing.T, e *Engine, n Name) {
	t.Helper()
	if _, err := e.Plan(context.Background(), n, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Apply(context.Background(), n, nil); err != nil {
		t.Fatal(err)
	}
}

func TestEngineEndsOfAStep(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		step fake
		want Status
		kind EventKind
	}{
		"done":                 {fake{}, Done, EventDone},
		"apply fails":          {fake{apply: broken}, Failed, EventFailed},
		"verify fails":         {fake{verify: broken}, Failed, EventFailed},
		"interrupted by user":  {fake{apply: context.Canceled}, Pending, EventFailed},
		"fails with a finding": {fake{apply: Fail(finding.New("jwt-key-missing", ""))}, Failed, EventFailed},
	} {
		t.Run(name, func(t *testing.T) {
			c.step.name = Preflight
			e, _ := engineOf(&c.step)
			if _, err := e.Plan(context.Background(), Preflight, nil); err != nil {
				t.Fatal(err)
			}
			err := e.Apply(context.Background(), Preflight, nil)
			if (err == nil) != (c.want == Done) {
				t.Errorf("error %v", err)
			}
			if got := e.Machine.Status(Preflight); got != c.want {
				t.Errorf("status %s, want %s", got, c.want)
			}
			if last := e.Log[len(e.Log)-1]; last.Kind != c.kind || last.Step != Preflight || last.Time.IsZero() {
				t.Errorf("last event %+v", last)
			}
		})
	}
}

func TestEngineReportsAPlanThatFails(t *testing.T) {
	t.Parallel()
	e, _ := engineOf(&fake{name: Preflight, plan: Fail(finding.New("project-not-found", ""))})
	if _, err := e.Plan(context.Background(), Preflight, nil); err == nil {
		t.Fatal("no error")
	}
	if e.Machine.Status(Preflight) != Failed || !finding.Has(e.Findings(), "project-not-found") {
		t.Errorf("status %s, findings %v", e.Machine.Status(Preflight), e.Findings())
	}
}

// After a look at the project again, what a step found before is another state's.
func TestALookAnewForgetsWhatWasFound(t *testing.T) {
	t.Parallel()
	e, _ := engineOf(&fake{name: Preflight}, &fake{name: Generate, plan: Fail(finding.New("env-file-changed", ""))})
	pass(t, e, Preflight)
	if _, err := e.Plan(t.Context(), Generate, nil); err == nil || !finding.Has(e.Findings(), "env-file-changed") {
		t.Fatalf("%v, findings %v", err, e.Findings())
	}
	pass(t, e, Preflight)
	if got := e.Findings(); len(got) > 0 {
		t.Errorf("still found: %v", got)
	}
}

func TestEngineCleansWhatStepsSay(t *testing.T) {
	t.Parallel()
	value := canary.New()
	e, run := engineOf(&fake{name: Preflight, say: "the server said \x1b[2J" + value,
		apply: Fail(finding.New("login-rejected", "token "+value+" refused"))})
	run.Redactor.Add(run.Prints.Secret(value))
	_, _ = e.Plan(context.Background(), Preflight, nil)
	err := e.Apply(context.Background(), Preflight, nil)
	for _, ev := range e.Log {
		if canary.Leaks(ev.Text.Rendered(), value) || ev.Finding != nil && canary.Leaks(ev.Finding.Message.Rendered(), value) {
			t.Errorf("event %s shows a secret", ev.Kind)
		}
	}
	if canary.Leaks(err.Error(), value) {
		t.Error("the error shows a secret")
	}
	var failure *Failure
	if !errors.As(err, &failure) {
		t.Error("the cleaned error is no Failure any more")
	}
}

func TestRollbackOrder(t *testing.T) {
	t.Parallel()
	var order []Name
	fakes := map[Name]*fake{}
	var all []*fake
	for _, n := range []Name{Preflight, Generate, Write, Distinct, Restart, SmokeTest} {
		fakes[n] = &fake{name: n}
		all = append(all, fakes[n])
	}
	e, _ := engineOf(all...)
	for _, f := range all {
		pass(t, e, f.name)
	}
	e.Run.Wrote = true
	err := e.Rollback(context.Background(), func(ev Event) {
		if ev.Kind == EventUndone {
			order = append(order, ev.Step)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []Name{SmokeTest, Distinct, Write, Generate, Restart}; !slices.Equal(order, want) {
		t.Errorf("taken back in the order %v, want %v", order, want)
	}
	if slices.Contains(fakes[Preflight].calls, "undo") {
		t.Error("preflight was undone")
	}
	if e.Run.Wrote {
		t.Error("the run still counts as one that wrote: a second rollback would be of an earlier run")
	}
}

func TestEngineSkips(t *testing.T) {
	t.Parallel()
	pre, write := &fake{name: Preflight}, &fake{name: Write}
	e, _ := engineOf(pre, write, &fake{name: Generate})
	pass(t, e, Preflight)
	pass(t, e, Generate)
	if err := e.Skip(Write, nil); err != nil {
		t.Fatal(err)
	}
	if len(write.calls) != 0 || e.Machine.Status(Write) != Skipped {
		t.Errorf("a skipped step was called: %v, status %s", write.calls, e.Machine.Status(Write))
	}
	if err := e.Skip(Preflight, nil); err == nil {
		t.Error("preflight was skipped")
	}
}

// The advice of a run on staging is about staging, whoever wrote it.
func TestCommandsNameTheirEnvironment(t *testing.T) {
	t.Parallel()
	step := &fake{name: Preflight, say: "To go back: `keysplit rollback`", apply: Fail(finding.New("jwt-key-missing", ""), finding.New("jwt-key-weak", "").WithFix(finding.Do("Run keysplit rollback --env staging now.")))}
	for env, want := range map[string]string{
		"staging":          "To go back: keysplit rollback --env staging|Run: keysplit upgrade --env staging|Run keysplit rollback --env staging now.",
		DefaultEnvironment: "To go back: keysplit rollback|Run: keysplit upgrade|Run keysplit rollback --env staging now.",
	} {
		e, run := engineOf(step)
		run.Options.Environment = env
		if _, err := e.Plan(context.Background(), Preflight, nil); err != nil {
			t.Fatal(err)
		}
		_ = e.Apply(context.Background(), Preflight, nil)
		var said []string
		for _, ev := range e.Log {
			if ev.Kind == EventProgress {
				said = append(said, ev.Text.Rendered())
			} else if ev.Finding != nil {
				said = append(said, ev.Finding.Fix.Rendered())
			}
		}
		if got := strings.Join(said, "|"); got != want {
			t.Errorf("%s: %s", env, got)
		}
	}
}

// Where a part was restored before the rollback failed, the server is restarted all
// the same: it would go on with a value that is no longer there.
func TestARollbackThatFailsHalfwayRestarts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ part, restarts bool }{"a part is back": {true, true}, "nothing is back": {false, false}} {
		t.Run(name, func(t *testing.T) {
			for _, how := range []string{"of this run", "of an earlier run"} {
				write, restart := &fake{name: Write}, &fake{name: Restart}
				e, run := engineOf(write, restart)
				j, env := withJournal(t, "K=1\n")
				rewrite(t, j, env, "K=2\n")
				run.Journal = j
				write.undo = Fail(finding.New("place-not-restored", ""))
				write.before = func() {
					if c.part {
						if _, err := j.Revert(context.Background(), j.Applied()[0], false); err != nil {
							t.Error(err)
						}
					}
				}
				if how == "of this run" {
					e.Machine.status[Write], e.Machine.status[Restart] = Done, Done
				}
				if err := e.Rollback(context.Background(), nil); err == nil || slices.Contains(restart.calls, "undo") != c.restarts {
					t.Errorf("%s: error %v, restart %v", how, err, restart.calls)
				}
			}
		})
	}
}

// After the files are restored and the restart failed, only the restart is tried
// again: the next change in the journal is an earlier run's.
func TestARollbackThatIsTriedAgainUndoesNoMore(t *testing.T) {
	t.Parallel()
	write, restart := &fake{name: Write}, &fake{name: Restart, undo: Fail(finding.New("restart-failed", ""))}
	e, _ := engineOf(write, restart)
	e.Machine.status[Write], e.Machine.status[Restart] = Done, Done
	if err := e.Rollback(t.Context(), nil); err == nil {
		t.Fatal("a restart that failed went unnoticed")
	}
	write.calls, restart.calls, restart.undo = nil, nil, nil
	if err := e.Rollback(t.Context(), nil); err != nil || slices.Contains(write.calls, "undo") || !slices.Contains(restart.calls, "undo") {
		t.Errorf("%v, write %v, restart %v", err, write.calls, restart.calls)
	}
}

// A step whose end cannot be noted has failed, and says why, and also why it had
// failed itself.
func TestAJournalThatFailsInMidRun(t *testing.T) {
	t.Parallel()
	broken := errors.New("the tool said no")
	for name, c := range map[string]struct {
		apply error
		at    int // the call that finds the state folder gone
		want  []string
	}{
		"at the start":           {at: 0, want: []string{"write the journal"}},
		"at a good end":          {at: 1, want: []string{"write the journal"}},
		"at a bad end":           {apply: broken, at: 1, want: []string{"the tool said no", "keysplit's own notes: write the journal"}},
		"at the end when halted": {apply: context.Canceled, at: 1, want: []string{"stopped", "keysplit's own notes: write the journal"}},
	} {
		j, _ := withJournal(t, "")
		gone := func() {
			if err := os.RemoveAll(j.Dir()); err != nil {
				t.Fatal(err)
			}
		}
		step := &fake{name: Preflight, apply: c.apply, say: "working"}
		e, run := engineOf(step)
		run.Journal = j
		if _, err := e.Plan(context.Background(), Preflight, nil); err != nil {
			t.Fatal(err)
		}
		if c.at == 0 {
			gone()
		}
		var last Event
		said := ""
		err := e.Apply(context.Background(), Preflight, func(ev Event) {
			last = ev
			if ev.Kind == EventCheck {
				said += ev.Text.Rendered() + ": " + ev.Detail.Rendered() + "\n"
			}
			if c.at == 1 && ev.Kind == EventProgress {
				gone()
			}
		})
		if err == nil || last.Kind != EventFailed || e.Machine.Status(Preflight) == Done {
			t.Errorf("%s: %v, the last event is %+v, the step is %s", name, err, last, e.Machine.Status(Preflight))
		}
		for _, want := range c.want {
			if !strings.Contains(said+last.Text.Rendered(), want) {
				t.Errorf("%s: it says %q and not %q", name, said+last.Text.Rendered(), want)
			}
		}
	}
}

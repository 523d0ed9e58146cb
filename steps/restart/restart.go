// Package restart is the step Restart: it makes the running backend read the new value,
// and waits until it answers again.
//
// Settings are read once, at the start of a process. So the step looks for a
// process that started after .env was changed, and does not believe anything
// less. What a process does not show by its start, the smoke test proves by its
// signature.
//
// There are several ways to restart, chosen by --restart: those of this machine are
// in this package, one file each; those that go through a program of a vendor are
// in the vendor's file.
package restart

import (
	"cmp"
	"context"
	"errors"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/process"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/vendor"
)

// Step restarts the backend. Its zero value is ready for use; the fields are
// there for the demo, which has a backend of its own, and for tests.
type Step struct {
	// Find lists the running servers of the project in the given folder; nil
	// means a look at the processes of this machine, and at what answers.
	Find func(ctx context.Context, root string) ([]steps.Server, error)
	// Workers lists those of the project that serve nothing; nil means a look at the
	// processes of this machine.
	Workers func(ctx context.Context, root string) ([]steps.Server, error)
	// KeyOf fingerprints a variable of the environment that a process was
	// started with; nil means process.KeyInEnvironment.
	KeyOf func(pid int, name string, f secret.Fingerprinter) (sum string, set bool, err error)
	// Start starts a server for the length of the run and returns its base URL
	// and a function that stops it; nil means manage.py runserver.
	Start func(ctx context.Context, run *steps.Run) (url string, stop func(), err error)
	// Prove asks the server at an address whether what this run wrote is in force there: its
	// *steps.Failure says that it is not. nil means that nothing can ask.
	Prove func(ctx context.Context, run *steps.Run, address string, emit steps.Emit) error
	// ReloadWithin is how long the autoreloader may take to start a new child;
	// 0 means 8 seconds. It looks for changed files once a second, and then
	// waits for open requests.
	ReloadWithin time.Duration
	vendor.Pace

	own    own              // the server that this step started
	ahead  *starting        // one that was started ahead and not used yet, nil for none
	told   map[string]heard // of the processes that were asked
	unseen []string         // what the latest look could not look into, a sentence each
	vague  []steps.Server   // of the project, that listen beside those that answer as it does, and do not
}

// way is one way to restart.
type way interface {
	plan(ctx context.Context, run *steps.Run) (steps.Plan, error)
	apply(ctx context.Context, run *steps.Run, emit steps.Emit) error
	undo(ctx context.Context, run *steps.Run, emit steps.Emit) error
}

// Name is the step's name.
func (s *Step) Name() steps.Name { return steps.Restart }

// Plan says which process would be restarted, and how.
func (s *Step) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	w := asked(run)
	p, err := w.on(s).plan(ctx, run)
	if err == nil {
		err = planWorkers(ctx, run, &p)
	}
	if err == nil && run.Options.ReadOnly && w.isOthers() && !run.Options.Skip[steps.SmokeTest] && s.address(ctx, run) == nil && run.URL == "" {
		p.Details = append(p.Details, prose.Of(s.noneFound()), prose.Say("Unless one answers after the restart, the run ends with 1."))
	}
	if err != nil || p.Nothing || p.Question.Empty() {
		return p, err
	}
	if name := run.Confirm(w.places(ctx, run)...); name != "" {
		p.Confirm, p.Question = name, prose.Say("This is production. Restart it?")
	}
	return p, nil
}

// Task says what the step will do, as an order. What a program of a vendor would have to
// be asked for is not looked at.
func (s *Step) Task(ctx context.Context, run *steps.Run) string {
	switch w := asked(run); {
	case w.spec == nothing.spec && len(workers(run)) == 0:
		return "leave the restart to you"
	case w.spec == usual.spec && run.Options.URL == "":
		if found, err := s.present(ctx, run); err == nil && len(found) == 0 {
			return "start the backend for the test"
		}
	}
	return steps.About(steps.Restart).Task
}

// mayRestart is a *steps.Failure where the account that is logged in may not restart what
// this run will; nil where it may, or where that cannot be told.
func mayRestart(ctx context.Context, run *steps.Run) error {
	managers := parts(asked(run).manager)
	for _, w := range workers(run) {
		managers = append(managers, w.manager)
	}
	for _, m := range managers {
		if r, ok := m.(vendor.Restarter); ok {
			if err := r.MayRestart(ctx, run); err != nil {
				return err
			}
		}
	}
	return nil
}

// Apply restarts, waits until the server answers, and sets the run's URL and
// Restarted. A second call finds the server fresh and leaves it alone.
func (s *Step) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	w := asked(run)
	if run.Journal != nil {
		var also []string
		for _, worker := range workers(run) {
			also = append(also, worker.Kept(run))
		}
		if err := run.Journal.SetRestart(w.Kept(run), also...); err != nil {
			return err
		}
	}
	if w.isOthers() { // a server that is seen now is waited for
		if err := s.address(ctx, run); err != nil {
			return err
		}
	}
	if err := w.on(s).apply(ctx, run, emit); err != nil {
		return err
	}
	if err := s.restartWorkers(ctx, run, emit); err != nil {
		return err
	}
	s.stale(ctx, run, emit)
	return s.older(ctx, run, emit, w)
}

// Verify asks the server once more for any answer. Without an address there is
// nothing to ask, and the smoke test says so.
func (s *Step) Verify(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if run.URL == "" || !mayAsk(ctx, run, run.URL) {
		return nil
	}
	switch err := answers(ctx, run.URL, min(firstAnswer, run.Options.Wait())); {
	case errors.Is(err, steps.ErrElsewhere): // the name has come to mean another machine: the smoke test says so
		return nil
	case err != nil:
		return silent(run.URL, err)
	}
	text := "server answers"
	if run.OwnServer {
		text = "a server of keysplit's own answers"
	}
	emit.Check(steps.LineAnswers, steps.MarkOK, text, run.URL)
	return nil
}

// Undo restarts once more, so that the server reads the value that the rollback
// has restored. A backend that does not start with that value is as it was
// before the upgrade; it is reported and does not make the rollback fail. Where
// no way is named, it is the one of the upgrade.
func (s *Step) Undo(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	w, err := backWith(run)
	if err != nil {
		return err
	}
	s.endOwn(run)
	run.Served = steps.Served{} // it was about the key that is undone
	if w.spec == steps.OwnCommand {
		return steps.Fail(notAgain(run, prose.Say("The upgrade restarted with a command of yours, which keysplit does not keep.")))
	}
	if w.isOthers() { // likewise
		if err := s.address(ctx, run); err != nil {
			return err
		}
		run.URL = ""
	}
	if err := w.on(s).undo(ctx, run, emit); err != nil {
		return err
	}
	for _, worker := range backWorkers(run) {
		if err := soften(worker.manager.Restart(ctx, run, s.Pace, emit), emit); err != nil {
			return err
		}
	}
	if run.URL != "" {
		return nil
	}
	return s.address(ctx, run)
}

// notAgain is the finding of a command that a rollback lacks.
func notAgain(run *steps.Run, why prose.Text) finding.Finding {
	f := finding.New(finding.RestartFailed, "").
		WithFix(finding.Do("To finish the rollback, give the command: %s", finding.Command(run.Command("rollback", "--restart", steps.OwnCommand+":VALUE"))))
	f.Message = why.Then(prose.Say("The backend was not restarted."))
	return f
}

func (s *Step) keyOf(pid int, name string, f secret.Fingerprinter) (string, bool, error) {
	if s.KeyOf != nil {
		return s.KeyOf(pid, name, f)
	}
	return process.KeyInEnvironment(pid, name, f)
}

func (s *Step) reloadWithin() time.Duration {
	return cmp.Or(s.ReloadWithin, 8*time.Second)
}

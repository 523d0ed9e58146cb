// Package restart is step 4: it makes the running backend read the new value,
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
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/process"
	"dj/keysplit/steps/vendor"
)

// Step restarts the backend. Its zero value is ready for use; the fields are
// there for the demo, which has a backend of its own, and for tests.
type Step struct {
	// Find lists the running servers of the project in the given folder; nil
	// means process.Find.
	Find func(ctx context.Context, root string) ([]steps.Server, error)
	// KeyOf fingerprints a variable of the environment that a process was
	// started with; nil means process.KeyInEnvironment.
	KeyOf func(pid int, name string, f steps.Fingerprinter) (sum string, set bool, err error)
	// Start starts a server for the length of the run and returns its base URL
	// and a function that stops it; nil means manage.py runserver.
	Start func(ctx context.Context, run *steps.Run) (url string, stop func(), err error)
	// ReloadWithin is how long the autoreloader may take to start a new child;
	// 0 means 8 seconds. It looks for changed files once a second, and then
	// waits for open requests.
	ReloadWithin time.Duration
	vendor.Pace

	own own // the server that this step started
}

// way is one way to restart.
type way interface {
	plan(ctx context.Context, run *steps.Run) (steps.Plan, error)
	apply(ctx context.Context, run *steps.Run, emit steps.Emit) error
	undo(ctx context.Context, run *steps.Run, emit steps.Emit) error
}

// kind is one kind of way: the word before the colon of --restart, what follows it,
// and how to make the way from that.
type kind struct {
	name     string
	argument string // "" when the way takes none
	make     func(s *Step, argument string) (way, error)
}

// ways are those of --restart: this machine's own, and those of the vendors.
var ways = slices.Concat(
	[]kind{
		{"runserver", "", func(s *Step, _ string) (way, error) { return runserver{s}, nil }},
		{"command", "CMD", func(s *Step, cmd string) (way, error) { return command{s, cmd}, nil }},
	},
	ofVendors(),
	[]kind{{"none", "", func(s *Step, _ string) (way, error) { return none{s}, nil }}},
)

func ofVendors() (out []kind) {
	for _, v := range vendor.All {
		if v.Restart.Parse == nil {
			continue
		}
		out = append(out, kind{v.Name, v.Restart.Usage, func(s *Step, argument string) (way, error) {
			m, err := v.Restart.Parse(argument)
			if err != nil {
				return nil, fmt.Errorf("%w: --restart %s: %w; it goes %s:%s", steps.ErrUsage, v.Name, err, v.Name, v.Restart.Usage)
			}
			return managed{s, m}, nil
		}})
	}
	return out
}

// way finds the way that a --restart value names. The empty one means
// runserver.
func (s *Step) way(spec string) (way, error) {
	if spec == "" {
		spec = "runserver"
	}
	if parts := apart(spec); len(parts) > 1 {
		var all several
		for _, p := range parts {
			one, err := s.way(p)
			if err != nil {
				return nil, err
			}
			all = append(all, one.(managed).Manager)
		}
		return managed{s, all}, nil
	}
	name, argument, _ := strings.Cut(spec, ":")
	for _, w := range ways {
		if w.name == name && (w.argument != "") == (strings.TrimSpace(argument) != "") {
			return w.make(s, argument)
		}
	}
	return nil, fmt.Errorf("%w: --restart %q is not known; valid are %s",
		steps.ErrUsage, steps.Inert(spec), Ways())
}

// Name is the step's name.
func (s *Step) Name() steps.Name { return steps.Restart }

// Plan says which process would be restarted, and how.
func (s *Step) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	w, err := s.way(asked(run))
	if err != nil {
		return steps.Plan{}, err
	}
	p, err := w.plan(ctx, run)
	if err != nil || p.Nothing || p.Question == "" {
		return p, err
	}
	var places []string
	if m, ok := w.(managed); ok {
		places = m.Places(ctx, run)
	}
	if name := run.Confirm(places...); name != "" {
		p.Confirm, p.Question = name, "This is production. Restart it?"
	}
	return p, nil
}

// Apply restarts, waits until the server answers, and sets the run's URL and
// Restarted. A second call finds the server fresh and leaves it alone.
func (s *Step) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	w, err := s.way(asked(run))
	if err != nil {
		return err
	}
	if run.Journal != nil {
		spec := asked(run)
		if m, ok := w.(managed); ok {
			if k, ok := m.Manager.(vendor.Kept); ok {
				spec = k.Kept(run)
			}
		}
		if err := run.Journal.SetRestart(kept(spec)); err != nil {
			return err
		}
	}
	return w.apply(ctx, run, emit)
}

// unkept stands in the journal for a command: there may be a token in it.
const unkept = "command"

// kept is what the journal may hold of a --restart value.
func kept(spec string) string {
	if name, _, _ := strings.Cut(spec, ":"); name == unkept {
		return unkept
	}
	return spec
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
		return silent(run.URL)
	}
	emit.Check("answers", steps.MarkOK, "server answers", run.URL)
	return nil
}

// Undo restarts once more, so that the server reads the value that the rollback
// has put back. A backend that does not start with that value is as it was
// before the upgrade; it is reported and does not make the rollback fail. Where
// no way is named, it is the one of the upgrade.
func (s *Step) Undo(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	spec := backWith(run)
	if spec == unkept {
		run.Left = append(run.Left, "The upgrade restarted with a command of yours, which keysplit does not keep. Run it once more, so that the value that was put back is in force.")
		return nil
	}
	w, err := s.way(spec)
	if err != nil {
		return err
	}
	return w.undo(ctx, run, emit)
}

// asked is the way, as --restart has it. The servers of the project that run here do
// not read what goes elsewhere: none of them is restarted without being asked for.
func asked(run *steps.Run) string {
	if run.Options.Restart == "" && run.Remote() {
		return "none"
	}
	return run.Options.Restart
}

// backWith is the way of a rollback, as --restart has it.
func backWith(run *steps.Run) string {
	if run.Options.Restart == "" && run.Journal != nil {
		return run.Journal.RestartedBy()
	}
	return run.Options.Restart
}

func (s *Step) find(ctx context.Context, root string) ([]steps.Server, error) {
	if s.Find != nil {
		return s.Find(ctx, root)
	}
	return process.Find(ctx, root)
}

func (s *Step) keyOf(pid int, name string, f steps.Fingerprinter) (string, bool, error) {
	if s.KeyOf != nil {
		return s.KeyOf(pid, name, f)
	}
	return process.KeyInEnvironment(pid, name, f)
}

func (s *Step) reloadWithin() time.Duration {
	if s.ReloadWithin > 0 {
		return s.ReloadWithin
	}
	return 8 * time.Second
}

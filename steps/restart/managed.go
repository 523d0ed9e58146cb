package restart

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"dj/keysplit/steps"
)

// manager restarts something through the program that manages it.
type manager interface {
	// plan says what would be restarted. It looks, and changes nothing.
	plan(ctx context.Context, run *steps.Run) (steps.Plan, error)
	// places are the names by which a person recognises what is restarted.
	places(ctx context.Context, run *steps.Run) []string
	// restart restarts, and returns once what was restarted is seen to run.
	restart(ctx context.Context, run *steps.Run, emit steps.Emit) error
}

// managed makes a way of a manager.
type managed struct {
	*Step
	manager
}

// managedBy makes the ways of a kind of manager.
func managedBy(open func(s *Step, argument string) manager) func(*Step, string) way {
	return func(s *Step, argument string) way { return managed{s, open(s, argument)} }
}

func (m managed) plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	p, err := m.manager.plan(ctx, run)
	if err == nil && p.Question == "" && !p.Nothing {
		p.Question = "Restart now?"
	}
	return p, err
}

func (m managed) apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if err := m.restart(ctx, run, emit); err != nil {
		return err
	}
	run.Restarted = true
	run.URL = named(run)
	return m.await(ctx, run, emit, run.URL)
}

// undo restarts again. A backend that does not start with the earlier value is
// as it was before the upgrade: that is reported, and no failure of the rollback.
func (m managed) undo(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	emit.Progress("Restarting once more, so that the value that was put back is in force.")
	return soften(m.restart(ctx, run, emit), emit)
}

// soften reports the failure of a restart that belongs to a rollback as a
// warning: what was put back stays put back.
func soften(err error, emit steps.Emit) error {
	var failure *steps.Failure
	if !errors.As(err, &failure) {
		return err
	}
	for _, f := range failure.Findings {
		emit.Find(f.WithSeverity(steps.Warning))
	}
	return nil
}

// managedName is a name that goes to a program as an argument of its own.
var managedName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.@:/\\-]*$`)

// names cuts a list at its commas. It is checked here and not when the list is
// used, since a name that begins with - would be an option.
func names(list string) ([]string, error) {
	var out []string
	for _, n := range strings.Split(list, ",") {
		n = strings.TrimSpace(n)
		if !managedName.MatchString(n) {
			return nil, fmt.Errorf("%w: --restart: %q is no name", steps.ErrUsage, steps.Inert(n))
		}
		out = append(out, n)
	}
	return out, nil
}

// logLines is how many lines of a failing service's log are shown.
const logLines = 20

// showLog shows the end of a log, cleaned.
func showLog(run *steps.Run, emit steps.Emit, log []byte) {
	lines := strings.Split(strings.TrimSpace(run.Redactor.Clean(string(log))), "\n")
	for _, l := range lines[max(0, len(lines)-logLines):] {
		if l != "" {
			emit.Output(l)
		}
	}
}

// wentWrong is the failure of a restart, with the way back.
func wentWrong(run *steps.Run, what, message, fix string) error {
	f := steps.NewFinding("restart-failed", message).At(what, 0).
		WithFix(fix + " To put the earlier value back and restart with it: " + run.Command("rollback"))
	f.Why = "It may not run at all, or still run with the old key."
	return steps.Fail(f)
}

// byHand is the command that goes on after a restart that the user did.
func byHand(run *steps.Run) string { return run.Finish(run.Options.Targets) + " --restart none" }

// startsWithin is how long what is restarted may take to start: images, builds,
// dependencies and health checks take longer than one call of a program.
func (s *Step) startsWithin(run *steps.Run) time.Duration {
	if s.StartsWithin > 0 {
		return s.StartsWithin
	}
	return max(5*time.Minute, run.Options.Wait())
}

// steady is how long what was restarted must run before it counts as restarted:
// what ends at its start runs for a moment first.
func (s *Step) steady() time.Duration {
	if s.StaysUp > 0 {
		return s.StaysUp
	}
	return 3 * time.Second
}

package vendor

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// Manager restarts something through the program that manages it.
type Manager interface {
	// Plan says what would be restarted. It looks, and changes nothing.
	Plan(ctx context.Context, run *steps.Run) (steps.Plan, error)
	// Places are the names by which a person recognises what is restarted.
	Places(ctx context.Context, run *steps.Run) []string
	// Restart restarts, and returns once what was restarted is seen to run.
	Restart(ctx context.Context, run *steps.Run, pace Pace, emit steps.Emit) error
}

// Kept is a Manager whose spec does not say all that a rollback needs to know.
type Kept interface {
	// Kept is the spec that does, for the journal.
	Kept(run *steps.Run) string
}

// hinter is a Store whose readers keep the old value until they are restarted.
type hinter interface {
	// RestartHint says what --restart would do about it.
	RestartHint() string
}

// RestartHint says how what reads this run's targets could be restarted, "" for nothing
// to say.
func RestartHint(run *steps.Run) string {
	for _, h := range targetsOf[hinter](run) {
		return h.RestartHint()
	}
	return ""
}

// Pace is how patient a restart is. Its zero value is right for people; tests are
// in a hurry.
type Pace struct {
	// StaysUp is how long a systemd unit or a container must run before it counts
	// as restarted; 0 means 3 seconds.
	StaysUp time.Duration
	// StartsWithin is how long units, services, pods and apps may take to start, images
	// and health checks included, and a command to end; 0 means five minutes, or
	// --timeout where that is longer.
	StartsWithin time.Duration
	// Every is the time between two looks; 0 means 200 milliseconds.
	Every time.Duration
}

// Limit is how long what is restarted may take to start: images, builds,
// dependencies and health checks take longer than one call of a program.
func (p Pace) Limit(run *steps.Run) time.Duration {
	if p.StartsWithin > 0 {
		return p.StartsWithin
	}
	return max(5*time.Minute, run.Options.Wait())
}

// steady is how long what was restarted must run before it counts as restarted:
// what ends at its start runs for a moment first.
func (p Pace) steady() time.Duration {
	if p.StaysUp > 0 {
		return p.StaysUp
	}
	return 3 * time.Second
}

// Until calls look, at once and then again and again, until it says done, fails,
// or the time is over. ok tells whether it was done.
func (p Pace) Until(ctx context.Context, limit time.Duration, look func() (done bool, err error)) (ok bool, err error) {
	every := p.Every
	if every <= 0 {
		every = 200 * time.Millisecond
	}
	end := time.NewTimer(limit)
	defer end.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if done, err := look(); done || err != nil {
			return done, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-end.C:
			return false, nil
		case <-tick.C:
		}
	}
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
			return nil, fmt.Errorf("%q is no name", secret.Inert(n))
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
	f := finding.New("restart-failed", message).At(what, 0).
		WithFix(fix + " To put the earlier value back and restart with it: " + run.Command("rollback"))
	f.Why = "It may not run at all, or still run with the old key."
	return steps.Fail(f)
}

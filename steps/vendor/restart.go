package vendor

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
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

// Parted is a Manager of several things that are restarted one after the other: each is
// proved before the next.
type Parted interface {
	Each() []Manager
}

// Kept is a Manager whose spec does not say all that a rollback needs to know.
type Kept interface {
	// Kept is the spec that does, for the journal.
	Kept(run *steps.Run) string
}

// ager is a File or a Store whose readers are containers that can be listed.
type ager interface {
	older(ctx context.Context, run *steps.Run, emit steps.Emit) error
}

// Older looks at the containers and pods that get the key from this run's targets, where
// something else than their own manager restarted them, or nothing did. Its *steps.Failure
// names those that go on with an earlier key.
func Older(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	for _, a := range targetsOf[ager](run) {
		if err := a.older(ctx, run, emit); err != nil {
			return err
		}
	}
	return nil
}

// LooksBack reports whether a manager looks at all of them itself, after its restart.
func LooksBack(m Manager) bool {
	switch m.(type) {
	case services, workloads:
		return true
	}
	return false
}

// hinter is a Store whose readers keep the old value until they are restarted.
type hinter interface {
	// RestartHint says which way to restart would do it.
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
	// All restarts the others too after one that failed, as a rollback does.
	All bool
}

// each restarts one after the other. Its error is the first one.
func (p Pace) each(names []string, restart func(name string) error) (failed error) {
	for _, name := range names {
		if err := restart(name); err != nil && failed == nil {
			failed = err
		}
		if failed != nil && !p.All {
			break
		}
	}
	return failed
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
var managedName = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9_.@:/\\-]*$`)

// names cuts a list at its commas. It is checked here and not when the list is
// used, since a name that begins with - would be an option.
func names(list string) ([]string, error) {
	var out []string
	for _, n := range strings.Split(list, ",") {
		n = strings.TrimSpace(n)
		if !managedName.MatchString(n) {
			return nil, fmt.Errorf("%s is no name", secret.Quote(n))
		}
		out = append(out, n)
	}
	return out, nil
}

// logLines is how many lines of a failing service's log are read.
const logLines = 20

// showLog passes the end of a log on, which the project's code wrote, and says where
// that code stopped.
func showLog(run *steps.Run, emit steps.Emit, who string, log []byte) {
	emit.Printed(who, secret.Printed(log))
	if stopped := Stopped(run, log); stopped != "" {
		emit.Progress(who + " stopped with " + stopped + ".")
	}
}

var (
	frame     = lazyregexp.New(`(?m)\bFile "([^"\n]+)", line (\d+)`)
	exception = lazyregexp.New(`(?m)^(?:[^\n|]*\| *)?(?:[A-Za-z_]\w*\.)*([A-Z]\w*(?:Error|Exception|Configured|Exit|NotFound)\b[^\n]*)`)
	packages  = lazyregexp.New(`site-packages|dist-packages|/lib/python|^<|^/usr/`)
)

// Stopped says where Python code stopped, by the last exception of its output: the
// class, the words of its message that are no secret, and the project's file and line.
// It is "" where there is none.
func Stopped(run *steps.Run, output []byte) string {
	text := string(output)
	place, after := "", 0
	for _, m := range frame.FindAllStringSubmatchIndex(text, -1) {
		after = m[1]
		if file := text[m[2]:m[3]]; !packages.MatchString(file) {
			if filepath.IsAbs(file) && run.Project != nil {
				file = run.Project.Rel(file)
			}
			place = ", at " + file + " line " + text[m[4]:m[5]]
		}
	}
	found := exception.FindAllStringSubmatch(text[after:], -1)
	if len(found) == 0 {
		return ""
	}
	said := strings.TrimRight(run.Redactor.Show(secret.Printed(found[len(found)-1][1])), ". ")
	return said + run.Redactor.Show(secret.Said(place))
}

// wentWrong is the failure of a restart, with the way back.
func wentWrong(run *steps.Run, what, message string, fix finding.Fix) error {
	f := finding.New(finding.RestartFailed, message).At(what, 0).
		WithFix(fix.Then(finding.Do("To put the earlier value back and restart with it: %s", finding.Command(run.Command("rollback")))))
	f.Why = prose.Say("It may not run at all, or still run with the old key.")
	return steps.Fail(f)
}

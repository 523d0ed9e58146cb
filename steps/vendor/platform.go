package vendor

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/tool"
)

// platform is a hosting platform that restarts an app by itself when one of its
// secrets changes. An app whose secret this upgrade changed is waited for; any
// other one is restarted.
type platform struct {
	name    string // in words
	spec    string
	program tool.Program
	starter tool.Program // runs again; as program where it is not given
	again   []string     // the command that restarts
	logs    []string     // the command that shows the app's log
	// knows reports whether the program can restart at all; nil means that it can.
	knows func(ctx context.Context, run *steps.Run) error
	// look asks how the app stands.
	look func(ctx context.Context, run *steps.Run) (appState, error)
}

// appState is how an app stands: what of it runs or ran, and what was released.
// Times are by the platform's own clock.
type appState struct {
	released time.Time // the latest release; the zero time where there are none
	pending  bool      // it is not in force yet
	failed   bool      // it never will be
	parts    []part    // machines, dynos, deployments
	idle     bool      // it is right that there are no parts
	detail   string
}

// part is a thing that runs.
type part struct {
	id     string    // of what came to be with the latest change, "" where it is not told
	at     time.Time // of the latest change
	up     bool
	failed bool
}

// Plan says whether the app restarts by itself, or how it is restarted.
func (p platform) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	plan := steps.Plan{Effects: []prose.Text{prose.Say("The app is unavailable, or slower, for as long as that takes.")}}
	// In a dry run the key is only about to be delivered.
	if _, waits := p.delivered(run); waits || run.Options.ReadOnly && slices.Contains(run.Specs(), p.spec) {
		plan.Summary, plan.Question = prose.Say("%s restarts by itself. Wait for it.", p.name), prose.Say("Wait for it now?")
		return plan, nil
	}
	if p.knows != nil {
		if err := p.knows(ctx, run); err != nil {
			return plan, err
		}
	}
	plan.Summary = prose.Say("Restart %s.", p.name)
	plan.Command = p.program.Name + " " + strings.Join(p.again, " ")
	plan.Details = []prose.Text{steps.CommandDetail(plan.Command)}
	return plan, nil
}

// MayRestart asks how the app stands, which a program that is missing or not logged in
// cannot tell, nor one that knows no such app.
func (p platform) MayRestart(ctx context.Context, run *steps.Run) error {
	_, err := p.look(ctx, run)
	return err
}

// Places is the app.
func (p platform) Places(context.Context, *steps.Run) []string { return []string{p.spec} }

// clockSlack is by how much a platform's clock may differ from ours.
const clockSlack = time.Minute

// delivered reports whether this very app restarts by itself, and since when.
func (p platform) delivered(run *steps.Run) (since time.Time, waits bool) {
	if run.Journal == nil {
		return time.Time{}, false
	}
	since, waits = run.Journal.DeliveredSince(p.spec, run.Key)
	return since.Add(-clockSlack), waits
}

// Restart restarts the app, or waits for what its new secret has begun.
func (p platform) Restart(ctx context.Context, run *steps.Run, pace Pace, emit steps.Emit) error {
	id := "restart " + p.spec
	emit.Await(id, "restart "+p.name, pace.Limit(run))
	at, waits := p.delivered(run)
	since := mark{at: at}
	if !waits {
		// What is there before is no proof, whatever the platform's clock says.
		before, err := p.look(ctx, run)
		if err != nil {
			return err
		}
		since = before.mark()
		if p.knows != nil {
			if err := p.knows(ctx, run); err != nil {
				return err
			}
		}
		starter := p.starter
		if starter.Name == "" {
			starter = p.program
		}
		if _, err := starter.Call(ctx, run, p.spec, nil, p.again...); err != nil {
			return err
		}
	}
	var now appState
	up, err := pace.Until(ctx, pace.Limit(run), func() (bool, error) {
		var err error
		if now, err = p.look(ctx, run); err != nil {
			return false, err
		}
		return now.failedSince(since) || now.upSince(since, waits), nil
	})
	switch {
	case err != nil:
		return err
	case !up || now.failedSince(since):
		emit.Check(id, steps.MarkFailed, "restart "+p.name, secret.Inert(now.detail))
		p.log(ctx, run, emit)
		return wentWrong(run, p.spec, p.name+" did not come up in time.", finding.Do("Look at it: %s. If it only takes long, give it more time: `keysplit --timeout 15m`.", finding.Shell(append([]string{p.program.Name}, p.logs...)...)))
	}
	emit.Check(id, steps.MarkOK, "restarted "+p.name, secret.Inert(now.detail))
	return nil
}

// mark is what a restart is later than: a time, and the parts that were there then.
// Some platforms tell times by the second only.
type mark struct {
	at  time.Time
	ids map[string]bool
}

func (m mark) before(p part) bool {
	return p.at.After(m.at) || m.ids != nil && p.id != "" && !m.ids[p.id]
}

// mark is how the app stands now, for what follows to be told apart.
func (s appState) mark() mark {
	m := mark{s.released, map[string]bool{}}
	for _, p := range s.parts {
		m.ids[p.id] = true
		if p.at.After(m.at) {
			m.at = p.at
		}
	}
	return m
}

// upSince reports whether all of the app was started since then, and runs. Where a
// release was waited for, it must be there too.
func (s appState) upSince(since mark, release bool) bool {
	if release && !s.released.IsZero() && (s.pending || s.failed || !s.released.After(since.at)) {
		return false
	}
	for _, p := range s.parts {
		if !p.up || !since.before(p) {
			return false
		}
	}
	return len(s.parts) > 0 || s.idle
}

// failedSince reports whether what was started since then has failed.
func (s appState) failedSince(since mark) bool {
	if s.failed && s.released.After(since.at) {
		return true
	}
	return slices.ContainsFunc(s.parts, func(p part) bool { return p.failed && since.before(p) })
}

// logWithin is how long the log of an app may take: some programs show it for ever.
const logWithin = 10 * time.Second

// log shows the end of the app's log.
func (p platform) log(ctx context.Context, run *steps.Run, emit steps.Emit) {
	quiet := func(steps.Event) {}
	res, over, err := watch(ctx, run, quiet, p.program, logWithin, nil, p.logs...)
	if err == nil && (over || res.Code == 0) { // else it is about the program itself
		showLog(run, emit, p.name, res.Stdout)
	}
}

// ask runs one command of a platform and reads its answer.
func ask(ctx context.Context, run *steps.Run, p tool.Program, spec string, answer any, args ...string) error {
	out, err := p.Call(ctx, run, spec, nil, args...)
	if err == nil && json.Unmarshal(out, answer) != nil {
		return errors.New("the answer of " + p.Name + " cannot be read")
	}
	return err
}

package restart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/tool"
)

// platform is a hosting platform that restarts an app by itself when one of its
// secrets changes. An app whose secret this upgrade changed is waited for; any
// other one is restarted.
type platform struct {
	*Step
	name    string // in words
	spec    string
	program tool.Program
	starter tool.Program // runs again; as program where it is not given
	again   []string     // the command that restarts
	logs    []string     // the command that shows the app's log
	// knows tells whether the program can restart at all; nil means that it can.
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

func (p platform) plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	plan := steps.Plan{Effects: []string{"The app is away, or slower, for as long as that takes."}}
	// In a dry run the key is only about to be delivered.
	if _, waits := p.delivered(run); waits || run.Options.ReadOnly && slices.Contains(run.Options.Targets, p.spec) {
		plan.Summary, plan.Question = p.name+" restarts by itself. Wait for it.", "Wait for it now?"
		return plan, nil
	}
	if p.knows != nil {
		if err := p.knows(ctx, run); err != nil {
			return plan, err
		}
	}
	plan.Summary = "Restart " + p.name + "."
	plan.Details = []string{"Command: " + p.program.Name + " " + strings.Join(p.again, " ")}
	return plan, nil
}

func (p platform) places(context.Context, *steps.Run) []string { return []string{p.spec} }

// clockSlack is by how much a platform's clock may differ from ours.
const clockSlack = time.Minute

// delivered tells that this very app restarts by itself, and since when.
func (p platform) delivered(run *steps.Run) (since time.Time, waits bool) {
	if run.Journal == nil {
		return time.Time{}, false
	}
	since, waits = run.Journal.DeliveredSince(p.spec, run.Key)
	return since.Add(-clockSlack), waits
}

func (p platform) restart(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	id := "restart " + p.spec
	emit.Check(id, steps.MarkRunning, "restart "+p.name, "")
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
	up, err := p.until(ctx, p.startsWithin(run), func() (bool, error) {
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
		emit.Check(id, steps.MarkFailed, "restart "+p.name, steps.Inert(now.detail))
		p.log(ctx, run, emit)
		return wentWrong(run, p.spec, p.name+" did not come up in time.", "Look at it: "+p.program.Name+" "+strings.Join(p.logs, " ")+". If it only takes long: --timeout 15m.")
	}
	emit.Check(id, steps.MarkOK, "restarted "+p.name, steps.Inert(now.detail))
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

// upSince tells that all of the app was started since then, and runs. Where a
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

// failedSince tells that what was started since then has failed.
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
		showLog(run, emit, res.Stdout)
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

// newHeroku waits for the release that follows a change, and then, as after a
// restart, for every dyno of the app. One-off dynos are somebody's own.
func newHeroku(s *Step, app string) manager {
	spec := "heroku:" + app
	return platform{
		Step: s, name: "Heroku app " + app, spec: spec, program: tool.Heroku,
		again: []string{"ps:restart", "--app", app},
		logs:  []string{"logs", "--num", fmt.Sprint(logLines), "--app", app},
		look: func(ctx context.Context, run *steps.Run) (s appState, err error) {
			var releases []struct {
				Version   int
				Status    string
				CreatedAt time.Time `json:"created_at"`
			}
			if err := ask(ctx, run, tool.Heroku, spec, &releases, "releases", "--json", "--app", app); err != nil {
				return s, err
			}
			var dynos []struct {
				ID        string
				Type      string
				State     string
				UpdatedAt time.Time `json:"updated_at"`
				Release   struct{ Version int }
			}
			if err := ask(ctx, run, tool.Heroku, spec, &dynos, "ps", "--json", "--app", app); err != nil {
				return s, err
			}
			latest, runs, up := -1, 0, 0 // the latest release, and the one that runs
			for _, r := range releases {
				if r.Version > latest {
					latest, s.released = r.Version, r.CreatedAt
					s.pending, s.failed = r.Status == "pending", r.Status == "failed"
					s.detail = fmt.Sprintf("release v%d: %s", r.Version, r.Status)
				}
				if r.Status == "succeeded" {
					runs = max(runs, r.Version)
				}
			}
			s.idle = len(releases) > 0
			for _, d := range dynos {
				if d.Type == "run" || d.Type == "release" {
					continue
				}
				one := part{id: d.ID, at: d.UpdatedAt, up: (d.State == "up" || d.State == "idle") && (d.Release.Version == 0 || d.Release.Version >= runs), failed: d.State == "crashed"}
				if one.up {
					up++
				}
				s.parts = append(s.parts, one)
			}
			s.detail += fmt.Sprintf(", %d of %d dynos up", up, len(s.parts))
			return s, nil
		},
	}
}

// flyMachine is what fly machine list --json tells of a machine
// (fly.io/docs/machines/api/machines-resource).
type flyMachine struct {
	State      string
	InstanceID string    `json:"instance_id"`
	UpdatedAt  time.Time `json:"updated_at"`
	Events     []struct {
		Type      string
		Timestamp int64
		Request   struct {
			ExitEvent struct {
				ExitCode      int  `json:"exit_code"`
				RequestedStop bool `json:"requested_stop"`
			} `json:"exit_event"`
		}
	}
}

// up tells whether the machine serves, or rests until the next request comes: Fly
// stops machines that have nothing to do. One that ended with an error is not up.
func (m flyMachine) up() bool {
	if m.State == "started" {
		return true
	}
	var at int64
	well := true
	for _, e := range m.Events {
		if e.Type == "exit" && e.Timestamp >= at {
			at, well = e.Timestamp, e.Request.ExitEvent.RequestedStop || e.Request.ExitEvent.ExitCode == 0
		}
	}
	return well && (m.State == "stopped" || m.State == "suspended")
}

// newFly restarts with the deployment of secrets: fly apps restart leaves machines
// with the secrets that they had, and needs a tunnel into the private network.
func newFly(s *Step, app string) manager {
	spec := "fly:" + app
	return platform{
		Step: s, name: "Fly app " + app, spec: spec, program: tool.Fly, starter: tool.FlyDeploys,
		again: []string{"secrets", "deploy", "--app", app},
		logs:  []string{"logs", "--no-tail", "--app", app},
		look: func(ctx context.Context, run *steps.Run) (s appState, err error) {
			var machines []flyMachine
			if err := ask(ctx, run, tool.Fly, spec, &machines, "machine", "list", "--json", "--app", app); err != nil {
				return s, err
			}
			up := 0
			for _, m := range machines {
				if m.up() {
					up++
				}
				s.parts = append(s.parts, part{id: m.InstanceID, at: m.UpdatedAt, up: m.up()})
			}
			s.detail = fmt.Sprintf("%d of %d machines", up, len(machines))
			return s, nil
		},
	}
}

// newRailway restarts with a new deployment of what is deployed.
func newRailway(s *Step, argument string) manager {
	service, environment, _ := strings.Cut(argument, "@")
	spec := "railway:" + argument
	place := []string{"--service", service}
	if environment != "" {
		place = append(place, "--environment", environment)
	}
	return platform{
		Step: s, name: "Railway service " + service, spec: spec, program: tool.Railway,
		again: append([]string{"redeploy", "--yes"}, place...),
		logs:  append([]string{"logs"}, place...),
		knows: func(ctx context.Context, run *steps.Run) error {
			if environment == "" {
				return nil
			}
			help, err := tool.Railway.Try(ctx, run, nil, "redeploy", "--help")
			if err != nil || help.Code == 0 && strings.Contains(string(help.Stdout), "--environment") {
				return err
			}
			return steps.Fail(steps.NewFinding("tool-missing", "This version of railway cannot restart in an environment that is named.").At(spec, 0).
				WithFix("Update railway. Or link the folder to it, with railway environment " + environment + ", and name the service alone: --restart railway:" + service))
		},
		look: func(ctx context.Context, run *steps.Run) (s appState, err error) {
			var deployments []struct {
				ID        string
				Status    string
				CreatedAt time.Time
			}
			if err := ask(ctx, run, tool.Railway, spec, &deployments, append([]string{"deployment", "list", "--json"}, place...)...); err != nil {
				return s, err
			}
			s.detail = "no deployment"
			for _, d := range deployments {
				if len(s.parts) == 0 || d.CreatedAt.After(s.parts[0].at) {
					up := d.Status == "SUCCESS" || d.Status == "SLEEPING" // until the next request
					s.parts = []part{{id: d.ID, at: d.CreatedAt, up: up, failed: d.Status == "FAILED" || d.Status == "CRASHED"}}
					s.detail = "deployment: " + d.Status
				}
			}
			return s, nil
		},
	}
}

package restart

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/tool"
)

// platform is a hosting platform that restarts an app by itself when one of its
// secrets changes. It is waited for; where nothing was changed in this run, the
// app is restarted.
type platform struct {
	*Step
	name    string // in words
	spec    string
	program tool.Program
	starter tool.Program // runs again; as program where it is not given
	again   []string     // the command that restarts
	look    []string     // the command that tells how it stands, in JSON
	// stands reads its answer. since is when the key was written, the zero time
	// when it was not.
	stands func(answer []byte, since time.Time) (up, failed bool, detail string)
}

func (p platform) plan(_ context.Context, run *steps.Run) (steps.Plan, error) {
	plan := steps.Plan{Effects: []string{"The app is away, or slower, for as long as that takes."}}
	if run.Wrote {
		plan.Summary, plan.Question = p.name+" restarts by itself. Wait for it.", "Wait for it now?"
		return plan, nil
	}
	plan.Summary = "Restart " + p.name + "."
	plan.Details = []string{"Command: " + p.program.Name + " " + strings.Join(p.again, " ")}
	return plan, nil
}

func (p platform) restart(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	since := run.WroteAt
	emit.Check("restart", steps.MarkRunning, "restart "+p.name, "")
	if !run.Wrote {
		starter := p.starter
		if starter.Name == "" {
			starter = p.program
		}
		if _, err := starter.Call(ctx, run, p.spec, nil, p.again...); err != nil {
			return err
		}
		since = time.Time{}
	}
	var failed bool
	var detail string
	up, err := p.until(ctx, run.Options.Wait(), func() (bool, error) {
		out, err := p.program.Call(ctx, run, p.spec, nil, p.look...)
		if err != nil {
			return false, err
		}
		var up bool
		up, failed, detail = p.stands(out, since)
		return up || failed, nil
	})
	switch {
	case err != nil:
		return err
	case failed || !up:
		emit.Check("restart", steps.MarkFailed, "restart "+p.name, steps.Inert(detail))
		return wentWrong(p.spec, p.name+" did not come up in time.", "Look at it: "+p.program.Name+" logs. If it only takes long: --timeout 5m.")
	}
	emit.Check("restart", steps.MarkOK, "restarted "+p.name, steps.Inert(detail))
	return nil
}

// clockSlack is by how much a platform's clock may differ from ours.
const clockSlack = time.Minute

func newHeroku(s *Step, app string) manager {
	return platform{
		Step: s, name: "Heroku app " + app, spec: "heroku:" + app,
		program: tool.Heroku,
		again:   []string{"ps:restart", "--app", app}, look: []string{"releases", "--json", "--app", app},
		stands: func(answer []byte, since time.Time) (bool, bool, string) {
			var releases []struct {
				Version   int
				Status    string
				Current   bool      // it is the one that runs
				CreatedAt time.Time `json:"created_at"`
			}
			if json.Unmarshal(answer, &releases) != nil || len(releases) == 0 {
				return false, false, "no release is listed"
			}
			last := releases[0]
			for _, r := range releases {
				if r.Version > last.Version {
					last = r
				}
			}
			if since.IsZero() { // a restart is of the one that runs
				for _, r := range releases {
					if r.Current {
						last = r
					}
				}
			}
			recent := since.IsZero() || last.CreatedAt.After(since.Add(-clockSlack))
			return recent && last.Status == "succeeded", recent && last.Status == "failed", fmt.Sprintf("release v%d: %s", last.Version, last.Status)
		},
	}
}

// flyMachine is what fly machine list --json tells of a machine
// (fly.io/docs/machines/api/machines-resource).
type flyMachine struct {
	State     string
	UpdatedAt time.Time `json:"updated_at"`
	Events    []struct {
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
	return platform{
		Step: s, name: "Fly app " + app, spec: "fly:" + app,
		program: tool.Fly, starter: tool.FlyDeploys,
		again: []string{"secrets", "deploy", "--app", app}, look: []string{"machine", "list", "--json", "--app", app},
		stands: func(answer []byte, since time.Time) (bool, bool, string) {
			var machines []flyMachine
			if json.Unmarshal(answer, &machines) != nil || len(machines) == 0 {
				return false, false, "no machine is listed"
			}
			up := 0
			for _, m := range machines {
				if m.up() && (since.IsZero() || m.UpdatedAt.After(since.Add(-clockSlack))) {
					up++
				}
			}
			return up == len(machines), false, fmt.Sprintf("%d of %d machines", up, len(machines))
		},
	}
}

func newRailway(s *Step, argument string) manager {
	service, environment, _ := strings.Cut(argument, "@")
	place := []string{"--service", service}
	if environment != "" {
		place = append(place, "--environment", environment)
	}
	return platform{
		Step: s, name: "Railway service " + service, spec: "railway:" + argument,
		program: tool.Railway,
		again:   append([]string{"redeploy", "--yes"}, place...), look: append([]string{"deployment", "list", "--json"}, place...),
		stands: func(answer []byte, since time.Time) (bool, bool, string) {
			var deployments []struct {
				Status    string
				CreatedAt time.Time
			}
			if json.Unmarshal(answer, &deployments) != nil || len(deployments) == 0 {
				return false, false, "no deployment is listed"
			}
			last := deployments[0]
			for _, d := range deployments {
				if d.CreatedAt.After(last.CreatedAt) {
					last = d
				}
			}
			recent := since.IsZero() || last.CreatedAt.After(since.Add(-clockSlack))
			up := last.Status == "SUCCESS" || last.Status == "SLEEPING" // until the next request
			return recent && up, recent && (last.Status == "FAILED" || last.Status == "CRASHED"), "deployment: " + last.Status
		},
	}
}

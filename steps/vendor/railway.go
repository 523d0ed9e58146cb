package vendor

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/shell"
	"dj/keysplit/steps/tool"
)

// railway keeps the key as a variable of a Railway service.
type railway struct {
	service     string
	environment string // "" for the one that the folder is linked to
}

var railwayProgram = tool.Program{Name: "railway", Install: "See https://docs.railway.com/guides/cli.", Login: finding.Do("`railway login`")}

func parseRailway(argument string) (Store, error) {
	service, environment, named := strings.Cut(argument, "@")
	if service == "" || strings.HasPrefix(service, "-") || named && environment == "" {
		return nil, errors.New("it needs the name of a service")
	}
	return &railway{service, environment}, nil
}

func (r *railway) String() string {
	if r.environment != "" {
		return "railway:" + r.service + "@" + r.environment
	}
	return "railway:" + r.service
}

func (r *railway) tool() tool.Program {
	return railwayProgram
}

func (r *railway) Manner() Manner {
	return Manner{
		Alone:   "Railway changes one variable at a time: a process that starts in between would have a part of them.",
		Method:  "railway variable set, the value on standard input; the other variables stay as they are",
		Undo:    prose.Say("`keysplit rollback` sets the variable back, or removes it"),
		ByHand:  finding.Do("Set the earlier value again with: %s, where FILE holds the value", finding.Command(shell.Join(append([]string{"railway", "variable", "set", steps.GuideNames.Key, "--stdin"}, r.place()...)...)+" < FILE")),
		Effects: []prose.Text{prose.Say("Railway redeploys the service with the changed variable.")},
	}
}

// place are the arguments that name the service and environment.
func (r *railway) place() []string {
	args := []string{"--service", r.service}
	if r.environment != "" {
		args = append(args, "--environment", r.environment)
	}
	return args
}

func (r *railway) Look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	held := steps.Held{Where: "Railway service " + r.service, Readable: true}
	if r.environment != "" {
		held.Where += ", environment " + r.environment
	}
	out, err := r.tool().Call(ctx, run, r.String(), nil, append([]string{"variable", "list", "--json"}, r.place()...)...)
	if err != nil {
		return held, err
	}
	// A sealed variable is listed with null: Railway shows its value to nobody.
	var vars map[string]*string
	if json.Unmarshal(out, &vars) != nil {
		return held, errors.New("the answer of railway cannot be read")
	}
	// Railway's own variables tell which project it is, and which environment the
	// folder is linked to.
	if v := vars["RAILWAY_ENVIRONMENT_NAME"]; v != nil && r.environment == "" {
		held.Where += ", environment " + run.Redactor.Show(secret.Said(*v))
	}
	if v := vars["RAILWAY_PROJECT_NAME"]; v != nil {
		held.Where += ", project " + run.Redactor.Show(secret.Said(*v))
	}
	if v, ok := vars[run.Names().Key]; ok {
		held.There, held.Readable = true, v != nil
		if v != nil {
			held.Key = run.Secret(*v)
		}
	}
	if v := vars[run.Names().SecretKey]; v != nil {
		held.SecretKey = run.Secret(*v)
	}
	return held, nil
}

func (r *railway) Put(ctx context.Context, run *steps.Run, key secret.Secret, _ steps.Held) (string, error) {
	// Older versions have no --stdin. They must not be tried: what they make of
	// the arguments is not known.
	help, err := r.tool().Try(ctx, run, nil, "variable", "set", "--help")
	if err != nil {
		return "", err
	}
	if help.Code != 0 || !strings.Contains(string(help.Stdout), "--stdin") {
		return "", steps.Fail(finding.New(finding.ToolMissing, "This version of railway cannot take a value on standard input.").At(r.String(), 0).
			WithFix(finding.Do("Update it: `railway upgrade`. Then run `keysplit` again.")))
	}
	_, err = r.tool().Call(ctx, run, r.String(), []byte(key.Reveal()), append([]string{"variable", "set", run.Names().Key, "--stdin"}, r.place()...)...)
	return "", err
}

func (r *railway) Restore(ctx context.Context, run *steps.Run, _ journal.Delivery, old secret.Secret, h steps.Held) error {
	if old.Set() {
		_, err := r.Put(ctx, run, old, h)
		return err
	}
	_, err := r.tool().Call(ctx, run, r.String(), nil, append([]string{"variable", "delete", run.Names().Key}, r.place()...)...)
	return err
}

// ByHand is the command of the place's own program.
func (r *railway) ByHand(x Extra) []string {
	return []string{
		fed(x.File, append([]string{"railway", "variable", "set", x.SecretName, "--stdin"}, r.place()...)...),
		command(append([]string{"railway", "variable", "set", x.PlainName + "=" + x.Plain}, r.place()...)...),
	}
}

// restartRailway restarts with a new deployment of what is deployed.
func restartRailway(argument string) (Manager, error) {
	_, err := names(argument)
	service, environment, _ := strings.Cut(argument, "@")
	return (&railway{service, environment}).Readers(), err
}

// Readers is the service itself.
func (r *railway) Readers() Manager {
	service, environment, spec := r.service, r.environment, r.String()
	place := r.place()
	return platform{
		name: "Railway service " + service, spec: spec, program: railwayProgram,
		again: append([]string{"redeploy", "--yes"}, place...),
		logs:  append([]string{"logs"}, place...),
		knows: func(ctx context.Context, run *steps.Run) error {
			if environment == "" {
				return nil
			}
			help, err := railwayProgram.Try(ctx, run, nil, "redeploy", "--help")
			if err != nil || help.Code == 0 && strings.Contains(string(help.Stdout), "--environment") {
				return err
			}
			return steps.Fail(finding.New(finding.ToolMissing, "This version of railway cannot restart in an environment that is named.").At(spec, 0).
				WithFix(finding.Do("Update railway. Or link the folder to it, with %s, and name the service alone: `keysplit --restart railway:%s`", finding.Shell("railway", "environment", environment), service)))
		},
		look: func(ctx context.Context, run *steps.Run) (s appState, err error) {
			var deployments []struct {
				ID        string
				Status    string
				CreatedAt time.Time
			}
			if err := ask(ctx, run, railwayProgram, spec, &deployments, append([]string{"deployment", "list", "--json"}, place...)...); err != nil {
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

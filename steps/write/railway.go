package write

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/tool"
)

// railway keeps the key as a variable of a Railway service.
type railway struct {
	service     string
	environment string // "" for the one that the folder is linked to
}

func newRailway(argument string) (store, error) {
	service, environment, named := strings.Cut(argument, "@")
	if service == "" || strings.HasPrefix(service, "-") || named && environment == "" {
		return nil, errors.New("it needs the name of a service")
	}
	return &railway{service, environment}, nil
}

func (r *railway) spec() string {
	if r.environment != "" {
		return "railway:" + r.service + "@" + r.environment
	}
	return "railway:" + r.service
}

func (r *railway) tool() tool.Program {
	return tool.Railway
}

func (r *railway) words() words {
	return words{
		Method:  "railway variable set, the value on standard input; the other variables stay as they are",
		Undo:    "keysplit rollback sets the variable back, or removes it",
		ByHand:  "Set the earlier value again with: " + steps.Line(append([]string{"railway", "variable", "set", steps.KeyName, "--stdin"}, r.place()...)...) + " < FILE, where FILE holds the value",
		Effects: []string{"Railway deploys the service anew with the changed variable."},
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

func (r *railway) look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	held := steps.Held{Where: "Railway service " + r.service, Readable: true}
	if r.environment != "" {
		held.Where += ", environment " + r.environment
	}
	out, err := r.tool().Call(ctx, run, r.spec(), nil, append([]string{"variable", "list", "--json"}, r.place()...)...)
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
		held.Where += ", environment " + run.Redactor.Clean(*v)
	}
	if v := vars["RAILWAY_PROJECT_NAME"]; v != nil {
		held.Where += ", project " + run.Redactor.Clean(*v)
	}
	if v, ok := vars[steps.KeyName]; ok {
		held.There, held.Readable = true, v != nil
		if v != nil {
			held.Key = run.Secret(*v)
		}
	}
	if v := vars[steps.SecretKeyName]; v != nil {
		held.SecretKey = run.Secret(*v)
	}
	return held, nil
}

func (r *railway) put(ctx context.Context, run *steps.Run, key steps.Secret, _ steps.Held) (string, error) {
	// Older versions have no --stdin. They must not be tried: what they make of
	// the arguments is not known.
	help, err := r.tool().Try(ctx, run, nil, "variable", "set", "--help")
	if err != nil {
		return "", err
	}
	if help.Code != 0 || !strings.Contains(string(help.Stdout), "--stdin") {
		return "", steps.Fail(steps.NewFinding("tool-missing", "This version of railway cannot take a value on standard input.").At(r.spec(), 0).
			WithFix("Update it: railway upgrade. Then run keysplit again."))
	}
	_, err = r.tool().Call(ctx, run, r.spec(), []byte(key.Reveal()), append([]string{"variable", "set", steps.KeyName, "--stdin"}, r.place()...)...)
	return "", err
}

func (r *railway) restore(ctx context.Context, run *steps.Run, _ steps.Delivery, old steps.Secret, h steps.Held) error {
	if old.Set() {
		_, err := r.put(ctx, run, old, h)
		return err
	}
	_, err := r.tool().Call(ctx, run, r.spec(), nil, append([]string{"variable", "delete", steps.KeyName}, r.place()...)...)
	return err
}

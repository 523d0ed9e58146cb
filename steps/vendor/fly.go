package vendor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
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

// fly keeps the key as a secret of a Fly.io app. Fly shows digests only.
type fly struct{ app string }

var flyProgram = tool.Program{Name: "fly", Install: "See https://fly.io/docs/flyctl/install.", Login: finding.Do("`fly auth login`")}

// flyDeploys is fly for a call that brings the secrets to the machines: it goes
// from one to the next, 10 seconds or more each, and up to 5 minutes for the checks
// of one. Cut short, it leaves half of them as they were, and locked.
var flyDeploys = tool.Program{Name: flyProgram.Name, Install: flyProgram.Install, Login: flyProgram.Login, Patience: 15 * time.Minute}

func parseFly(app string) (Store, error) {
	if app == "" || strings.HasPrefix(app, "-") || strings.ContainsAny(app, " /=") {
		return nil, errors.New("it needs the name of an app")
	}
	return &fly{app}, nil
}

func (f *fly) String() string { return "fly:" + f.app }

func (f *fly) tool() tool.Program {
	return flyProgram
}

func (f *fly) Manner() Manner {
	return Manner{
		Alone:   "Fly shows digests and no values, so that no stage of a rotation could be checked there.",
		Method:  "fly secrets import, the value on standard input; the other secrets stay as they are",
		Undo:    prose.Say("`keysplit rollback` removes the secret"),
		ByHand:  finding.Do("Set the earlier value again with: %s, where FILE holds the line %s=VALUE", finding.Command(shell.Join("fly", "secrets", "import", "--app", f.app)+" < FILE"), steps.GuideNames.Key),
		Effects: []prose.Text{prose.Say("Fly restarts the app's machines with the new key at once, one after the other. That can take minutes.")},
	}
}

func (f *fly) Look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	held := steps.Held{Where: "Fly app " + f.app}
	out, err := f.tool().Call(ctx, run, f.String(), nil, "secrets", "list", "--app", f.app, "--json")
	if err != nil {
		return held, err
	}
	// Older and newer versions spell the names with and without a capital;
	// encoding/json takes both.
	var all []struct {
		Name      string
		Digest    string
		CreatedAt string
	}
	if json.Unmarshal(out, &all) != nil {
		return held, errors.New("the answer of fly cannot be read")
	}
	for _, s := range all {
		if s.Name == run.Names().Key {
			held.There, held.Version = true, secret.Inert(s.Digest)
			held.Changed, _ = time.Parse(time.RFC3339, s.CreatedAt)
		}
	}
	if who, err := f.tool().Call(ctx, run, f.String(), nil, "auth", "whoami"); err == nil {
		if name := run.Redactor.Show(secret.Said(strings.TrimSpace(string(who)))); name != "" {
			held.Where += ", as " + name
		}
	}
	return held, nil
}

// Accepts refuses what fly's reader of NAME=VALUE lines would change: quotes, and
// everything from a # on, which it takes for a comment.
func (f *fly) Accepts(key secret.Secret) error {
	if strings.ContainsAny(key.Reveal(), "\r\n\"'`\\$# \t") {
		return errors.New("fly would cut or change this key: it reads quotes, spaces, $, # and \\ in its own way. Use a key of letters, digits, - and _, such as keysplit makes")
	}
	return nil
}

func (f *fly) Put(ctx context.Context, run *steps.Run, key secret.Secret, _ steps.Held) (string, error) {
	line := []byte(run.Names().Key + "=" + key.Reveal() + "\n")
	if _, err := flyDeploys.Call(ctx, run, f.String(), line, "secrets", "import", "--app", f.app); err != nil {
		return "", err
	}
	h, err := f.Look(ctx, run)
	return h.Version, err
}

// restore removes the secret: it is called where there was none before, since no
// earlier value can be known.
func (f *fly) Restore(ctx context.Context, run *steps.Run, _ journal.Delivery, _ secret.Secret, _ steps.Held) error {
	_, err := flyDeploys.Call(ctx, run, f.String(), nil, "secrets", "unset", run.Names().Key, "--app", f.app)
	return err
}

// ByHand is the command of the place's own program, for a POSIX shell: PowerShell ends
// what it pipes with a line end of its own, which would become a part of the value.
func (f *fly) ByHand(x Extra) (lines []string) {
	if runtime.GOOS == "windows" {
		lines = append(lines, "    in WSL or Git Bash:")
	}
	return append(lines, fmt.Sprintf("    printf '%%s=%%s\\n' %s \"$(cat %s)\" %s %s | %s", x.SecretName, shell.Join(x.File), x.PlainName, shell.Join(x.Plain),
		shell.Join("fly", "secrets", "import", "--app", f.app)))
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

// up reports whether the machine serves, or rests until the next request comes: Fly
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

// restartFly restarts with the deployment of secrets: fly apps restart leaves machines
// with the secrets that they had, and needs a tunnel into the private network.
func restartFly(app string) (Manager, error) {
	_, err := names(app)
	return flyApp(app), err
}

func flyApp(app string) Manager {
	spec := "fly:" + app
	return platform{
		name: "Fly app " + app, spec: spec, program: flyProgram, starter: flyDeploys,
		again: []string{"secrets", "deploy", "--app", app},
		logs:  []string{"logs", "--no-tail", "--app", app},
		look: func(ctx context.Context, run *steps.Run) (s appState, err error) {
			var machines []flyMachine
			if err := ask(ctx, run, flyProgram, spec, &machines, "machine", "list", "--json", "--app", app); err != nil {
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

// Readers is the app itself.
func (f *fly) Readers() Manager { return flyApp(f.app) }

package write

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/tool"
)

// fly keeps the key as a secret of a Fly.io app. Fly shows digests only.
type fly struct{ app string }

func newFly(app string) (store, error) {
	if app == "" || strings.HasPrefix(app, "-") || strings.ContainsAny(app, " /=") {
		return nil, errors.New("it needs the name of an app")
	}
	return &fly{app}, nil
}

func (f *fly) spec() string { return "fly:" + f.app }

func (f *fly) tool() tool.Program {
	return tool.Fly
}

func (f *fly) words() words {
	return words{
		Method:  "fly secrets import, the value on standard input; the other secrets stay as they are",
		Undo:    "keysplit rollback removes the secret",
		ByHand:  "Set the earlier value again with: fly secrets import --app " + f.app + " < FILE, where FILE holds the line " + steps.KeyName + "=VALUE",
		Effects: []string{"Fly restarts the app's machines with the new key at once, one after the other. That can take minutes."},
	}
}

func (f *fly) look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	held := steps.Held{Where: "Fly app " + f.app}
	out, err := f.tool().Call(ctx, run, f.spec(), nil, "secrets", "list", "--app", f.app, "--json")
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
		if s.Name == steps.KeyName {
			held.There, held.Version = true, steps.Inert(s.Digest)
			held.Changed, _ = time.Parse(time.RFC3339, s.CreatedAt)
		}
	}
	if who, err := f.tool().Call(ctx, run, f.spec(), nil, "auth", "whoami"); err == nil {
		if name := run.Redactor.Clean(strings.TrimSpace(string(who))); name != "" {
			held.Where += ", as " + name
		}
	}
	return held, nil
}

// accepts refuses what fly's reader of NAME=VALUE lines would change: quotes, and
// everything from a # on, which it takes for a comment.
func (f *fly) accepts(key steps.Secret) error {
	if strings.ContainsAny(key.Reveal(), "\r\n\"'`\\$# \t") {
		return errors.New("fly would cut or change this key: it reads quotes, spaces, $, # and \\ in its own way. Use a key of letters, digits, - and _: keysplit makes such a one")
	}
	return nil
}

func (f *fly) put(ctx context.Context, run *steps.Run, key steps.Secret, _ steps.Held) (string, error) {
	line := []byte(steps.KeyName + "=" + key.Reveal() + "\n")
	if _, err := tool.FlyDeploys.Call(ctx, run, f.spec(), line, "secrets", "import", "--app", f.app); err != nil {
		return "", err
	}
	h, err := f.look(ctx, run)
	return h.Version, err
}

// restore removes the secret: it is called where there was none before, since no
// earlier value can be known.
func (f *fly) restore(ctx context.Context, run *steps.Run, _ steps.Delivery, _ steps.Secret, _ steps.Held) error {
	_, err := tool.FlyDeploys.Call(ctx, run, f.spec(), nil, "secrets", "unset", steps.KeyName, "--app", f.app)
	return err
}

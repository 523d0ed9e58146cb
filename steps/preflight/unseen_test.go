package preflight

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// tried is a Django that answers a trial by the variable or the file in it.
type tried struct {
	steps.Django
	facts *steps.Facts
	sees  func(t steps.Trial) string // the key that the settings get, "" for none
	sum   func(key string) string
}

func (d tried) Facts() *steps.Facts { return d.facts }

func (tried) Close() error { return nil }

func (d tried) Try(_ context.Context, t steps.Trial) (*steps.Facts, error) {
	f := *d.facts
	if f.State = "key-missing"; d.sees(t) != "" {
		f.State, f.Key = "ok", steps.KeyFacts{Set: true, Sum: d.sum(d.sees(t))}
		f.SigningEqualsKey, f.SigningEqualsSecretKey = len(t.Env) > 0, true
	}
	return &f, nil
}

// Before the key is written, a trial tells whether the settings would see the line.
func TestALineThatTheSettingsWouldNotSee(t *testing.T) {
	t.Parallel()
	inEnv := func(t steps.Trial) string {
		if v := t.Env["JWT_SECRET_KEY"]; v != nil {
			return *v
		}
		return ""
	}
	inFile := func(t steps.Trial) string {
		for _, data := range t.Files {
			if v, found, err := envfile.Lookup(envfile.PythonDotenv, data, "JWT_SECRET_KEY", func(string) (string, bool) { return "", false }); err == nil && found {
				return v
			}
		}
		return ""
	}
	other := stepstest.Key()
	for name, c := range map[string]struct {
		sees   func(steps.Trial) string
		secret steps.KeyFacts
		unseen bool
		says   string
	}{
		"the file":            {inFile, steps.KeyFacts{}, false, ""},
		"the environment":     {inEnv, steps.KeyFacts{}, true, "from the environment alone"},
		"neither":             {func(steps.Trial) string { return "" }, steps.KeyFacts{}, true, "as they read SECRET_KEY"},
		"another key":         {func(steps.Trial) string { return other }, steps.KeyFacts{}, true, "as they read SECRET_KEY"},
		"nothing opens it":    {inEnv, steps.KeyFacts{Source: "environment"}, true, "let the settings load a .env"},
		"where SECRET_KEY is": {func(steps.Trial) string { return "" }, steps.KeyFacts{Source: "code", File: "keys.toml"}, true, "read SECRET_KEY from keys.toml"},
	} {
		run := stepstest.NewRun(t, "SECRET_KEY=x\n", nil)
		p := run.Project
		p.EnvFile.Readers = []envfile.Dialect{envfile.PythonDotenv}
		if name == "nothing opens it" {
			p.EnvFile.Readers = []envfile.Dialect{envfile.Shell}
		}
		if c.secret.File != "" {
			c.secret.File = filepath.Join(p.Root, c.secret.File)
		}
		d := &diagnosis{run: run, project: p, found: []finding.Finding{finding.New(finding.JWTKeyMissing, "").At(".env", 0)}}
		sum := func(key string) string { return run.Prints.Of(run.Secret(key)) }
		if got := d.unseen(t.Context(), tried{facts: &steps.Facts{SecretKey: c.secret}, sees: c.sees, sum: sum}); got != c.unseen {
			t.Errorf("%s: unseen %t", name, got)
		}
		if said := run.Untaken(p.Source).Fix.Rendered(); c.unseen && !strings.Contains(said, c.says) {
			t.Errorf("%s: it says %q", name, said)
		}
		if d.ignores != (name == "the file") {
			t.Errorf("%s: signs with SECRET_KEY all the same: %t", name, d.ignores)
		}
		d.found, p.Source = nil, steps.Source{}
		if d.unseen(t.Context(), tried{facts: &steps.Facts{}, sees: c.sees, sum: sum}) {
			t.Errorf("%s: a key that is good was looked at", name)
		}
	}
}

// Where settings get a key of their own by an edit that is not written yet, the trial is of
// the edited ones: those that are there read no key, so that every line would seem unseen.
func TestATrialIsOfTheEditedSettings(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "SECRET_KEY=x\n", nil)
	p := run.Project
	p.EnvFile.Readers = []envfile.Dialect{envfile.PythonDotenv}
	settings := filepath.Join(p.Root, "settings.py")
	run.Adopted = &steps.Adopted{File: settings, Is: []byte("edited")}
	d := &diagnosis{run: run, project: p, found: []finding.Finding{finding.New(finding.JWTKeyMissing, "").At(".env", 0)}}
	sees := func(t steps.Trial) string {
		if string(t.Files[settings]) != "edited" {
			return ""
		}
		v, _, _ := envfile.Lookup(envfile.PythonDotenv, t.Files[p.EnvFile.Path], "JWT_SECRET_KEY", func(string) (string, bool) { return "", false })
		return v
	}
	sum := func(key string) string { return run.Prints.Of(run.Secret(key)) }
	if d.unseen(t.Context(), tried{facts: &steps.Facts{}, sees: sees, sum: sum}) {
		t.Errorf("the key of settings that read it once they are edited seems unseen: %+v", p.Source)
	}
}

// A key that no file has and Django does is not missing.
func TestWhatDjangoHasIsNotMissing(t *testing.T) {
	t.Parallel()
	for state, missing := range map[string]bool{"ok": false, "key-missing": true} {
		run := stepstest.NewRun(t, "SECRET_KEY="+stepstest.Key()+"\n", nil)
		p := run.Project
		p.EnvFile.Readers = []envfile.Dialect{envfile.PythonDotenv}
		p.Findings = []finding.Finding{finding.New(finding.JWTKeyMissing, "").At(".env", 0)}
		other, password := filepath.Join(p.Root, "other.env"), stepstest.Key()
		if err := os.WriteFile(other, []byte("MAIL_PASSWORD="+password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		facts := &steps.Facts{State: state, Key: steps.KeyFacts{Set: state == "ok"}, SecretKey: steps.KeyFacts{Set: true}, ReaderFiles: []string{other}}
		s := &Step{OpenDjango: func(context.Context, *steps.Run, *steps.Project) (steps.Django, error) {
			return tried{facts: facts, sees: func(steps.Trial) string { return "" }}, nil
		}}
		if err := s.askDjango(t.Context(), &diagnosis{run: run, project: p}, func(steps.Event) {}); err != nil {
			t.Fatal(err)
		}
		if finding.Has(p.Findings, finding.JWTKeyMissing) != missing {
			t.Errorf("%s: findings %q", state, codes(p.Findings))
		}
		if strings.Contains(run.Redactor.Show(secret.Said(password)), password) {
			t.Error("what another file holds that the settings read would be shown")
		}
	}
}

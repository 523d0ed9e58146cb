package preflight

import (
	"context"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// django-environ takes a value that begins with $ for the name of another variable:
// the finding names the cause, and not a piece of the value.
func TestAValueThatBeginsWithADollar(t *testing.T) {
	t.Parallel()
	for _, reader := range []string{"environ", "decouple"} {
		for name, c := range map[string]struct {
			code finding.Code
			env  string
		}{
			steps.GuideNames.SecretKey: {"secret-key-missing", "SECRET_KEY=${SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n"},
			steps.GuideNames.Key:       {"jwt-key-missing", "SECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY=${KEY}\n"},
		} {
			p := djangotest.New(t, djangotest.Options{Reader: reader, Env: "DEBUG=True\n" + c.env})
			run, _, _ := apply(t, p, func(*steps.Run) {})
			told := ""
			for _, f := range run.Project.Findings {
				if f.Code == c.code {
					told = f.Message.Rendered()
				}
			}
			if strings.Contains(told, name+" begins with $") != (reader == "environ") {
				t.Errorf("%s, %s: %q", reader, name, told)
			}
		}
	}
}

// The environment has what django-environ put there, and Django stops at it.
func TestADollarThatStopsDjango(t *testing.T) {
	t.Parallel()
	run := newRun(t)
	run.Options.Folder, run.Options.ReadOnly = lay(t, map[string]string{
		"manage.py": manage, "config/__init__.py": "", ".env": "SECRET_KEY=$" + stepstest.Key() + "\nJWT_SECRET_KEY=" + stepstest.Key() + "\n",
		"config/settings.py": "import environ\nenv = environ.Env()\nenv.read_env('.env')\nSECRET_KEY = env('SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': env('JWT_SECRET_KEY')}\n",
	}), true
	s := &Step{OpenDjango: func(_ context.Context, _ *steps.Run, p *steps.Project) (steps.Django, error) {
		p.Stopped.SecretKey.Set = true
		return nil, notRunnable("It is not set.", "", 0, finding.Do("Set it."))
	}}
	err := s.Apply(t.Context(), run, func(steps.Event) {})
	if got := codes(run.Project.Findings); err == nil || got != "secret-key-missing:1" {
		t.Errorf("%q, %v", got, err)
	}
}

// One message for two rules: which of them a key breaks is found by comparing.
func TestARefusedKeyIsCompared(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]string{
		"JWT_SECRET_KEY=k7Qm2Zx9Lp4V\n":   "key-short",
		"JWT_SECRET_KEY={SECRET_KEY}\n":   "key-equal",
		"JWT_SECRET_KEY={SECRET_KEY}xy\n": "key-refused",
	} {
		p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n" + env})
		edit(t, p, "SECRET_KEY = config('SECRET_KEY')", "SECRET_KEY = config('SECRET_KEY')\nif len(config('JWT_SECRET_KEY')) < 50 or config('JWT_SECRET_KEY').startswith(SECRET_KEY):\n"+
			"    raise ImproperlyConfigured('JWT_SECRET_KEY must have 50 characters and must differ from SECRET_KEY')")
		s, _, err := start(t, p)
		if err != nil {
			t.Fatal(err)
		}
		if f := s.Facts(); f.State != want || f.StateError != "JWT_SECRET_KEY must have 50 characters and must differ from SECRET_KEY" {
			t.Errorf("%s, want %s: %q", f.State, want, f.StateError)
		}
	}
}

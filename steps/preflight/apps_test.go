package preflight

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// put writes files of the project, and what follows the settings.
func put(t *testing.T, p *djangotest.Project, settings string, files map[string]string) {
	t.Helper()
	own, err := os.ReadFile(p.Settings)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{p.Settings: string(own) + settings}
	for name, text := range files {
		all[filepath.Join(p.Root, name)] = text
	}
	for path, text := range all {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// careless is an app that sets its defaults on the settings when it loads, as
// django-auditlog and django-appconf do, and needs them for each user that is made.
var careless = map[string]string{
	"careless/__init__.py": "",
	"careless/apps.py": `from django.apps import AppConfig
from django.conf import settings
settings.CARELESS_IMPORTED = 'at import'


class Careless(AppConfig):
    name = 'careless'

    def ready(self):
        settings.CARELESS_LIMIT = getattr(settings, 'CARELESS_LIMIT', 7)
        settings.CARELESS_KEPT += 1
        with open('loaded', 'a') as f:
            f.write('.')
        from django.contrib.auth import get_user_model
        from django.core import checks
        from django.db.models.signals import pre_save

        def needs(**_):
            assert settings.CARELESS_IMPORTED == 'at import' and settings.CARELESS_LIMIT == 7 and settings.CARELESS_KEPT == 2

        pre_save.connect(needs, sender=get_user_model(), weak=False)

        @checks.register()
        def check(app_configs, **_):
            return [checks.Info(str((settings.CARELESS_LIMIT, settings.CARELESS_READ)), id='careless.I001')]
`,
}

// forkless is the interpreter of a project as Windows has it, without fork.
func forkless(t *testing.T, python string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"sitecustomize.py": "import os\ndel os.fork\n",
		"python":           "#!/bin/sh\nPYTHONPATH='" + dir + "' exec '" + python + "' \"$@\"\n",
	} {
		if err := stepstest.WriteProgram(filepath.Join(dir, name), text); err != nil {
			t.Fatal(err)
		}
	}
	// The child is started by the name of the interpreter itself.
	return filepath.Join(dir, "python")
}

func TestAppsKeepWhatTheySetOnTheSettings(t *testing.T) {
	t.Parallel()
	for _, way := range stepstest.Every(2, []string{"forked", "another process"}) {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
			if way != "forked" && runtime.GOOS != "windows" {
				p.Python = forkless(t, p.Python)
			}
			put(t, p, "\nINSTALLED_APPS += ['careless.apps.Careless']\nCARELESS_KEPT = 1\nCARELESS_READ = config('CARELESS_READ', default='')\n", careless)
			s, run, err := start(t, p)
			if err != nil {
				t.Fatal(err)
			}
			if f := s.Facts(); f.State != "key-missing" || !f.Candidate || !f.Enforced {
				t.Fatalf("%+v", f)
			}
			p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\nCARELESS_READ=written\n")
			f, err := s.Recheck(t.Context())
			if err != nil || f.State != "ok" || f.Key.Sum != run.Prints.Sum([]byte(p.Key)) || !f.SigningEqualsKey {
				t.Fatalf("%+v, %v", f, err)
			}
			said := ""
			for _, c := range f.Checks {
				said += c.ID + " " + c.Message + "\n"
			}
			if !strings.Contains(said, "careless.I001 (7, 'written')") {
				t.Errorf("the checks did not run with what the app set and what is written now: %q", said)
			}
			a, err := s.CreateUser(t.Context())
			if err != nil || a.Username == "" {
				t.Errorf("the throwaway account: %v", err)
			}
			if n, err := os.ReadFile(filepath.Join(p.Root, "loaded")); err != nil || string(n) != "." {
				t.Errorf("the apps were loaded %d times, want once: %v", len(n), err)
			}
		})
	}
}

func TestAccountOfAProjectWithAuditlog(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
	put(t, p, "\nINSTALLED_APPS.append('auditlog')\nAUDITLOG_INCLUDE_ALL_MODELS = True\nTEMPLATES = []\n", nil)
	if out, err := p.Manage(t, []string{"JWT_SECRET_KEY=" + p.Key}, "migrate", "-v", "0", "auditlog"); err != nil {
		t.Fatal(err, out)
	}
	s, _, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n")
	if f, err := s.Recheck(t.Context()); err != nil || f.State != "ok" {
		t.Fatalf("%+v, %v", f, err)
	}
	if _, err := s.CreateUser(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.DeleteUser(t.Context()); err != nil {
		t.Error(err)
	}
	out, err := p.Manage(t, nil, "shell", "-c", "from auditlog.models import LogEntry; print('entries', LogEntry.objects.count())")
	if err != nil || strings.Contains(out, "entries 0") || !strings.Contains(out, "entries") {
		t.Errorf("the control: auditlog logged nothing: %q, %v", out, err)
	}
}

// What is not written yet is tried in the settings without another start.
func TestTry(t *testing.T) {
	t.Parallel()
	for _, way := range stepstest.Every(2, []string{"forked", "another process"}) {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
			if way != "forked" && runtime.GOOS != "windows" {
				p.Python = forkless(t, p.Python)
			}
			s, run, err := start(t, p)
			if err != nil {
				t.Fatal(err)
			}
			own, err := os.ReadFile(p.Settings)
			if err != nil {
				t.Fatal(err)
			}
			env := []byte("DEBUG=True\nSECRET_KEY=" + p.SecretKey + "\n")
			key := []byte("JWT_SECRET_KEY=" + p.Key + "\n")
			value, other := p.Key, djangotest.NewKey()
			elsewhere := filepath.Join(p.Root, "config", "fresh.py")
			for name, tt := range map[string]struct {
				trial         steps.Trial
				state, source string
				key           string
			}{
				"nothing":       {steps.Trial{}, "key-missing", "", ""},
				"a value":       {steps.Trial{Env: map[string]*string{"JWT_SECRET_KEY": &value}}, "ok", "environment", p.Key},
				"the env file":  {steps.Trial{Files: map[string][]byte{p.EnvPath: append(env, key...)}}, "ok", "file", p.Key},
				"without value": {steps.Trial{Env: map[string]*string{"JWT_SECRET_KEY": nil}, Files: map[string][]byte{p.EnvPath: append(env, key...)}}, "ok", "file", p.Key},
				"the settings": {steps.Trial{Files: map[string][]byte{p.Settings: append(own[:len(own):len(own)], "\nraise SystemExit\n"...), p.EnvPath: append(env, key...)}},
					"error", "file", p.Key},
				"a new module": {steps.Trial{Files: map[string][]byte{elsewhere: []byte("KEY = '" + other + "'\n"),
					p.Settings: append(own[:len(own):len(own)], "\nimport os\nassert os.path.exists('config/fresh.py') and os.stat('config/fresh.py').st_size == 95\nexec(open('config/fresh.py').read())\nJWT_SECRET_KEY = SIMPLE_JWT['SIGNING_KEY'] = KEY\n"...),
					p.EnvPath:  append(env, key...)}}, "ok", "code", other},
			} {
				f, err := s.Try(t.Context(), tt.trial)
				if err != nil {
					t.Fatal(name, err)
				}
				sum := ""
				if tt.key != "" {
					sum = run.Prints.Sum([]byte(tt.key))
				}
				if f.State != tt.state || f.Key.Source != tt.source || f.Key.Sum != sum || f.SigningEqualsKey != (tt.state == "ok") {
					t.Errorf("%s: %s (%s), key %+v", name, f.State, f.StateError, f.Key)
				}
			}
			// Nothing of it stays, on the disk or in the session.
			if now, err := os.ReadFile(p.Settings); err != nil || string(now) != string(own) {
				t.Error("the settings changed")
			}
			if f, err := s.Recheck(t.Context()); err != nil || f.State != "key-missing" || f.Key.Set || s.Facts().Routes.Login == "" {
				t.Errorf("after the trials: %+v, %v", f, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if f, err := s.Try(t.Context(), steps.Trial{}); err == nil {
				t.Errorf("a trial after the end of Django: %+v", f)
			}
		})
	}
}

package preflight

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/steps/sys/child"
)

func TestDjangoThatDoesNotStart(t *testing.T) {
	t.Attr("part", "hostile settings")
	t.Parallel()
	tests := []struct {
		name, env, settings string // settings are put in front
		message, fix        string
		line                int
	}{
		{"missing package", "", "import no_such_package\n", "The package no_such_package is not installed", "--python", 1},
		{"syntax", "", "x = = 1\n", "Python cannot read the code", "Correct that line", 1},
		{"another setting", "", "from django.core.exceptions import ImproperlyConfigured\nraise ImproperlyConfigured('MAIL_HOST is required')\n",
			"The settings do not load: MAIL_HOST is required", "Set what they ask for", 2},
		{"any error beside django's settings", "", "from django.conf import settings\n1 / 0\n", "Django stops with ZeroDivisionError", "manage.py check", 2},
		{"any error", "", "1 / 0\n", "Django stops with ZeroDivisionError", "manage.py check", 1},
		{"cast", "JWT_ACCESS_TOKEN_LIFETIME=15  # minutes\n", "from decouple import config as c\nX = c('JWT_ACCESS_TOKEN_LIFETIME', cast=int)\n",
			"The value of JWT_ACCESS_TOKEN_LIFETIME cannot be read", "Correct JWT_ACCESS_TOKEN_LIFETIME", 2},
		{"encoding", "NAME=\xe9\n", "", "not valid UTF-8", "Save the .env as UTF-8", 0},
		{"the end of the process", "", "import os\nos._exit(9)\n", "ended with code 9", "manage.py check", 0},
	}
	for _, key := range []string{"", "JWT_SECRET_KEY={KEY}\n"} {
		for n, tt := range tests {
			if !stepstest.Long() && (n%2 == 0) == (key == "") {
				continue // the short form tries every second one with a key, and the others without
			}
			if key == "" && tt.name != "another setting" && tt.name != "cast" && tt.name != "any error" {
				continue
			}
			t.Run(tt.name+map[bool]string{true: " without key"}[key == ""], func(t *testing.T) {
				p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n" + key + tt.env})
				settings, err := os.ReadFile(p.Settings)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p.Settings, append([]byte(tt.settings), settings...), 0o600); err != nil {
					t.Fatal(err)
				}
				_, _, err = start(t, p)
				var failure *steps.Failure
				if !errors.As(err, &failure) || !errors.Is(err, steps.ErrCannotLook) {
					t.Fatalf("error: %v", err)
				}
				f := failure.Findings[0]
				if f.Code != "django-not-runnable" || !strings.Contains(f.Message.Rendered(), tt.message) || !strings.Contains(f.Fix.Rendered(), tt.fix) {
					t.Errorf("%s: %s %s", f.Code, f.Message, f.Fix.Rendered())
				}
				if tt.line != 0 && (f.Line != tt.line || f.File != "backend/config/settings.py") {
					t.Errorf("place %s:%d", f.File, f.Line)
				}
			})
		}
	}
}

func TestSettingsThatHang(t *testing.T) {
	t.Attr("part", "hostile settings")
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	if err := os.WriteFile(p.Settings, []byte("import time\ntime.sleep(60)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := newRun(t)
	run.Options.Timeout = 500 * time.Millisecond
	begin := time.Now()
	_, _, err := startRun(t, p, run)
	if err == nil || !strings.Contains(err.Error(), "did not answer within 500ms") || time.Since(begin) > 10*time.Second {
		t.Errorf("after %v: %v", time.Since(begin), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	if _, err := openSession(ctx, newRun(t), projectOf(p), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestSecretsInOutput has settings that print and raise what they should not.
func TestSecretsInOutput(t *testing.T) {
	t.Attr("part", "hostile settings")
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\nMAIL_PASSWORD=quite'a'secret\n"})
	settings, err := os.ReadFile(p.Settings)
	if err != nil {
		t.Fatal(err)
	}
	add := "\nimport os, sys\nprint('key', JWT_SECRET_KEY)\nprint('secret', SECRET_KEY, file=sys.stderr)\n" +
		"os.write(1, ('raw ' + JWT_SECRET_KEY + '\\n').encode())\nprint('end')\n"
	if err := os.WriteFile(p.Settings, append(settings, add...), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	out := shown(s.Facts().Output)
	for _, want := range []string{"key ****", "secret ****", "raw ****", "end"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	add += "raise ValueError('%r with %s and %s' % (config('MAIL_PASSWORD'), JWT_SECRET_KEY, SECRET_KEY))\n"
	if err := os.WriteFile(p.Settings, append(settings, add...), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err = start(t, p)
	if err == nil || strings.Contains(err.Error(), p.Key) || strings.Contains(err.Error(), p.SecretKey) ||
		strings.Contains(err.Error(), "quite") || !strings.Contains(err.Error(), "**** and ****") {
		t.Errorf("error: %v", err)
	}
}

// A program that did not answer in time is ended: a late answer would be taken for that to
// the next question.
func TestAProgramThatDoesNotAnswerIsEnded(t *testing.T) {
	t.Parallel()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	proc, err := child.Command{Path: sleep, Args: []string{"60"}}.Start(child.Streams{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer proc.Terminate()
	s := &session{proc: proc, wait: time.Millisecond}
	s.life, s.fail = context.WithCancelCause(t.Context())
	if _, err := s.exchange(t.Context(), nil); err == nil {
		t.Error("it answered")
	}
	select {
	case <-proc.Done():
	case <-time.After(10 * time.Second):
		t.Error("it goes on")
	}
}

// An answer that was cut off is none, whatever of it can be read.
func TestADamagedAnswer(t *testing.T) {
	t.Parallel()
	if r, err := (&session{}).read([]byte(`{"django":"5.2","state":"ok"`)); err == nil {
		t.Errorf("it was taken: %+v", r)
	}
}

// A SECRET_KEY that is not there, or empty, is found also where the key is good: Django is
// asked with a generated one, which says nothing about what the backend has.
func TestAMissingSecretKeyIsFound(t *testing.T) {
	t.Parallel()
	for what, env := range stepstest.Part(3, map[string]string{
		"missing, a good key": "DEBUG=True\nJWT_SECRET_KEY={KEY}\n",
		"empty, a good key":   "DEBUG=True\nSECRET_KEY=\nJWT_SECRET_KEY={KEY}\n",
		"empty, no key":       "DEBUG=True\nSECRET_KEY=\n",
	}) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Generation: djangotest.Field, Env: env, Git: true})
			run, _, err := apply(t, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range run.Project.Findings {
				if f.Code == finding.SecretKeyMissing && f.Severity == finding.Error && f.Fixable {
					return
				}
			}
			t.Errorf("findings: %s", codes(run.Project.Findings))
		})
	}
}

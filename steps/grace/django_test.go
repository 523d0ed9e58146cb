package grace

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// asks is what the tests ask of the real Django: one line for each question,
// "name accepted" or "name refused".
const asks = `
import os, sys, django
os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'
sys.path.insert(0, os.getcwd())
django.setup()
from datetime import timedelta
from django.conf import settings
from django.core.management import call_command
call_command('migrate', verbosity=0)
import jwt
from django.contrib.auth import get_user_model
from django.utils import timezone
from rest_framework_simplejwt import state
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.serializers import TokenRefreshSerializer, TokenRefreshSlidingSerializer, TokenVerifySerializer
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, SlidingToken

user, _ = get_user_model().objects.get_or_create(username='grace')

def resigned(token, key, algorithm='HS256', **claims):
    payload = dict(token.payload, **claims)
    return jwt.encode(payload, key, algorithm=algorithm)

def ask(name, f):
    try:
        f()
        print(name, 'accepted')
    except Exception as error:
        print(name, 'refused' if 'oken' in type(error).__name__ or 'Authentication' in type(error).__name__ else 'broke: ' + repr(type(error)))

def access(raw):
    return JWTAuthentication().get_user(JWTAuthentication().get_validated_token(raw))

def refresh(raw):
    s = TokenRefreshSerializer(data={'refresh': raw})
    s.is_valid(raise_exception=True)
    return s.validated_data

old, new = os.environ['OLD'], settings.JWT_SECRET_KEY
ask('access-new', lambda: access(str(AccessToken.for_user(user))))
ask('access-old', lambda: access(resigned(AccessToken.for_user(user), old)))
ask('access-third', lambda: access(resigned(AccessToken.for_user(user), 'x' * 60)))
ask('access-secret-key', lambda: access(resigned(AccessToken.for_user(user), settings.SECRET_KEY)))
ask('access-none', lambda: access(resigned(AccessToken.for_user(user), '', 'none')))
ask('access-old-expired', lambda: access(resigned(AccessToken.for_user(user), old, exp=1)))
ask('refresh-as-access-old', lambda: access(resigned(RefreshToken.for_user(user), old)))
ask('refresh-old', lambda: refresh(resigned(RefreshToken.for_user(user), old)))
ask('refresh-third', lambda: refresh(resigned(RefreshToken.for_user(user), 'x' * 60)))
listed = RefreshToken.for_user(user)
raw = resigned(listed, old)
listed.blacklist()
ask('refresh-old-blacklisted', lambda: refresh(raw))
sliding = SlidingToken.for_user(user)
ask('sliding-old', lambda: SlidingToken(resigned(sliding, old)))
ask('sliding-third', lambda: SlidingToken(resigned(sliding, 'x' * 60)))
def renewed():
    s = TokenRefreshSlidingSerializer(data={'token': resigned(sliding, old)})
    s.is_valid(raise_exception=True)
    jwt.decode(s.validated_data['token'], new, algorithms=['HS256'])
ask('sliding-refresh-old', renewed)
sliding.blacklist()
ask('sliding-old-blacklisted', lambda: SlidingToken(resigned(sliding, old)))
ask('verify-old', lambda: TokenVerifySerializer(data={'token': resigned(AccessToken.for_user(user), old)}).is_valid(raise_exception=True))
made = refresh(str(RefreshToken.for_user(user)))['access']
ask('signs-with-new', lambda: jwt.decode(made, new, algorithms=['HS256']) or None)
try:
    jwt.decode(made, old, algorithms=['HS256'])
    print('signs-with-old accepted')
except jwt.InvalidTokenError:
    print('signs-with-old refused')
print('grace', type(state.token_backend).__name__)

# The deadline comes while the server runs: nothing restarts it, only the module's clock moves.
import jwt_grace
class At(jwt_grace.datetime):
    @classmethod
    def now(cls, tz=None):
        return at
if jwt_grace.read_settings():
    previous, until = jwt_grace.read_settings()
    jwt_grace.datetime = At
    for when, at in (('just-before', until - timedelta(microseconds=1)), ('at', until), ('after', until + timedelta(days=30))):
        ask(when + '-access-old', lambda: access(resigned(AccessToken.for_user(user), old)))
        ask(when + '-refresh-old', lambda: refresh(resigned(RefreshToken.for_user(user), old)))
        ask(when + '-access-new', lambda: access(str(AccessToken.for_user(user))))
`

// ask runs the questions on a real project that has the module.
func ask(t *testing.T, g djangotest.Generation, env func(p *djangotest.Project, old string) string) (string, error) {
	t.Helper()
	old := djangotest.NewKey()
	p := djangotest.New(t, djangotest.Options{Generation: g})
	text, err := os.ReadFile(p.EnvPath)
	if err != nil {
		t.Fatal(err)
	}
	p.WriteEnv(t, string(text)+env(p, old))
	if err := os.WriteFile(filepath.Join(p.Root, FileName), Module, 0o600); err != nil {
		t.Fatal(err)
	}
	settings, err := os.ReadFile(p.Settings)
	if err != nil {
		t.Fatal(err)
	}
	lines := settingsLines(&steps.Run{Found: steps.Found{Project: &steps.Project{EnvFile: steps.EnvFile{Readers: []envfile.Dialect{envfile.Decouple}}}}})
	if err := os.WriteFile(p.Settings, []byte(string(settings)+"\n"+strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, p.Python, "-")
	cmd.Dir, cmd.Stdin = p.Root, strings.NewReader(asks)
	cmd.Env = djangotest.CleanEnviron("OLD=" + old)
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), old) {
		t.Error("the previous key is printed")
	}
	return string(out), err
}

// always are the answers that do not depend on the grace period.
var always = []string{
	"access-new accepted", "access-third refused", "access-secret-key refused", "access-none refused", "access-old-expired refused",
	"refresh-as-access-old refused", "refresh-third refused", "sliding-third refused", "sliding-old-blacklisted refused", "refresh-old-blacklisted refused", "signs-with-new accepted", "signs-with-old refused",
}

func TestThePreviousKeyIsAcceptedUntilTheDeadline(t *testing.T) {
	t.Parallel()
	for _, generation := range djangotest.Generations() {
		for name, c := range map[string]struct {
			until time.Duration
			want  []string
		}{
			"before the deadline": {time.Hour, []string{
				"access-old accepted", "refresh-old accepted", "sliding-old accepted", "sliding-refresh-old accepted", "verify-old accepted", "grace GraceBackend",
				"just-before-access-old accepted", "just-before-refresh-old accepted", "at-access-new accepted", "after-access-new accepted",
				"at-access-old refused", "at-refresh-old refused", "after-access-old refused", "after-refresh-old refused",
			}},
			"after the deadline": {-time.Second, []string{"access-old refused", "refresh-old refused", "sliding-old refused", "sliding-refresh-old refused", "verify-old refused", "grace TokenBackend"}},
		} {
			t.Run(string(generation)+", "+name, func(t *testing.T) {
				out, err := ask(t, generation, func(_ *djangotest.Project, old string) string {
					return KeyName + "=" + old + "\n" + UntilName + "=" + steps.GraceUntil(time.Now().Add(c.until)) + "\n"
				})
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				for _, line := range append(c.want, always...) {
					if !strings.Contains("\n"+out, "\n"+line+"\n") {
						t.Errorf("not %q:\n%s", line, out)
					}
				}
			})
		}
	}
}

// What makes no sense switches the period off, with a line in the log.
func TestTheModuleIsOffWhereItWouldDoHarm(t *testing.T) {
	t.Parallel()
	soon := steps.GraceUntil(time.Now().Add(time.Hour))
	cases := []struct{ key, until, says string }{
		{"k", "", "is not a time in UTC"},
		{"k", "tomorrow", "is not a time in UTC"},
		{"k", "20990101T000000Z", "more than 30 days"},
		{"s", soon, "is SECRET_KEY"},
		{"", soon, "none"},
		{"k", "\"'" + soon + "'\"", "on"},                                 // as docker run --env-file keeps quotes
		{"k", time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "on"}, // as earlier releases wrote it
		{"k", steps.GraceUntil(time.Now().Add(steps.MaxGrace)), "on"},
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, FileName), Module, 0o600); err != nil {
		t.Fatal(err)
	}
	script := "import logging, sys\nfrom django.conf import settings\nsettings.configure(SECRET_KEY='s')\n" +
		"logging.basicConfig(stream=sys.stdout, format='%(message)s')\nimport jwt_grace\n"
	for _, c := range cases {
		script += fmt.Sprintf("settings.JWT_PREVIOUS_SECRET_KEY, settings.JWT_PREVIOUS_SECRET_KEY_UNTIL = %q, %q\n", c.key, c.until) +
			"print('case', 'on' if jwt_grace.read_settings() else 'none')\n"
	}
	cmd := exec.CommandContext(t.Context(), djangotest.Python(t, djangotest.Modern), "-c", script)
	cmd.Env = djangotest.CleanEnviron("PYTHONPATH=" + folder)
	out, err := cmd.CombinedOutput()
	said := strings.SplitAfter(string(out), "case ")
	if err != nil || len(said) != len(cases)+1 {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, c := range cases {
		logged, _, _ := strings.Cut(said[i], "case ")
		on := strings.HasPrefix(said[i+1], "on")
		if strings.Contains(logged, "No grace period: ") != (c.says != "on" && c.says != "none") || on != (c.says == "on") || !on && c.key != "" && !strings.Contains(logged, c.says) {
			t.Errorf("%q until %q: on %t, and it logged %q", c.key, c.until, on, logged)
		}
	}
}

// A deadline that cannot be read does not keep the backend from starting.
func TestTheBackendStartsInSpiteOfTheDeadline(t *testing.T) {
	t.Parallel()
	out, err := ask(t, djangotest.Modern, func(_ *djangotest.Project, old string) string {
		return KeyName + "=" + old + "\n" + UntilName + "=tomorrow\n"
	})
	if err != nil || !strings.Contains(out, "No grace period: ") || !strings.Contains(out, "grace TokenBackend") || !strings.Contains(out, "access-old refused") || !strings.Contains(out, "access-new accepted") {
		t.Errorf("%v\n%s", err, out)
	}
}

// django-ninja-jwt has the same token backend under a name of its own.
func TestTheForkIsServedToo(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	python := djangotest.Python(t, djangotest.Field)
	old, current := djangotest.NewKey(), djangotest.NewKey()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, FileName), Module, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", `
import os
from datetime import datetime, timedelta, timezone
import django
from django.conf import settings
settings.configure(
    SECRET_KEY='s' * 60, USE_TZ=True, DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}},
    INSTALLED_APPS=['django.contrib.contenttypes', 'django.contrib.auth', 'ninja_jwt', 'ninja_jwt.token_blacklist', 'jwt_grace.GraceConfig'],
    NINJA_JWT={'SIGNING_KEY': os.environ['CURRENT']}, JWT_PREVIOUS_SECRET_KEY=os.environ['OLD'],
    JWT_PREVIOUS_SECRET_KEY_UNTIL=(datetime.now(timezone.utc) + timedelta(hours=1)).strftime('%Y%m%dT%H%M%SZ'))
django.setup()
import jwt
from django.core.management import call_command
from ninja_jwt.tokens import AccessToken, RefreshToken, SlidingToken
call_command('migrate', verbosity=0)
for kind in AccessToken, RefreshToken, SlidingToken:
    token = kind()
    for name, key in ('old', os.environ['OLD']), ('third', 'x' * 60):
        try:
            kind(jwt.encode(token.payload, key, algorithm='HS256'))
            print(kind.__name__, name, 'accepted')
        except Exception as error:
            print(kind.__name__, name, 'refused', type(error).__name__)
    jwt.decode(str(token), os.environ['CURRENT'], algorithms=['HS256'])
`)
	cmd.Dir = folder
	cmd.Env = djangotest.CleanEnviron("OLD="+old, "CURRENT="+current, "PYTHONPATH="+folder)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "old accepted") != 3 || strings.Count(string(out), "third refused TokenError") != 3 {
		t.Errorf("%v\n%s", err, out)
	}
}

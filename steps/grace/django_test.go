package grace

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/envfile"
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
from rest_framework_simplejwt.serializers import TokenRefreshSerializer, TokenVerifySerializer
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

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
if settings.JWT_PREVIOUS_SECRET_KEY:
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
	lines := settingsLines([]envfile.Dialect{envfile.Decouple})
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
	"refresh-as-access-old refused", "refresh-third refused", "refresh-old-blacklisted refused", "signs-with-new accepted", "signs-with-old refused",
}

func TestThePreviousKeyIsAcceptedUntilTheDeadline(t *testing.T) {
	t.Parallel()
	for _, generation := range djangotest.Generations() {
		for name, c := range map[string]struct {
			until time.Duration
			want  []string
		}{
			"before the deadline": {time.Hour, []string{
				"access-old accepted", "refresh-old accepted", "verify-old accepted", "grace GraceBackend",
				"just-before-access-old accepted", "just-before-refresh-old accepted", "at-access-new accepted", "after-access-new accepted",
				"at-access-old refused", "at-refresh-old refused", "after-access-old refused", "after-refresh-old refused",
			}},
			"after the deadline": {-time.Second, []string{"access-old refused", "refresh-old refused", "verify-old refused", "grace TokenBackend"}},
		} {
			t.Run(string(generation)+", "+name, func(t *testing.T) {
				out, err := ask(t, generation, func(_ *djangotest.Project, old string) string {
					return KeyName + "=" + old + "\n" + UntilName + "=" + time.Now().Add(c.until).UTC().Format(time.RFC3339) + "\n"
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

func TestTheModuleRefusesWhatWouldDoHarm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  func(p *djangotest.Project, old string) string
		says string
	}{
		"no deadline": {func(_ *djangotest.Project, old string) string { return KeyName + "=" + old + "\n" }, "must be a time in UTC"},
		"too long": {func(_ *djangotest.Project, old string) string {
			return KeyName + "=" + old + "\n" + UntilName + "=2099-01-01T00:00:00Z\n"
		}, "more than 7 days"},
		"SECRET_KEY": {func(p *djangotest.Project, _ string) string {
			return KeyName + "=" + p.SecretKey + "\n" + UntilName + "=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + "\n"
		}, "different from SECRET_KEY"},
		"nothing set": {func(*djangotest.Project, string) string { return "" }, "grace TokenBackend"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := ask(t, djangotest.Modern, c.env)
			if !strings.Contains(out, c.says) || (err == nil) != (name == "nothing set") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

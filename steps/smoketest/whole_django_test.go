package smoketest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

const (
	wholeManage = "import os\nimport sys\n\nos.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"settings\")\nfrom django.core.management import execute_from_command_line\n\nexecute_from_command_line(sys.argv)\n"

	wholeSettings = `from pathlib import Path
from decouple import config

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = config("SECRET_KEY")
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages", "rest_framework"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
              "django.contrib.auth.middleware.AuthenticationMiddleware", "django.contrib.messages.middleware.MessageMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {"context_processors": [
    "django.template.context_processors.request", "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages"]}}]
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"]}
SIMPLE_JWT = {"SIGNING_KEY": config("JWT_SECRET_KEY")}
`
	wholeAllauth = `INSTALLED_APPS += ["allauth", "allauth.account"]
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
`
	wholeMe = `from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, re_path
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response


@api_view(["GET"])
@permission_classes([IsAuthenticated])
def me(request, **_):
    return Response({"id": request.user.pk})


`
)

// Whole upgrades of the packages that log in on top of simplejwt, or beside it, with every
// proof of a real login: the fields, the versions and the languages in their addresses are
// the project's own.
func TestWholeLogins(t *testing.T) {
	t.Parallel()
	stepstest.OnlyLong(t)
	program := filepath.Join(t.TempDir(), "keysplit")
	if out, err := exec.Command("go", "build", "-o", program, "dj/keysplit").CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	python := djangotest.Python(t, djangotest.Field)
	for what, c := range map[string]struct {
		settings, urls string
		silent         bool // no test token tells its keys apart before somebody logs in
	}{
		"dj-rest-auth with cookies, by e-mail": {wholeAllauth + "INSTALLED_APPS += [\"rest_framework_simplejwt\", \"dj_rest_auth\"]\n" +
			"REST_FRAMEWORK = {\"DEFAULT_AUTHENTICATION_CLASSES\": [\"dj_rest_auth.jwt_auth.JWTCookieAuthentication\"]}\n" +
			"REST_AUTH = {\"USE_JWT\": True, \"TOKEN_MODEL\": None, \"JWT_AUTH_COOKIE\": \"shop-in\", \"JWT_AUTH_REFRESH_COOKIE\": \"shop-again\", \"JWT_AUTH_HTTPONLY\": True}\n",
			"urlpatterns = [path(\"api/v1/auth/\", include(\"dj_rest_auth.urls\"))]\n", false},
		"dj-rest-auth in the body, by name": {"INSTALLED_APPS += [\"rest_framework_simplejwt\", \"dj_rest_auth\"]\nREST_AUTH = {\"USE_JWT\": True, \"TOKEN_MODEL\": None, \"JWT_AUTH_HTTPONLY\": False}\n",
			"urlpatterns = [path(\"auth/\", include(\"dj_rest_auth.urls\"))]\n", false},
		"djoser, a version and a language": {"INSTALLED_APPS += [\"djoser\"]\nLANGUAGE_CODE = \"de\"\nUSE_I18N = True\nMIDDLEWARE.insert(1, \"django.middleware.locale.LocaleMiddleware\")\n" +
			"SIMPLE_JWT[\"AUTH_HEADER_TYPES\"] = (\"JWT\",)\nREST_FRAMEWORK.update(DEFAULT_VERSIONING_CLASS=\"rest_framework.versioning.URLPathVersioning\", DEFAULT_VERSION=\"v2\", ALLOWED_VERSIONS=[\"v1\", \"v2\"])\n",
			"urlpatterns = i18n_patterns(re_path(r\"^api/(?P<version>(v1|v2))/auth/\", include(\"djoser.urls\")), re_path(r\"^api/(?P<version>(v1|v2))/auth/\", include(\"djoser.urls.jwt\")))\n", false},
		"allauth headless": {wholeAllauth + "INSTALLED_APPS += [\"allauth.headless\"]\ndel SIMPLE_JWT\nHEADLESS_ONLY = True\nHEADLESS_CLIENTS = (\"app\",)\n" +
			"HEADLESS_TOKEN_STRATEGY = \"allauth.headless.tokens.strategies.jwt.JWTTokenStrategy\"\nHEADLESS_JWT_ALGORITHM = \"HS256\"\nHEADLESS_JWT_PRIVATE_KEY = config(\"JWT_SECRET_KEY\")\n" +
			"REST_FRAMEWORK = {\"DEFAULT_AUTHENTICATION_CLASSES\": [\"allauth.headless.contrib.rest_framework.authentication.JWTTokenAuthentication\"]}\n",
			"urlpatterns = [path(\"api/me/\", me), path(\"_allauth/\", include(\"allauth.headless.urls\"))]\n", true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			root, state := t.TempDir(), t.TempDir()
			for name, text := range map[string]string{
				"manage.py": wholeManage, "settings.py": wholeSettings + c.settings, "urls.py": wholeMe + c.urls, ".env": "SECRET_KEY=" + djangotest.NewKey() + "\n",
			} {
				if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			run := func(environ, name string, arguments ...string) (string, error) {
				made := exec.Command(name, arguments...)
				made.Dir, made.Env = root, djangotest.CleanEnviron("KEYSPLIT_STATE_DIR="+state, "NO_COLOR=1", environ)
				out, err := made.CombinedOutput()
				return string(out), err
			}
			if out, err := run("JWT_SECRET_KEY="+djangotest.NewKey(), python, "manage.py", "migrate", "-v", "0"); err != nil {
				t.Fatal(out)
			}
			out, err := run("_=", program, "upgrade", "--yes", "--temp-user", "--python", python)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			_, out, _ = strings.Cut(out, "5 of 5")
			for _, proof := range []string{"signs with the new key", "refuses SECRET_KEY", "refuses a random key", "log in as", "its token is signed with the new key",
				"refuses its tokens signed with other keys", "protected route takes the token", "refresh works"} {
				if !strings.Contains(out, "✓ "+proof) {
					t.Errorf("%q was not proved:\n%s", proof, out)
				}
			}
			if strings.Contains(out, "✗ ") || strings.Contains(out, "same answer for every key") != c.silent {
				t.Errorf("something went wrong, or test tokens tell more or less than they did:\n%s", out)
			}
		})
	}
}

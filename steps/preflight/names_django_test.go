package preflight

import (
	"os"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// shape gives a project settings of another shape, in place of the usual head and rules:
// head is what reads the environment and sets SECRET_KEY, sign what sets the signing key.
func shape(t *testing.T, p *djangotest.Project, head, sign string) {
	t.Helper()
	own, err := os.ReadFile(p.Settings)
	if err != nil {
		t.Fatal(err)
	}
	text := string(own)
	_, text, _ = strings.Cut(text, "BASE_DIR = ")
	_, text, _ = strings.Cut(text, "ALLOWED_HOSTS")
	text, rules, _ := strings.Cut(text, "# JWT_SECRET_KEY is required")
	_, rest, _ := strings.Cut(rules, "SIMPLE_JWT['SIGNING_KEY'] = JWT_SECRET_KEY")
	text = "import os\nfrom datetime import timedelta\nfrom pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent.parent\nDEBUG = True\n" +
		head + "\nALLOWED_HOSTS" + text + "\n" + sign + "\n" + rest
	if err := os.WriteFile(p.Settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// codesAlone are the codes of findings, without their places.
func codesAlone(fs []finding.Finding) string {
	for i := range fs {
		fs[i].Line = 0
	}
	return codes(fs)
}

// Running the settings tells which variables they read, whatever reads them, and
// whether the key is there or not.
func TestDjangoTellsTheNames(t *testing.T) {
	t.Parallel()
	const (
		environs = "from environs import Env\nenv = Env()\nenv.read_env(BASE_DIR / '.env')\n"
		pydantic = "from pydantic_settings import BaseSettings, SettingsConfigDict\n"
	)
	for what, c := range stepstest.Part(5, map[string]struct {
		head, sign, env string
		names           steps.Names
		state           string
		codes           string
	}{
		"a prefix, missing": {
			environs + "with env.prefixed('SHOP_'):\n    SECRET_KEY = env.str('SECRET_KEY')\n    TOKENS = env.str('TOKEN_KEY')\n", "SIMPLE_JWT['SIGNING_KEY'] = TOKENS",
			"SHOP_SECRET_KEY={SECRET_KEY}\n", steps.Names{Key: "SHOP_TOKEN_KEY", SecretKey: "SHOP_SECRET_KEY"}, "key-missing", "jwt-key-missing",
		},
		"names that are put together": {
			"from dotenv import load_dotenv\nload_dotenv(BASE_DIR / '.env')\nget = lambda name: os.environ['ACME_' + name]\nSECRET_KEY = get('SECRET_KEY')\nTOKENS = get('JWT_KEY')\n", "SIMPLE_JWT['SIGNING_KEY'] = TOKENS",
			"ACME_SECRET_KEY={SECRET_KEY}\n", steps.Names{Key: "ACME_JWT_KEY", SecretKey: "ACME_SECRET_KEY"}, "key-missing", "jwt-key-missing",
		},
		"a fallback": {
			"import environ\nenv = environ.Env()\nenv.read_env(BASE_DIR / '.env')\nSECRET_KEY = env('DJANGO_SECRET_KEY')\n", "SIMPLE_JWT['SIGNING_KEY'] = env('JWT_SIGNING_KEY', default=SECRET_KEY)",
			"DJANGO_SECRET_KEY={SECRET_KEY}\n", steps.Names{Key: "JWT_SIGNING_KEY", SecretKey: "DJANGO_SECRET_KEY"}, "ok", "jwt-key-missing settings-not-upgraded",
		},
		"a key that is told, and is none": {
			"from decouple import config\nSECRET_KEY = config('SECRET_KEY')\n", "SIMPLE_JWT['SIGNING_KEY'] = os.environ.get('JWT_SECRET_KEY')",
			"SECRET_KEY={SECRET_KEY}\n", steps.GuideNames, "ok", "jwt-key-missing",
		},
		"SECRET_KEY, beside variables that are no keys": {
			"from decouple import config\nSECRET_KEY = config('SECRET_KEY')\nSOCIAL_AUTH_GOOGLE_OAUTH2_SECRET = config('SOCIAL_AUTH_GOOGLE_OAUTH2_SECRET', default='')\nSENTRY_AUTH_KEY = os.environ.get('SENTRY_AUTH_KEY')\n",
			"SIMPLE_JWT.update(SIGNING_KEY=SECRET_KEY, ISSUER=config('JWT_ISSUER', default=None), ACCESS_TOKEN_LIFETIME=timedelta(minutes=config('JWT_ACCESS_TOKEN_LIFETIME', default=60, cast=int)))",
			"SECRET_KEY={SECRET_KEY}\n", steps.GuideNames, "ok", "jwt-key-missing settings-not-upgraded",
		},
		"a lifetime that is required": {
			"from decouple import config\nSECRET_KEY = config('SECRET_KEY')\n", "SIMPLE_JWT.update(ACCESS_TOKEN_LIFETIME=timedelta(minutes=config('JWT_ACCESS_TOKEN_LIFETIME', cast=int)), SIGNING_KEY=config('JWT_SECRET_KEY'))",
			"SECRET_KEY={SECRET_KEY}\n", steps.GuideNames, "failed", "django-not-runnable",
		},
		"one value for both": {
			"from decouple import config\nSECRET_KEY = config('WEB_SECRET_KEY')\n", "SIMPLE_JWT['SIGNING_KEY'] = config('JWT_SECRET')",
			"WEB_SECRET_KEY={KEY}\nJWT_SECRET={KEY}\n", steps.Names{Key: "JWT_SECRET", SecretKey: "WEB_SECRET_KEY"}, "ok", "jwt-key-equals-secret-key",
		},
		"the dictionary of the file": {
			"from dotenv import dotenv_values\nconf = {**dotenv_values(BASE_DIR / '.env'), **os.environ}\nSECRET_KEY = conf['APP_SECRET']\n", "SIMPLE_JWT['SIGNING_KEY'] = conf['APP_JWT_SECRET']",
			"APP_SECRET={SECRET_KEY}\n", steps.Names{Key: "APP_JWT_SECRET", SecretKey: "APP_SECRET"}, "key-missing", "jwt-key-missing",
		},
		"pydantic, in lower case": {
			pydantic + "class Conf(BaseSettings):\n    model_config = SettingsConfigDict(env_file=BASE_DIR / '.env', env_prefix='shop_', extra='ignore')\n    secret_key: str\n    jwt_key: str\nconf = Conf()\nSECRET_KEY = conf.secret_key\n",
			"SIMPLE_JWT['SIGNING_KEY'] = conf.jwt_key", "shop_secret_key={SECRET_KEY}\n",
			steps.Names{Key: "shop_jwt_key", SecretKey: "shop_secret_key", AnyCase: true}, "key-missing", "jwt-key-missing",
		},
		"pydantic, with a key": {
			pydantic + "from pydantic import Field, SecretStr\nclass Conf(BaseSettings):\n    model_config = SettingsConfigDict(env_file=BASE_DIR / '.env', extra='ignore')\n    secret_key: str\n    tokens: SecretStr = Field(validation_alias='TOKEN_SECRET')\nconf = Conf()\nSECRET_KEY = conf.secret_key\n",
			"SIMPLE_JWT['SIGNING_KEY'] = conf.tokens.get_secret_value()", "SECRET_KEY={SECRET_KEY}\nTOKEN_SECRET={KEY}\n",
			steps.Names{Key: "TOKEN_SECRET", SecretKey: "SECRET_KEY", AnyCase: true}, "ok", "",
		},
		"dynaconf": {
			"conf = {}\n", "import dynaconf\nsettings = dynaconf.DjangoDynaconf(__name__, envvar_prefix='SHOP', load_dotenv=True, dotenv_path=str(BASE_DIR / '.env'), environments=False)\n",
			"SHOP_SECRET_KEY={SECRET_KEY}\nSHOP_SIMPLE_JWT__SIGNING_KEY={KEY}\n", steps.Names{Key: "SHOP_SIMPLE_JWT__SIGNING_KEY", SecretKey: "SHOP_SECRET_KEY"}, "ok", "settings-not-upgraded",
		},
	}) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Generation: djangotest.Field, Env: c.env, Git: true})
			shape(t, p, c.head, c.sign)
			run, _, err := apply(t, p, nil)
			if c.state == "failed" {
				if err == nil || !strings.HasPrefix(err.Error(), c.codes+":") {
					t.Errorf("%v, want %s", err, c.codes)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			f := run.Project.Facts
			if got := run.Names(); got != c.names {
				t.Errorf("names %+v, want %+v", got, c.names)
			}
			if f.State != c.state || c.state == "ok" && c.codes == "" && (!f.SigningEqualsKey || f.Key.Source != "file") {
				t.Errorf("state %s (%s), key %+v, signs with it: %t", f.State, f.StateError, f.Key, f.SigningEqualsKey)
			}
			if got := codesAlone(run.Project.Findings); got != c.codes {
				t.Errorf("findings: %s, want %s", got, c.codes)
			}
			none := func(f finding.Finding) bool { return strings.Contains(f.Why.Rendered(), "every login fails") }
			if slices.ContainsFunc(run.Project.Findings, none) != (what == "a key that is told, and is none") {
				t.Errorf("what a missing key leads to: %+v", run.Project.Findings)
			}
		})
	}
}

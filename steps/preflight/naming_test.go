package preflight

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
)

// The names in force are those that the settings ask for, in the ways in which public
// projects write that.
func TestNamesAreThoseOfTheSettings(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		text string
		want steps.Names
	}{
		"the guide's":        {"SECRET_KEY = config('SECRET_KEY')\nJWT_SECRET_KEY = config('JWT_SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n", steps.GuideNames},
		"another name":       {"SECRET_KEY = env(\"DJANGO_SECRET_KEY\")\nSIMPLE_JWT = {\"SIGNING_KEY\": env(\"JWT_SIGNING_KEY\")}\n", steps.Names{Key: "JWT_SIGNING_KEY", SecretKey: "DJANGO_SECRET_KEY"}},
		"with defaults":      {"SECRET_KEY = env.str(\n    \"DJANGO_SECRET_KEY\",\n    default=\"x\",\n)\nSIMPLE_JWT = {\"SIGNING_KEY\": env(\"JWT_SECRET\", default=env(\"DJANGO_SECRET_KEY\"))}\n", steps.Names{Key: "JWT_SECRET", SecretKey: "DJANGO_SECRET_KEY"}},
		"by os":              {"SECRET_KEY = os.environ['WEB_SECRET_KEY']\nSIMPLE_JWT = {'SIGNING_KEY': environ.get('SECRET_KEY_JWT', 'x')}\n", steps.Names{Key: "SECRET_KEY_JWT", SecretKey: "WEB_SECRET_KEY"}},
		"updated":            {"SECRET_KEY: str = os.getenv('SECRET_KEY')\nSIMPLE_JWT.update({\n    'SIGNING_KEY': os.getenv('SIGNING_KEY'),\n})\n", steps.Names{Key: "SIGNING_KEY", SecretKey: "SECRET_KEY"}},
		"by subscript":       {"SECRET_KEY = config('SECRET_KEY')\nSIMPLE_JWT['SIGNING_KEY'] = config('API_TOKEN_KEY')\n", steps.Names{Key: "API_TOKEN_KEY", SecretKey: "SECRET_KEY"}},
		"by dict()":          {"SECRET_KEY = config('SECRET_KEY')\nSIMPLE_JWT = dict(ALGORITHM='HS512', SIGNING_KEY=config('TOKEN_SECRET'))\n", steps.Names{Key: "TOKEN_SECRET", SecretKey: "SECRET_KEY"}},
		"over two variables": {"SECRET_KEY = config('APP_SECRET')\nJWT_SIGNING_KEY = config('APP_JWT_SECRET')\nNINJA_JWT = {'SIGNING_KEY': JWT_SIGNING_KEY}\n", steps.Names{Key: "APP_JWT_SECRET", SecretKey: "APP_SECRET"}},
		"not split":          {"SECRET_KEY = env('DJANGO_SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': SECRET_KEY}\n", steps.Names{SecretKey: "DJANGO_SECRET_KEY"}},
		"not split, as read": {"SECRET_KEY = env('SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': env('SECRET_KEY')}\n", steps.Names{SecretKey: "SECRET_KEY"}},
		"literal, brackets":  {"SECRET_KEY = 'django-insecure-gt(5%#(2[h\\'{'\nJWT_SECRET_KEY = config('JWT_SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n", steps.Names{Key: "JWT_SECRET_KEY"}},
		"literal":            {"SECRET_KEY = 'django-insecure-x'\nSIMPLE_JWT = {}\n", steps.Names{}},
		"of itself, often":   {"SECRET_KEY = config('SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': A}\n" + strings.Repeat("A = A\n", 500), steps.Names{SecretKey: "SECRET_KEY"}},
		"a helper of files":  {"SECRET_KEY = secret('SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': read(os.environ['JWT_KEY_FILE'])}\n", steps.Names{Key: "JWT_KEY", SecretKey: "SECRET_KEY"}},

		"environs":         {"env = Env()\nwith env.prefixed(\"SHOP_\"):\n    SECRET_KEY = env.str(\"SECRET_KEY\")\n    SIMPLE_JWT = {\"SIGNING_KEY\": env.str(\"JWT_SECRET_KEY\")}\n", steps.Names{Key: "SHOP_JWT_SECRET_KEY", SecretKey: "SHOP_SECRET_KEY"}},
		"environs, nested": {"with env.prefixed('DJANGO_'):\n    DEBUG = env.bool('DEBUG')\n    SECRET_KEY = env('SECRET_KEY')\n    with env.prefixed('JWT_'):\n        SIMPLE_JWT = {\n            'SIGNING_KEY': env('SIGNING_KEY'),\n        }\nwith env.prefixed('POSTGRES_'):\n    NAME = env('NAME')\n", steps.Names{Key: "DJANGO_JWT_SIGNING_KEY", SecretKey: "DJANGO_SECRET_KEY"}},

		"dynaconf":             {"settings = dynaconf.DjangoDynaconf(__name__, envvar_prefix=\"SHOP\")\nSIMPLE_JWT = {\"SIGNING_KEY\": settings.JWT_SECRET_KEY}\n", steps.Names{Key: "SHOP_JWT_SECRET_KEY", SecretKey: "SHOP_SECRET_KEY"}},
		"dynaconf, by default": {"settings = dynaconf.DjangoDynaconf(__name__)\n", steps.Names{Key: "DJANGO_JWT_SECRET_KEY", SecretKey: "DJANGO_SECRET_KEY"}},
		"dynaconf, none":       {"settings = Dynaconf(envvar_prefix=False)\nSECRET_KEY = settings.SECRET_KEY\nSIMPLE_JWT = {'SIGNING_KEY': settings.TOKEN_KEY}\n", steps.Names{Key: "TOKEN_KEY", SecretKey: "SECRET_KEY"}},

		"pydantic":          {"class Env(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix=\"shop_\")\n    secret_key: str\n    jwt_key: SecretStr\nconf = Env()\nSECRET_KEY = conf.secret_key\nSIMPLE_JWT = {'SIGNING_KEY': conf.jwt_key.get_secret_value()}\n", steps.Names{Key: "SHOP_JWT_KEY", SecretKey: "SHOP_SECRET_KEY", AnyCase: true}},
		"pydantic, aliases": {"class Env(BaseSettings):\n    secret: str = Field(validation_alias='DJANGO_SECRET')\n    jwt: str = Field(..., alias=\"TOKEN_SECRET\")\nSECRET_KEY = Env().secret\nSIMPLE_JWT = {'SIGNING_KEY': Env().jwt}\n", steps.Names{Key: "TOKEN_SECRET", SecretKey: "DJANGO_SECRET", AnyCase: true}},
		"pydantic, exact":   {"class Env(BaseSettings):\n    model_config = SettingsConfigDict(case_sensitive=True)\n    secret_key: str\nSECRET_KEY = Env().secret_key\n", steps.Names{SecretKey: "secret_key"}},

		"configurations":           {"class Dev(Configuration):\n    SECRET_KEY = values.SecretValue()\n    JWT_KEY = values.SecretValue(environ_prefix=None)\n    @property\n    def SIMPLE_JWT(self):\n        return {'SIGNING_KEY': self.JWT_KEY}\n", steps.Names{Key: "JWT_KEY", SecretKey: "DJANGO_SECRET_KEY"}},
		"configurations, as text":  {"class Dev(Configuration):\n    SECRET_KEY = values.Value()\n    JWT_SIGNING_KEY = values.Value(SECRET_KEY)\n    @property\n    def SIMPLE_JWT(self):\n        return {\"SIGNING_KEY\": str(self.JWT_SIGNING_KEY)}\n", steps.Names{Key: "DJANGO_JWT_SIGNING_KEY", SecretKey: "DJANGO_SECRET_KEY"}},
		"configurations, prefixed": {"class Dev(Configuration):\n    SECRET_KEY = values.SecretValue(environ_prefix='SHOP', environ_name='KEY')\n", steps.Names{SecretKey: "SHOP_KEY"}},
	} {
		t.Run(what, func(t *testing.T) {
			if got := namesIn([]source{{path: "settings.py", text: c.text}}); got != c.want {
				t.Errorf("%+v, want %+v in\n%s", got, c.want, c.text)
			}
		})
	}
}

// Where the case of names does not matter they are those of the file, and nowhere else.
func TestNamesAreSpelledAsInTheFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, secret, exact, key, anyCase string }{
		{"secret_key=x\nShop_Key=y\n", "secret_key", "SHOP_KEY", "Shop_Key", "secret_key"},
		{"Secret_Key=x\n", "secret_key", "SHOP_KEY", "SHOP_KEY", "Secret_Key"},
		{"secret_key=x\n", "SECRET_KEY", "SHOP_KEY", "shop_key", "secret_key"},
	} {
		path := filepath.Join(t.TempDir(), ".env")
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, anyCase := range []bool{false, true} {
			want := steps.Names{Key: c.exact, SecretKey: c.secret, AnyCase: anyCase}
			d := &diagnosis{project: &steps.Project{Names: want, EnvFile: steps.EnvFile{Path: path}}}
			if anyCase {
				want.Key, want.SecretKey = c.key, c.anyCase
			}
			if d.spell(); d.project.Names != want {
				t.Errorf("%q: %+v, want %+v", c.file, d.project.Names, want)
			}
		}
	}
}

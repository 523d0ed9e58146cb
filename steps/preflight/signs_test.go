package preflight

import (
	"context"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// What signs tokens is told by the files alone, as far as they leave no doubt: where no
// shared key of the settings does, no place needs one.
func TestWhatSignsByTheFilesAlone(t *testing.T) {
	t.Parallel()
	const (
		reads   = "import os\nSECRET_KEY = os.environ['SECRET_KEY']\n"
		simple  = reads + "INSTALLED_APPS = ['rest_framework_simplejwt']\n"
		noToken = "Django==5.2\ndjangorestframework==3.16\n"
		dynamic = "import dynaconf\nsettings = dynaconf.DjangoDynaconf(__name__)\n"
	)
	for what, c := range map[string]struct {
		settings string
		files    map[string]string
		codes    string // where only committed files count
		kind     steps.SourceKind
	}{
		"nothing makes tokens":                                      {reads, map[string]string{"requirements.txt": noToken}, "token-package", steps.NoTokens},
		"nothing, by a file that another names":                     {reads, map[string]string{"requirements.txt": "-r deps/all.txt\n", "deps/all.txt": noToken}, "token-package", steps.NoTokens},
		"nothing, and plugins that bring more":                      {reads + "import importlib\nimportlib.import_module('shop.menu')\n", map[string]string{"pyproject.toml": "[project]\ndependencies = ['django']\n"}, "token-package", steps.NoTokens},
		"PyJWT is there for others":                                 {reads, map[string]string{"requirements.txt": noToken + "pyjwt==2.10\n", "shop/a.py": "import jwt\n\n\ndef read(t):\n    return jwt.decode(t)\n"}, "token-package", steps.NoTokens},
		"PyJWT checks others' tokens, by a class of a telling name": {reads + "REST_FRAMEWORK = {'DEFAULT_AUTHENTICATION_CLASSES': ['shop.jwt_auth.Checked']}\n", map[string]string{"requirements.txt": noToken + "pyjwt\n", "shop/jwt_auth.py": "import jwt\n\n\ndef read(t):\n    return jwt.decode(t)\n"}, "token-package", steps.NoTokens},
		"a key pair for another program, that settings name":        {reads + "LOGIN_JWT_KEY = os.environ['JWT_KEY']\n", map[string]string{"requirements.txt": "pyjwt\n", "shop/a.py": "import jwt\n\n\ndef make(key):\n    return jwt.encode({}, key, algorithm='RS256')\n"}, "token-package", steps.NoTokens},
		"PyJWT's function under its own name":                       {reads, map[string]string{"requirements.txt": "pyjwt\n", "shop/a.py": "from jwt import decode, encode\n\n\ndef make():\n    return encode({}, 'k')\n"}, "token-package:1", steps.OwnCode},
		"nothing, by a hidden folder":                               {reads, map[string]string{".requirements/base.txt": noToken}, "token-package", steps.NoTokens},
		"nothing, by a name in front":                               {reads, map[string]string{"dev-requirements.txt": noToken}, "token-package", steps.NoTokens},
		"nothing, where dynaconf has a prefix":                      {dynamic, map[string]string{"requirements.txt": noToken + "dynaconf\n"}, "token-package", steps.NoTokens},
		"dynaconf may give the package a key":                       {dynamic, map[string]string{"requirements.txt": "djangorestframework_simplejwt\ndynaconf\n"}, "", steps.NothingReads},
		"an object's, as SECRET_KEY is":                             {"from .env import env\nSECRET_KEY = env.SHOP_KEY\nSIMPLE_JWT = {\n    'SIGNING_KEY': env.SHOP_KEY,\n}\n", map[string]string{"config/env.py": "class Env(BaseSettings):\n    SHOP_KEY: str\n\n\nenv = Env()\n"}, "settings-not-upgraded:4", steps.NothingReads},
		"an object's, of a longer name":                             {"from .env import env\nSECRET_KEY = env.SHOP_KEY\nSIMPLE_JWT = {'SIGNING_KEY': env.SHOP_KEY_TOO}\n", map[string]string{"config/env.py": "class Env(BaseSettings):\n    SHOP_KEY: str\n    SHOP_KEY_TOO: str\n\n\nenv = Env()\n"}, "", steps.NothingReads},
		"no word of what is required":                               {reads, nil, "", steps.NothingReads},
		"settings that speak of tokens":                             {reads + "JWT_TTL = 5\n", map[string]string{"requirements.txt": noToken}, "", steps.NothingReads},
		"a key pair of the project's own manager": {reads, map[string]string{"requirements.txt": "pyjwt\n", "shop/manager.py": "from jwt import api_jwt\n\n\nclass Manager:\n    _ALG = 'RS256'\n\n    def encode(cls, what):\n        return api_jwt.encode(what, cls.private_key(), algorithm=cls._ALG)\n",
			"shop/jwt.py": "def jwt_encode(what):\n    return manager().encode(what)\n"}, "token-algorithm", steps.KeyPair},
		"a key pair for another program, beside a shared key": {reads, map[string]string{"requirements.txt": "pyjwt\n", "shop/a.py": "import jwt\n\nALG = 'ES256'\n\n\ndef apple():\n    return jwt.encode({}, 'k', algorithm=ALG)\n",
			"shop/b.py": "import jwt\n\n\ndef make():\n    return jwt.encode({}, 'k')\n"}, "token-package:5", steps.OwnCode},
		"the project's own code":                   {reads, map[string]string{"requirements.txt": "pyjwt\n", "shop/a.py": "import jwt\n\n\ndef make():\n    return jwt.encode({}, 'k')\n"}, "token-package:5", steps.OwnCode},
		"for another program":                      {reads, map[string]string{"requirements.txt": "pyjwt\n", "shop/a.py": "import jwt\n\n\ndef make():\n    return jwt.encode(dict(a=1), 'k', algorithm='RS256')\n"}, "token-package", steps.NoTokens},
		"a comment of the project's own code":      {reads, map[string]string{"requirements.txt": "pyjwt\n", "shop/a.py": "# jwt.encode({}, 'k')\n"}, "token-package", steps.NoTokens},
		"tests that make tokens":                   {reads, map[string]string{"requirements.txt": "pyjwt\n", "shop/tests/a.py": "jwt.encode({}, 'k')\n"}, "token-package", steps.NoTokens},
		"a key pair":                               {simple + "SIMPLE_JWT = {'ALGORITHM': 'RS256', 'SIGNING_KEY': os.environ['PRIVATE']}\n", nil, "token-algorithm", steps.KeyPair},
		"allauth's key pair":                       {reads + "HEADLESS_TOKEN_STRATEGY = 'allauth.headless.tokens.strategies.jwt.JWTTokenStrategy'\nHEADLESS_JWT_PRIVATE_KEY = PEM\n", nil, "token-algorithm", steps.KeyPair},
		"allauth's shared key":                     {reads + "HEADLESS_TOKEN_STRATEGY = 'allauth.headless.tokens.strategies.jwt.JWTTokenStrategy'\nHEADLESS_JWT_ALGORITHM = 'HS256'\n", nil, "settings-not-upgraded", steps.NothingReads},
		"a key pair, or a shared key":              {simple + "SIMPLE_JWT = {'ALGORITHM': 'RS256' if PEM else 'HS256', 'SIGNING_KEY': os.environ['JWT_SECRET_KEY']}\n", nil, "", steps.NothingReads},
		"keys at an address":                       {simple + "SIMPLE_JWT = {'JWK_URL': 'https://id.example/keys'}\n", nil, "token-algorithm", steps.KeyPair},
		"no address":                               {simple + "SIMPLE_JWT = {'JWK_URL': None}\n", nil, "settings-not-upgraded:4", steps.NothingReads},
		"an address that may be, and a shared key": {simple + "SIMPLE_JWT = {'ALGORITHM': Value('HS256', environ_name='ALGORITHM'), 'SIGNING_KEY': os.environ['JWT_SECRET_KEY'], 'JWK_URL': os.environ['JWKS']}\n", nil, "", steps.NothingReads},
		"an address that may be":                   {simple + "SIMPLE_JWT = {'SIGNING_KEY': os.environ['JWT_SECRET_KEY'], 'JWK_URL': os.environ.get('JWKS', None)}\n", nil, "", steps.NothingReads},
		"own code, with a key of a longer name":    {reads + "APP_JWT_SECRET_KEY = os.environ['APP_JWT_SECRET_KEY']\n", map[string]string{"requirements.txt": "pyjwt\n", "shop/a.py": "import jwt\n\n\ndef make():\n    return jwt.encode({}, 'k')\n"}, "token-package:5", steps.OwnCode},
		"a key for each user":                      {reads + "INSTALLED_APPS = ['rest_framework_jwt']\nJWT_AUTH = {\n    'JWT_GET_USER_SECRET_KEY': 'shop.keys.of',\n}\n", nil, "token-package:5", steps.OwnCode},
		"no key for each user":                     {reads + "INSTALLED_APPS = ['rest_framework_jwt']\nJWT_AUTH = {'JWT_GET_USER_SECRET_KEY': None}\n", nil, "settings-not-upgraded:4", steps.NothingReads},
		"a package without a key":                  {simple + "\nSIMPLE_JWT = {\n    'ROTATE_REFRESH_TOKENS': True,\n}\n", nil, "settings-not-upgraded:5", steps.NothingReads},
		"a package that only requirements name":    {reads, map[string]string{"pyproject.toml": "dependencies = ['djangorestframework_simplejwt>=5']\n"}, "settings-not-upgraded", steps.NothingReads},
		"a package that the URLs name":             {reads, map[string]string{"requirements.txt": "djoser\n", "config/urls.py": "include('djoser.urls.jwt')\n"}, "settings-not-upgraded", steps.NothingReads},
		"a package, and settings that go on":       {simple + "from split_settings.tools import include\ninclude('parts/*.py')\n", nil, "", ""},
		"a key that the settings read":             {simple + "SIMPLE_JWT = {'SIGNING_KEY': os.environ['SHOP_TOKENS']}\n", map[string]string{"requirements.txt": noToken}, "", steps.NothingReads},
		"a key that they read under its name":      {reads + "TOKENS = os.environ['JWT_SECRET_KEY']\n", map[string]string{"requirements.txt": noToken}, "", steps.NothingReads},
		"a package that is given another's value":  {simple + "SIMPLE_JWT = {'SIGNING_KEY': keys.current()}\n", nil, "", steps.NothingReads},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			all := map[string]string{"manage.py": manage, "config/__init__.py": "", "config/settings.py": c.settings}
			for name, text := range c.files {
				all[name] = text
			}
			run, _, err := lookStatic(t, lay(t, all), func(run *steps.Run) { run.Options.Committed = true }, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(run.Project.Findings); got != c.codes {
				t.Errorf("findings %q, want %q", got, c.codes)
			}
			if got := run.Project.Source.Kind; got != c.kind {
				t.Errorf("source %q, want %q", got, c.kind)
			}
			for _, f := range run.Project.Findings {
				if run.Project.SplitsNothing() && f.Severity != finding.Info {
					t.Errorf("%s is %s: nothing that is committed is wrong", f.Code, f.Severity)
				}
			}
		})
	}
}

// Settings that go on without the key are not said to stop without it.
func TestAMissingKeyOfSettingsThatDoNotReadIt(t *testing.T) {
	t.Parallel()
	run, _, err := lookStatic(t, lay(t, map[string]string{
		"manage.py": manage, "config/__init__.py": "",
		"config/settings.py": "from decouple import config\nSECRET_KEY = config('SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': SECRET_KEY}\n",
	}), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, found := finding.First(run.Project.Findings, finding.JWTKeyMissing)
	if why := f.Why.Rendered(); !found || strings.Contains(why, "refuses to start") || !strings.Contains(why, "signed with SECRET_KEY") {
		t.Errorf("found %t: %s", found, why)
	}
}

// The settings that manage.py has for tests are not those of the project.
func TestSettingsOfTestsAreTheLast(t *testing.T) {
	t.Parallel()
	run, _, err := lookStatic(t, lay(t, map[string]string{
		"manage.py":          "import os, sys\nfrom django.core.management import execute_from_command_line\nif sys.argv[1:2] == ['test']:\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings.test')\nelse:\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings.local')\n",
		"config/__init__.py": "", "config/settings/__init__.py": "", "config/settings/test.py": "", "config/settings/local.py": "",
	}), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := run.Project.SettingsModule; got != "config.settings.local" {
		t.Errorf("settings %s", got)
	}
}

// The settings are found in a folder with a hyphen in its name, and in a package that is
// empty itself: what starts the backend names one of its modules.
func TestSettingsModulesByTheirNames(t *testing.T) {
	t.Parallel()
	for named, c := range map[string]struct{ file, want string }{
		"my-shop.config":   {"my-shop/config.py", "my-shop.config"},
		"settings":         {"settings/dev.py", "settings.dev"},
		"shop.settings":    {"shop/settings/common.py", "shop.settings.common"},
		"shop.environment": {"shop/environment/other.py", "shop.environment"},
	} {
		t.Run(named, func(t *testing.T) {
			t.Parallel()
			module := strings.ReplaceAll(named, ".", "/")
			run, _, err := lookStatic(t, lay(t, map[string]string{
				"manage.py":             "import os\nfrom django.core.management import execute_from_command_line\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', '" + named + "')\n",
				module + "/__init__.py": "# empty\n", c.file: "SECRET_KEY = 'x'\n",
			}), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := run.Project.SettingsModule; got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// Where Django does not start, the files say what signs: no key is missing that nothing reads.
func TestWhatSignsWhereDjangoDoesNotStart(t *testing.T) {
	t.Parallel()
	const reads, simplejwt = "import os\nSECRET_KEY = os.environ['SECRET_KEY']\n", "INSTALLED_APPS = ['rest_framework_simplejwt']\n"
	for what, c := range map[string]struct{ settings, requires, want string }{
		"a key pair":              {reads + "SIMPLE_JWT = {'ALGORITHM': 'RS256', 'SIGNING_KEY': os.environ['PEM']}\n", "", "token-algorithm"},
		"nothing":                 {reads, "django\n", "token-package"},
		"a key in the code":       {reads + simplejwt + "SIMPLE_JWT = {'SIGNING_KEY': '" + stepstest.Key() + "'}\n", "", "signing-key-in-code:4"},
		"a package without a key": {reads + simplejwt, "djangorestframework-simplejwt\n", "jwt-key-missing settings-not-upgraded"},
		"the secret's variable":   {reads + simplejwt + "SIMPLE_JWT = {'SIGNING_KEY': os.getenv('SECRET_KEY')}\n", "", "jwt-key-missing settings-not-upgraded:4"},
		"another package's":       {reads + "GRAPHQL_JWT = {'JWT_SECRET_KEY': os.environ.get(\"SECRET_KEY\", 'x')}\n", "", "jwt-key-missing settings-not-upgraded:3"},
		"a secret that they fetched": {"import os\nfrom dotenv import load_dotenv\nload_dotenv()\nif os.getenv('STORE'):\n    SECRET_KEY = fetch('a')\nelse:\n    SECRET_KEY = os.environ['SECRET_KEY']\n" +
			"SIMPLE_JWT = {'SIGNING_KEY': os.environ['JWT_SECRET_KEY']}\n", "", "jwt-key-missing"},
		"a key of its own": {reads + simplejwt + "SIMPLE_JWT = {'SIGNING_KEY': os.environ['JWT_SECRET_KEY']}\n", "", "jwt-key-missing"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			run := newRun(t)
			run.Options.Folder, run.Options.ReadOnly = lay(t, map[string]string{
				"manage.py": manage, "config/__init__.py": "", "config/settings.py": c.settings, "requirements.txt": c.requires, ".env": "STORE=shop\n",
			}), true
			s := &Step{OpenDjango: func(_ context.Context, _ *steps.Run, p *steps.Project) (steps.Django, error) {
				p.Stopped.SecretKey.Set = what == "a secret that they fetched"
				return nil, notRunnable("No network.", "", 0, finding.Do("Wait."))
			}}
			err := s.Apply(t.Context(), run, func(steps.Event) {})
			if got := codes(run.Project.Findings); err == nil || got != c.want {
				t.Errorf("%q, want %q, %v", got, c.want, err)
			}
		})
	}
}

// Django has not loaded the code that makes tokens with a package when it is asked; the
// answer is that of the files all the same.
func TestAPackageThatNothingLoadsYet(t *testing.T) {
	t.Parallel()
	p := bare(t, "SECRET_KEY = config('SECRET_KEY')\n", map[string]string{
		".env": "SECRET_KEY={SECRET_KEY}\n", "requirements.txt": "djangorestframework_simplejwt\n", "config/urls.py": "urlpatterns = []\n",
		"shop/tokens.py": "from rest_framework_simplejwt.tokens import Token\n\n\nclass Own(Token):\n    token_type = 'own'\n",
	})
	run, _, err := apply(t, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, found := finding.First(run.Project.Findings, finding.SettingsNotUpgraded)
	if fix := f.Fix.Rendered(); !found || finding.Has(run.Project.Findings, finding.TokenPackage) || f.Fixable || strings.Contains(fix, "--adopt") {
		t.Errorf("%s, %s", codesAlone(run.Project.Findings), fix)
	}
}

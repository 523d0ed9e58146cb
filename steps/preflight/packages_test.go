package preflight

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// bare is a project of few lines in a git repository with everything but .env
// committed. {SECRET_KEY} and {KEY} are filled in.
func bare(t *testing.T, settings string, files map[string]string) *djangotest.Project {
	t.Helper()
	p := &djangotest.Project{Python: djangotest.Python(t, djangotest.Field), SecretKey: djangotest.NewKey(), Key: djangotest.NewKey()}
	all := map[string]string{
		"manage.py": manage, "config/__init__.py": "", "config/urls.py": "urlpatterns = []\n", ".gitignore": ".env\nlocal.py\n",
		"config/settings.py": "import os\nfrom pathlib import Path\nfrom decouple import config\nBASE_DIR = Path(__file__).resolve().parent.parent\nDEBUG = True\nROOT_URLCONF = 'config.urls'\n" +
			"INSTALLED_APPS = ['django.contrib.auth', 'django.contrib.contenttypes']\nDEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n" + settings,
	}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		all[name] = strings.NewReplacer("{SECRET_KEY}", p.SecretKey, "{KEY}", p.Key).Replace(text)
	}
	p.Dir = lay(t, all)
	p.Root, p.EnvPath, p.Settings = p.Dir, filepath.Join(p.Dir, ".env"), filepath.Join(p.Dir, "config", "settings.py")
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=Test", "-c", "user.email=test@localhost", "commit", "-qm", "Begin"}} {
		if out, err := exec.Command("git", append([]string{"-C", p.Dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git: %v: %s", err, out)
		}
	}
	return p
}

// What makes the tokens is named, with what cannot be proved there; and a key that the
// project's own code chooses, or that stands in the settings, is called that before
// anything is written.
func TestWhatMakesTheTokensIsNamed(t *testing.T) {
	t.Parallel()
	const (
		secretOnly = "SECRET_KEY={SECRET_KEY}\n"
		reads      = "SECRET_KEY = config('SECRET_KEY')\n"
		graphql    = reads + "AUTHENTICATION_BACKENDS = ['graphql_jwt.backends.JSONWebTokenBackend', 'django.contrib.auth.backends.ModelBackend']\n"
		rest       = reads + "INSTALLED_APPS += ['rest_framework', 'rest_framework_simplejwt']\n"
		signs      = "import jwt\nfrom django.conf import settings\n\n\ndef make():\n    return jwt.encode({}, settings.TOKENS)\n\n\nurlpatterns = []\n"
	)
	for what, c := range stepstest.Part(5, map[string]struct {
		settings string
		files    map[string]string
		codes    string
		at, says string // of the finding that is looked at: the last word of codes
		kind     steps.SourceKind
		takes    bool
	}{
		"graphql-jwt": {graphql + "GRAPHQL_JWT = {'JWT_SECRET_KEY': config('GRAPH_SECRET')}\n", map[string]string{".env": secretOnly + "GRAPH_SECRET={KEY}\n"},
			"token-package", "config/settings.py", "django-graphql-jwt", "", true},
		"graphql-jwt with SECRET_KEY": {graphql, map[string]string{".env": secretOnly},
			"jwt-key-missing settings-not-upgraded token-package", "config/settings.py", "keysplit sends no GraphQL", steps.Unseen, false},
		"drf-jwt": {reads + "INSTALLED_APPS += ['rest_framework', 'rest_framework_jwt']\nJWT_AUTH = {'JWT_SECRET_KEY': config('JWT_SECRET_KEY')}\n", map[string]string{".env": secretOnly + "JWT_SECRET_KEY={KEY}\n"},
			"token-package", "config/settings.py", "drf-jwt", "", true},
		"PyJWT with no key in the settings": {reads + "TOKENS = config('TOKENS')\n", map[string]string{".env": secretOnly + "TOKENS={KEY}\n", "config/urls.py": signs},
			"token-package", "config/urls.py:6", "They have no JWT_SECRET_KEY", steps.OwnCode, false},
		"PyJWT with a key pair": {reads + "PEM = config('PEM')\n", map[string]string{".env": secretOnly + "PEM={KEY}\n", "requirements.txt": "pyjwt\n", "config/urls.py": strings.Replace(signs, "TOKENS)", "PEM, algorithm='RS256')", 1), "config/manager.py": "from jwt import api_jwt\n\nALG = 'RS256'\n\n\ndef jwt_encode(what):\n    return api_jwt.encode(what, 'k', algorithm=ALG)\n"},
			"token-algorithm", "config/settings.py", "Tokens are signed with RS256", steps.KeyPair, false},
		"PyJWT with a key in the settings": {reads + "TOKENS = JWT_SECRET_KEY = config('JWT_SECRET_KEY')\n", map[string]string{".env": secretOnly + "JWT_SECRET_KEY={KEY}\n", "config/urls.py": signs},
			"token-package", "config/urls.py:6", "do not tell which key", "", true},
		"a literal": {rest + "SIMPLE_JWT = {\n    'SIGNING_KEY': '{KEY}',\n}\n", map[string]string{".env": secretOnly},
			"signing-key-in-code", "config/settings.py:12", "config(\"JWT_SECRET_KEY\")", steps.Literal, false},
		"a literal of another module": {"from config.tokens import *\n" + rest, map[string]string{".env": secretOnly, "config/tokens.py": "\nSIMPLE_JWT = dict(SIGNING_KEY='{KEY}')\n"},
			"signing-key-in-code", "config/tokens.py:2", "git's history", steps.Literal, false},
		"a literal that a variable replaces": {rest + "SIMPLE_JWT = {'SIGNING_KEY': config('JWT_SECRET_KEY', default='{KEY}')}\n", map[string]string{".env": secretOnly},
			"jwt-key-missing", "", "a value that is in the code", "", true},
		"settings of this machine alone": {"from config.local import *\n" + rest, map[string]string{".env": secretOnly, "config/local.py": "SIMPLE_JWT = {'SIGNING_KEY': '{KEY}'}\n"},
			"", "", "", steps.FromCode, false},
	}) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := bare(t, c.settings, c.files)
			run, _, err := apply(t, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			words := strings.Fields(c.codes)
			for _, f := range run.Project.Findings {
				if len(words) == 0 || f.Code != finding.Code(words[len(words)-1]) {
					continue
				}
				at := f.File
				if f.Line > 0 {
					at = fmt.Sprintf("%s:%d", f.File, f.Line)
				}
				if c.at != "" && at != c.at || !strings.Contains(f.Message.Rendered()+f.Why.Rendered()+f.Fix.Rendered(), c.says) {
					t.Errorf("%s: %s %s %s", at, f.Message.Rendered(), f.Why.Rendered(), f.Fix.Rendered())
				}
			}
			if got := codesAlone(run.Project.Findings); got != c.codes {
				t.Errorf("findings %s, want %s", got, c.codes)
			}
			if got := run.Project.Source.Kind; got != c.kind {
				t.Errorf("source %q, want %q", got, c.kind)
			}
			keys, err := run.Home().Found()
			if err != nil {
				t.Fatal(err)
			}
			if err := run.Home().Takes(keys); (err == nil) != c.takes {
				t.Errorf("takes a key: %v", err)
			}
		})
	}
}

// The same of a literal is told by the settings' text alone, also where only committed
// files count.
func TestALiteralKeyInTheText(t *testing.T) {
	t.Parallel()
	const head = "from decouple import config\nSECRET_KEY = config('SECRET_KEY')\n"
	for text, want := range map[string]string{
		"SIMPLE_JWT = {'SIGNING_KEY': 'a-key-of-everybody', 'ALGORITHM': 'HS256'}\n":           "signing-key-in-code:3",
		"GRAPHQL_JWT = {\n    \"JWT_SECRET_KEY\": \"a-key-of-everybody\",\n}\n":                "signing-key-in-code:4",
		"SIMPLE_JWT = {'SIGNING_KEY': config('JWT_SECRET_KEY', default='a'), 'ISSUER': 'b'}\n": "jwt-key-missing",
		"# SIMPLE_JWT = {'SIGNING_KEY': 'a-key-of-everybody'}\n":                               "jwt-key-missing",
	} {
		dir := lay(t, tree("SECRET_KEY="+djangotest.NewKey()+"\n", map[string]string{"backend/config/settings.py": head + text}))
		run, _, err := lookStatic(t, dir, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := codes(run.Project.Findings); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

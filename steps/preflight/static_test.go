package preflight

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

const manage = `#!/usr/bin/env python
import os, sys
def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
main()
`

// upgraded is the guide's new behaviour; the comment must not confuse anyone.
const upgraded = `from decouple import config
from django.core.exceptions import ImproperlyConfigured
# if not JWT_SECRET_KEY: SIMPLE_JWT['SIGNING_KEY'] = SECRET_KEY
SECRET_KEY = config('SECRET_KEY')
SIMPLE_JWT = {'ALGORITHM': 'HS256'}
PORT = config('PORT', default=25, cast=int)
JWT_SECRET_KEY = config('JWT_SECRET_KEY', default=None)
if not JWT_SECRET_KEY:
    raise ImproperlyConfigured("JWT_SECRET_KEY environment variable is required.")
SIMPLE_JWT['SIGNING_KEY'] = JWT_SECRET_KEY
`

const before = `from decouple import config
SECRET_KEY = config('SECRET_KEY')
JWT_SECRET_KEY = config('JWT_SECRET_KEY', default=None)
if JWT_SECRET_KEY:
    SIMPLE_JWT['SIGNING_KEY'] = JWT_SECRET_KEY
else:
    SIMPLE_JWT['SIGNING_KEY'] = SECRET_KEY
`

// lay writes files below a fresh folder and returns it, links resolved. A name
// that ends in / makes a folder.
func lay(t testing.TB, tree map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range tree {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o700)
		} else if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tree is a project in its usual layout with some files changed.
func tree(env string, more map[string]string) map[string]string {
	out := map[string]string{
		"backend/manage.py": manage, "backend/config/__init__.py": "", "backend/config/settings.py": upgraded,
		"backend/.env": env, "frontend/package.json": "{}", ".git/HEAD": "",
	}
	for name, text := range more {
		if out[name] = text; text == "-" {
			delete(out, name)
		}
	}
	return out
}

// lookStatic applies the step to a folder without running anything.
func lookStatic(t *testing.T, dir string, change func(*steps.Run), environ map[string]string) (*steps.Run, []steps.Event, error) {
	t.Helper()
	run := &steps.Run{
		Environ: func(name string) (string, bool) { v, ok := environ[name]; return v, ok },
		Options: steps.Options{Folder: dir, Static: true, ReadOnly: true},
	}
	if change != nil {
		change(run)
	}
	var events []steps.Event
	err := (&Step{}).Apply(t.Context(), run, func(e steps.Event) { events = append(events, e) })
	return run, events, err
}

func codes(fs []finding.Finding) string {
	var out []string
	for _, f := range fs {
		place := string(f.Code)
		if f.Line > 0 {
			place += fmt.Sprintf(":%d", f.Line)
		}
		out = append(out, place)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestStaticFindings(t *testing.T) {
	t.Parallel()
	key, secret := stepstest.Key(), stepstest.Key()
	good := "SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + key + "\n"
	only := "SECRET_KEY=" + secret + "\n"
	upper := strings.NewReplacer("a", "B", "e", "F").Replace
	tests := []struct {
		name, env string
		more      map[string]string
		environ   map[string]string
		want      string
	}{
		{"healthy", good, nil, nil, ""},
		{"healthy with company", "# comment\n\nDEBUG=True\nURL=https://x/?SECRET_KEY=1\nCOLOR=#fff\nSAY='a # b'\nDJANGO_SECRET_KEY=x\n" + good, nil, nil, ""},
		{"healthy, CRLF", strings.ReplaceAll(good, "\n", "\r\n"), nil, nil, ""},
		{"healthy, other order", "JWT_SECRET_KEY=" + key + "\nSECRET_KEY=" + secret, nil, nil, ""},
		{"missing", only, nil, nil, "jwt-key-missing"},
		{"commented out", only + "# JWT_SECRET_KEY=" + key + "\n", nil, nil, "jwt-key-missing"},
		{"empty", only + "JWT_SECRET_KEY=\n", nil, nil, "jwt-key-empty:2"},
		{"only quotes", only + "JWT_SECRET_KEY=''\n", nil, nil, "jwt-key-empty:2"},
		{"equal", only + "JWT_SECRET_KEY=" + secret + "\n", nil, nil, "jwt-key-equals-secret-key:2"},
		{"short", only + "JWT_SECRET_KEY=" + key[:49] + "\n", nil, nil, "jwt-key-too-short:2"},
		{"just long enough", only + "JWT_SECRET_KEY=" + key[:50] + "\n", nil, nil, ""},
		{"placeholder", only + "JWT_SECRET_KEY=your-secret-key-here-change-me-please-change-me-please-00\n", nil, nil, "jwt-key-placeholder:2"},
		{"weak", only + "JWT_SECRET_KEY=" + strings.Repeat("abcd", 15) + "\n", nil, nil, "jwt-key-weak:2"},
		{"twice", only + "JWT_SECRET_KEY=" + key + "\nA=1\nJWT_SECRET_KEY=" + upper(key) + "\n", nil, nil, "jwt-key-duplicate:2"},
		{"no secret", "JWT_SECRET_KEY=" + key + "\n", nil, nil, "secret-key-missing"},
		{"empty secret", "SECRET_KEY=\nJWT_SECRET_KEY=" + key + "\n", nil, nil, "secret-key-missing:1"},
		{"placeholder secret", "SECRET_KEY=change-me\nJWT_SECRET_KEY=" + key + "\n", nil, nil, "secret-key-placeholder:1"},
		{"development secret", "SECRET_KEY=django-insecure-" + secret[:50] + "\nJWT_SECRET_KEY=" + key + "\n", nil, nil, "secret-key-insecure:1"},
		{"secret in the code", "JWT_SECRET_KEY=" + key + "\n", map[string]string{"backend/config/settings.py": "from decouple import config\nSECRET_KEY = 'django-insecure-" + secret[:40] + "'\nJ = config('JWT_SECRET_KEY')\n"}, nil, "secret-key-insecure:2"},
		{"secret by code", "JWT_SECRET_KEY=" + key + "\n", map[string]string{"backend/config/settings.py": "from decouple import config\nSECRET_KEY = make()\nJ = config('JWT_SECRET_KEY')\n"}, nil, ""},

		{"glued", only + "DEBUG=TrueJWT_SECRET_KEY=" + key + "\n", nil, nil, "line-glued:2"},
		{"glued to quotes", only + "DEBUG=\"True\"JWT_SECRET_KEY=" + key + "\n", nil, nil, "line-glued:2"},
		{"glued secret", "DEBUG=TrueSECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + key + "\n", nil, nil, "line-glued:1 secret-key-missing"},
		{"glued to a comment", only + "# the endJWT_SECRET_KEY=" + key + "\n", nil, nil, "jwt-key-missing line-glued:2"},
		{"bare", good + upper(key) + "\n", nil, nil, "line-bare:3"},
		{"bare, other alphabet", good + "x9$k(2)ab!cde&fgh1*Q=" + "jkl#mn%op^r+stu\n", nil, nil, ""},
		{"bare rest of a wrapped key", good + "Zm9vYmFyYmF6cXV4MTIzNA==\n", nil, nil, "line-bare:3"},
		{"bare words", good + "just a line that somebody wrote without a sign\nsettings-for-the-local-machine-of-ann\n/usr/local/share/some/long/path/that/is/bare1\n", nil, nil, ""},
		{"armoured key", good + "-----BEGIN KEY-----\n" + key[:64] + "\n-----END KEY-----\n", nil, nil, ""},
		{"export", only + "export JWT_SECRET_KEY=" + key + "\n", nil, nil, "key-unread:2"},
		{"colon", only + "JWT_SECRET_KEY: " + key + "\n", nil, nil, "key-unread:2"},
		{"lower case", only + "jwt_secret_key=" + key + "\n", nil, nil, "key-unread:2"},
		{"export beside a good one", "export JWT_SECRET_KEY=" + key + "\n" + good, nil, nil, ""},
		{"comment behind a number", good + "PORT=15  # minutes\n", nil, nil, "value-inline-comment:3"},
		{"quote", good + "A='b\n", nil, nil, "quote-unbalanced:3"},
		{"BOM", "\xef\xbb\xbfA=1\n" + good, nil, nil, "encoding-bom:1"},
		{"Latin-1", good + "NAME=Jos\xe9\n", nil, nil, "encoding-invalid:3"},
		{"no encoding, and a short key in the environment", only + "NAME=Jos\xe9\x00\n", nil, map[string]string{"JWT_SECRET_KEY": key[:20]}, "encoding-invalid:2 jwt-key-shadowed jwt-key-too-short secret-key-missing"},

		{"no file", "", map[string]string{"backend/.env": "-"}, nil, "env-file-missing jwt-key-missing"},
		{"no file, keys in the environment", "", map[string]string{"backend/.env": "-"}, map[string]string{"SECRET_KEY": secret, "JWT_SECRET_KEY": key}, ""},
		{"a folder", "", map[string]string{"backend/.env": "-", "backend/.env/": ""}, nil, "env-file-not-regular jwt-key-missing"},
		{"settings.ini", good, map[string]string{"backend/settings.ini": "[settings]\n"}, nil, "env-file-wrong-place"},
		{"settings.ini further up", good, map[string]string{"settings.ini": "[settings]\n"}, nil, ""},
		{"nearer and empty", good, map[string]string{"backend/config/.env": "A=1\n"}, nil, "env-file-wrong-place jwt-key-missing secret-key-missing"},
		{"nearer and complete", "A=1\n", map[string]string{"backend/config/.env": good}, nil, ""},
		{"another one for compose", good, map[string]string{".env": "SECRET_KEY=x\n"}, nil, ""},
		{"never looked at", "", map[string]string{"backend/.env": "-", "backend/docker/.env": good}, nil, "env-file-missing env-file-wrong-place jwt-key-missing"},

		{"shadowed", good, nil, map[string]string{"JWT_SECRET_KEY": stepstest.Key()}, "jwt-key-shadowed"},
		{"shadowed by nothing", good, nil, map[string]string{"JWT_SECRET_KEY": ""}, "jwt-key-shadowed"},
		{"an empty SECRET_KEY in the shell", good, nil, map[string]string{"SECRET_KEY": ""}, "secret-key-missing"},
		{"same in the environment", good, nil, map[string]string{"JWT_SECRET_KEY": key}, ""},
		{"only in the environment", only, nil, map[string]string{"JWT_SECRET_KEY": key}, ""},
		{"short in the environment", only, nil, map[string]string{"JWT_SECRET_KEY": key[:20]}, "jwt-key-shadowed jwt-key-too-short"},

		{"not shadowed where the file wins", good, map[string]string{"backend/config/settings.py": "from dotenv import load_dotenv\nload_dotenv(override=True)\nSECRET_KEY = os.environ['SECRET_KEY']\n"}, map[string]string{"JWT_SECRET_KEY": ""}, ""},
		{"shadowed where it does not", good, map[string]string{"backend/config/settings.py": "from dotenv import load_dotenv\nload_dotenv()\nSECRET_KEY = os.environ['SECRET_KEY']\n"}, map[string]string{"JWT_SECRET_KEY": ""}, "jwt-key-shadowed"},

		{"settings from before", good, map[string]string{"backend/config/settings.py": before}, nil, "settings-not-upgraded:7"},
		{"fallback in the default", good, map[string]string{"backend/config/settings.py": "from decouple import config\nSECRET_KEY = config('SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': config('JWT_SECRET_KEY', default=SECRET_KEY)}\n"}, nil, "settings-not-upgraded:3"},
		{"replaced later", good, map[string]string{"backend/config/settings.py": strings.Replace(upgraded, "'ALGORITHM': 'HS256'", "'SIGNING_KEY': SECRET_KEY", 1)}, nil, ""},
		{"in an imported module", good, map[string]string{"backend/config/settings.py": "-", "backend/config/settings/__init__.py": "from .dev import *\n", "backend/config/settings/dev.py": "from config.settings.base import *\n", "backend/config/settings/base.py": before}, nil, "settings-not-upgraded:7"},

		{"compose agrees", good, map[string]string{"docker-compose.yml": "services:\n  web:\n    env_file:\n      - backend/.env\n"}, nil, ""},
		{"compose disagrees", "SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + key + "$HOME\n", map[string]string{"docker-compose.yml": "services:\n  web:\n    env_file: ./backend/.env\n"}, map[string]string{"HOME": "/h"}, "value-dialect-ambiguous:2"},
		{"honcho cuts a word", "SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + key + "#" + key + "\n", map[string]string{"backend/Procfile": "web: gunicorn config.wsgi\n", "backend/Makefile": "run:\n\thoncho start\n"}, nil, "value-dialect-ambiguous:2"},
		{"a Procfile for another place", "SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + key + "#" + key + "\n", map[string]string{"backend/Procfile": "web: gunicorn config.wsgi\n"}, nil, ""},
		{"honcho takes quotes", "SECRET_KEY='" + secret + "#a'\nJWT_SECRET_KEY=" + key + "\n", map[string]string{"backend/Procfile.dev": "web: honcho\n"}, nil, ""},
		{"honcho alone hands over", "SECRET_KEY=" + secret + "#a\nJWT_SECRET_KEY=" + key + "\n", map[string]string{"backend/Procfile": "web: gunicorn config.wsgi\n", "backend/config/settings.py": "import os\nSECRET_KEY = os.environ['SECRET_KEY']\nJWT_SECRET_KEY = os.environ['JWT_SECRET_KEY']\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n"}, nil, "value-dialect-ambiguous:1"},
		{"not in compose", "SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + key + "$HOME\n", nil, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := lay(t, tree(tt.env, tt.more))
			run, events, err := lookStatic(t, filepath.Join(dir, "backend"), nil, tt.environ)
			if run.Project == nil {
				t.Fatal(err)
			}
			if got := codes(run.Project.Findings); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var failure *steps.Failure
			if shadowed := strings.Contains(tt.want, "jwt-key-shadowed"); errors.As(err, &failure) != shadowed || err != nil && !shadowed {
				t.Errorf("error %v", err)
			}
			said, unsaid := json.Marshal(events)
			if unsaid != nil {
				t.Fatal(unsaid)
			}
			text := string(said) + fmt.Sprint(err)
			for _, value := range []string{key, secret, upper(key), key[:20]} {
				if strings.Contains(text, value) {
					t.Error("a value is in what the step says")
				}
			}
			if run.Journal != nil || run.Django != nil {
				t.Error("a static look made a journal or started Django")
			}
		})
	}
}

func TestSeverities(t *testing.T) {
	t.Parallel()
	key, secret := stepstest.Key(), stepstest.Key()
	env := "SECRET_KEY=django-insecure-" + secret[:50] + "\nJWT_SECRET_KEY=" + key + "\nPORT=25 # mail\nNAME=ann # me\n"
	dir := lay(t, tree(env, nil))
	severity := func(fs []finding.Finding, code finding.Code, line int) finding.Severity {
		for _, f := range fs {
			if f.Code == code && f.Line == line {
				if code == finding.ValueInlineComment && f.Fixable != (f.Severity == finding.Error) { // it may be meant
					t.Errorf("line %d, a comment behind a value: fixable %t, %s", line, f.Fixable, f.Fix.Rendered())
				}
				return f.Severity
			}
		}
		return ""
	}
	run, _, err := lookStatic(t, dir, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := severity(run.Project.Findings, "value-inline-comment", 3); got != finding.Error {
		t.Errorf("a comment behind a number: %q", got)
	}
	if got := severity(run.Project.Findings, "value-inline-comment", 4); got != finding.Warning {
		t.Errorf("a comment behind a word: %q", got)
	}
	if got := severity(run.Project.Findings, "secret-key-insecure", 1); got != finding.Info {
		t.Errorf("a development key in development: %q", got)
	}
	run, _, err = lookStatic(t, dir, func(r *steps.Run) { r.Options.Environment = "staging" }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := severity(run.Project.Findings, "secret-key-insecure", 1); got != finding.Warning {
		t.Errorf("a development key elsewhere: %q", got)
	}
}

func TestGuess(t *testing.T) {
	t.Parallel()
	base := "from pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent.parent\n"
	old := "import os\nBASE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))\n"
	tests := []struct {
		name, settings string
		reader         envfile.Dialect
		want           string
	}{
		{"decouple", "from decouple import config\nA = config('A')\n", envfile.Decouple, ".env"},
		{"decouple with a path", base + "from decouple import AutoConfig\nconfig = AutoConfig(search_path=BASE_DIR / 'conf')\nA = config('A')\n", envfile.Decouple, "conf/.env"},
		{"decouple with a file", base + "from decouple import Config, RepositoryEnv\nconfig = Config(RepositoryEnv(BASE_DIR / 'dev.env'))\n", envfile.Decouple, "dev.env"},
		{"dotenv", "from dotenv import load_dotenv\nload_dotenv()\n", envfile.PythonDotenv, ".env"},
		{"dotenv with a path", base + "from dotenv import load_dotenv\nload_dotenv(BASE_DIR / '.env.local')\n", envfile.PythonDotenv, ".env.local"},
		{"dotenv with parents", strings.Replace(base, ".parent.parent", ".parents[1]", 1) + "from dotenv import load_dotenv\nload_dotenv(BASE_DIR / '.env.local')\n", envfile.PythonDotenv, ".env.local"},
		{"dotenv with the first parent", strings.Replace(base, ".parent.parent", ".parents[0]", 1) + "from dotenv import load_dotenv\nload_dotenv(BASE_DIR / '.env.local')\n", envfile.PythonDotenv, "config/.env.local"},
		{"dotenv with a parent's parents", strings.Replace(base, ".parent.parent", ".parent.parents[0]", 1) + "from dotenv import load_dotenv\nload_dotenv(BASE_DIR / '.env.local')\n", envfile.PythonDotenv, ".env.local"},
		{"dotenv with join", old + "from dotenv import load_dotenv\nload_dotenv(dotenv_path=os.path.join(BASE_DIR, 'env', '.env'))\n", envfile.PythonDotenv, "env/.env"},
		{"dotenv with a name that is filled in", base + "from dotenv import dotenv_values\nimport os\nNAME = os.getenv('NAME', '.env.test')\nA = dotenv_values(BASE_DIR / f'{NAME}')\n", envfile.PythonDotenv, ".env"},
		{"environ", "import environ\nenviron.Env.read_env()\n", envfile.DjangoEnviron, "config/.env"},
		{"environ with a path", base + "import environ\nenv = environ.Env()\nenv.read_env(str(BASE_DIR / \".env\"))\n", envfile.DjangoEnviron, ".env"},
		{"environ unused for files", base + "import environ\nenv = environ.Env()\n", envfile.Shell, ".env"},
		{"plain", "import os\nA = os.environ['A']\n", envfile.Shell, ".env"},
		{"in a comment", "# from decouple import config\nimport os\n", envfile.Shell, ".env"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := lay(t, map[string]string{"manage.py": manage, "config/settings.py": tt.settings, "conf/": "", "env/": ""})
			run, _, err := lookStatic(t, dir, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			env := run.Project.EnvFile
			if env.Readers[0] != tt.reader || env.Path != filepath.Join(dir, filepath.FromSlash(tt.want)) || env.Found == "" {
				t.Errorf("%v %s (%s), want %s %s", env.Readers, env.Path, env.Found, tt.reader, tt.want)
			}
		})
	}
}

func TestEnvFileOption(t *testing.T) {
	t.Parallel()
	good := "SECRET_KEY=" + stepstest.Key() + "\nJWT_SECRET_KEY=" + stepstest.Key() + "\n"
	dir := lay(t, tree(good, map[string]string{"backend/.env.staging": good}))
	asked := filepath.Join(dir, "backend", ".env.staging")
	for environment, want := range map[string]string{"": "env-file-wrong-place", "staging": ""} {
		run, _, err := lookStatic(t, dir, func(r *steps.Run) { r.Options.EnvFile, r.Options.Environment = asked, environment }, nil)
		if err != nil {
			t.Fatal(err)
		}
		if run.Project.EnvFile.Path != asked || run.Project.EnvFile.Found != "--env-file" || codes(run.Project.Findings) != want {
			t.Errorf("%q: %s, %s", environment, run.Project.EnvFile.Path, codes(run.Project.Findings))
		}
	}
}

// A .env that the reader finds above the project is no file of the project's.
func TestAnEnvFileOutsideTheProject(t *testing.T) {
	t.Parallel()
	dir := lay(t, map[string]string{".env": "A=1\n", "shop/.env": "A=1\n"})
	for path, want := range map[string]string{".env": "env-file-wrong-place", "shop/.env": ""} {
		top := filepath.Join(dir, "shop")
		d := &diagnosis{run: newRun(t), project: &steps.Project{Root: top, TopLevel: top, EnvFile: steps.EnvFile{Path: filepath.Join(dir, filepath.FromSlash(path)), Readers: []envfile.Dialect{envfile.Decouple}}}}
		if d.judgePlace(); codes(d.found) != want {
			t.Errorf("%s: findings %q, want %q", path, codes(d.found), want)
		}
	}
}

// Of the files that were opened the one with the key counts, then one with SECRET_KEY,
// then the first.
func TestWhichOfTheOpenedFilesCounts(t *testing.T) {
	t.Parallel()
	dir := lay(t, map[string]string{"none": "A=1\n", "other": "B=1\n", "secret": "SECRET_KEY=x\n", "both": "SECRET_KEY=x\nJWT_SECRET_KEY=y\n", "settings.ini": "[settings]\n"})
	for files, want := range map[string]string{"none other": "none", "none secret": "secret", "secret both": "both", "both secret none": "both", "settings.ini secret": "secret"} {
		var all []string
		for _, f := range strings.Fields(files) {
			all = append(all, filepath.Join(dir, f))
		}
		if env, hidden := opened(steps.GuideNames, all); filepath.Base(env) != want || hidden != "" {
			t.Errorf("%s: %s, %s", files, env, hidden)
		}
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run := &steps.Run{Options: steps.Options{Folder: lay(t, tree("A=1\n", nil)), Static: true, ReadOnly: true}}
	if err := (&Step{}).Apply(ctx, run, func(steps.Event) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

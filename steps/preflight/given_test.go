package preflight

import (
	"cmp"
	"encoding/base64"
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
	"dj/keysplit/steps/stepstest/djangotest"
	places "dj/keysplit/steps/write"
)

// Where a backend gets its key from decides what is wrong with it, and whether a key
// that keysplit writes would be read.
func TestWhereTheBackendGetsItsKey(t *testing.T) {
	t.Parallel()
	const (
		files = "def secret(name):\n    with open(os.environ.get(name + '_FILE', BASE_DIR / 'secrets' / name.lower())) as f:\n        return f.read().strip()\nSECRET_KEY = 'django-insecure-0123456789-abcdefghijklmnopqrstuvwxyz'\nTOKENS = secret('JWT_SECRET_KEY')\nif len(TOKENS) < 50:\n    raise RuntimeError('JWT_SECRET_KEY must have 50 characters')\n"
		plain = "SECRET_KEY = os.environ.get('SECRET_KEY', 'a-key-of-this-laptop-0123456789-abcdefghijklmnop')\n"
		sign  = "SIMPLE_JWT['SIGNING_KEY'] = TOKENS\n"
		asks  = "SIMPLE_JWT['SIGNING_KEY'] = os.environ['JWT_SECRET_KEY']\n"
	)
	for what, c := range stepstest.Part(5, map[string]struct {
		head, sign string
		files      map[string]string // {SECRET_KEY} and {KEY} are filled in
		kind       steps.SourceKind
		codes      string
		takes      bool // a key that keysplit writes would be read
		brings     bool // the good key is there already
	}{
		"a file of one value":        {files, sign, map[string]string{"secrets/jwt_secret_key": "{KEY}\n"}, steps.ValueFile, "secret-key-insecure", false, true},
		"one with a short value":     {files, sign, map[string]string{"secrets/jwt_secret_key": "Kx83jQpe\n"}, steps.ValueFile, "jwt-key-too-short secret-key-insecure", false, false},
		"one that is not there":      {files, sign, map[string]string{"secrets/x": ""}, steps.ValueFile, "jwt-key-missing secret-key-insecure", false, false},
		"what the settings compute":  {"import base64\nSECRET_KEY = 'a-key-of-this-laptop-0123456789-abcdefghijklmnop'\nTOKENS = base64.b64decode((BASE_DIR / 'coded').read_text()).decode()\n", sign, map[string]string{"coded": "{CODED}"}, steps.FromCode, "", false, false},
		"a file of the project's":    {"import json\nKEYS = json.loads((BASE_DIR / 'keys.json').read_text())\nSECRET_KEY, TOKENS = KEYS['a'], KEYS['b']\n", sign, map[string]string{"keys.json": `{"a": "{SECRET_KEY}", "b": "{KEY}"}`}, steps.FromCode, "", false, false},
		"one without the key":        {"import json\nKEYS = json.loads((BASE_DIR / 'keys.json').read_text())\nSECRET_KEY = KEYS['a']\n", asks, map[string]string{"keys.json": `{"a": "{SECRET_KEY}"}`}, steps.NothingReads, "jwt-key-missing", false, false},
		"a folder of values":         {"SECRET_KEY = (BASE_DIR / 'keys/a').read_text().strip()\n", asks, map[string]string{"keys/a": "{SECRET_KEY}\n"}, steps.NothingReads, "jwt-key-missing", false, false},
		"a parameter's name":         {"SECRET_KEY = 'a-key-of-this-laptop-0123456789-abcdefghijklmnop'\nimport base64\nSTORE = {'/shop/jwt': base64.b64decode((BASE_DIR / 'coded').read_text()).decode()}\nTOKENS = STORE[os.environ.get('SSM_KEY_NAME_JWT', '/shop/jwt')]\n", sign, map[string]string{"coded": "{CODED}"}, steps.FromCode, "", false, false},
		"the environment alone":      {plain, asks, nil, steps.NothingReads, "jwt-key-missing", false, false},
		"a .env that is not loaded":  {plain, asks, map[string]string{".env": "JWT_SECRET_KEY={KEY}\n"}, steps.NothingReads, "jwt-key-missing", false, false},
		"a reader that is told not":  {"import environ\nenv = environ.Env()\nif env.bool('READ_DOT_ENV_FILE', default=False):\n    env.read_env(BASE_DIR / '.env')\nSECRET_KEY = 'a-key-of-this-laptop-0123456789-abcdefghijklmnop'\n", "SIMPLE_JWT['SIGNING_KEY'] = env('JWT_SECRET_KEY')\n", nil, steps.NothingReads, "jwt-key-missing", false, false},
		"a reader that found none":   {"from dotenv import load_dotenv\nload_dotenv(BASE_DIR / '.env')\n" + plain, asks, nil, "", "env-file-missing jwt-key-missing", true, false},
		"a file that gives another":  {"from dotenv import dotenv_values\nSECRET_KEY = dotenv_values(BASE_DIR / '.env')['SECRET_KEY']\n", asks, map[string]string{".env": "SECRET_KEY={SECRET_KEY}\n"}, steps.Unseen, "jwt-key-missing", false, false},
		"dynaconf's own file":        {"from dynaconf import Dynaconf\ncfg = Dynaconf(envvar_prefix=False, settings_files=['.secrets.toml'], root_path=str(BASE_DIR))\nSECRET_KEY = cfg.SECRET_KEY\n", "SIMPLE_JWT['SIGNING_KEY'] = cfg.JWT_SECRET_KEY\n", map[string]string{".secrets.toml": "SECRET_KEY = '{SECRET_KEY}'\n"}, steps.NothingReads, "jwt-key-missing", false, false},
		"a program that gives them":  {"import environ\nenv = environ.Env()\nenv.read_env(BASE_DIR / 'conf/.env')\nSECRET_KEY = env('SECRET_KEY', default='a-key-of-this-laptop-0123456789-abcdefghijklmnop')\n", "SIMPLE_JWT['SIGNING_KEY'] = env('JWT_SECRET_KEY')\n", map[string]string{"conf/a": "", "Procfile": "web: chamber exec shop -- gunicorn config.wsgi\n"}, steps.Launched, "jwt-key-missing", false, false},
		"another program's variable": {"from dotenv import load_dotenv\nload_dotenv(BASE_DIR / '.env')\n" + plain, asks, map[string]string{".env": "SECRET_KEY=op://a/b/c\nJWT_SECRET_KEY=op://a/b/d\n"}, "", "env-file-managed", false, false},
	}) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Generation: djangotest.Field, NoEnv: true})
			shape(t, p, c.head, c.sign)
			for name, text := range c.files {
				write(t, filepath.Join(p.Root, name), strings.NewReplacer("{SECRET_KEY}", p.SecretKey, "{KEY}", p.Key, "{CODED}", base64.StdEncoding.EncodeToString([]byte(p.Key))).Replace(text))
			}
			run, _, err := apply(t, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := run.Project.Source.Kind; got != c.kind {
				t.Errorf("source %q, want %q", got, c.kind)
			}
			if n := run.Names(); n != steps.GuideNames {
				t.Errorf("names %+v", n)
			}
			if s := run.Project.Source; (s.File+s.SecretKey.File != "") != (c.files["keys.json"]+c.files["keys/a"]+c.files[".secrets.toml"] != "" || s.Kind == steps.ValueFile || s.Kind == steps.Unseen) {
				t.Errorf("source %+v", s)
			}
			if got := codesAlone(run.Project.Findings); got != c.codes {
				t.Errorf("findings %s, want %s", got, c.codes)
			}
			home := run.Home()
			keys, err := home.Found()
			if err != nil {
				t.Fatal(err)
			}
			if err := home.Takes(keys); (err == nil) != c.takes {
				t.Errorf("takes a key: %v", err)
			}
			if _, brings := home.Brings(run.Secret(p.Key)); brings != c.brings {
				t.Errorf("brings the key: %t", brings)
			}
			if home.Sealed() != (c.kind == steps.FromCode) {
				t.Errorf("sealed: %t", home.Sealed())
			}
		})
	}
}

// What hands a .env over is a file that speaks of one; pipenv does so unasked.
func TestWhatHandsAFileOver(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"": false, "Pipfile": true, "Makefile": false, "Justfile": true} {
		text := map[string]string{"Justfile": "set dotenv-load\n"}[name]
		root := lay(t, map[string]string{cmp.Or(name, "readme"): text})
		if got := handedOver(&steps.Project{Root: root, TopLevel: root}); got != want {
			t.Errorf("with %q: %t", name, got)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A file that a shell has read belongs to the backend, wherever it is; one of the same
// name that it has not is none of it.
func TestAShellReadsTheFile(t *testing.T) {
	t.Parallel()
	const settings = "import os\nSECRET_KEY = os.environ['SECRET_KEY']\nSIMPLE_JWT = {'SIGNING_KEY': os.environ['JWT_SECRET_KEY']}\n"
	for what, c := range map[string]struct {
		file, text string
		set        bool // the shell has SECRET_KEY as the file sets it
		want       string
	}{
		".env":            {".env", "export SECRET_KEY={SECRET_KEY}\n", true, ".env"},
		"direnv":          {".envrc", "layout python\nexport SECRET_KEY='{SECRET_KEY}'\n", true, ".envrc"},
		"another shell's": {".envrc", "export SECRET_KEY={SECRET_KEY}\n", false, ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := lay(t, map[string]string{"manage.py": "import django, os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')\n", "config/settings.py": settings})
			secretKey := stepstest.Key()
			write(t, filepath.Join(dir, c.file), strings.ReplaceAll(c.text, "{SECRET_KEY}", secretKey))
			run := newRun(t)
			run.Options.Folder, run.Options.Static = dir, true
			run.Environ = func(name string) (string, bool) { return secretKey, c.set && name == "SECRET_KEY" }
			t.Cleanup(run.Close)
			if err := (&Step{}).Apply(t.Context(), run, func(steps.Event) {}); err != nil {
				t.Fatal(err)
			}
			env := run.Project.EnvFile
			if env.Sourced != (c.want != "") || env.Sourced && run.Project.Rel(env.Path) != c.want {
				t.Errorf("%s, sourced %t", env.Path, env.Sourced)
			}
			if handed := run.HandedIn(run.Project); len(handed) != 0 {
				t.Errorf("%d variables are handed in that the shell has", len(handed))
			}
			write(t, env.Path, "export SECRET_KEY="+secretKey+"\nexport JWT_SECRET_KEY=new\n")
			if handed := run.HandedIn(run.Project); (handed["JWT_SECRET_KEY"] == "new") != env.Sourced {
				t.Errorf("the new key is handed in: %t", !env.Sourced)
			}
		})
	}
}

// Settings that read the environment alone get the variables of a file that the user names as
// the place, as what starts the backend hands them over: Docker Compose, read as that does it.
func TestANamedPlaceIsHandedOver(t *testing.T) {
	t.Parallel()
	const text = "SECRET_KEY=a(b&c%s!\nMAIL=Foo Bar <a@b.c>\n" // no shell takes it
	fills := "services:\n  web:\n    build: .\n    environment:\n      SECRET_KEY: ${SECRET_KEY}\n      JWT_SECRET_KEY: ${JWT_SECRET_KEY:-}\n"
	for what, c := range map[string]struct {
		compose, place, envFile string
		starts                  bool // Django is started, which fails without SECRET_KEY
	}{
		"what fills in":       {fills, "compose:compose.yaml#web", "", true},
		"an env_file":         {"services:\n  web:\n    build: .\n    env_file: .env\n", "compose:compose.yaml", "", false},
		"the file itself":     {"services:\n  web:\n    build: .\n    env_file: .env\n", "dotenv:.env", "", false},
		"the file, by a flag": {"services:\n  web:\n    build: .\n    env_file: .env\n", "", ".env", false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Generation: djangotest.Field, NoEnv: true})
			shape(t, p, "SECRET_KEY = os.environ['SECRET_KEY']\n", "SIMPLE_JWT['SIGNING_KEY'] = os.environ['JWT_SECRET_KEY']\n")
			write(t, filepath.Join(p.Root, "compose.yaml"), c.compose)
			write(t, filepath.Join(p.Root, ".env"), fmt.Sprintf(text, stepstest.Key()))
			run, _, err := apply(t, p, func(run *steps.Run) {
				run.Options.Static = !c.starts
				if c.place != "" {
					targets, err := places.Targets([]string{c.place})
					if err != nil {
						t.Fatal(err)
					}
					run.Options.Targets, run.Targets = targets, targets
				} else {
					run.Options.EnvFile = filepath.Join(p.Root, c.envFile)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			env := run.Project.EnvFile
			if run.Project.Source.Kind != "" || !env.Sourced || !slices.Equal(env.Readers, []envfile.Dialect{envfile.Compose}) {
				t.Errorf("source %q, handed over %t, read as %s", run.Project.Source.Kind, env.Sourced, env.Readers)
			}
			if f, _ := finding.First(run.Project.Findings, finding.JWTKeyMissing); !f.Fixable {
				t.Errorf("findings %s", codesAlone(run.Project.Findings))
			}
			if handed := run.HandedIn(run.Project); len(handed) != 2 {
				t.Errorf("%d variables are handed in", len(handed))
			}
		})
	}
}

// What starts the backend hands the variables of a file over: that is the place then, and
// what Django is given. A starter that only names a file, or has one made, hands over none.
func TestAStarterHandsTheFileOver(t *testing.T) {
	t.Parallel()
	const both = "backend/.env"
	secretKey := stepstest.Key()
	for what, c := range map[string]struct {
		files  map[string]string // below the top level; {SECRET_KEY} is filled in
		want   string            // the file, "" for none
		reader envfile.Dialect
		lacks  bool // it has no SECRET_KEY
	}{
		"just":                        {map[string]string{"backend/justfile": "set dotenv-load\n\nrun:\n    python manage.py runserver\n"}, both, envfile.Godotenv, false},
		"just, of the top":            {map[string]string{"justfile": "set dotenv-load := true\n", ".env": "SECRET_KEY={SECRET_KEY}\n"}, ".env", envfile.Godotenv, false},
		"just, another file":          {map[string]string{"backend/justfile": "set dotenv-filename := \"dev.env\"\n", both: "-", "backend/dev.env": "SECRET_KEY={SECRET_KEY}\n"}, "backend/dev.env", envfile.Godotenv, false},
		"just, none yet":              {map[string]string{"backend/justfile": "set dotenv-load\n", both: "-"}, both, envfile.Godotenv, true},
		"just, switched off":          {map[string]string{"backend/justfile": "set dotenv-load := false\n", both: "DEBUG=1\n"}, "", "", false},
		"honcho, foreman, heroku":     {map[string]string{"backend/Procfile": "web: gunicorn config.wsgi\n"}, both, envfile.PythonDotenv, false},
		"a Procfile alone":            {map[string]string{"backend/Procfile": "web: gunicorn config.wsgi\n", both: "-"}, "", "", false},
		"of the top folder":           {map[string]string{"Procfile.dev": "web: cd backend && python manage.py runserver\n", both: "-", ".env": "SECRET_KEY={SECRET_KEY}\n"}, ".env", envfile.PythonDotenv, false},
		"pipenv":                      {map[string]string{"backend/Pipfile": "[packages]\n"}, both, envfile.PythonDotenv, false},
		"make":                        {map[string]string{"backend/Makefile": "-include .env\nexport\n"}, both, envfile.PythonDotenv, false},
		"a shell of make":             {map[string]string{"backend/Makefile": "run:\n\tset -a; . ./.env; python manage.py runserver\n"}, both, envfile.Shell, false},
		"Task":                        {map[string]string{"Taskfile.yml": "version: '3'\ndotenv: ['backend/.env']\n"}, both, envfile.Godotenv, false},
		"mise":                        {map[string]string{"mise.toml": "[env]\n_.file = 'backend/.env'\n"}, both, envfile.Godotenv, false},
		"uv":                          {map[string]string{"backend/Makefile": "run:\n\tuv run --env-file .env manage.py runserver\n"}, both, envfile.PythonDotenv, false},
		"an editor":                   {map[string]string{".vscode/launch.json": "{\"envFile\": \"${workspaceFolder}/backend/.env\"}\n"}, both, envfile.PythonDotenv, false},
		"a service":                   {map[string]string{"backend/compose.yml": "services:\n  web:\n    env_file: .env\n"}, both, envfile.Compose, false},
		"compose, a file without any": {map[string]string{"backend/compose.yml": "services:\n  db:\n    env_file: .env\n", both: "POSTGRES_DB=a\n"}, "", "", false},
		"a copy of an example":        {map[string]string{"backend/Makefile": "init:\n\tcp .env.example .env\n", both: "DEBUG=1\n", "backend/.env.example": "SECRET_KEY=changeme\n"}, "", "", false},
		"a container's alone":         {map[string]string{"backend/Makefile": "up:\n\tdocker compose --env-file .env up\n", both: "TAG=1\n"}, "", "", false},
	} {
		files := tree("SECRET_KEY={SECRET_KEY}\nMAIL=Foo Bar <a@b.c>\n", map[string]string{"backend/config/settings.py": "import os\nSECRET_KEY = os.environ['SECRET_KEY']\nJWT_SECRET_KEY = os.environ['JWT_SECRET_KEY']\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n"})
		for name, text := range c.files {
			if files[name] = strings.ReplaceAll(text, "{SECRET_KEY}", secretKey); text == "-" {
				delete(files, name)
			}
		}
		if text, ok := files[both]; ok {
			files[both] = strings.ReplaceAll(text, "{SECRET_KEY}", secretKey)
		}
		dir := lay(t, files)
		run, _, err := lookStatic(t, filepath.Join(dir, "backend"), nil, nil)
		if err != nil {
			t.Fatal(what, err)
		}
		env := run.Project.EnvFile
		if got := env.Sourced; got != (c.want != "") || got && (run.Project.Rel(env.Path) != c.want || env.Readers[0] != c.reader) {
			t.Errorf("%s: %s, read as %s, handed over %t", what, env.Path, env.Readers, env.Sourced)
		}
		if handed := run.HandedIn(run.Project)["SECRET_KEY"]; c.want != "" && !c.lacks && c.reader != envfile.Shell && handed != secretKey {
			t.Errorf("%s: SECRET_KEY is not what Django is given", what)
		}
	}
}

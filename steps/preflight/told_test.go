package preflight

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// What the settings' own text tells of the file that their reader opens: a .env that
// lies there and is not that one is none of the backend.
func TestWhichFileTheTextReads(t *testing.T) {
	t.Parallel()
	const (
		dotenv = "from dotenv import load_dotenv\nimport os\nfrom pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent.parent\n"
		env    = "import environ\nimport os\nroot = environ.Path(__file__) - 2\nenv = environ.FileAwareEnv(SHOP_SECRET_KEY=(str, ''))\n"
		keys   = "SECRET_KEY = os.environ['SECRET_KEY']\nJWT_SECRET_KEY = os.environ['JWT_SECRET_KEY']\n"
		none   = "(none)"
	)
	for what, c := range map[string]struct {
		settings string
		files    map[string]string
		environ  map[string]string
		want     string // relative, or none where nothing reads a file
	}{
		"the environment alone":            {"import os\n" + keys, nil, nil, none},
		"a reader that is not known":       {"import os, own\nown.load('.env')\n" + keys, nil, nil, "backend/.env"},
		"components":                       {"import os\nfrom split_settings.tools import include\ninclude('components/*.py')\n" + keys, nil, nil, "backend/.env"},
		"a Makefile that hands it":         {"import os\n" + keys, map[string]string{"backend/Makefile": "include .env\nexport\nrun:\n\tpython manage.py runserver\n"}, nil, "backend/.env"},
		"a Makefile that does not":         {"import os\n" + keys, map[string]string{"backend/Makefile": "run:\n\tpython manage.py runserver\n"}, nil, none},
		"packages that read one":           {"import os\n" + keys, map[string]string{"backend/pyproject.toml": "[project]\ndependencies = [\n    \"python-dotenv>=1.0\",\n]\n", "package.json": "{\"dependencies\": {\"dotenv\": \"^16\"}}\n"}, nil, none},
		"Task, which does":                 {"import os\n" + keys, map[string]string{"backend/Taskfile.yml": "dotenv: ['.env']\n"}, nil, "backend/.env"},
		"pipenv":                           {"import os\n" + keys, map[string]string{"Pipfile": "[packages]\n"}, nil, "backend/.env"},
		"a variable that is not set":       {dotenv + "path = os.environ.get('DOTENV_PATH')\nif path:\n    load_dotenv(path)\n" + keys, nil, nil, none},
		"on one line":                      {dotenv + "dotenv_path = os.environ.get('DOTENV_PATH')\nif dotenv_path: load_dotenv(dotenv_path=dotenv_path)\n" + keys, nil, nil, none},
		"one that is set":                  {dotenv + "path = os.environ.get('DOTENV_PATH')\nif path:\n    load_dotenv(path)\n" + keys, map[string]string{"backend/own.env": "A=b\n"}, map[string]string{"DOTENV_PATH": "own.env"}, "backend/own.env"},
		"straight, which searches":         {dotenv + "load_dotenv(os.environ.get('DOTENV_PATH'))\n" + keys, nil, nil, "backend/.env"},
		"with a default":                   {dotenv + "load_dotenv(os.getenv('DOTENV_PATH', BASE_DIR / '.env.local'))\n" + keys, map[string]string{"backend/.env.local": "A=b\n"}, nil, "backend/.env.local"},
		"a list, none is there":            {dotenv + "for path in [os.getenv('CONF'), '../shop.conf', '/no/shop.conf']:\n    if path and os.path.exists(path):\n        load_dotenv(path)\n        break\n" + keys, nil, nil, none},
		"a list, the second is there":      {dotenv + "for path in (\n    '../shop.conf',\n    '../own.conf',\n):\n    if os.path.exists(path):\n        load_dotenv(path)\n" + keys, map[string]string{"own.conf": "A=b\n"}, nil, "own.conf"},
		"a switch that is off":             {dotenv + "if os.environ.get('READ_ENV') == 'yes':\n    load_dotenv(BASE_DIR / '.env.prod')\n" + keys, nil, nil, none},
		"where it is there":                {dotenv + "if (BASE_DIR / '.env.prod').exists():\n    load_dotenv(BASE_DIR / '.env.prod')\n" + keys, nil, nil, "backend/.env.prod"},
		"options only":                     {dotenv + "load_dotenv(override=True)\n" + keys, nil, nil, "backend/.env"},
		"django-environ, a folder is lost": {env + "if 'SHOP_ENV' in os.environ:\n    env.read_env(root('conf/env/' + env.str('SHOP_ENV', '.env.prod')))\nSECRET_KEY = env('SHOP_SECRET_KEY')\n", nil, nil, none},
		"a database's search_path":         {"from decouple import config\nDATABASES = {'default': {'OPTIONS': {'options': '-c search_path=public,shop'}}}\nSECRET_KEY = config('SECRET_KEY')\n", nil, nil, "backend/.env"},
		"a name from elsewhere":            {dotenv + "from own import path\nload_dotenv(path)\n" + keys, nil, nil, "backend/.env"},
		"django-environ, its path":         {env + "env.read_env(root('conf/.env'))\nSECRET_KEY = env('SHOP_SECRET_KEY')\n", map[string]string{"backend/conf/.env": "A=b\n"}, nil, "backend/conf/.env"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"backend/config/settings.py": c.settings}
			for name, text := range c.files {
				files[name] = text
			}
			dir := lay(t, tree("COMPOSE_PROJECT_NAME=shop\n", files))
			run, _, err := lookStatic(t, filepath.Join(dir, "backend"), nil, c.environ)
			if err != nil {
				t.Fatal(err)
			}
			got := run.Project.Rel(run.Project.EnvFile.Path)
			if run.Project.Source.Kind == steps.NothingReads {
				got = none
			}
			if got != c.want {
				t.Errorf("%s, want %s; %s", got, c.want, codes(run.Project.Findings))
			}
			if c.want == none && got == none && codes(run.Project.Findings) != "jwt-key-missing" {
				t.Errorf("findings about a file that nothing reads: %s", codes(run.Project.Findings))
			}
		})
	}
}

// Docker makes a folder where a file that it is to mount is missing. Readers pass it
// over, and so it is only a fault where the key would have to be in it.
func TestAFolderInThePlaceOfTheFile(t *testing.T) {
	t.Parallel()
	secretKey, key := stepstest.Key(), stepstest.Key()
	const plain = "import os\nSECRET_KEY = os.environ['SECRET_KEY']\nJWT_SECRET_KEY = os.environ['JWT_SECRET_KEY']\n"
	for what, c := range map[string]struct {
		settings string
		environ  map[string]string
		codes    string
		severity finding.Severity
	}{
		"without keys":         {upgraded, nil, "env-file-not-regular jwt-key-missing", finding.Error},
		"with keys elsewhere":  {upgraded, map[string]string{"SECRET_KEY": secretKey, "JWT_SECRET_KEY": key}, "env-file-not-regular", finding.Warning},
		"where nothing reads":  {plain, nil, "jwt-key-missing", ""},
		"and the keys are set": {plain, map[string]string{"SECRET_KEY": secretKey, "JWT_SECRET_KEY": key}, "", ""},
		"and a short one is":   {plain, map[string]string{"SECRET_KEY": secretKey, "JWT_SECRET_KEY": "Kx83jQpe"}, "jwt-key-too-short", ""},
	} {
		files := tree("-", map[string]string{"backend/.env": "-", "backend/config/settings.py": c.settings})
		dir := lay(t, files)
		if err := os.Mkdir(filepath.Join(dir, "backend", ".env"), 0o700); err != nil {
			t.Fatal(err)
		}
		run, _, err := lookStatic(t, dir, nil, c.environ)
		if err != nil {
			t.Fatal(what, err)
		}
		if got := codes(run.Project.Findings); got != c.codes {
			t.Errorf("%s: %s, want %s", what, got, c.codes)
		}
		for _, f := range run.Project.Findings {
			if f.Code == finding.EnvFileNotRegular && (f.Severity != c.severity || !strings.Contains(f.Fix.Rendered(), "rmdir ")) {
				t.Errorf("%s: %s, %s", what, f.Severity, f.Fix.Rendered())
			}
		}
	}
}

// A .env that git tracks and that only compose reads is called that, where it has one of
// the keys in it, and nothing else is said of it.
func TestATrackedFileThatComposeFillsIn(t *testing.T) {
	t.Parallel()
	const plain = "SECRET_KEY = os.environ.get('SECRET_KEY', 'a-key-of-this-laptop-0123456789-abcdefghijklmnop')\nJWT_SECRET_KEY = os.environ.get('JWT_SECRET_KEY')\nINSTALLED_APPS += ['rest_framework', 'rest_framework_simplejwt']\nif JWT_SECRET_KEY:\n    SIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n"
	compose := func(value string) string {
		return "services:\n  web:\n    image: shop\n    environment:\n      SECRET_KEY: " + value + "\n"
	}
	for what, c := range map[string]struct{ env, compose, want string }{
		"a key":            {"TAG=1\nSECRET_KEY={SECRET_KEY}\n", compose("$SECRET_KEY"), "env-file-tracked-by-git:2"},
		"a key, a default": {"SECRET_KEY={SECRET_KEY}\n", compose("${SECRET_KEY:-x}"), "env-file-tracked-by-git:1"},
		"a placeholder":    {"SECRET_KEY=changeme\n", compose("$SECRET_KEY"), ""},
		"nothing of keys":  {"COMPOSE_PROJECT_NAME=shop\n", compose("x"), ""},
		"no interpolation": {"SECRET_KEY={SECRET_KEY}\n", compose("x"), ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := bare(t, plain, map[string]string{".gitignore": "", ".env": c.env, "docker-compose.yml": c.compose})
			for _, committed := range []bool{false, true} {
				run, _, err := apply(t, p, func(run *steps.Run) { run.Options.Static, run.Options.Committed = true, committed })
				if err != nil {
					t.Fatal(err)
				}
				want := c.want
				if !committed {
					want = strings.TrimSpace(want + " jwt-key-missing")
				}
				if got := codes(run.Project.Findings); got != want {
					t.Errorf("committed %t: %s, want %s", committed, got, want)
				}
			}
		})
	}
}

// A file of references that is handed over is its program's, and in order where it is
// committed with one for each key.
func TestReferencesThatAreHandedOver(t *testing.T) {
	t.Parallel()
	const one, both = "SECRET_KEY=op://Shop/Dev :: App/SECRET_KEY\n", "SECRET_KEY=op://a/b/c\nJWT_SECRET_KEY=op://a/b/d\n"
	for what, c := range map[string]struct {
		file, text string
		committed  bool
		want       string
	}{
		"by a Makefile":            {".env.op", both, false, "env-file-managed"},
		"committed":                {".env.op", both, true, ""},
		"committed, without a key": {".env.op", one, true, "env-file-managed"},
		"the .env, committed":      {".env", both, true, ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := lay(t, map[string]string{
				".git/HEAD": "", "manage.py": manage, "config/__init__.py": "", c.file: c.text,
				"config/settings.py": "import os\nSECRET_KEY = os.environ['SECRET_KEY']\nJWT_SECRET_KEY = os.environ['JWT_SECRET_KEY']\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n",
				"Makefile":           "run:\n\top run --env-file=" + c.file + " -- uv run python manage.py runserver\n",
			})
			if err := os.Chmod(filepath.Join(dir, c.file), 0o644); err != nil {
				t.Fatal(err)
			}
			run, _, err := lookStatic(t, dir, func(run *steps.Run) { run.Options.Committed = c.committed }, nil)
			if got := codes(run.Project.Findings); err != nil || got != c.want {
				t.Errorf("%q, want %q, %v", got, c.want, err)
			}
		})
	}
}

// A .env that is made from a template of references loses what is written there alone: the
// template is the place, and what is read is the .env.
func TestATemplateOfReferences(t *testing.T) {
	t.Parallel()
	secretKey, key := stepstest.Key(), stepstest.Key()
	const one, both = "SECRET_KEY={{ op://a/b/c }}\n", "SECRET_KEY={{ op://a/b/c }}\nJWT_SECRET_KEY={{ op://a/b/d }}\n"
	const again, run, add = "op inject -f -i ", "op run --env-file=", "add a line to "
	for what, c := range map[string]struct{ template, env, want, fix, not string }{
		"no key":               {one, "SECRET_KEY=" + secretKey + "\n", "env-file-managed", add, run},
		"a good key":           {both, "SECRET_KEY=" + secretKey + "\nJWT_SECRET_KEY=" + key + "\n", "", "", ""},
		"one that is old":      {both, "SECRET_KEY=" + secretKey + "\nJWT_SECRET_KEY=" + key[:40] + "\n", "jwt-key-too-short:2", again, add},
		"not made again":       {both, "SECRET_KEY=" + secretKey + "\n", "env-file-managed", again, add},
		"not made":             {both, "", "env-file-managed", again, run},
		"for a program to run": {"SECRET_KEY=op://a/b/c\nJWT_SECRET_KEY=op://a/b/d\n", "", "env-file-managed", run, again},
		"a broken .env":        {both, "SECRET_KEY=" + secretKey + "\nJWT_SECRET_KEY=" + key + "\nA='b\n", "quote-unbalanced:3", "", ""},
	} {
		files := map[string]string{"manage.py": manage, "config/__init__.py": "", ".env.tpl": c.template,
			"config/settings.py": "from decouple import config\nSECRET_KEY = config('SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': config('JWT_SECRET_KEY')}\n"}
		if c.env != "" {
			files[".env"] = c.env
		}
		run, _, err := lookStatic(t, lay(t, files), nil, nil)
		found := run.Project.Findings
		if got := codes(found); err != nil || got != c.want {
			t.Errorf("%s: %q, want %q, %v", what, got, c.want, err)
			continue
		}
		if c.fix == "" {
			continue
		}
		if fix := found[0].Fix.Rendered(); !strings.Contains(fix, c.fix) || strings.Contains(fix, c.not) || found[0].Fixable {
			t.Errorf("%s: %s", what, fix)
		}
	}
}

// Settings that make no tokens have nothing to split, and get nothing written.
func TestAProjectWithoutTokens(t *testing.T) {
	t.Parallel()
	p := bare(t, "SECRET_KEY = config('SECRET_KEY')\n", map[string]string{".env": "SECRET_KEY={SECRET_KEY}\n"})
	run, _, err := apply(t, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := codes(run.Project.Findings); got != "token-package" || len(finding.Errors(run.Project.Findings)) > 0 || run.Project.Source.Kind != steps.NoTokens {
		t.Errorf("%s, source %s", got, run.Project.Source.Kind)
	}
	keys, err := run.Home().Found()
	if err != nil || run.Home().Takes(keys) == nil {
		t.Errorf("a key would be written: %v", err)
	}
}

// A secret that is a word of the names of the keys does not hide these.
func TestNamesOfKeysStayReadable(t *testing.T) {
	t.Parallel()
	dir := lay(t, tree("DEBUG=True\n", map[string]string{"backend/config/settings.py": "from decouple import config\nSECRET_KEY = \"secret\"\nJWT_SECRET_KEY = config('JWT_SECRET_KEY')\n"}))
	run, _, err := lookStatic(t, dir, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"JWT_SECRET_KEY and SECRET_KEY.": "JWT_SECRET_KEY and SECRET_KEY.",
		"it is 'secret'":                 "it is '****'",
		"MY_SECRET_THING":                "MY_****_THING",
	} {
		if got := run.Redactor.Show(secret.Said(text)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What the settings take from the environment and do not find is named.
func TestAMissingVariableIsNamed(t *testing.T) {
	t.Parallel()
	p := bare(t, "SECRET_KEY = os.environ['SHOP_SECRET_KEY']\n", nil)
	_, _, err := apply(t, p, nil)
	if err == nil || !strings.Contains(err.Error(), "the environment has no SHOP_SECRET_KEY") {
		t.Errorf("%v", err)
	}
}

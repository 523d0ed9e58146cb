//go:build unix

package preflight

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// The service that the backend is developed in is found, and none where something on
// this machine runs the project, or its reader has a file here.
func TestContained(t *testing.T) {
	t.Parallel()
	const environ = "import environ\nenv = environ.Env()\nSECRET_KEY = env('SECRET_KEY')\nJWT_SECRET_KEY = env('JWT_SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n"
	web := "services:\n  web:\n    build: .\n    env_file: web.env\n    ports: ['8000:8000']\n"
	for name, c := range map[string]struct {
		files   map[string]string
		environ map[string]string
		want    string // target and restart
	}{
		"an env_file":             {map[string]string{"docker-compose.yml": web}, nil, "compose:docker-compose.yml#web compose:web"},
		"variables":               {map[string]string{"compose.yaml": "services:\n  app:\n    build: {context: .}\n    environment:\n      SECRET_KEY: ${SECRET_KEY}\n"}, nil, "compose:compose.yaml#app compose:app"},
		"of several":              {map[string]string{"docker-compose.yml": "services:\n  celery:\n    build: .\n    env_file: a.env\n    command: celery -A app worker\n  db:\n    image: postgres\n    environment: [A=b]\n  django:\n    build: .\n    env_file: a.env\n    command: python manage.py runserver 0.0.0.0:8000\n  mail:\n    build: ./mail\n    env_file: m.env\n    ports: ['25:25']\n"}, nil, "compose:docker-compose.yml#django compose:django"},
		"of another name":         {map[string]string{"local.yml": web}, nil, "compose:local.yml#web compose:local.yml#web"},
		"a development container": {map[string]string{".devcontainer/docker-compose.yml": strings.Replace(web, "build: .", "build: {context: ..}", 1)}, nil, "compose:.devcontainer/docker-compose.yml#web compose:.devcontainer/docker-compose.yml#web"},
		"an override":             {map[string]string{"docker-compose.yml": "services:\n  web:\n    build: .\n", "docker-compose.override.yml": "services:\n  web:\n    env_file: [a.env]\n"}, nil, "compose:docker-compose.yml#web compose:web"},
		"by what is built": {map[string]string{"docker-compose.yml": "services:\n  api:\n    build: {context: ., dockerfile: py/Dockerfile}\n    environment: [A=b]\n  live:\n    build: {context: ., dockerfile: js/Dockerfile}\n    environment: [A=b]\n    ports: ['3000:3000']\n",
			"py/Dockerfile": "FROM python:3.13\n", "js/Dockerfile": "FROM docker.io/library/node:22\n"}, nil, "compose:docker-compose.yml#api compose:api"},
		"by what it is given": {map[string]string{"docker-compose.yml": "services:\n  a:\n    build: .\n    environment: [A=b]\n  b:\n    build: .\n    environment: {DJANGO_SETTINGS_MODULE: config.settings}\n"}, nil, "compose:docker-compose.yml#b compose:b"},
		"no Python in it":     {map[string]string{"docker-compose.yml": web, "Dockerfile": "FROM node:22\n"}, nil, ""},
		"no build":            {map[string]string{"docker-compose.yml": strings.Replace(web, "build: .", "image: shop", 1)}, nil, ""},
		"no variables":        {map[string]string{"docker-compose.yml": "services:\n  web:\n    build: .\n"}, nil, ""},
		"built elsewhere":     {map[string]string{"docker-compose.yml": strings.Replace(web, "build: .", "build: ./frontend", 1)}, nil, ""},
		"only a database":     {map[string]string{"docker-compose.yml": "services:\n  db:\n    image: postgres\n    environment: [A=b]\n"}, nil, ""},
		"no YAML":             {map[string]string{"docker-compose.yml": "services: ["}, nil, ""},
		"an environment here": {map[string]string{"docker-compose.yml": web, "+.venv/bin/python": ""}, nil, ""},
		"a broken one":        {map[string]string{"docker-compose.yml": web, ".venv/pyvenv.cfg": ""}, nil, ""},
		"poetry may have one": {map[string]string{"docker-compose.yml": web, "poetry.lock": ""}, nil, ""},
		"a .env here":         {map[string]string{"docker-compose.yml": web, ".env": "A=1\n"}, nil, ""},
		"a reader of a .env":  {map[string]string{"docker-compose.yml": web, "config/settings.py": "from decouple import config\nSECRET_KEY = config('SECRET_KEY')\n"}, nil, ""},
		"a store of secrets":  {map[string]string{"docker-compose.yml": web, "config/settings.py": "import hvac\nvault = hvac.Client()\nSECRET_KEY = vault.read('a')\nSIMPLE_JWT = {'SIGNING_KEY': vault.read('b')}\n"}, nil, ""},
		"a key in the shell":  {map[string]string{"docker-compose.yml": web}, map[string]string{"JWT_SECRET_KEY": stepstest.Key()}, ""},
		"no compose file":     {nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"manage.py": manage, "config/settings.py": environ, ".git/HEAD": ""}
			for file, text := range c.files {
				files[file] = text
			}
			dir := layPython(t, files)
			run := &steps.Run{Environ: func(name string) (string, bool) { v, ok := c.environ[name]; return v, ok }, Options: steps.Options{Folder: dir, Static: true}}
			got := ""
			if service, place, ok := Contained(t.Context(), run); ok && place {
				got = service.Target() + " " + service.Restart()
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	for name, c := range map[string]struct {
		files  map[string]string
		static bool
		key    string // of the shell
		want   bool
	}{
		"a .env here":        {map[string]string{".env": "A=1\n"}, false, "", true},
		"a reader of a .env": {map[string]string{"config/settings.py": "from decouple import config\nSECRET_KEY = config('SECRET_KEY')\n"}, false, "", true},
		"no service":         {map[string]string{".env": "A=1\n", "docker-compose.yml": "services:\n  db:\n    image: postgres\n"}, false, "", false},
		"a key in the shell": {nil, false, stepstest.Key(), true},
		"files only":         {map[string]string{".env": "A=1\n"}, true, "", false},
	} {
		t.Run("only the Python: "+name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"manage.py": manage, "config/settings.py": environ, ".git/HEAD": "", "docker-compose.yml": web}
			for file, text := range c.files {
				files[file] = text
			}
			run := &steps.Run{Environ: func(name string) (string, bool) { return c.key, name == "JWT_SECRET_KEY" && c.key != "" }, Options: steps.Options{Folder: lay(t, files), Static: c.static, Python: "docker compose run --rm -T web python"}}
			if _, place, ok := Contained(t.Context(), run); ok != c.want || place {
				t.Errorf("%t, the place: %t", ok, place)
			}
		})
	}
	t.Run("in a monorepo", func(t *testing.T) {
		t.Parallel()
		dir := lay(t, map[string]string{".git/HEAD": "", "apps/api/manage.py": manage, "apps/api/config/settings.py": environ, "docker-compose.yml": strings.Replace(web, "build: .", "build: ./apps/api", 1)})
		run := &steps.Run{Environ: func(string) (string, bool) { return "", false }, Options: steps.Options{Folder: dir, Static: true}}
		service, _, ok := Contained(t.Context(), run)
		if !ok || service.Target() != "compose:docker-compose.yml#web" || !strings.HasSuffix(string(service.Starts()), "docker-compose.yml run --rm -T web python") {
			t.Errorf("%+v %s", service, service.Starts())
		}
	})
}

// To ask an interpreter for Django runs nothing of the project's, which may belong to
// another user than the one who asks.
func TestToAskForDjangoRunsNothingOfTheProject(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: no python3")
	}
	dir := layPython(t, map[string]string{"django.py": "open('ran', 'w')\n"})
	ran := filepath.Join(dir, "ran")
	ask := exec.Command(python, "-c", "import django")
	ask.Dir = dir
	if out, err := ask.CombinedOutput(); err != nil || os.Remove(ran) != nil {
		t.Fatalf("the control: the project's own module does not run: %v\n%s", err, out)
	}
	importsDjango(t.Context(), &steps.Project{Root: dir, Python: python})
	if _, err := os.Stat(ran); !os.IsNotExist(err) {
		t.Error("a module of the project ran")
	}
}

//go:build unix

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest/djangotest"
)

const (
	manageText   = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')\nfrom django.core.management import execute_from_command_line\n"
	rulesText    = "if not JWT_SECRET_KEY:\n    raise ImproperlyConfigured('JWT_SECRET_KEY environment variable is required.')\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n"
	decoupleText = "from decouple import config\nfrom django.core.exceptions import ImproperlyConfigured\nSECRET_KEY = config('SECRET_KEY')\nJWT_SECRET_KEY = config('JWT_SECRET_KEY', default=None)\n" + rulesText
	dotenvText   = "import os\nfrom pathlib import Path\nfrom dotenv import load_dotenv\nfrom django.core.exceptions import ImproperlyConfigured\nBASE_DIR = Path(__file__).resolve().parent.parent\nload_dotenv(BASE_DIR / 'ENVFILE')\nSECRET_KEY = os.environ['SECRET_KEY']\nJWT_SECRET_KEY = os.environ.get('JWT_SECRET_KEY')\n" + rulesText
	environText  = "from pathlib import Path\nimport environ\nfrom django.core.exceptions import ImproperlyConfigured\nBASE_DIR = Path(__file__).resolve().parent.parent\nenv = environ.Env()\nenv.read_env(str(BASE_DIR / 'ENVFILE'))\nSECRET_KEY = env('SECRET_KEY')\nJWT_SECRET_KEY = env('JWT_SECRET_KEY', default=None)\n" + rulesText
	osText       = "import os\nfrom django.core.exceptions import ImproperlyConfigured\nSECRET_KEY = os.environ['SECRET_KEY']\nJWT_SECRET_KEY = os.environ.get('JWT_SECRET_KEY')\n" + rulesText
)

// healthy are projects of many shapes in which all is well. KEYS stands for a
// fresh pair of keys. in is the folder to look from.
var healthy = []struct {
	name, in string
	files    map[string]string
	environ  bool // the keys are in the environment
}{
	{"decouple", "", map[string]string{"manage.py": manageText, "config/settings.py": decoupleText, ".env": "DEBUG=True\nKEYS"}, false},
	{"python-dotenv", "", map[string]string{"manage.py": manageText, "config/settings.py": strings.Replace(dotenvText, "ENVFILE", ".env", 1), ".env": "KEYS"}, false},
	{"python-dotenv elsewhere", "", map[string]string{"manage.py": manageText, "config/settings.py": strings.Replace(dotenvText, "ENVFILE", "env/local.env", 1), "env/local.env": "KEYS"}, false},
	{"django-environ", "", map[string]string{"manage.py": manageText, "config/settings.py": strings.Replace(environText, "ENVFILE", ".env", 1), ".env": "KEYS"}, false},
	{"os.environ alone", "", map[string]string{"manage.py": manageText, "config/settings.py": osText}, true},
	{"a settings package", "", map[string]string{"manage.py": strings.Replace(manageText, "config.settings", "config.settings.dev", 1), "config/settings/__init__.py": "", "config/settings/base.py": decoupleText, "config/settings/dev.py": "from .base import *\nDEBUG = True\n", ".env": "KEYS"}, false},
	{"a backend below", "", map[string]string{"backend/manage.py": manageText, "backend/config/settings.py": decoupleText, "backend/.env": "KEYS", "frontend/package.json": "{}", "frontend/.env": "VITE_API=/api\n"}, false},
	{"three backends", "shop", map[string]string{
		"shop/manage.py": manageText, "shop/config/settings.py": decoupleText, "shop/.env": "KEYS",
		"blog/manage.py": manageText, "blog/config/settings.py": decoupleText, "blog/.env": "KEYS",
		"mail/manage.py": manageText, "mail/config/settings.py": decoupleText, "mail/.env": "KEYS"}, false},
	{"a src layout", "", map[string]string{"src/manage.py": manageText, "src/config/settings.py": decoupleText, "src/.env": "KEYS", "pyproject.toml": "[project]\nname = \"x\"\n"}, false},
	{"poetry", "", map[string]string{"manage.py": manageText, "config/settings.py": decoupleText, ".env": "KEYS", "pyproject.toml": "[tool.poetry]\nname = \"x\"\n", "poetry.lock": "# @generated\n"}, false},
	{"uv", "", map[string]string{"manage.py": manageText, "config/settings.py": decoupleText, ".env": "KEYS", "pyproject.toml": "[tool.uv]\n", "uv.lock": "version = 1\n"}, false},
	{"pipenv", "", map[string]string{"manage.py": manageText, "config/settings.py": decoupleText, ".env": "KEYS", "Pipfile": "[packages]\ndjango = \"*\"\n"}, false},
	{"Windows line ends", "", map[string]string{"manage.py": strings.ReplaceAll(manageText, "\n", "\r\n"), "config/settings.py": strings.ReplaceAll(decoupleText, "\n", "\r\n"), ".env": "DEBUG=True\r\nKEYS\r\n"}, false},
	{"compose", "", map[string]string{"manage.py": manageText, "config/settings.py": decoupleText, ".env": "KEYS", "docker-compose.yml": "services:\n  web:\n    build: .\n    env_file: .env\n  db:\n    image: postgres\n"}, false},
	{"compose, filled in", "", map[string]string{"manage.py": manageText, "config/settings.py": decoupleText, ".env": "KEYS", "compose.yaml": "services:\n  web:\n    environment:\n      - SECRET_KEY=${SECRET_KEY:?}\n      - JWT_SECRET_KEY=${JWT_SECRET_KEY:?}\n"}, false},
	{"cookiecutter-django", "", map[string]string{"manage.py": manageText, "config/settings.py": strings.Replace(environText, "ENVFILE", ".env", 1), ".env": "KEYS",
		".envs/.local/.django": "USE_DOCKER=yes\nKEYS", ".envs/.local/.postgres": "POSTGRES_DB=x\n", "docker-compose.local.yml": "services:\n  django:\n    env_file:\n      - ./.envs/.local/.django\n"}, false},
	{"pipelines and manifests that are done", "", map[string]string{"manage.py": manageText, "config/settings.py": decoupleText, ".env": "KEYS",
		".github/workflows/ci.yml": "env:\n  SECRET_KEY: ${{ secrets.A }}\n  JWT_SECRET_KEY: ${{ secrets.JWT_SECRET_KEY }}\n  AWS_SECRET_KEY: x\n",
		"k8s/deployment.yaml":      "apiVersion: apps/v1\nkind: Deployment\nenv:\n  - name: SECRET_KEY\n  - name: JWT_SECRET_KEY\n", ".env.example": "SECRET_KEY=change-me\nJWT_SECRET_KEY=change-me-too\n",
		"CHANGES.md": "- SECRET_KEY is read from the environment.\n"}, false},
	{"a configuration", "", map[string]string{"manage.py": manageText, "config/settings.py": decoupleText, ".env": "KEYS", "keysplit.toml": "settings = \"config.settings\"\n[environments.staging]\nrestart = \"none\"\n"}, false},
}

func TestHealthyProjectsGiveNoNoise(t *testing.T) {
	if len(healthy) < 15 {
		t.Fatal("too few shapes")
	}
	for _, h := range healthy {
		t.Run(h.name, func(t *testing.T) {
			if found := diagnose(t, h.in, h.files, h.environ, "KEYS"); len(found) > 0 {
				t.Errorf("findings: %v", found)
			}
			// The same shape without the key is not healthy: the look did see it.
			if found := diagnose(t, h.in, h.files, h.environ, ""); len(found) == 0 {
				t.Error("without the keys nothing is found either")
			}
		})
	}
}

// diagnose lays a project out, with fresh keys for each KEYS or, when with is "",
// without any, and gives the codes that a static check finds.
func diagnose(t *testing.T, in string, files map[string]string, environ bool, with string) []string {
	t.Helper()
	t.Setenv("KEYSPLIT_STATE_DIR", filepath.Join(t.TempDir(), "state"))
	root := t.TempDir()
	pair := func() string {
		if with == "" {
			return "A=1\n"
		}
		return "SECRET_KEY=" + djangotest.NewKey() + "\nJWT_SECRET_KEY=" + djangotest.NewKey() + "\n"
	}
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "KEYS", pair())), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"SECRET_KEY", "JWT_SECRET_KEY"} {
		t.Setenv(name, "")
		_ = os.Unsetenv(name)
		if environ && with != "" {
			t.Setenv(name, djangotest.NewKey())
		}
	}
	code, out, errOut := check(t, "--json", "--project", filepath.Join(root, in))
	var got struct{ Findings []struct{ Code, File string } }
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("exit %d: %v\n%s%s", code, err, out, errOut)
	}
	var codes []string
	for _, f := range got.Findings {
		codes = append(codes, f.Code+" "+f.File)
	}
	return codes
}

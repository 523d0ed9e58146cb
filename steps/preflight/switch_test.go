package preflight

import (
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// Settings that load their .env on request are told how, and a service of compose that
// gets variables is offered as the place.
func TestSettingsThatLoadTheirFileOnRequest(t *testing.T) {
	t.Parallel()
	const head, tail = "import os\nimport environ\nenv = environ.Env()\n", "SECRET_KEY = env('SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': env('JWT_SECRET_KEY')}\n"
	for name, c := range map[string]struct{ settings, compose, says string }{
		"cookiecutter-django": {"READ_DOT_ENV_FILE = env.bool('DJANGO_READ_DOT_ENV_FILE', default=False)\nif READ_DOT_ENV_FILE:\n    # the environment goes first\n    env.read_env(str(BASE_DIR / '.env'))\n", "", "set DJANGO_READ_DOT_ENV_FILE=True"},
		"in the condition":    {"if env.bool('LOAD_ENV', False):\n    environ.Env.read_env(BASE_DIR / '.env')\n", "", "set LOAD_ENV=True"},
		"a service, too":      {"if env.bool('LOAD_ENV', False):\n    environ.Env.read_env(BASE_DIR / '.env')\n", "services:\n  web:\n    build: .\n    env_file: a.env\n", "--target compose:compose.yaml#web"},
		"a service":           {"", "services:\n  web:\n    build: .\n    env_file: a.env\n", "--target compose:compose.yaml#web"},
		"neither":             {"", "", "load_dotenv"},
		"no switch":           {"if os.path.exists('/nowhere/.env'):\n    env.read_env('/nowhere/.env')\n", "", "load_dotenv"},
	} {
		dir := lay(t, map[string]string{"manage.py": manage, "config/__init__.py": "", ".git/HEAD": "", "config/settings.py": "from pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent.parent\n" + head + c.settings + tail, "compose.yaml": c.compose})
		run, _, err := lookStatic(t, dir, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		f, found := finding.First(run.Project.Findings, finding.JWTKeyMissing)
		if !found || run.Project.Source.Kind != steps.NothingReads || !strings.Contains(f.Fix.Rendered(), c.says) {
			t.Errorf("%s: source %q, fix %q", name, run.Project.Source.Kind, f.Fix.Rendered())
		}
	}
}

//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The keys have the settings' names in what grace says, too.
func TestGraceSaysTheNamesOfTheSettings(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{
		"manage.py":   "import os\nfrom django.core.management import execute_from_command_line\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n",
		"settings.py": "from decouple import config\nSECRET_KEY = config('SHOP_SECRET')\nSIMPLE_JWT = {'SIGNING_KEY': config('SHOP_TOKENS_KEY')}\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := invocation{args: []string{"grace", "--prepare", "--dry-run"}, dir: root}.run(t, filepath.Join(t.TempDir(), "state"))
	if r.code != 0 || !strings.Contains(r.out, "below SHOP_TOKENS_KEY and INSTALLED_APPS") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.errOut)
	}
}

// Settings whose reader gives its variables through an object get no lines of another reader.
func TestGraceHasNoLinesForAnObject(t *testing.T) {
	t.Parallel()
	for reader, settings := range map[string]string{
		"dynaconf":          "from dynaconf import Dynaconf\ncfg = Dynaconf(envvar_prefix=False)\nINSTALLED_APPS = []\nSECRET_KEY = cfg.SECRET_KEY\nSIMPLE_JWT = {'SIGNING_KEY': cfg.JWT_SECRET_KEY}\n",
		"pydantic-settings": "from pydantic_settings import BaseSettings\nclass Conf(BaseSettings):\n    secret_key: str\n    jwt_secret_key: str\nconf = Conf()\nINSTALLED_APPS = []\nSECRET_KEY = conf.secret_key\nSIMPLE_JWT = {'SIGNING_KEY': conf.jwt_secret_key}\n",
	} {
		root := t.TempDir()
		for name, text := range map[string]string{
			"manage.py":   "import os\nfrom django.core.management import execute_from_command_line\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n",
			"settings.py": settings,
		} {
			if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, more := range [][]string{nil, {"--json"}} {
			r := invocation{args: append([]string{"grace", "--prepare", "--dry-run"}, more...), dir: root}.run(t, filepath.Join(t.TempDir(), "state"))
			if r.code != 0 || !strings.Contains(r.out, "Let "+reader+" read JWT_PREVIOUS_SECRET_KEY") || strings.Contains(r.out, "os.environ") {
				t.Errorf("%s: exit %d\n%s%s", reader, r.code, r.out, r.errOut)
			}
		}
	}
}

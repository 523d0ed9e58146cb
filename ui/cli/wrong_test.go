//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest/djangotest"
)

// A secret that was given in a wrong place is not said again.
func TestWrongUsageDoesNotQuoteASecret(t *testing.T) {
	value := djangotest.NewKey()
	for _, args := range []string{
		"%", "upgrade|%", "-%", "--%", "---%", "upgrade|-p%", "check|--%", "upgrade|--key-stdin=%", "upgrade|--password-stdin=%", "upgrade|--yes|--target|%", "upgrade|--yes|--target|JWT_SECRET_KEY=%",
		"upgrade|--yes|--target|vault:%", "upgrade|--yes|--target|aws:%#", "upgrade|--yes|--restart|%", "upgrade|--yes|--restart|kubernetes:a b/%",
		"upgrade|--yes|--url|https://bob:%@host", "upgrade|--yes|--url|https://bob:%/x@host", "upgrade|--yes|--url|https://bob:%@host:port/", "check|--format|%",
		"check|--timeout|%", "upgrade|--yes|--skip|%", "explain|%", "explain|JWT_SECRET_KEY=%", "demo|--start|%", "report|--format|%",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			r := invocation{args: strings.Split(strings.ReplaceAll(args, "%", value), "|"), dir: t.TempDir()}.run(t, filepath.Join(t.TempDir(), "state"))
			if said := r.out + r.errOut; r.code != 2 || leaks(said, value) {
				t.Errorf("exit %d: %s", r.code, said)
			}
		})
	}
}

// staticProject is a project that can be read without Python.
func staticProject(t *testing.T, env string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"manage.py":          "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')\nfrom django.core.management import execute_from_command_line\n",
		"config/__init__.py": "",
		"config/settings.py": "from decouple import config\nSECRET_KEY = config('SECRET_KEY')\nJWT_SECRET_KEY = config('JWT_SECRET_KEY', default=None)\nif not JWT_SECRET_KEY:\n    raise ValueError('JWT_SECRET_KEY environment variable is required.')\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n",
		".env":               env,
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// leaks reports whether a text holds any 8 characters of a value in a row.
func leaks(text, value string) bool {
	for i := 0; i+8 <= len(value); i++ {
		if strings.Contains(text, value[i:i+8]) {
			return true
		}
	}
	return false
}

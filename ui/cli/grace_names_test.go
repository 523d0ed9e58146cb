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

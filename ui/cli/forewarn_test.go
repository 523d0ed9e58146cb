//go:build unix

package cli

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// What a run cannot do is said before its first write, and by the plan alone as well:
// afterwards a backend would be left with a key that nobody restarted or tested.
func TestWhatCannotWorkIsSaidBeforeTheFirstWrite(t *testing.T) {
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	staging := []string{"--env", "staging", "--target", "dotenv:staging.env"}
	for name, c := range stepstest.Part(2, map[string]struct {
		args      []string
		prepare   func(t *testing.T, root string)
		code, dry int
		says      string
	}{
		"all is well":                       {nil, nil, ExitOK, ExitOK, ""},
		"a restart command that is missing": {[]string{"--restart", "command:no-such-program now"}, nil, ExitFinding, ExitFinding, "tool-missing"},
		"a service manager that is missing": {[]string{"--restart", "systemd:shop"}, emptyPath, ExitFinding, ExitFinding, "tool-missing"},
		"an address that does not resolve":  {[]string{"--url", "https://shop.invalid"}, nil, ExitFinding, ExitFinding, "is not known on this network"},
		"the second of two addresses":       {[]string{"--url", "http://127.0.0.1:1", "--url", "http://shop.invalid"}, nil, ExitFinding, ExitFinding, "Correct the name"},
		"a certificate that fails":          {[]string{"--url", untrusted.URL}, nil, ExitFinding, ExitFinding, "tls-untrusted"},
		"another machine, without TLS":      {[]string{"--url", "http://192.0.2.7"}, nil, ExitFinding, ExitFinding, "insecure-url"},
		"a password that is empty":          {[]string{"--username", "ada"}, func(t *testing.T, _ string) { t.Setenv("KEYSPLIT_PASSWORD", "") }, ExitUsage, ExitUsage, "the password is empty"},
		"an account without a password":     {[]string{"--username", "ada"}, nil, ExitUsage, ExitOK, "needs a password"},
		"a place that is read-only":         {nil, func(t *testing.T, root string) { chmod(t, filepath.Join(root, "staging.env"), 0o400) }, ExitFinding, ExitFinding, "env-file-read-only"},
		"a place that is a folder":          {nil, aFolder, ExitBlind, ExitBlind, "env-file-not-regular"},
		"a state folder that cannot be":     {nil, aFileForState, ExitFinding, ExitFinding, "KEYSPLIT_STATE_DIR"},
	}) {
		t.Run(name, func(t *testing.T) {
			root, _ := elsewhere(t, map[string]string{"staging.env": "SECRET_KEY=x\n"})
			t.Setenv("KEYSPLIT_PASSWORD", "") // restored at the end
			args := append([]string{"upgrade", "--restart", "none"}, staging...)
			if len(c.args) == 0 {
				args = append(args, "--skip", "login")
			}
			for flag, code := range map[string]int{"--dry-run": c.dry, "--yes": c.code} {
				if flag == "--yes" && code == ExitOK {
					continue // the control writes
				}
				_ = os.Unsetenv("KEYSPLIT_PASSWORD")
				if c.prepare != nil {
					c.prepare(t, root)
				}
				before := listing(t, root)
				got, out, errOut := inProcess(t, newUpgrade, append(append(args, flag), c.args...))
				if said := oneLine(out + errOut); got != code || code != ExitOK && !strings.Contains(said, c.says) {
					t.Errorf("%s: exit %d, want %d: %s", flag, got, code, said)
				}
				if listing(t, root) != before {
					t.Errorf("%s: something was written", flag)
				}
			}
		})
	}
}

// Settings that fail for another reason than the key are a reason to write nothing: whether
// they load with it cannot be proved.
func TestSettingsThatFailForAnotherReasonStopTheFirstWrite(t *testing.T) {
	root, _ := elsewhere(t, map[string]string{".env": "SECRET_KEY=" + djangotest.NewKey() + "\n"})
	settings := filepath.Join(root, "app", "settings.py")
	python := djangotest.Python(t, djangotest.Modern)
	for reason, fails := range map[string]bool{"raise RuntimeError('no queue here')\n": true, "": false} {
		text := "SECRET_KEY = 'x' * 50\nUSE_TZ = True\nfrom decouple import config\n" + reason +
			"JWT_SECRET_KEY = config('JWT_SECRET_KEY')\nROOT_URLCONF = 'app.urls'\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n" +
			"INSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth', 'rest_framework_simplejwt']\n"
		if err := errors.Join(os.WriteFile(settings, []byte(text), 0o600), os.WriteFile(filepath.Join(root, "app", "urls.py"), []byte("urlpatterns = []\n"), 0o600), os.WriteFile(filepath.Join(root, "app", "__init__.py"), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		before := keyOf(t, filepath.Join(root, ".env"))
		code, out, errOut := inProcess(t, newUpgrade, []string{"upgrade", "--yes", "--skip", "restart,login", "--python", python})
		said := oneLine(out + errOut)
		wrote := keyOf(t, filepath.Join(root, ".env")) != before
		if wrote == fails || (code == ExitBlind) != fails || strings.Contains(said, "no queue here") != fails {
			t.Errorf("%q: exit %d, wrote %t: %s", reason, code, wrote, said)
		}
	}
}

func emptyPath(t *testing.T, _ string) { t.Setenv("PATH", t.TempDir()) }

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func aFolder(t *testing.T, root string) {
	t.Helper()
	path := filepath.Join(root, "staging.env")
	if err := errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o755)); err != nil {
		t.Fatal(err)
	}
}

// aFileForState has a file where the state folder is to be made: root is held up by no mode.
func aFileForState(t *testing.T, _ string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEYSPLIT_STATE_DIR", filepath.Join(path, "state"))
}

// A plan asks no address that only the configuration names, until somebody has agreed.
func TestAPlanAsksNoAddressThatNobodyAgreedTo(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	// This machine too, by an address that needs a yes, as every other machine's.
	url := strings.Replace(server.URL, "127.0.0.1", "0.0.0.0", 1)
	elsewhere(t, map[string]string{"staging.env": "SECRET_KEY=x\n", "keysplit.toml": "[environments.staging]\ntargets = [\"dotenv:staging.env\"]\nurl = \"" + url + "\"\n"})
	for _, trusts := range []bool{false, true} {
		args := []string{"upgrade", "--dry-run", "--env", "staging", "--restart", "none"}
		if trusts {
			args = append(args, "--trust-config")
		}
		code, out, errOut := inProcess(t, newUpgrade, args)
		if n := connections.Load(); (n > 0) != trusts || (code != ExitOK) != trusts {
			t.Errorf("agreed to: %t, connections: %d, exit %d: %s", trusts, n, code, oneLine(out+errOut))
		}
	}
}

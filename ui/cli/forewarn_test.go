//go:build unix

package cli_test

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/cli"
)

// What a run cannot do is said before its first write, and by the plan alone as well:
// afterwards a backend would be left with a key that nobody restarted or tested.
func TestWhatCannotWorkIsSaidBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	staging := []string{"--env", "staging", "--target", "dotenv:staging.env"}
	for name, c := range stepstest.Part(2, map[string]struct {
		args      []string
		prepare   func(*site)
		code, dry int
		says      string
	}{
		"all is well":                       {nil, nil, cli.ExitOK, cli.ExitOK, ""},
		"a restart command that is missing": {[]string{"--restart", "command:no-such-program now"}, nil, cli.ExitFinding, cli.ExitFinding, "tool-missing"},
		"a service manager that is missing": {[]string{"--restart", "systemd:shop"}, emptyPath, cli.ExitFinding, cli.ExitFinding, "tool-missing"},
		"an address that does not resolve":  {[]string{"--url", "https://shop.invalid"}, nil, cli.ExitFinding, cli.ExitFinding, "is not known on this network"},
		"the second of two addresses":       {[]string{"--url", "http://127.0.0.1:1", "--url", "http://shop.invalid"}, nil, cli.ExitFinding, cli.ExitFinding, "Correct the name"},
		"a certificate that fails":          {[]string{"--url", untrusted.URL}, nil, cli.ExitFinding, cli.ExitFinding, "tls-untrusted"},
		"another machine, without TLS":      {[]string{"--url", "http://192.0.2.7"}, nil, cli.ExitFinding, cli.ExitFinding, "insecure-url"},
		"a password that is empty":          {[]string{"--username", "ada"}, func(s *site) { s.env = append(s.env, "KEYSPLIT_PASSWORD=") }, cli.ExitUsage, cli.ExitUsage, "the password is empty"},
		"an account without a password":     {[]string{"--restart", "command:true", "--username", "ada"}, nil, cli.ExitUsage, cli.ExitOK, "needs a password"},
		"a place that is read-only":         {nil, aReadOnlyFile, cli.ExitFinding, cli.ExitFinding, "env-file-read-only"},
		"a place that is a folder":          {nil, aFolder, cli.ExitBlind, cli.ExitBlind, "env-file-not-regular"},
		"a state folder that cannot be":     {nil, aFileForState, cli.ExitFinding, cli.ExitFinding, "KEYSPLIT_STATE_DIR"},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := elsewhere(t, map[string]string{"staging.env": "SECRET_KEY=x\n"})
			if c.prepare != nil {
				c.prepare(s)
			}
			args := append([]string{"upgrade", "--restart", "none"}, staging...)
			if len(c.args) == 0 {
				args = append(args, "--skip", "login")
			}
			for flag, code := range map[string]int{"--dry-run": c.dry, "--yes": c.code} {
				if flag == "--yes" && code == cli.ExitOK {
					continue // the control writes
				}
				before := tree(t, s.root)
				got, out := s.run(append(append(args, flag), c.args...)...)
				if said := stepstest.OneLine(out); got != code || code != cli.ExitOK && !strings.Contains(said, c.says) {
					t.Errorf("%s: exit %d, want %d: %s", flag, got, code, said)
				}
				if !slices.Equal(tree(t, s.root), before) {
					t.Errorf("%s: something was written", flag)
				}
			}
		})
	}
}

// Settings that fail for another reason than the key are a reason to write nothing: whether
// they load with it cannot be proved.
func TestSettingsThatFailForAnotherReasonStopTheFirstWrite(t *testing.T) {
	t.Parallel()
	s := elsewhere(t, map[string]string{".env": "SECRET_KEY=" + djangotest.NewKey() + "\n"})
	python := djangotest.Python(t, djangotest.Modern)
	for reason, fails := range map[string]bool{"raise RuntimeError('no queue here')\n": true, "": false} {
		text := "SECRET_KEY = 'x' * 50\nUSE_TZ = True\nfrom decouple import config\n" + reason +
			"JWT_SECRET_KEY = config('JWT_SECRET_KEY')\nROOT_URLCONF = 'config.urls'\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n" +
			"INSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth', 'rest_framework_simplejwt']\n"
		s.write("config/settings.py", text)
		s.write("config/urls.py", "urlpatterns = []\n")
		before := s.keyIn(".env")
		code, out := s.run("upgrade", "--yes", "--skip", "restart,login", "--python", python)
		said := stepstest.OneLine(out)
		wrote := s.keyIn(".env") != before
		if wrote == fails || (code == cli.ExitBlind) != fails || strings.Contains(said, "no queue here") != fails {
			t.Errorf("%q: exit %d, wrote %t: %s", reason, code, wrote, said)
		}
	}
}

func emptyPath(s *site) { s.env = append(s.env, "PATH="+s.t.TempDir()) }

func aReadOnlyFile(s *site) {
	if err := os.Chmod(s.path("staging.env"), 0o400); err != nil {
		s.t.Fatal(err)
	}
}

func aFolder(s *site) {
	if err := errors.Join(os.Remove(s.path("staging.env")), os.Mkdir(s.path("staging.env"), 0o755)); err != nil {
		s.t.Fatal(err)
	}
}

// aFileForState has a file where the state folder is to be made: root is held up by no mode.
func aFileForState(s *site) {
	if err := os.WriteFile(s.state, nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.state = filepath.Join(s.state, "state")
}

// A plan asks no address that only the configuration names, until somebody has agreed.
func TestAPlanAsksNoAddressThatNobodyAgreedTo(t *testing.T) {
	t.Parallel()
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
	s := elsewhere(t, map[string]string{"staging.env": "SECRET_KEY=x\n", "keysplit.toml": "[environments.staging]\ntargets = [\"dotenv:staging.env\"]\nurl = \"" + url + "\"\n"})
	for _, trusts := range []bool{false, true} {
		args := []string{"upgrade", "--dry-run", "--env", "staging", "--restart", "command:true"}
		if trusts {
			args = append(args, "--trust-config")
		}
		code, out := s.run(args...)
		if n := connections.Load(); (n > 0) != trusts || (code != cli.ExitOK) != trusts {
			t.Errorf("agreed to: %t, connections: %d, exit %d: %s", trusts, n, code, stepstest.OneLine(out))
		}
	}
}

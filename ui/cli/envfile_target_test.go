//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/cli"
)

// With the file that a service manager gives to the backend as its place, Django is
// evaluated with what that file holds: neither the .env that lies here nor a variable of
// this shell counts in its place.
func TestDjangoReadsTheFileOfTheService(t *testing.T) {
	t.Parallel()
	for name, c := range stepstest.Part(2, map[string]struct {
		before bool   // the settings from before the change
		asked  bool   // a server is asked for the key
		file   string // {SECRET_KEY} stands for one of its own
		code   int
		want   []string
		never  string
	}{
		"a file with all":          {false, false, "DEBUG=False\nSECRET_KEY={SECRET_KEY}\n", cli.ExitOK, []string{"with the variables of", "compared inside Django", "system checks"}, "not compared"},
		"no server of it is seen":  {false, true, "DEBUG=False\nSECRET_KEY={SECRET_KEY}\n", cli.ExitFinding, []string{"started a server of its own", "20 of 20 new connections", "server-not-found", "Start your server with the variables of"}, "server-unreachable"},
		"settings that fall back":  {true, false, "DEBUG=False\nSECRET_KEY={SECRET_KEY}\n", cli.ExitFinding, []string{"with the variables of", "settings-not-upgraded", "No file was changed"}, "compared inside Django"},
		"SECRET_KEY lies here":     {false, false, "DEBUG=False\n", cli.ExitOK, []string{"its keys belong to this machine", "not compared", "Not proved in full: Verify"}, "compared inside Django"},
		"a value of the file runs": {false, false, "DEBUG=maybe\nSECRET_KEY={SECRET_KEY}\n", cli.ExitOK, []string{"will not start here", "django-not-runnable", "maybe"}, "compared inside Django"},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Before: c.before})
			env := filepath.Join(t.TempDir(), "shop.env")
			if err := os.WriteFile(env, []byte(strings.ReplaceAll(c.file, "{SECRET_KEY}", djangotest.NewKey())), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"--project", p.Root, "--env", "staging", "--target", "dotenv:" + env, "--python", p.Python}
			shell := []string{"JWT_SECRET_KEY=" + djangotest.NewKey()}
			if !c.asked {
				args = append(args, "--restart", "none", "--skip", "login")
			}
			r := invocation{args: append([]string{"upgrade", "--yes"}, args...), env: shell}.run(t, filepath.Join(t.TempDir(), "state"))
			said := stepstest.OneLine(r.out + r.errOut)
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not said: %s", want, said)
				}
			}
			if r.code != c.code || strings.Contains(said, c.never) {
				t.Errorf("exit %d, want %d: %s", r.code, c.code, said)
			}
			if key := djangotest.KeyIn(t, env); (c.code == cli.ExitOK || c.asked) && (key == "" || strings.Contains(said, key)) {
				t.Errorf("the file holds no new key, or it is shown")
			}
			if djangotest.KeyIn(t, p.EnvPath) != p.Key {
				t.Error("the .env of development changed")
			}
		})
	}
}

// Settings that stop at a value of the service's file stop the run before its first write,
// where the service is restarted here: it would not come back. A variable that the file
// lacks may be given to the service from elsewhere.
func TestSettingsThatFailWithTheServicesFileStopTheFirstWrite(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	if err := os.Remove(p.EnvPath); err != nil {
		t.Fatal(err)
	}
	env := filepath.Join(t.TempDir(), "shop.env")
	for name, c := range map[string]struct {
		file, flag string
		code       int
		says       string
	}{
		"a value that cannot be read, dry": {"DEBUG=maybe\nSECRET_KEY={}\n", "--dry-run", cli.ExitBlind, "maybe"},
		"a value that cannot be read":      {"DEBUG=maybe\nSECRET_KEY={}\n", "--yes", cli.ExitBlind, "No file was changed"},
		"a variable that is not there":     {"DEBUG=False\n", "--dry-run", cli.ExitOK, "SECRET_KEY not found"},
	} {
		before := strings.ReplaceAll(c.file, "{}", djangotest.NewKey())
		if err := os.WriteFile(env, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		r := invocation{args: []string{"upgrade", c.flag, "--project", p.Root, "--env", "staging", "--python", p.Python,
			"--target", "dotenv:" + env, "--restart", "command:true", "--url", "http://127.0.0.1:1", "--timeout", "5s", "--skip", "login"}}.run(t, filepath.Join(t.TempDir(), "state"))
		said := stepstest.OneLine(r.out + r.errOut)
		after, err := os.ReadFile(env)
		if err != nil || string(after) != before || r.code != c.code || !strings.Contains(said, "django-not-runnable") || !strings.Contains(said, c.says) {
			t.Errorf("%s: exit %d, want %d, changed %t: %s", name, r.code, c.code, string(after) != before, said)
		}
	}
}

// A variable of this shell that has the file's own value hides nothing, as where somebody
// has sourced the file; one with another value does not count for the file of a service.
func TestTheFilesOwnValueInTheShellIsNoShadow(t *testing.T) {
	t.Parallel()
	for name, c := range stepstest.Part(2, map[string]struct {
		same, own bool // the value is the file's; the file is the project's own .env
		code      int
	}{
		"the service's file, the same value":  {true, false, cli.ExitOK},
		"the service's file, another value":   {false, false, cli.ExitOK},
		"the project's own .env, its value":   {true, true, cli.ExitOK},
		"the project's own .env, another one": {false, true, cli.ExitFinding},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{})
			env, args := p.EnvPath, []string{"upgrade", "--yes", "--restart", "none", "--skip", "login", "--project", p.Root, "--python", p.Python}
			if !c.own {
				env = filepath.Join(t.TempDir(), "shop.env")
				if err := os.WriteFile(env, []byte("DEBUG=False\nSECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+djangotest.NewKey()+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--env", "staging", "--target", "dotenv:"+env)
			}
			value := djangotest.NewKey()
			if c.same {
				value = djangotest.KeyIn(t, env)
			}
			r := invocation{args: args, env: []string{"JWT_SECRET_KEY=" + value}}.run(t, filepath.Join(t.TempDir(), "state"))
			said := stepstest.OneLine(r.out + r.errOut)
			if r.code != c.code || strings.Contains(said, "jwt-key-shadowed") != (c.code != cli.ExitOK) || c.code == cli.ExitOK && !strings.Contains(said, "compared inside Django") {
				t.Errorf("exit %d, want %d: %s", r.code, c.code, said)
			}
		})
	}
}

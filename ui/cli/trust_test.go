//go:build unix

package cli

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/cobra"

	"dj/keysplit/steps/stepstest"
)

// committed is a project whose committed configuration sends credentials, the key and
// a command to places of somebody's choice.
type committed struct {
	t           *testing.T
	root, state string
	connections atomic.Int32 // to the address of its url
	address     string
	tools       []*stepstest.Tool
}

// senders are the programs that bring a key somewhere, or restart something.
var senders = []string{"kubectl", "vault", "aws", "heroku", "gh", "railway", "fly", "flyctl", "systemctl", "docker", "docker-compose"}

func newCommitted(t *testing.T) *committed {
	t.Helper()
	c := &committed{t: t}
	c.root, c.state = staticProject(t)
	t.Chdir(c.root)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c.connections.Add(1)
			_ = conn.Close()
		}
	}()
	// It leads here, and is no form of the loopback address.
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	c.address = "https://0.0.0.0:" + port
	for _, name := range senders {
		c.tools = append(c.tools, stepstest.NewTool(t, name, "exit 1").OnPath())
	}
	return c
}

// configure writes the configuration; URL stands for the listener's address.
func (c *committed) configure(text string) {
	c.t.Helper()
	if err := os.WriteFile("keysplit.toml", []byte(strings.ReplaceAll(text, "URL", c.address)), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// calls are the programs that were called.
func (c *committed) calls() (names []string) {
	for i, tool := range c.tools {
		if tool.Argv() != "" {
			names = append(names, senders[i])
		}
	}
	return names
}

// untouched wants nothing sent, nothing changed and nothing kept.
func (c *committed) untouched() {
	c.t.Helper()
	if n, names := c.connections.Load(), c.calls(); n > 0 || len(names) > 0 {
		c.t.Errorf("%d connections, calls of %v", n, names)
	}
	for _, path := range []string{c.state, "ran", "RAN"} {
		if _, err := os.Lstat(path); err == nil {
			c.t.Errorf("%s was made", path)
		}
	}
}

// answered runs a command on a terminal at which somebody types.
func answered(t *testing.T, typed string, make func(IO) *cobra.Command, args ...string) (code int, out string) {
	t.Helper()
	var o bytes.Buffer
	stdio := IO{State: Stdio().State, In: strings.NewReader(typed), Out: &o, Err: &o, InTTY: true, OutTTY: true}
	root := &cobra.Command{Use: "keysplit", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(make(stdio))
	root.SetArgs(args)
	code = exitCode(stdio, execute(t.Context(), root, &signals{}))
	return code, stepstest.OneLine(o.String())
}

const hostile = `# how keysplit finds its way
[environments.staging]
targets = ["dotenv:.env.staging",
  "fly:shop"]
restart = "command:touch RAN"
url = "URL"
`

// Unattended, nobody has agreed: it ends with 2, and names each value with its line
// and its flag, before anything is changed or sent.
func TestWithoutAYesNothingIsSent(t *testing.T) {
	for _, args := range [][]string{
		{"upgrade", "--yes", "--env", "staging"},
		{"upgrade", "--yes", "--json", "--env", "staging"},
		{"upgrade", "--yes", "--env", "staging", "--skip", "smoke-test,restart"},
		{"rollback", "--yes", "--env", "staging"},
	} {
		c := newCommitted(t)
		c.configure(hostile)
		code, out, errOut := inProcess(t, map[string]func(IO) *cobra.Command{"upgrade": newUpgrade, "rollback": newRollback}[args[0]], args)
		said := stepstest.OneLine(out + errOut)
		for _, want := range []string{
			`keysplit.toml:4: targets = "fly:shop"`, "--target fly:shop", `keysplit.toml:5: restart = "command:touch RAN"`, "--restart 'command:touch RAN'",
			"keysplit.toml:6: url = ", "--url " + c.address, "--trust-config", "Nothing was changed or sent",
		} {
			if !strings.Contains(said, want) {
				t.Errorf("%v: %q is not said: %s", args, want, said)
			}
		}
		if code != ExitUsage || strings.Contains(said, ".env.staging") {
			t.Errorf("%v: exit %d: %s", args, code, said)
		}
		c.untouched()
	}
}

// Of what is not used there is no question: a flag is in its place.
func TestTheSameValueAsAFlagIsTheYes(t *testing.T) {
	c := newCommitted(t)
	c.configure(hostile)
	flags := []string{"upgrade", "--yes", "--env", "staging", "--target", "dotenv:.env.staging", "--restart", "none"}
	code, out, errOut := inProcess(t, newUpgrade, flags)
	if said := stepstest.OneLine(out + errOut); code != ExitUsage || !strings.Contains(said, "keysplit.toml:6") || strings.Contains(said, "fly:shop") || strings.Contains(said, "touch RAN") {
		t.Errorf("exit %d: %s", code, said)
	}
	c.untouched()
	code, out, errOut = inProcess(t, newUpgrade, append(flags, "--url", c.address))
	if code == ExitUsage || c.connections.Load() == 0 {
		t.Errorf("with the flag: exit %d: %s%s", code, out, errOut)
	}
	// The yes was to this value, and is kept.
	code, out, errOut = inProcess(t, newUpgrade, flags)
	if code == ExitUsage {
		t.Errorf("after it: exit %d: %s%s", code, out, errOut)
	}
}

// Each value is asked about by itself, with its place; enter alone is a no. A yes is
// kept: another change of the file asks nothing again, another value does, and so does
// another environment.
func TestAPersonIsAskedOnceForEachValue(t *testing.T) {
	c := newCommitted(t)
	c.configure(hostile)
	upgrade := []string{"upgrade", "--env", "staging", "--skip", "smoke-test,restart"}
	for typed, last := range map[string]string{"": "keysplit.toml:4", "\n": "keysplit.toml:4", "y\n\n": "keysplit.toml:5", "y\nyes\nn\n": "keysplit.toml:6"} {
		code, said := answered(t, typed, newUpgrade, upgrade...)
		if code != ExitCancelled || !strings.Contains(said, last) || typed != "" && !strings.HasSuffix(said, "Nothing was changed or sent.") {
			t.Errorf("%q: exit %d: %s", typed, code, said)
		}
		c.untouched()
	}
	const question = "Do you agree?"
	_, said := answered(t, "y\ny\ny\n", newUpgrade, upgrade...)
	if strings.Count(said, question) != 3 {
		t.Fatalf("%s", said)
	}
	for name, change := range map[string]struct {
		text, env string
		asked     string
	}{
		"the same":           {hostile, "staging", ""},
		"another line":       {"min_length = 64\n" + hostile + "login = \"/login/\"\n", "staging", ""},
		"another target too": {strings.Replace(hostile, `"fly:shop"`, `"fly:shop", "fly:other"`, 1), "staging", "fly:other"},
		"another address":    {strings.Replace(hostile, "URL", "URL/x", 1), "staging", "/x"},
		"another command":    {strings.Replace(hostile, "touch RAN", "touch  RAN", 1), "staging", "touch  RAN"},
		"another use":        {strings.Replace(hostile, "touch RAN", "URL", 1), "staging", "command:URL"},
		"another name":       {strings.Replace(hostile, "staging", "qa", 1), "qa", "fly:shop"},
	} {
		c.configure(change.text)
		_, said := answered(t, "", newUpgrade, "upgrade", "--env", change.env, "--skip", "smoke-test,restart")
		want := stepstest.OneLine(strings.ReplaceAll(change.asked, "URL", c.address))
		if strings.Contains(said, question) != (want != "") || !strings.Contains(said, want) {
			t.Errorf("%s: %s", name, said)
		}
	}
}

// --trust-config agrees to all of the file, and is kept as well.
func TestTrustConfig(t *testing.T) {
	c := newCommitted(t)
	c.configure(hostile)
	args := []string{"upgrade", "--yes", "--env", "staging", "--skip", "smoke-test,restart"}
	if code, out, errOut := inProcess(t, newUpgrade, append(args, "--trust-config")); code == ExitUsage || len(c.calls()) == 0 {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if code, out, errOut := inProcess(t, newUpgrade, args); code == ExitUsage {
		t.Errorf("after it: exit %d: %s%s", code, out, errOut)
	}
	c.configure(strings.Replace(hostile, "RAN", "RAN again", 1))
	if code, out, errOut := inProcess(t, newRollback, []string{"rollback", "--yes", "--env", "staging", "--trust-config"}); code != ExitOK {
		t.Errorf("a rollback: exit %d: %s%s", code, out, errOut)
	}
}

// What only looks goes nowhere that nobody has agreed to, and says so.
func TestWhatOnlyLooksSendsNothing(t *testing.T) {
	for _, target := range stepstest.Every(3, []string{"fly:shop", "kubernetes:shop/backend", "vault:kv/shop#a", "aws:shop", "heroku:shop", "github:acme/shop", "railway:shop"}) {
		c := newCommitted(t)
		c.configure(strings.Replace(hostile, "fly:shop", target, 1))
		for _, args := range []string{
			"check --env staging", "check --env staging --static", "check --env staging --committed", "check --all", "check --all --json", "check",
			"check --static", "check --committed", "check --committed --format sarif", "report --env staging", "report", "report --env staging --team",
		} {
			words := strings.Fields(args)
			code, out, errOut := inProcess(t, map[string]func(IO) *cobra.Command{"check": newCheck, "report": newReport}[words[0]], words)
			if code == ExitUsage {
				t.Errorf("%s: exit %d: %s%s", args, code, out, errOut)
			}
			if args == "check --env staging" && (code != ExitBlind || !strings.Contains(out, "config-not-trusted  keysplit.toml:4") || !strings.Contains(stepstest.OneLine(out), "keysplit check --env staging --trust-config")) {
				t.Errorf("exit %d: %s%s", code, out, errOut)
			}
			_ = os.Remove("ran") // the project's own settings, by check
			c.untouched()
		}
		if code, out, errOut := inProcess(t, newUpgrade, []string{"upgrade", "--dry-run", "--env", "staging"}); code != ExitUsage || strings.Contains(errOut, "url = ") {
			t.Errorf("a dry run: exit %d: %s%s", code, out, errOut)
		}
		c.untouched()
		if target == "heroku:shop" {
			continue // a program of its own is called for its login only
		}
		if _, out, errOut := inProcess(t, newCheck, []string{"check", "--env", "staging", "--trust-config"}); len(c.calls()) == 0 {
			t.Errorf("with a yes: %s%s", out, errOut)
		}
		if _, err := os.Lstat(c.state); err == nil {
			t.Error("a check keeps something")
		}
	}
}

// A newcomer with a committed file for development is asked nothing.
func TestANewcomerIsAskedNothing(t *testing.T) {
	c := newCommitted(t)
	if err := os.MkdirAll("deploy", 0o700); err != nil {
		t.Fatal(err)
	}
	c.configure(`key = "JWT_SECRET_KEY"
distinct_from = ["FIELD_KEY"]
min_length = 64
settings = "app.settings"
python = "deploy/python"

[environments.development]
targets = ["dotenv:.env"]
restart = "runserver"
url = ["http://127.0.0.1:1", "http://localhost:1"]
login = "/api/login/"
protected = "/api/me/"
refresh = "/api/refresh/"
username = "ada"

[environments.staging]
targets = ["fly:shop"]
url = "URL"
restart = "command:touch RAN"
`)
	for _, args := range []string{"upgrade --yes", "upgrade --dry-run", "rollback --yes", "upgrade --yes --skip restart,smoke-test"} {
		words := strings.Fields(args)
		code, out, errOut := inProcess(t, map[string]func(IO) *cobra.Command{"upgrade": newUpgrade, "rollback": newRollback}[words[0]], words)
		if said := stepstest.OneLine(out + errOut); code == ExitUsage || strings.Contains(said, "agree") || strings.Contains(said, "trust") {
			t.Errorf("%s: exit %d: %s", args, code, said)
		}
	}
	if _, said := answered(t, "", newUpgrade, "upgrade"); strings.Contains(said, "agree") {
		t.Errorf("on a terminal: %s", said)
	}
	if c.connections.Load() > 0 || len(c.calls()) > 0 {
		t.Errorf("%d connections, calls of %v", c.connections.Load(), c.calls())
	}
	if _, err := os.Lstat(filepath.Join(c.root, "RAN")); err == nil {
		t.Error("the command of staging ran")
	}
}

// The report names an env file that is committed on purpose; for another environment
// tracked_env says nothing.
func TestTheReportNamesATrackedFile(t *testing.T) {
	c := newCommitted(t)
	for _, args := range [][]string{{"init", "-q"}, {"add", "-f", ".env", ".env.staging"}} {
		if err := os.WriteFile(".env.staging", []byte("SECRET_KEY=x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	const yes = "tracked_env = true\n[environments.staging]\ntargets = [\"dotenv:.env.staging\"]\nrestart = \"none\"\n"
	for _, text := range []string{"", yes} { // what follows needs the second
		severity := "warning"
		if text == yes {
			severity = "info"
		}
		c.configure(text)
		_, out, _ := inProcess(t, newReport, []string{"report", "--json"})
		if !strings.Contains(out, "env-file-tracked-by-git") || !strings.Contains(out, `"severity": "`+severity+`"`) || strings.Contains(out, "keysplit.toml:1") != (text != "") {
			t.Errorf("%q: %s", text, out)
		}
	}
	code, out, errOut := inProcess(t, newUpgrade, []string{"upgrade", "--yes", "--env", "staging", "--skip", "smoke-test"})
	if said := stepstest.OneLine(out + errOut); code != ExitFinding || !strings.Contains(said, "env-file-tracked-by-git") || strings.Contains(said, "tracked_env") {
		t.Errorf("exit %d: %s", code, said)
	}
	if data, err := os.ReadFile(".env.staging"); err != nil || string(data) != "SECRET_KEY=x\n" {
		t.Errorf("%q, %v", data, err)
	}
}

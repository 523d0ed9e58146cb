//go:build unix

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// upgraded is a project of which one or more runs of keysplit changed something.
type upgraded struct {
	t    *testing.T
	root string
	env  string // environment
	was  string // the .env before
}

func newUpgraded(t *testing.T, env string) *upgraded {
	t.Helper()
	root, _ := staticProject(t)
	t.Chdir(root)
	u := &upgraded{t: t, root: root, env: env}
	u.was = u.read(".env")
	return u
}

func (u *upgraded) read(name string) string {
	u.t.Helper()
	b, err := os.ReadFile(filepath.Join(u.root, name))
	if err != nil {
		u.t.Fatal(err)
	}
	return string(b)
}

// run is one run of keysplit that writes the files given as name, text, and
// delivers to targets.
func (u *upgraded) run(files []string, deliveries ...journal.Delivery) {
	u.t.Helper()
	j, err := Stdio().State.Open(u.root, u.env)
	if err != nil {
		u.t.Fatal(err)
	}
	for i := 0; i < len(files); i += 2 {
		at, err := envfile.Open(filepath.Join(u.root, files[i]))
		if err == nil {
			_, err = j.Replace(u.t.Context(), at, []byte(files[i+1]))
		}
		if err != nil {
			u.t.Fatal(err)
		}
	}
	for _, d := range deliveries {
		if d, err = j.Deliver(d, secret.Secret{}); err == nil {
			err = j.Delivered(d)
		}
		if err != nil {
			u.t.Fatal(err)
		}
	}
}

// rollback runs the command; typed is what the person at the terminal answers,
// "-" for nobody there.
func (u *upgraded) rollback(typed string, args ...string) (code int, said string) {
	u.t.Helper()
	var o bytes.Buffer
	args = append([]string{"rollback", "--env", u.env, "--no-color"}, args...)
	code = Main(args, IO{State: Stdio().State, In: strings.NewReader(strings.TrimPrefix(typed, "-")), Out: &o, Err: &o, InTTY: typed != "-"})
	return code, stepstest.OneLine(o.String())
}

func TestRollbackAsksBeforeItChangesAnything(t *testing.T) {
	u := newUpgraded(t, steps.DefaultEnvironment)
	u.run([]string{".env", "NEW=1\n", "made.txt", "made\n"})
	for _, args := range [][]string{nil, {"--json"}} {
		if code, said := u.rollback("-", args...); code != ExitUsage || !strings.Contains(said, "--yes") || u.read(".env") != "NEW=1\n" {
			t.Errorf("nobody there, %v: exit %d, %s", args, code, said)
		}
	}
	if code, said := u.rollback("n\n"); code != ExitCancelled || u.read(".env") != "NEW=1\n" ||
		!strings.Contains(said, ".env: content, mode and owner as before") || !strings.Contains(said, "made.txt: removed") || !strings.Contains(said, "Nothing was undone.") {
		t.Errorf("no: exit %d, %s", code, said)
	}
	code, said := u.rollback("y\n")
	if !strings.Contains(said, "Anyone who logged in since then has to log in again") { // its .env had a key before
		t.Errorf("what users notice is not said: %s", said)
	}
	if _, err := os.Stat("made.txt"); code != ExitOK || u.read(".env") != u.was || err == nil || !strings.Contains(said, "Everything is as it was before the upgrade.") {
		t.Errorf("yes: exit %d, %v, %s", code, err, said)
	}
}

func TestRollbackWantsTheNameOfProduction(t *testing.T) {
	for name, c := range map[string]struct {
		env, name string
		delivery  []journal.Delivery
		args      []string
	}{
		"the environment": {"production", "production", nil, []string{"--restart", "none"}},
		"an app":          {"staging", "shop-prod", []journal.Delivery{{Target: "manual:shop-prod", Where: "shop-prod"}}, []string{"--restart", "none"}},
		"what restarts":   {"staging", "shop-prod", nil, []string{"--restart", "fly:shop-prod"}},
	} {
		t.Run(name, func(t *testing.T) {
			stepstest.NewTool(t, "fly", "exit 1").OnPath()
			u := newUpgraded(t, c.env)
			u.run([]string{".env", "NEW=1\n"}, c.delivery...)
			for _, args := range [][]string{nil, {"--yes"}, {"--yes", "--confirm", "shop"}} {
				if code, said := u.rollback("y\n", append(args, c.args...)...); code == ExitOK || u.read(".env") != "NEW=1\n" || !strings.Contains(said, c.name) {
					t.Errorf("%v: exit %d, %s", args, code, said)
				}
			}
			if code, said := u.rollback(c.name+"\n", c.args...); u.read(".env") != u.was {
				t.Errorf("its name: exit %d, %s", code, said)
			}
		})
	}
}

// What was restored and what not is told, by hand or by keysplit.
func TestRollbackSaysWhatItDid(t *testing.T) {
	fly := journal.Delivery{Target: "fly:a", Where: "Fly app a"}
	manual := journal.Delivery{Target: "manual:the vault", Where: "the vault"}
	for name, c := range map[string]struct {
		runs    func(u *upgraded)
		restart string
		says    []string
		not     []string
	}{
		"a place that cannot be reached": {func(u *upgraded) { u.run([]string{".env", "NEW=1\n"}, fly) }, "none",
			[]string{"Not everything is restored", "Restored: .env.", "Not restored: Fly app a.", "Restart the backend yourself"}, []string{"as it was before the upgrade"}},
		"by hand": {func(u *upgraded) { u.run([]string{".env", "NEW=1\n"}, manual) }, "none",
			[]string{"Still to do:", "By hand: set JWT_SECRET_KEY in the vault back"}, []string{"Everything is as it was"}},
		"a restart that fails": {func(u *upgraded) { u.run([]string{".env", "NEW=1\n"}) }, "command:false",
			[]string{"restart-failed", "Everything is restored, but the server still has to restart"}, []string{"Everything is as it was"}},
		"an earlier change": {func(u *upgraded) { u.run([]string{".env", "NEW=1\n"}); u.run([]string{"README.md", "edited\n"}) }, "command:true",
			[]string{"Stays: the earlier change from", "The latest change is undone.", "An earlier change is still in force", ": .env. To undo that as well: keysplit rollback --env staging"}, []string{"Everything is as it was"}},
	} {
		t.Run(name, func(t *testing.T) {
			stepstest.NewTool(t, "fly", "echo 'not logged in' >&2; exit 1").OnPath()
			u := newUpgraded(t, "staging")
			c.runs(u)
			_, said := u.rollback("y\n", "--restart", c.restart)
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q: %s", want, said)
				}
			}
			for _, wrong := range c.not {
				if strings.Contains(said, wrong) {
					t.Errorf("it says %q: %s", wrong, said)
				}
			}
		})
	}
}

// Settings that name the module of the grace period need it: without it the backend
// ends with ModuleNotFoundError.
func TestRollbackKeepsTheModuleThatTheSettingsName(t *testing.T) {
	for used, stays := range map[bool]bool{true: true, false: false} {
		u := newUpgraded(t, steps.DefaultEnvironment)
		u.run([]string{grace.FileName, string(grace.Module), ".env", u.was + grace.KeyName + "=x\n"})
		if used {
			if err := os.WriteFile("app/settings.py", []byte(u.read("app/settings.py")+"INSTALLED_APPS = ['jwt_grace.GraceConfig']\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		code, said := u.rollback("y\n", "--restart", "command:true")
		_, err := os.Stat(grace.FileName)
		if code != ExitOK || u.read(".env") != u.was || (err == nil) != stays {
			t.Errorf("used %t: exit %d, module %v, %s", used, code, err, said)
		}
		if strings.Contains(said, "Anyone who logged in since then has to log in again") {
			t.Errorf("used %t: the same key signs as before: %s", used, said)
		}
		if told := strings.Count(said, "since the settings name it") == 2 && strings.Contains(said, "take its three lines out of the settings"); told != stays {
			t.Errorf("used %t: %s", used, said)
		}
		if code, said := u.rollback("-", "--yes"); code != ExitOK || !strings.Contains(said, "Nothing to undo") || !strings.Contains(said, "This journal is that of ") {
			t.Errorf("used %t, again: exit %d, %s", used, code, said)
		}
	}
}

func TestRollbackWithoutAProjectEndsWithOneResult(t *testing.T) {
	t.Setenv("KEYSPLIT_STATE_DIR", t.TempDir())
	t.Chdir(t.TempDir())
	var o, e bytes.Buffer
	if code := Main([]string{"rollback", "--yes", "--json"}, IO{State: Stdio().State, In: strings.NewReader(""), Out: &o, Err: &e}); code != ExitBlind {
		t.Errorf("exit %d", code)
	}
	lines := strings.Split(strings.TrimSpace(o.String()), "\n")
	if last := lines[len(lines)-1]; !strings.Contains(last, `"event":"result","ok":false`) || !strings.Contains(last, "project-not-found") || e.Len() > 0 {
		t.Errorf("%s%s", o.String(), e.String())
	}
	o.Reset()
	Main([]string{"rollback", "--yes"}, IO{State: Stdio().State, In: strings.NewReader(""), Out: &o, Err: &o})
	if n := strings.Count(o.String(), "project-not-found"); n != 1 || !strings.Contains(o.String(), "Nothing was undone: keysplit could not inspect the project.") {
		t.Errorf("%d times: %s", n, o.String())
	}
}

// Why nothing could be looked at is said where no step told it, and once where one did.
func TestABlindRollbackSaysWhyOnce(t *testing.T) {
	t.Parallel()
	for told, log := range map[string][]steps.Event{
		"by nobody": nil,
		"by a step": {{Step: steps.Preflight, Kind: steps.EventFailed, Text: prose.Of("the disk does not answer")}},
	} {
		e := steps.NewEngine(&steps.Run{})
		e.Log = log
		var out bytes.Buffer
		if err := blind(e, &jsonFront{out: &out}, errors.New("the disk does not answer")); err == nil || strings.Count(out.String(), `"event":"failed"`) != 1 || !strings.Contains(out.String(), `"the disk does not answer"`) {
			t.Errorf("told %s: %v\n%s", told, err, out.String())
		}
	}
}

// After a rollback in the middle of an upgrade nothing is left to restore, and
// nothing says that there is.
func TestLinesAfterARollbackTellOfIt(t *testing.T) {
	for name, c := range map[string]struct {
		undo error
		says string
		code int
	}{
		"it went well": {nil, "Everything is as it was before the upgrade.", ExitCancelled},
		"it failed":    {steps.Fail(finding.New("backup-damaged", "")), "Nothing was undone.", ExitFinding},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpgraded(t, steps.DefaultEnvironment)
			run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
			e := steps.NewEngine(run,
				acted{name: steps.Preflight, apply: func(run *steps.Run) (err error) {
					run.Project = &steps.Project{Root: u.root}
					run.Journal, err = Stdio().State.Open(u.root, u.env)
					return err
				}},
				acted{name: steps.Write, apply: func(run *steps.Run) error {
					at, err := envfile.Open(filepath.Join(u.root, ".env"))
					if err == nil {
						_, err = run.Journal.Replace(context.Background(), at, []byte("NEW=1\n"))
					}
					run.Wrote = true
					return err
				}, undo: func(run *steps.Run) error {
					if c.undo != nil {
						return c.undo
					}
					_, err := run.Journal.Revert(context.Background(), run.Journal.Applied()[0], false)
					return err
				}},
				acted{name: steps.Restart, apply: func(*steps.Run) error { return errors.New("it broke") }, undo: func(*steps.Run) error { return nil }})
			e.Machine, _ = e.Machine.Do(steps.Generate, steps.ActSkip)
			e.Machine, _ = e.Machine.Do(steps.Distinct, steps.ActSkip)
			var o bytes.Buffer
			stdio := IO{State: Stdio().State, In: strings.NewReader("b\ny\n"), Out: &o, Err: &o, InTTY: true}
			opts := &upgradeOptions{speech: speech{noColor: true}}
			err := upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts)
			said := stepstest.OneLine(o.String())
			if exitCode(stdio, err) != c.code || !strings.Contains(said, c.says) || strings.Contains(said, "To put everything back") || strings.Contains(said, "write: ") {
				t.Errorf("%v: %s", err, said)
			}
		})
	}
}

// ownServer answers like a backend that reads its key when it starts: the one of .env, since
// the file "restarted" is there. Its address and routes are those of the upgrade.
func (u *upgraded) ownServer(before string) {
	u.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		env := before
		if _, err := os.Stat(filepath.Join(u.root, "restarted")); err == nil {
			env = u.read(".env")
		}
		_, key, _ := strings.Cut(env, "JWT_SECRET_KEY=")
		key, _, _ = strings.Cut(key, "\n")
		said := "user_not_found"
		if _, err := jwt.Parse(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), func(*jwt.Token) (any, error) { return []byte(key), nil }); err != nil {
			said = "token_not_valid"
		}
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"code":"`+said+`"}`)
	}))
	u.t.Cleanup(server.Close)
	facts, err := json.Marshal(map[string]any{"routes": steps.Routes{Protected: "/user/"}, "tokens": steps.TokenFacts{Algorithm: "HS256", UserIDClaim: "user_id", TypeClaim: "token_type", IDClaim: "jti", HeaderTypes: []string{"Bearer"}, HeaderName: "HTTP_AUTHORIZATION"}})
	j, e := Stdio().State.Open(u.root, u.env)
	if err = errors.Join(err, e); err == nil {
		err = errors.Join(j.SetRestart(steps.OwnCommand), j.Use(journal.Used{URLs: []string{server.URL}, Facts: facts}))
	}
	if err != nil {
		u.t.Fatal(err)
	}
}

// A command of the user's own is not kept, only that there was one: without it the rollback
// restores, restarts nothing, is not finished, and says what finishes it. That asks the
// server: it is finished where the restored key is in force, and then nothing is left.
func TestRollbackNeedsTheCommandThatItDoesNotKeep(t *testing.T) {
	u := newUpgraded(t, "staging")
	changed := "JWT_SECRET_KEY=" + stepstest.Key() + "\n"
	u.run([]string{".env", changed})
	u.ownServer(changed)
	code, said := u.rollback("-", "--yes")
	if code != ExitFinding || u.read(".env") != u.was {
		t.Errorf("without the command: exit %d, restored %t", code, u.read(".env") == u.was)
	}
	for _, want := range []string{"keysplit does not keep a restart command of yours", "The backend was not restarted.", "the server still has to restart", "keysplit rollback --env staging --restart command:"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q: %s", want, said)
		}
	}
	for _, c := range []struct {
		restart, says string
		code          int
	}{
		{"", "does not keep a restart command", ExitFinding},
		{"command:false", "then run keysplit rollback --env staging --restart command:false again", ExitFinding},
		{"command:true", "new connections do not", ExitFinding},
		{"command:touch restarted", "Everything is as it was before the upgrade", ExitOK},
		{"", "Nothing to undo", ExitOK},
	} {
		args := []string{"--yes"}
		if c.restart != "" {
			args = append(args, "--restart", c.restart)
		}
		if code, said = u.rollback("-", args...); code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("%q: exit %d: %s", c.restart, code, said)
		}
	}
}

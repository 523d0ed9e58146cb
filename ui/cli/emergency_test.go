//go:build unix

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/emergency"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/inspect"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// rolledBack runs rollback --emergency in this process.
func rolledBack(t *testing.T, args ...string) string {
	t.Helper()
	var o bytes.Buffer
	if code := Main(append([]string{"rollback", "--emergency"}, args...), IO{State: Stdio().State, In: strings.NewReader(""), Out: &o, Err: &o}); code != 0 {
		t.Fatalf("exit %d\n%s", code, o.String())
	}
	return o.String()
}

func TestTheEmergencyPlanIsShownAndRemindedOf(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	env, err := os.ReadFile(filepath.Join(root, ".env"))
	if err != nil {
		t.Fatal(err)
	}
	out := rolledBack(t)
	for _, want := range []string{"migrations", "NameError", "keysplit upgrade", "24 hours", "Nothing was recorded"} {
		if !strings.Contains(out, want) {
			t.Errorf("the plan does not say %q:\n%s", want, out)
		}
	}
	if out := rolledBack(t, "--yes"); !strings.Contains(out, "Recorded") {
		t.Errorf("%s", out)
	}
	if now, _ := os.ReadFile(filepath.Join(root, ".env")); !bytes.Equal(now, env) {
		t.Error("the .env changed")
	}
	// The project is in order, so there is nothing to remind of.
	if _, out, _ := check(t, "--json"); strings.Contains(out, "fallback-in-force") {
		t.Errorf("%s", out)
	}
	if err := os.WriteFile(filepath.Join(root, ".env"), bytes.ReplaceAll(env, []byte("JWT_SECRET_KEY="), []byte("OTHER=")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, out, _ := check(t, "--json"); !strings.Contains(out, `"fallback-in-force","severity":"warning"`) {
		t.Errorf("%s", out)
	}
	one := &inspect.Environment{Run: &steps.Run{Prints: secret.NewFingerprinter(nil), Found: steps.Found{Project: &steps.Project{Root: root}}}}
	one.Run.Options.Environment, one.Run.Options.State = steps.DefaultEnvironment, Stdio().State
	if found, err := reminders(one, time.Now().Add(25*time.Hour)); err != nil || len(found) != 1 || found[0].Severity != finding.Error {
		t.Errorf("after the deadline: %+v, %v", found, err)
	}
}

// The plan is about the commit of the user's own repository, and names what goes
// with it.
func TestTheEmergencyPlanNamesTheUsersOwnCommit(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	if out := stepstest.OneLine(rolledBack(t)); !strings.Contains(out, "git log --oneline -S JWT_SECRET_KEY -- :/app/settings.py") || strings.Contains(out, "24a9506") || strings.Contains(out, "the guide") {
		t.Errorf("without a repository:\n%s", out)
	}
	settings, err := os.ReadFile(filepath.Join(root, "app/settings.py"))
	if err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) string {
		out, err := exec.Command("git", append([]string{"-C", root, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...).CombinedOutput()
		if err != nil {
			t.Skipf("SKIPPED: git: %v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	commit := func(subject string, files map[string]string) string {
		for name, text := range files {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		git("add", "manage.py", "app")
		git("commit", "-q", "-m", subject)
		return git("rev-parse", "--short", "HEAD")
	}
	git("init", "-q")
	// A program that the repository names for reading Python files does not run.
	git("config", "diff.x.textconv", "touch "+filepath.Join(root, "textconv-ran")+"; cat")
	git("config", "log.showSignature", "true")
	commit("start", map[string]string{"app/settings.py": "SECRET_KEY = 1\n", ".gitattributes": "*.py diff=x\n"})
	if out := rolledBack(t); !strings.Contains(out, "COMMIT") {
		t.Errorf("without the change:\n%s", out)
	}
	change := commit("Require the key\x1b[31m of tokens", map[string]string{"app/settings.py": string(settings), "app/migrations/0007_limits.py": "x\n", "app/uploads.py": "y\n"})
	commit("later", map[string]string{"app/uploads.py": "z\n"})
	out := stepstest.OneLine(rolledBack(t))
	for _, want := range []string{
		"is " + change + `, "Require the key of tokens".`, "It also changes 2 other files", "app/migrations/0007_limits.py, app/uploads.py", "There is 1 migration among them: app/migrations/0007_limits.py",
		"git revert --no-commit " + change, "git restore --staged --worktree ':(top,glob)**/migrations/**'",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the plan does not say %q:\n%s", want, out)
		}
	}
	recorded := func() bool {
		j, err := Stdio().State.Read(root, steps.DefaultEnvironment)
		if err != nil {
			t.Fatal(err)
		}
		if j == nil {
			return false
		}
		_, is := j.Emergency()
		return is
	}
	var got emergencyReport
	if err := json.Unmarshal([]byte(rolledBack(t, "--json")), &got); err != nil || got.Schema != 1 || got.Change.Commit != change || len(got.Change.Migrations) != 1 || got.Recorded || len(got.Plan) < 5 {
		t.Errorf("%v: %+v", err, got)
	}
	if recorded() {
		t.Error("it was recorded without a yes")
	}
	if err := json.Unmarshal([]byte(rolledBack(t, "--json", "--yes")), &got); err != nil || !got.Recorded || !recorded() {
		t.Errorf("%v: %+v", err, got)
	}
	if _, err := os.Stat(filepath.Join(root, "textconv-ran")); err == nil {
		t.Error("a program of the repository ran")
	}
	again := commit("Name it differently", map[string]string{"app/settings.py": "# JWT_SECRET_KEY\n" + string(settings)})
	if out := stepstest.OneLine(rolledBack(t)); !strings.Contains(out, "is "+again) || !strings.Contains(out, "1 earlier commit did so too") || strings.Contains(out, "git restore") || !strings.Contains(out, "changes no other file") {
		t.Errorf("a later one:\n%s", out)
	}
}

// The deadline is not broken in the middle of its date.
func TestTheEmergencyPlanBreaksNoDate(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	for line := range strings.Lines(rolledBack(t)) {
		if strings.HasSuffix(line, "-\n") {
			t.Errorf("broken at a hyphen: %s", line)
		}
	}
}

// The fallback of the plan loads, without a key and with one: the guide's own does
// not.
func TestTheFallbackOfThePlanIsPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED: python3 is missing")
	}
	for _, key := range []string{"None", "'k'"} {
		code := "config = lambda name, default=None: " + key + "\nSIMPLE_JWT = {}\nSECRET_KEY = 's'\n"
		for _, s := range emergency.Plan(time.Now()) {
			if s.Code && strings.Contains(s.Title, "settings") {
				code += stepstest.Rendered(s.Lines, "\n") + "\n"
			}
		}
		code += "print(SIMPLE_JWT['SIGNING_KEY'])\n"
		cmd := exec.CommandContext(context.Background(), python, "-")
		cmd.Stdin = strings.NewReader(code)
		out, err := cmd.Output()
		if want := map[string]string{"None": "s\n", "'k'": "k\n"}[key]; err != nil || string(out) != want {
			t.Errorf("%q, %v", out, err)
		}
	}
}

func TestAnOldKeyIsRemindedOf(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	j, err := Stdio().State.Open(root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	opts := checkOptions{place: place{env: steps.DefaultEnvironment}, static: true}
	one, err := look(t.Context(), IO{State: Stdio().State, In: strings.NewReader("")}, &opts.place, opts.request(), silent{}, secret.NewFingerprinter(nil))
	if err != nil {
		t.Fatal(err)
	}
	old := func() bool {
		found, err := reminders(one, time.Now().Add(91*24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return finding.Has(found, "jwt-key-old")
	}
	if old() {
		t.Error("a key that keysplit did not bring has an age")
	}
	keys, err := one.Run.Home().Keys()
	if err != nil {
		t.Fatal(err)
	}
	if err := j.SetKey(keys.Key.Secret); err != nil {
		t.Fatal(err)
	}
	if !old() {
		t.Error("a key of 91 days is not old")
	}
	if found, err := reminders(one, time.Now().Add(89*24*time.Hour)); err != nil || len(found) > 0 {
		t.Errorf("a key of 89 days: %+v, %v", found, err)
	}
}

func TestAGracePeriodThatIsOverIsSaid(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	f, err := os.OpenFile(filepath.Join(root, ".env"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("JWT_PREVIOUS_SECRET_KEY=x\nJWT_PREVIOUS_SECRET_KEY_UNTIL='2025-11-03T12:00:00Z'\n"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if code, out, _ := check(t, "--json"); code != 0 || !strings.Contains(out, `"grace-over","severity":"info","file":".env"`) {
		t.Errorf("exit %d\n%s", code, out)
	}
	// That of another environment is in its own file, and this .env is not named.
	over, err := os.ReadFile(filepath.Join(root, ".env"))
	if err == nil {
		err = os.WriteFile(filepath.Join(root, "a.env"), over, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "keysplit.toml"), []byte("[environments.staging]\ntargets = [\"dotenv:a.env\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, out, _ := check(t, "--json", "--env", "staging"); strings.Count(out, `"grace-over"`) != 1 || strings.Contains(out, `"grace-over","severity":"info","file":".env"`) {
		t.Errorf("elsewhere: %s", out)
	}
}

// A place that shows no value says when it was set, which is its age.
func TestAnOldKeyThatCannotBeReadIsRemindedOf(t *testing.T) {
	root, _ := staticProject(t)
	run := &steps.Run{Prints: secret.NewFingerprinter(nil), Found: steps.Found{Project: &steps.Project{Root: root}}}
	run.Options.Environment, run.Options.State = "staging", Stdio().State
	now := time.Now()
	if err := stepstest.Places(run, steps.Held{There: true, Changed: now.Add(-91 * 24 * time.Hour)}, steps.Held{There: true, Changed: now.Add(-89 * 24 * time.Hour)}, steps.Held{There: true}); err != nil {
		t.Fatal(err)
	}
	found, err := reminders(&inspect.Environment{Run: run, Ready: true}, now)
	if err != nil || len(found) != 1 || found[0].Code != "jwt-key-old" {
		t.Fatalf("%+v, %v", found, err)
	}
	if f := found[0]; f.File != "a" || !strings.Contains(f.Message.Rendered(), "place a is 91 days old") || !strings.Contains(f.Fix.Rendered(), "--env staging --rotate") {
		t.Errorf("%+v", f)
	}
}

// reminders are the findings that time alone adds to what was found.
func reminders(one *inspect.Environment, now time.Time) ([]finding.Finding, error) {
	v := *one
	err := v.Remind(now)
	return v.Findings[len(one.Findings):], err
}

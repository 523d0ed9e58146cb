//go:build unix

package cli

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/emergency"
	"dj/keysplit/steps/stepstest"
)

// rolledBack runs rollback --emergency in this process.
func rolledBack(t *testing.T, args ...string) string {
	t.Helper()
	var o bytes.Buffer
	if code := Main(append([]string{"rollback", "--emergency"}, args...), IO{In: strings.NewReader(""), Out: &o, Err: &o}); code != 0 {
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
	one := &checked{run: &steps.Run{Prints: steps.NewFingerprinter(nil), Project: &steps.Project{Root: root}}}
	one.run.Options.Environment = steps.DefaultEnvironment
	if found, err := reminders(one, time.Now().Add(25*time.Hour)); err != nil || len(found) != 1 || found[0].Severity != steps.Error {
		t.Errorf("after the deadline: %+v, %v", found, err)
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
				code += strings.Join(s.Lines, "\n") + "\n"
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
	j, err := steps.OpenJournal(root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	var opts options
	opts.env, opts.theme, opts.timeout, opts.static, opts.dryRun = steps.DefaultEnvironment, "auto", time.Second, true, true
	one, err := look(t.Context(), IO{In: strings.NewReader("")}, &opts, silent{}, steps.NewFingerprinter(nil))
	if err != nil {
		t.Fatal(err)
	}
	old := func() bool {
		found, err := reminders(one, time.Now().Add(91*24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return steps.Has(found, "jwt-key-old")
	}
	if old() {
		t.Error("a key that keysplit did not bring has an age")
	}
	keys, err := one.run.CurrentKeys()
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
	if code, out, _ := check(t, "--json"); code != 0 || !strings.Contains(out, `"grace-over"`) {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// A place that shows no value says when it was set, which is its age.
func TestAnOldKeyThatCannotBeReadIsRemindedOf(t *testing.T) {
	root, _ := staticProject(t)
	run := &steps.Run{Prints: steps.NewFingerprinter(nil), Project: &steps.Project{Root: root}}
	run.Options.Environment = "staging"
	now := time.Now()
	if err := stepstest.Places(run, steps.Held{There: true, Changed: now.Add(-91 * 24 * time.Hour)}, steps.Held{There: true, Changed: now.Add(-89 * 24 * time.Hour)}, steps.Held{There: true}); err != nil {
		t.Fatal(err)
	}
	found, err := reminders(&checked{run: run, ready: true}, now)
	if err != nil || len(found) != 1 || found[0].Code != "jwt-key-old" {
		t.Fatalf("%+v, %v", found, err)
	}
	if f := found[0]; f.File != "a" || !strings.Contains(f.Message, "place a is 91 days old") || !strings.Contains(f.Fix, "--env staging --rotate") {
		t.Errorf("%+v", f)
	}
}

//go:build unix

package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// One run at a time changes a project and environment: the others end with a code of
// their own and change nothing, or wait. Looking is for everybody.
func TestAnotherRunIsAtWork(t *testing.T) {
	u := newUpgraded(t, steps.DefaultEnvironment)
	u.run([]string{".env", "NEW=1\n"})
	release, err := Stdio().State.Hold(t.Context(), u.root, u.env, "keysplit upgrade", nil)
	if err != nil {
		t.Fatal(err)
	}
	said := func(args ...string) (int, string) {
		var o bytes.Buffer
		code := Main(args, IO{State: Stdio().State, In: strings.NewReader(""), Out: &o, Err: &o})
		return code, stepstest.OneLine(o.String())
	}
	for _, args := range [][]string{
		{"rollback", "--yes"}, {"rollback", "--yes", "--json"}, {"upgrade", "--yes", "--skip", "restart,login"}, {"upgrade", "--yes", "--json"},
		{"grace"}, {"check", "--fix"}, {"check", "--fix", "--json"}, {"rollback", "--emergency", "--yes"},
		{"report", "--attest", "9", "--by", "Ada", "--note", "told"},
	} {
		code, text := said(args...)
		if code != ExitHeld || !strings.Contains(text, "keysplit upgrade of ") || !strings.Contains(text, "--wait") || u.read(".env") != "NEW=1\n" {
			t.Errorf("%v: exit %d, %s", args, code, text)
		}
	}
	for _, args := range [][]string{{"check", "--static"}, {"report"}, {"upgrade", "--dry-run", "--yes"}, {"version"}} {
		if code, text := said(args...); code == ExitHeld {
			t.Errorf("%v: exit %d, %s", args, code, text)
		}
	}
	time.AfterFunc(200*time.Millisecond, release)
	if code, text := said("rollback", "--yes", "--wait", "--restart", "none"); code != ExitOK || !strings.Contains(text, "Waiting for another run of keysplit") || u.read(".env") != u.was {
		t.Errorf("--wait: exit %d, %s", code, text)
	}
}

// What a person agrees to is not kept beside the run that has the project.
func TestAnAgreementWaitsForTheRun(t *testing.T) {
	c := newCommitted(t)
	c.configure("[environments.staging]\ntargets = [\"dotenv:.env\"]\nrestart = \"command:touch RAN\"\n")
	release, err := Stdio().State.Hold(t.Context(), c.root, "staging", "keysplit upgrade", nil)
	if err != nil {
		t.Fatal(err)
	}
	upgrade := []string{"upgrade", "--yes", "--env", "staging", "--trust-config", "--skip", "restart,login"}
	if code, out, errOut := inProcess(t, newUpgrade, upgrade); code != ExitHeld {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if j, err := Stdio().State.Read(c.root, "staging"); err != nil || j != nil {
		t.Errorf("a journal was written beside the run that has it: %v, %v", j, err)
	}
	release()
	if code, out, errOut := inProcess(t, newUpgrade, upgrade); code == ExitHeld || code == ExitUsage {
		t.Errorf("after it: exit %d: %s%s", code, out, errOut)
	}
}

//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

func TestGraceKeepsThePreviousKeyOfARotation(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	state := filepath.Join(t.TempDir(), "state")
	start, old := read(t, p.EnvPath), p.Key
	do := func(args ...string) ran {
		return invocation{args: append(args, "--python", p.Python), dir: p.Root}.run(t, state)
	}
	if r := do("grace", "--json"); r.code != 1 || !strings.HasPrefix(r.out, `{"schema":1,"until":null,"changes":[],"settings":[],"dry_run":false,"findings":[{"code":"grace-not-advised"`) {
		t.Errorf("without a rotation, as JSON: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if r := do("grace"); r.code != 1 || !strings.Contains(r.out, "no previous key") {
		t.Fatalf("without a rotation: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if r := do("upgrade", "--yes", "--rotate", "--skip", "restart,smoke-test"); r.code != 0 {
		t.Fatalf("rotate: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	rotated := read(t, p.EnvPath)
	module := filepath.Join(p.Root, grace.FileName)
	if r := do("grace", "--dry-run"); r.code != 0 || read(t, p.EnvPath) != rotated || !strings.Contains(r.out, "Would write") {
		t.Errorf("dry run: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if r := do("grace", "--dry-run", "--json"); r.code != 0 || read(t, p.EnvPath) != rotated || !strings.HasPrefix(r.out, `{"schema":1,"until":"2`) ||
		!strings.Contains(r.out, `"changes":["write `) || !strings.Contains(r.out, `"settings":["`) || !strings.HasSuffix(r.out, `"dry_run":true}`+"\n") {
		t.Errorf("dry run as JSON: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	r := do("grace", "--hours", "2")
	if r.code != 0 || !strings.Contains(r.out, "INSTALLED_APPS += ['jwt_grace.GraceConfig']") {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	noneOf(t, r.out+r.errOut+journalText(t, state), old, keyIn(rotated))
	env := read(t, p.EnvPath)
	if !strings.HasPrefix(env, rotated) || !strings.Contains(env, "\n"+grace.KeyName+"="+old+"\n") || !regexp.MustCompile("\n"+grace.UntilName+"=20[0-9T]+Z\n$").MatchString(env) {
		t.Error("the two lines are not below the others")
	}
	if info, err := os.Stat(module); err != nil || info.Mode().Perm() != 0o644 || read(t, module) != string(grace.Module) {
		t.Errorf("the module: %v, %v", info, err)
	}
	// Once more, without another length: it goes on as it is, and one rollback ends it.
	until, err := time.Parse("20060102T150405Z", regexp.MustCompile(grace.UntilName + "=([0-9TZ]+)").FindStringSubmatch(env)[1])
	if err != nil {
		t.Fatal(err)
	}
	inForce := "accepted until " + until.Format("2006-01-02 15:04 MST")
	time.Sleep(time.Until(until.Add(-2 * time.Hour).Add(time.Second))) // another deadline would be another second
	begun := strings.Count(journalText(t, state), `"kind":"begin"`)
	again := do("grace")
	if again.code != 0 || !strings.Contains(again.out, inForce) || strings.Contains(again.out, "Done:") || read(t, p.EnvPath) != env ||
		strings.Count(journalText(t, state), `"kind":"begin"`) != begun {
		t.Errorf("again: exit %d\n%s%s", again.code, again.out, again.errOut)
	}
	if !strings.Contains(again.out, "INSTALLED_APPS += ") {
		t.Errorf("the settings lack the lines, and it said:\n%s", again.out)
	}
	settings := read(t, p.Settings)
	if err := os.WriteFile(p.Settings, []byte(settings+"\nINSTALLED_APPS = [*INSTALLED_APPS, 'jwt_grace.GraceConfig']\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := do("grace"); r.code != 0 || strings.Contains(r.out, "INSTALLED_APPS += ") || !strings.Contains(r.out, inForce) {
		t.Errorf("with the lines in the settings: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if err := os.WriteFile(p.Settings, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := do("check"); r.code != 0 || !strings.Contains(stepstest.OneLine(r.out), "tokens of the previous key are "+inForce) {
		t.Errorf("check: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	for _, hours := range []string{"0", "-1", "721"} {
		if r := do("grace", "--hours", hours); r.code != 2 || read(t, p.EnvPath) != env {
			t.Errorf("--hours %s: exit %d\n%s%s", hours, r.code, r.out, r.errOut)
		}
	}
	// The key before is still known as that of the rotation.
	if r := do("grace", "--hours", "3"); r.code != 0 || strings.Count(read(t, p.EnvPath), grace.KeyName+"="+old) != 1 {
		t.Errorf("again: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	said := ""
	for range 2 {
		r := do("rollback", "--yes", "--restart", "none")
		if r.code != 0 {
			t.Fatalf("rollback: exit %d\n%s%s", r.code, r.out, r.errOut)
		}
		said += r.out
	}
	if !strings.Contains(said, "jwt_grace.py is gone again") {
		t.Errorf("the rollback said:\n%s", said)
	}
	if _, err := os.Stat(module); err == nil || read(t, p.EnvPath) != rotated {
		t.Errorf("the rollback left something: %v", err)
	}
	if r := do("rollback", "--yes", "--restart", "none"); r.code != 0 || read(t, p.EnvPath) != start {
		t.Errorf("the rotation is not taken back: exit %d", r.code)
	}
}

func TestGraceIsRefusedWhereItWouldDoHarm(t *testing.T) {
	t.Parallel()
	for name, c := range stepstest.Part(2, map[string]struct{ env, says string }{
		"the key was SECRET_KEY": {"DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={SECRET_KEY}\n", "previous key is SECRET_KEY"},
		"the key was missing":    {"DEBUG=True\nSECRET_KEY={SECRET_KEY}\n", "no previous key"},
		"the key was short":      {"DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY=short\n", "was not good"},
	}) {
		t.Run(name, func(t *testing.T) {
			p := djangotest.New(t, djangotest.Options{Env: c.env})
			state := filepath.Join(t.TempDir(), "state")
			if r := (invocation{args: []string{"upgrade", "--yes", "--skip", "restart,smoke-test", "--python", p.Python}, dir: p.Root}).run(t, state); r.code != 0 {
				t.Fatalf("upgrade: exit %d\n%s%s", r.code, r.out, r.errOut)
			}
			before := read(t, p.EnvPath)
			r := invocation{args: []string{"grace"}, dir: p.Root}.run(t, state)
			if r.code != 1 || !strings.Contains(r.out, c.says) || !strings.Contains(r.out, "grace-not-advised") || read(t, p.EnvPath) != before {
				t.Errorf("exit %d\n%s%s", r.code, r.out, r.errOut)
			}
		})
	}
}

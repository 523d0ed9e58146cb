//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// A server whose code does not load the module, whatever the settings here say, does not
// keep what the first stage wrote. A control shows that one that does goes on.
func TestTheFirstStageIsUndoneWhereTheServerDoesNotAcceptTwoKeys(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	state := filepath.Join(t.TempDir(), "state")
	server := p.Start(t, djangotest.ServerOptions{Reload: true})
	before := read(t, p.EnvPath)
	if r := (invocation{args: []string{"grace", "--prepare"}, dir: p.Root}).run(t, state); r.code != 0 {
		t.Fatalf("prepare: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	// The lines are there, and do nothing: the app is never ready.
	settings := read(t, p.Settings)
	lines := "\nJWT_PREVIOUS_SECRET_KEY = config('JWT_PREVIOUS_SECRET_KEY', default='')\nJWT_PREVIOUS_SECRET_KEY_UNTIL = config('JWT_PREVIOUS_SECRET_KEY_UNTIL', default='')\n"
	write := func(more string) {
		t.Helper()
		if err := os.WriteFile(p.Settings, []byte(settings+lines+more), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# INSTALLED_APPS += ['jwt_grace.GraceConfig']\n")
	rotate := invocation{args: []string{"upgrade", "--rotate", "--grace", "--yes", "--json", "--python", p.Python, "--url", server.URL}, dir: p.Root}
	r := rotate.run(t, state)
	if r.code != 1 || !strings.Contains(r.out, `"code":"grace-not-in-force"`) || read(t, p.EnvPath) != before || r.outcome(t).OK {
		t.Fatalf("exit %d, restored %t\n%s%s", r.code, read(t, p.EnvPath) == before, r.out, r.errOut)
	}
	write("INSTALLED_APPS += ['jwt_grace.GraceConfig']\n")
	if r = rotate.run(t, state); r.code != 0 || !r.outcome(t).OK {
		t.Fatalf("control: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	after := read(t, p.EnvPath)
	old, next := keyIn(before), keyIn(after)
	if next == old || !strings.Contains(after, "\nJWT_PREVIOUS_SECRET_KEY="+old+"\n") {
		t.Error("the file does not have the new key and the previous one")
	}
	for _, key := range []string{old, next} {
		if leaks(r.out+r.errOut, key) {
			t.Error("a part of a key was shown")
		}
	}
	// The end, and the whole of it back.
	end := invocation{args: []string{"grace", "--end", "--yes", "--json", "--python", p.Python, "--url", server.URL}, dir: p.Root}
	if r = end.run(t, state); r.code != 0 || strings.Contains(read(t, p.EnvPath), "PREVIOUS") || !strings.Contains(r.out, `"mark":"ok","text":"refuses the previous key"`) {
		t.Errorf("the end: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	for range 2 {
		if r := (invocation{args: []string{"rollback", "--yes", "--json", "--python", p.Python, "--url", server.URL}, dir: p.Root}).run(t, state); r.code != 0 {
			t.Errorf("rollback: exit %d\n%s%s", r.code, r.out, r.errOut)
		}
	}
	if read(t, p.EnvPath) != before {
		t.Error("the rotation is not taken back")
	}
}

// A run that is killed between write and proof, in either stage, goes on with the same
// two keys when the same command runs again. In development the rotation itself writes the
// module and the lines of the settings, and a rollback takes them back.
func TestARotationThatWasKilledGoesOn(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	state := filepath.Join(t.TempDir(), "state")
	before, settings := read(t, p.EnvPath), read(t, p.Settings)
	server := p.Start(t, djangotest.ServerOptions{Reload: true})
	old := keyIn(read(t, p.EnvPath))
	second := func() string {
		_, text, _ := strings.Cut(read(t, p.EnvPath), "\nJWT_PREVIOUS_SECRET_KEY=")
		text, _, _ = strings.Cut(text, "\n")
		return text
	}
	// Its restart kills the run itself, at the given call.
	count := filepath.Join(t.TempDir(), "calls")
	rotate := func(kill string) ran {
		t.Helper()
		restart := "command:sh -c 'echo x >> " + count + "; touch config/settings.py; sleep 2; if [ $(wc -l < " + count + ") = " + kill + " ]; then kill -9 $PPID; fi'"
		return invocation{args: []string{"upgrade", "--rotate", "--grace", "--yes", "--json", "--python", p.Python, "--url", server.URL, "--restart", restart}, dir: p.Root}.run(t, state)
	}
	if r := rotate("1"); r.code == 0 || keyIn(read(t, p.EnvPath)) != old || second() == "" {
		t.Fatalf("the first stage was not cut short: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	next := second()
	if r := (invocation{args: []string{"status"}, dir: p.Root}).run(t, state); !strings.Contains(r.out, "first stage") || leaks(r.out, next) || leaks(r.out, old) {
		t.Errorf("status does not name the first stage:\n%s", r.out)
	}
	if r := rotate("3"); r.code == 0 || keyIn(read(t, p.EnvPath)) != next || second() != old {
		t.Fatalf("the second stage was not cut short, or has other keys: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if r := rotate("0"); r.code != 0 || !r.outcome(t).OK || keyIn(read(t, p.EnvPath)) != next || second() != old {
		t.Fatalf("it did not go on: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if r := (invocation{args: []string{"status"}, dir: p.Root}).run(t, state); strings.Contains(r.out, "Unfinished") {
		t.Errorf("at its end it is unfinished:\n%s", r.out)
	}
	module := filepath.Join(p.Root, "jwt_grace.py")
	if _, err := os.Stat(module); err != nil || !strings.Contains(read(t, p.Settings), "jwt_grace.GraceConfig") {
		t.Errorf("the plan did not write what the code needs: %v", err)
	}
	if r := (invocation{args: []string{"rollback", "--yes", "--python", p.Python, "--url", server.URL, "--restart", "command:sh -c 'touch config/settings.py; sleep 2'"}, dir: p.Root}).run(t, state); r.code != 0 || read(t, p.EnvPath) != before || read(t, p.Settings) != settings {
		t.Errorf("rollback: exit %d, the code as before: %t\n%s%s", r.code, read(t, p.Settings) == settings, r.out, r.errOut)
	}
	if _, err := os.Stat(module); !os.IsNotExist(err) {
		t.Errorf("the module is left, and the settings do not name it any more: %v", err)
	}
}

//go:build unix

package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// counted wraps the project's interpreter in a script that notes each start,
// and returns the script and a function that tells how many there were.
func counted(t testing.TB, python string) (wrapper string, starts func() int) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "starts")
	wrapper = filepath.Join(dir, "python")
	script := fmt.Sprintf("#!/bin/sh\necho start >>'%s'\nexec '%s' \"$@\"\n", log, python)
	if err := stepstest.WriteProgram(wrapper, script); err != nil {
		t.Fatal(err)
	}
	return wrapper, func() int {
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), "start")
	}
}

// The guide's way starts Django three times before it is done: a shell, the
// server's check and manage.py check. One start must do here, also with the
// throwaway account and the proof after the write.
func TestDjangoIsStartedOnce(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: rest})
	p.WriteEnv(t, rest+"JWT_SECRET_KEY={KEY}\n")
	p.Start(t, djangotest.ServerOptions{Reload: true})
	p.WriteEnv(t, rest)
	python, starts := counted(t, p.Python)
	r := invocation{args: []string{"upgrade", "--yes", "--temp-user", "--python", python}, dir: p.Root}.run(t, t.TempDir())
	if r.code != 0 {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if n := starts(); n != 1 {
		t.Errorf("Django was started %d times, want once", n)
	}
}

// BenchmarkUpgrade times the whole upgrade of a project without a running
// server: BenchmarkGuide does the same by the guide's own commands.
func BenchmarkUpgrade(b *testing.B) {
	p := djangotest.New(b, djangotest.Options{Env: rest})
	state := filepath.Join(b.TempDir(), "state")
	for b.Loop() {
		p.WriteEnv(b, rest)
		c := invocation{args: []string{"upgrade", "--yes", "--skip", "restart,smoke-test", "--python", p.Python}, dir: p.Root}.command(b.Context(), b, state)
		if out, err := c.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
}

// BenchmarkGuide runs the guide's commands up to the restart: make the key with
// Python, append it, compare in a shell, and check.
func BenchmarkGuide(b *testing.B) {
	p := djangotest.New(b, djangotest.Options{Env: rest})
	const compare = "from django.conf import settings; assert settings.SECRET_KEY != settings.JWT_SECRET_KEY"
	for b.Loop() {
		p.WriteEnv(b, rest+"JWT_SECRET_KEY="+djangotest.NewKey()+"\n")
		for _, args := range [][]string{{"shell", "-c", compare}, {"check"}} {
			if out, err := p.Manage(b, nil, args...); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
		}
	}
}

// A key that a person is asked for must not make an unattended run wait.
func TestUnattendedRunsDoNotWait(t *testing.T) {
	for _, args := range [][]string{{}, {"upgrade"}, {"upgrade", "--yes", "--username", "somebody"}, {"upgrade", "--yes", "--key-stdin"}} {
		begun := time.Now()
		r := invocation{args: args, dir: t.TempDir()}.run(t, t.TempDir())
		if r.code != 2 || r.errOut == "" || time.Since(begun) > 5*time.Second {
			t.Errorf("%v: exit %d after %v: %s", args, r.code, time.Since(begun), r.errOut)
		}
	}
}

//go:build unix

package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// service is a backend as an operator runs it: gunicorn with four workers that get their
// variables from a file of their own (EnvironmentFile), and a login that takes 5 attempts
// in 15 minutes.
type service struct {
	*djangotest.Project
	env, url, restart string // the file, the address, the command
	user, password    string
	state             string
}

const throttled = `
CACHES = {'default': {'BACKEND': 'django.core.cache.backends.filebased.FileBasedCache', 'LOCATION': str(BASE_DIR / 'cache')}}
REST_FRAMEWORK['DEFAULT_THROTTLE_CLASSES'] = ['config.throttle.Logins']
`

const throttle = `from rest_framework.throttling import SimpleRateThrottle

class Logins(SimpleRateThrottle):
    rate = '5 in 15 minutes'

    def parse_rate(self, rate):
        return 5, 900

    def get_cache_key(self, request, view):
        return 'login' if request.path.endswith('/login/') else None
`

// serviceScript does what a service manager does: ends the old master, and starts a new
// one with what the file says.
const serviceScript = `#!/bin/sh
exec 9>{DIR}/lock
flock 9
if [ -s {DIR}/pid ]; then
	old=$(cat {DIR}/pid)
	kill $old 2>/dev/null
	while kill -0 $old 2>/dev/null; do sleep 0.05; done
fi
sleep 0.5
set -a; . {ENV}; set +a
exec {BIN}/gunicorn -w 4 -b {ADDR} --reuse-port --pid {DIR}/pid --daemon --graceful-timeout 1 --chdir {ROOT} config.wsgi 9>&-
`

func newService(t *testing.T) *service {
	t.Helper()
	p := djangotest.New(t, djangotest.Options{Generation: djangotest.Servers})
	s := &service{Project: p, env: filepath.Join(t.TempDir(), "shop.env"), state: filepath.Join(t.TempDir(), "state")}
	s.user, s.password = p.CreateUser(t)
	addr := djangotest.FreeAddr(t)
	s.url = "http://" + addr
	folder := t.TempDir()
	script := filepath.Join(folder, "restart.sh")
	s.restart = "command:" + script
	fill := strings.NewReplacer("{DIR}", folder, "{ENV}", s.env, "{BIN}", filepath.Dir(p.Python), "{ADDR}", addr, "{ROOT}", p.Root)
	err := errors.Join(
		os.Remove(p.EnvPath),
		os.WriteFile(p.Settings, []byte(read(t, p.Settings)+throttled), 0o600),
		os.WriteFile(filepath.Join(filepath.Dir(p.Settings), "throttle.py"), []byte(throttle), 0o600),
		os.WriteFile(s.env, []byte("DEBUG=False\nALLOWED_HOSTS=127.0.0.1\nSECRET_KEY="+p.SecretKey+"\n"), 0o600),
		stepstest.WriteProgram(script, fill.Replace(serviceScript)),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pid, err := strconv.Atoi(strings.TrimSpace(read(t, filepath.Join(folder, "pid")))); err == nil && pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	})
	return s
}

// upgrade is the command that the operator types, with further flags.
func (s *service) upgrade(flags ...string) invocation {
	args := []string{"upgrade", "--env", "staging", "--target", "dotenv:" + s.env, "--restart", s.restart, "--url", s.url, "--python", s.Python, "--yes", "--json"}
	return invocation{args: append(args, flags...), dir: s.Root, env: []string{"KEYSPLIT_PASSWORD=" + s.password}}
}

// killedAt runs the command and kills it as soon as a step begins or ends.
func (s *service) killedAt(t *testing.T, i invocation, step, event string) {
	t.Helper()
	c := i.command(context.Background(), t, s.state)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	hit := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var ev struct{ Step, Event string }
		if json.Unmarshal(lines.Bytes(), &ev) == nil && ev.Step == step && ev.Event == event {
			hit = true
			_ = c.Process.Kill()
		}
	}
	if _ = c.Wait(); !hit || c.ProcessState.ExitCode() != -1 {
		t.Fatalf("the run was not killed at %s %s", step, event)
	}
}

// items are the states of the report's items, by number.
func (s *service) items(t *testing.T) map[int]string {
	t.Helper()
	r := invocation{args: []string{"report", "--env", "staging", "--json", "--python", s.Python}, dir: s.Root}.run(t, s.state)
	var report struct {
		Items []struct {
			Number int
			State  string
		}
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil {
		t.Fatalf("%v\n%s%s", err, r.out, r.errOut)
	}
	got := map[int]string{}
	for _, it := range report.Items {
		got[it.Number] = it.State
	}
	return got
}

// An operator's day with one service: the first key, a rotation that is killed at four
// points and typed again, two runs at once, a worker that was forgotten, and a rollback
// with a restart that does nothing.
func TestAnOperatorsDay(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Attr("part", "an operator's day")
	t.Parallel()
	s := newService(t)
	account := []string{"--username", s.user}

	r := s.upgrade(account...).run(t, s.state)
	first := keyIn(read(t, s.env))
	if r.code != 0 || first == "" || !accepts(t, s.url, first) || accepts(t, s.url, s.SecretKey) {
		t.Fatalf("the first key: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	for _, want := range []string{"with the variables of " + s.env, "compared inside Django", "25 of 25 new connections", "4 processes"} {
		if !strings.Contains(r.out, want) || strings.Contains(r.out, "assumed") {
			t.Errorf("%q is not said, or something is assumed:\n%s", want, r.out)
		}
	}
	if got := s.items(t); got[4] != "done" || got[5] != "done" || got[6] != "done" {
		t.Errorf("the report after it: %v", got)
	}

	last := first
	for _, at := range [][2]string{{"generate", "done"}, {"write", "done"}, {"restart", "started"}, {"smoke-test", "started"}} {
		i := s.upgrade(append(account, "--rotate")...)
		s.killedAt(t, i, at[0], at[1])
		begun := keyIn(read(t, s.env))
		if (begun == last) != (at[0] == "generate") {
			t.Fatalf("killed at %v: the key in the file changed: %t", at, begun != last)
		}
		r := i.run(t, s.state)
		now := keyIn(read(t, s.env))
		// What was restarted with its key is rotated once more, as was asked.
		resumed := begun != last && at[0] != "smoke-test"
		if r.code != 0 || now == last || resumed != (now == begun) {
			t.Fatalf("the same command after a kill at %v: exit %d, a new key %t, that of the killed run %t\n%s%s", at, r.code, now != last, now == begun, r.out, r.errOut)
		}
		if !accepts(t, s.url, now) || accepts(t, s.url, last) {
			t.Errorf("after a kill at %v the server has another key", at)
		}
		last = now
	}
	// These were five logins, so that the next one is refused for 15 minutes.
	r = s.upgrade(account...).run(t, s.state)
	if o := r.outcome(t); !finding.Has(o.Findings, finding.LoginThrottled) {
		t.Errorf("the sixth login: exit %d, %v", r.code, codes(o.Findings))
	}
	if got := s.items(t); got[4] != "done" || got[5] != "done" || got[6] != "done" {
		t.Errorf("the report after it, with a login of the same key before: %v", got)
	}

	s.twoAtOnce(t)
	s.forgottenWorker(t)

	before := keyIn(read(t, s.env))
	back := invocation{args: []string{"rollback", "--env", "staging", "--yes", "--url", s.url}, dir: s.Root}.run(t, s.state)
	if back.code != 1 || !strings.Contains(back.out, "--restart command:VALUE") {
		t.Errorf("a rollback without the command: exit %d\n%s%s", back.code, back.out, back.errOut)
	}
	back = invocation{args: []string{"rollback", "--env", "staging", "--yes", "--restart", "command:true", "--url", s.url}, dir: s.Root}.run(t, s.state)
	restored := keyIn(read(t, s.env))
	if back.code != 1 || restored == before || !accepts(t, s.url, before) {
		t.Errorf("a rollback that restarts nothing: exit %d, restored %t\n%s%s", back.code, restored != before, back.out, back.errOut)
	}
	back = invocation{args: []string{"rollback", "--env", "staging", "--yes", "--restart", s.restart, "--url", s.url}, dir: s.Root}.run(t, s.state)
	if back.code != 0 || !accepts(t, s.url, restored) {
		t.Errorf("and one that does: exit %d\n%s%s", back.code, back.out, back.errOut)
	}
}

// twoAtOnce has a second run come while the first one works: it changes nothing, or waits.
func (s *service) twoAtOnce(t *testing.T) {
	t.Helper()
	c := s.upgrade("--rotate").command(context.Background(), t, s.state)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), `"event":"check"`) {
		continue
	}
	if r := s.upgrade("--rotate").run(t, s.state); r.code != 4 {
		t.Errorf("a second run: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	waited := make(chan ran, 1)
	go func() { waited <- s.upgrade("--wait").run(t, s.state) }()
	for lines.Scan() {
		continue
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the first run: %v", err)
	}
	if r := <-waited; r.code != 0 || r.outcome(t).Changed {
		t.Errorf("the run that waited: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
}

// forgottenWorker leaves a process of the service with the old key, which answers its share.
func (s *service) forgottenWorker(t *testing.T) {
	t.Helper()
	old := exec.Command(filepath.Join(filepath.Dir(s.Python), "gunicorn"), "-w", "1", "-b", strings.TrimPrefix(s.url, "http://"), "--reuse-port", "config.wsgi")
	old.Dir = s.Root
	old.Env = djangotest.CleanEnviron(strings.Fields(read(t, s.env))...)
	old.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := old.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(-old.Process.Pid, syscall.SIGKILL); _ = old.Wait() }()
	time.Sleep(3 * time.Second) // until it answers beside the others
	r := s.upgrade("--rotate").run(t, s.state)
	if o := r.outcome(t); r.code != 1 || !finding.Has(o.Findings, finding.ServerStaleKey) {
		t.Errorf("a worker that was not restarted: exit %d, %v\n%s", r.code, codes(o.Findings), r.out)
	}
}

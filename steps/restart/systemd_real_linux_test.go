package restart

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// Against the real systemd: only where KEYSPLIT_REAL_SYSTEMD says that the
// machine may be used for it, as .ci/real does with a container of its own.
func TestRealSystemd(t *testing.T) {
	if os.Getenv("KEYSPLIT_REAL_SYSTEMD") != "1" {
		t.Skip("only with KEYSPLIT_REAL_SYSTEMD=1, in a container: bash .ci/real systemd")
	}
	systemctl := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("systemctl", args...).CombinedOutput()
		if err != nil {
			t.Logf("systemctl %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	env := filepath.Join(t.TempDir(), "unit.env")
	const up = "exec sleep infinity"
	// command sees $GOOD once it is set.
	units := map[string]string{
		"ks-web":    up,
		"ks-worker": up,
		"ks-ends":   `echo "setting ${GOOD:-nothing}"; printf 'why it ends \033[31mred\033]0;x\a\n' >&2; [ -z "$GOOD" ] && exec sleep infinity; exit 3`,
		"ks-loop":   `[ -z "$GOOD" ] && exec sleep infinity; exit 3`,
		"ks-shadow": up,
		"ks-failed": `[ -z "$GOOD" ] && exit 3; sleep 1; exec sleep infinity`, // before the restart
	}
	for name, command := range units {
		more := "EnvironmentFile=-" + env
		switch name {
		case "ks-loop":
			more += "\nRestart=always\nRestartSec=100ms"
		case "ks-shadow":
			more = "Environment=JWT_SECRET_KEY=another"
		}
		text := fmt.Sprintf("[Unit]\nStartLimitBurst=50\n[Service]\n%s\nExecStart=/bin/sh -c '%s'\n", more,
			strings.NewReplacer("'", `"`, "$", "$$", `\033`, `\\033`, `\a`, `\\a`).Replace(command))
		path := filepath.Join("/run/systemd/system", name+".service")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { systemctl("stop", name); _ = os.Remove(path) })
	}
	systemctl("daemon-reload")
	if err := os.WriteFile(env, []byte("JWT_SECRET_KEY="+newKey()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name := range units {
		systemctl("start", name)
	}
	time.Sleep(time.Second)

	key := newKey()
	if err := os.WriteFile(env, []byte("GOOD=yes\nJWT_SECRET_KEY="+key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := managedWorld(t, "systemd:ks-web,ks-worker")
	w.step.StartsWithin, w.step.StaysUp = 10*time.Second, 2*time.Second
	w.run.Key = w.run.Secret(key)
	said, _, err := restarted(t, w)
	if err != nil || !w.run.Restarted {
		t.Fatalf("error %v\n%s", err, said)
	}
	for _, name := range []string{"ks-web", "ks-worker"} {
		pid := strings.TrimPrefix(systemctl("show", "-p", "MainPID", name), "MainPID=")
		environ, err := os.ReadFile("/proc/" + pid + "/environ")
		if err != nil || !bytes.Contains(environ, []byte("JWT_SECRET_KEY="+key)) {
			t.Errorf("%s, process %s, does not have the new key (%v)", name, pid, err)
		}
	}
	if state := systemctl("is-active", "ks-failed"); state != "failed" {
		t.Fatalf("ks-failed is %s", state)
	}
	w.run.Options.Restart = by(t, "systemd:ks-failed")
	if said, _, err := restarted(t, w); err != nil {
		t.Errorf("a unit that had failed before: %v\n%s", err, said)
	}
	for unit, want := range map[string]struct{ code, says string }{
		"ks-ends":   {"restart-failed", "setting yes"},
		"ks-loop":   {"restart-failed", ""},
		"ks-shadow": {"jwt-key-shadowed", ""},
		"ks-none":   {"place-not-found", ""},
	} {
		w.run.Options.Restart = by(t, "systemd:"+unit)
		var failure *steps.Failure
		plan, err := w.step.Plan(t.Context(), w.run)
		var texts []string
		if err == nil {
			texts, _, err = do(w.step.Apply, w.run)
		}
		if !errors.As(err, &failure) || !finding.Has(failure.Findings, finding.Code(want.code)) {
			t.Errorf("%s: %v, plan %+v", unit, err, plan)
		}
		all := strings.Join(texts, "\n")
		if !strings.Contains(all, want.says) || strings.Contains(all, "\x1b") || strings.Contains(all, key) {
			t.Errorf("%s: it said %q", unit, all)
		}
	}
}

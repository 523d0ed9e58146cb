package restart

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/sys/child"
)

// The server that keysplit starts as root runs as the user that was found, with what
// only root can read, and leaves no byte code.
func TestOwnServerRunsAsTheUserOfTheProject(t *testing.T) {
	t.Parallel()
	user, err := child.FindAccount("nobody")
	if os.Geteuid() != 0 || err != nil {
		t.Log("SKIPPED: this needs root and a user nobody")
		t.Skip("SKIPPED: this needs root and a user nobody")
	}
	dir := t.TempDir()
	for _, open := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(open, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	said := filepath.Join(dir, "said")
	python, env := filepath.Join(dir, "python"), filepath.Join(dir, ".env")
	for path, text := range map[string]string{
		python: "#!/bin/sh\necho \"$(id -u) $HOME $PYTHONDONTWRITEBYTECODE $SHOP_MAIL\" >'" + said + "'\n",
		env:    "SHOP_MAIL=handed-in\n",
		said:   "",
	} {
		mode := map[string]os.FileMode{python: 0o755}[path] | 0o600
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(said, int(user.UID), -1); err != nil {
		t.Fatal(err)
	}
	run := &steps.Run{}
	run.Project = &steps.Project{
		Root: dir, TopLevel: dir, ManagePy: filepath.Join(dir, "manage.py"), Python: python, User: user, UserFrom: "--as",
		EnvFile: steps.EnvFile{Path: env, Exists: true, Readers: []envfile.Dialect{envfile.Systemd}},
	}
	var events stepstest.Events
	s := &Step{}
	if _, _, err := s.startRunserver(t.Context(), run, events.Emit); err == nil {
		t.Error("a server that ends at its start counts as started")
	}
	if err := stepstest.WriteProgram(python, "#!/bin/sh\nexec sleep 60\n"); err != nil {
		t.Fatal(err)
	}
	run.Project.User, run.Options.Timeout = nil, 200*time.Millisecond
	if _, _, err := s.startRunserver(t.Context(), run, events.Emit); err == nil {
		t.Error("a server that does not answer counts as started")
	}
	if err := syscall.Kill(s.own.pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("a server that does not answer is left: %v", err)
	}
	if err := os.Chmod(python, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.startRunserver(t.Context(), run, events.Emit); err == nil {
		t.Error("a Python that cannot be started counts as started")
	}
	got, err := os.ReadFile(said)
	if want := "65534 " + user.Home + " 1 handed-in\n"; err != nil || !strings.HasSuffix(want, string(got)) || len(got) == 0 {
		t.Errorf("it ran as %q, want %q, %v", got, want, err)
	}
}

package write

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// A file that cannot be written is noticed by the plan, before the target ahead of it has the key.
func TestAReadOnlyFileIsNoticedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	other := filepath.Join(run.Project.Root, "a.env")
	if err := errors.Join(os.WriteFile(other, []byte("B=1\n"), 0o600), os.Chmod(run.Project.EnvFile.Path, 0o400)); err != nil {
		t.Fatal(err)
	}
	run.Targets, _ = Targets([]string{"dotenv:a.env", "dotenv"})
	_, err := (&Step{}).Plan(t.Context(), run)
	var failure *steps.Failure
	if !errors.As(err, &failure) || !finding.Has(failure.Findings, "env-file-read-only") {
		t.Errorf("the plan says %v", err)
	}
	if data, err := os.ReadFile(other); err != nil || string(data) != "B=1\n" {
		t.Errorf("the other file has %q, %v", data, err)
	}
}

func TestChattrIsToldWithItsCommand(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	path := run.Project.EnvFile.Path
	if out, err := exec.Command("chattr", "+i", path).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: %v %s", err, out)
	}
	_, err := (&Step{}).Plan(t.Context(), run)
	if out, err := exec.Command("chattr", "-i", path).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	var failure *steps.Failure
	if !errors.As(err, &failure) || !finding.Has(failure.Findings, "env-file-read-only") || !strings.Contains(failure.Findings[0].Fix.Rendered(), "chattr -i") {
		t.Errorf("the plan says %v", err)
	}
}

// A lock that another program holds on the project's folder is waited for, and told.
func TestALockOnTheFolderIsTold(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: waits for a lock for five seconds")
	}
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	folder, err := os.Open(filepath.Dir(run.Project.EnvFile.Path))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := unix.Flock(int(folder.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	s := &Step{}
	if _, err := s.Plan(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	var events stepstest.Events
	if err := s.Apply(t.Context(), run, events.Emit); err != nil {
		t.Fatal(err)
	}
	for _, ev := range events {
		if strings.Contains(ev.Text.Rendered(), "A lock on the folder of .env") && strings.Contains(ev.Text.Rendered(), "process ") {
			return
		}
	}
	t.Errorf("the lock is not told: %+v", events)
}

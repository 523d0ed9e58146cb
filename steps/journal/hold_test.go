package journal_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
)

// TestHoldInAProcessOfItsOwn is no test: it is the other process of the one below.
func TestHoldInAProcessOfItsOwn(t *testing.T) {
	state, project := os.Getenv("KEYSPLIT_TEST_HOLD"), os.Getenv("KEYSPLIT_TEST_PROJECT")
	if state == "" {
		t.Skip("only as the other process of a test")
	}
	if _, err := journal.Folder(state).Hold(t.Context(), project, "staging", "keysplit upgrade --env staging", nil); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("held\n")
	time.Sleep(time.Minute)
}

// The lock is another process's: it is named, it is waited for, and its death frees it.
func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	state, project := stepstest.State(t), t.TempDir()
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHoldInAProcessOfItsOwn$")
	other.Env = append(os.Environ(), "KEYSPLIT_TEST_HOLD="+string(state), "KEYSPLIT_TEST_PROJECT="+project)
	out, err := other.StdoutPipe()
	if err == nil {
		err = other.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("%q, %v", line, err)
	}
	_, err = state.Hold(t.Context(), project, "staging", "keysplit rollback", nil)
	var held *journal.HeldError
	if !errors.As(err, &held) || held.By.PID != other.Process.Pid || held.By.Owner == "" || time.Since(held.By.Since) > time.Minute {
		t.Fatalf("the holder is not known: %v, %+v", err, held)
	}
	for _, want := range []string{"staging", "keysplit upgrade --env staging", held.By.Owner, "since", "--wait"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	for _, free := range []struct{ project, environment string }{{project, "development"}, {t.TempDir(), "staging"}} {
		release, err := state.Hold(t.Context(), free.project, free.environment, "keysplit", nil)
		if err != nil {
			t.Fatalf("%+v: %v", free, err)
		}
		release()
	}
	waited := make(chan journal.Holder, 2)
	got := make(chan error, 1)
	var release func()
	go func() {
		var err error
		release, err = state.Hold(t.Context(), project, "staging", "keysplit rollback", func(h journal.Holder) { waited <- h })
		got <- err
	}()
	if h := <-waited; h.PID != held.By.PID {
		t.Errorf("it waits for %+v", h)
	}
	select {
	case err := <-got:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	if err := <-got; err != nil || len(waited) > 0 {
		t.Fatalf("after its death: %v, told %d times more", err, len(waited))
	}
	defer release() // Windows removes no open file
	if _, err := state.Hold(t.Context(), project, "staging", "keysplit", nil); !errors.As(err, &held) || held.By.PID != os.Getpid() {
		t.Errorf("who waited does not hold it: %v", err)
	}
}

// A process that a killed run was just about to start has the lock for a moment longer: the
// next run looks again before it names one that has ended.
func TestALockMayOutliveItsRunForAMoment(t *testing.T) {
	t.Parallel()
	state, project := stepstest.State(t), t.TempDir()
	release, err := state.Hold(t.Context(), project, "staging", "keysplit", nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(journal.Holder{Owner: "ada", PID: ended.Process.Pid, Since: time.Now(), Command: "keysplit"})
	if err == nil {
		err = os.WriteFile(filepath.Join(state.Of(project, "staging"), "run.lock"), line, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	over, stop := context.WithCancel(t.Context())
	stop()
	if _, err := state.Hold(over, project, "staging", "keysplit", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that is to stop goes on looking: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, release)
	again, err := state.Hold(t.Context(), project, "staging", "keysplit", nil)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

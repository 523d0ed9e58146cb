//go:build unix

package ui

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/ui/internal/ptytest"
)

// A program that asks for a password gets the terminal: the wizard is not on it
// in the meantime, what is typed goes to the program alone, and the wizard comes back.
func TestTheTerminalIsHandedOver(t *testing.T) {
	t.Attr("part", "ends of the wizard inside the process")
	st := newStage(t, plainLight)
	got := make(chan error, 1)
	answer := filepath.Join(t.TempDir(), "answer")
	st.fakes[steps.Preflight].apply = func(ctx context.Context, run *steps.Run, _ steps.Emit) error {
		err := run.HandOver(ctx, "/bin/sh", []string{"-c",
			`stty -echo; printf 'Password: '; read -r line; stty echo; printf %s "$line" >"$1"; exit 3`, "sh", answer})
		got <- err
		return nil
	}
	y := show(t, context.Background(), st, Options{})
	y.until("Password: ")
	if y.otherScreen() {
		t.Error("the wizard's screen is still on")
	}
	y.types("open sesame q\r")
	err := <-got
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("error %v", err)
	}
	if line, err := os.ReadFile(answer); err != nil || string(line) != "open sesame q" {
		t.Errorf("the program got %q, %v", line, err)
	}
	y.until("[ Start ]")
	y.types("q")
	y.end()
	y.restored()
	if strings.Contains(y.text(), "sesame") {
		t.Error("what was typed was shown")
	}
}

// A stop while another program has the terminal stops the whole job, not that program alone:
// the shell would wait for the rest.
func TestAStopWhileTheTerminalIsHandedOver(t *testing.T) {
	t.Attr("part", "stops and continues, ctrl+z and SIGTSTP")
	t.Parallel()
	if os.Getenv("KEYSPLIT_TEST_JOB") != "" { // as a job of the shell below
		st := newStage(t, plainLight)
		st.fakes[steps.Preflight].apply = func(ctx context.Context, run *steps.Run, _ steps.Emit) error {
			return run.HandOver(ctx, "/bin/sh", []string{"-c", "printf 'Password: '; read -r line"})
		}
		if _, err := Run(t.Context(), st.e, Options{}); err != nil {
			t.Error(err)
		}
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const soon = 20 * time.Second
	tm := ptytest.Start(t, ptytest.Options{
		Program: "/bin/bash", Args: []string{"--norc", "--noprofile", "-i"}, Dir: t.TempDir(),
		Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TERM=xterm-256color", "LANG=C.UTF-8", "PS1=ready$ ", "HISTFILE=", "KEYSPLIT_TEST_JOB=1", "T=" + self},
	})
	tm.WaitFor(`ready\$`, soon)
	tm.Type("\"$T\" -test.run '^" + t.Name() + "$'\r")
	tm.WaitFor("Password:", soon)
	tm.Press(ptytest.CtrlZ)
	prompts := func(n int) func(ptytest.Frame) bool {
		return func(f ptytest.Frame) bool { return strings.Count(f.Text(), "ready$") == n }
	}
	tm.WaitUntil("the shell", soon, prompts(2))
	tm.Type("fg\r")
	tm.WaitUntil("the program again", soon, func(f ptytest.Frame) bool { return strings.Count(f.Text(), `"$T"`) == 3 })
	tm.Type("x\r")
	tm.WaitFor(`\[ Start \]`, soon)
	tm.Type("q")
	tm.WaitUntil("the shell again", soon, prompts(3))
	tm.Type("exit\r")
	tm.Exit(soon)
}

package steps

import (
	"testing"

	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/sys/shell"
)

// The commands that go on name all that no configuration repeats, and can be pasted
// into a shell.
func TestTheCommandThatGoesOn(t *testing.T) {
	t.Parallel()
	run := &Run{Options: Options{Environment: "staging", Given: []string{"--target", "fly:a", "--target", "vault:kv/app#jwt", "--restart", "command:make it's"}}}
	if got, want := run.ResumeCommand(), "keysplit upgrade --env staging --target fly:a --target 'vault:kv/app#jwt' --restart "+shell.Join("command:make it's"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got, want := run.FinishCommand([]string{"fly:a", "manual:the bank"}), "keysplit upgrade --env staging --restart "+shell.Join("command:make it's")+" --target fly:a --target 'manual:the bank'"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	run.Options = Options{Environment: DefaultEnvironment}
	if got := run.ResumeCommand(); got != "keysplit upgrade" {
		t.Errorf("in development: %s", got)
	}
	run.Answers.Rotate = true
	run.Answers.Import = run.Secret(canary.New())
	if got := run.ResumeCommand(); got != "keysplit upgrade --rotate --key-stdin" {
		t.Errorf("before the new key is written: %s", got)
	}
	if run.Wrote = true; run.ResumeCommand() != "keysplit upgrade" {
		t.Errorf("after that: %s", run.ResumeCommand())
	}
}

package steps

import (
	"errors"
	"strings"
	"testing"

	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
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

// Every command that is printed is about the project of this run, whichever flags named it:
// those that it takes, of another environment only what is not of this one alone.
func TestThePrintedCommandsAreAboutThisRun(t *testing.T) {
	t.Parallel()
	run := &Run{Options: Options{
		Environment: "staging", Where: []string{"--project", "../a b", "--env-file", "x.env", "--settings", "m"}, Starting: []string{"--python", "py", "--as", "web", "--timeout", "2m0s"},
		Given: []string{"--python", "py", "--as", "web", "--timeout", "2m0s", "--target", "fly:a"},
	}}
	const where, other, starting = " --project '../a b' --env-file x.env --settings m --env staging", " --project '../a b' --settings m", " --python py --as web --timeout 2m0s"
	for text, want := range map[string]string{
		"`keysplit upgrade --rotate`":          "keysplit upgrade" + where + starting + " --target fly:a --rotate",
		"`keysplit`":                           "keysplit" + where + starting + " --target fly:a",
		"`keysplit --python PATH`":             "keysplit" + where + " --as web --timeout 2m0s --target fly:a --python PATH",
		"`keysplit check --fix`":               "keysplit check" + where + starting + " --fix",
		"`keysplit grace`":                     "keysplit grace" + where + starting,
		"`keysplit rollback`":                  "keysplit rollback" + where + " --as web --timeout 2m0s",
		"`keysplit report --team`":             "keysplit report" + where + " --team",
		"`keysplit status --live`":             "keysplit status" + where + " --live",
		"`keysplit upgrade --env NAME`":        "keysplit upgrade" + other + starting + " --env NAME",
		"`keysplit report --all`":              "keysplit report" + other + " --all",
		"`keysplit check --project x`":         "keysplit check --project x",
		"`keysplit upgrade --help`, `ls`":      "keysplit upgrade --help, ls",
		run.CommandIn("check", "--all"):        "keysplit check" + other + starting + " --all",
		run.Command("rollback", "--no-verify"): "keysplit rollback" + where + " --as web --timeout 2m0s --no-verify",
	} {
		if got := run.Fit(prose.Say(text)).Rendered(); got != want {
			t.Errorf("%s is printed as\n%s, want\n%s", text, got, want)
		}
	}
	j, _ := withJournal(t, "K=1\n")
	if err := j.Use(journal.Used{Targets: []string{"fly:a"}, Python: "/py"}); err != nil {
		t.Fatal(err)
	}
	run.Journal = j
	if got, want := run.Fit(prose.Say("`keysplit`")).Rendered(), "keysplit"+where+" --as web --timeout 2m0s"; got != want {
		t.Errorf("after an upgrade has noted what it uses: %s, want %s", got, want)
	}
}

// A rollback is repeated with what it was given and the journal does not know.
func TestTheCommandThatFinishesARollback(t *testing.T) {
	t.Parallel()
	const used = "http://127.0.0.1:8000"
	for given, want := range map[string]string{
		"":                                  "",
		"--url http://127.0.0.1:9000":       " --url http://127.0.0.1:9000",
		"--restart systemd:b --url " + used: " --restart systemd:b",
		"--restart systemd:a --url " + used + " --url http://127.0.0.1:9000": " --url http://127.0.0.1:9000",
	} {
		j, _ := withJournal(t, "K=1\n")
		if err := errors.Join(j.Use(journal.Used{URLs: []string{used}}), j.SetRestart("systemd:a")); err != nil {
			t.Fatal(err)
		}
		run := &Run{Options: Options{Environment: DefaultEnvironment, Given: strings.Fields(given)}}
		run.Journal = j
		if got := run.Command("rollback"); got != "keysplit rollback"+want {
			t.Errorf("%q: %s", given, got)
		}
	}
}

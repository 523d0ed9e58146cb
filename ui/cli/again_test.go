package cli

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/rollback"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/ui"

	"github.com/spf13/pflag"
)

// What a person answers in the full screen takes the place of the flag, also of one that
// was given.
func TestAnAnswerTakesThePlaceOfAFlag(t *testing.T) {
	t.Parallel()
	f := pflag.NewFlagSet("keysplit", pflag.ContinueOnError)
	urls := f.StringArray("url", nil, "")
	project := f.String("project", "", "")
	if err := f.Parse([]string{"--url", "http://a", "--url", "http://b", "--project", "x"}); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{answer(f, "url", "http://c"), answer(f, "project", "y")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(*urls, []string{"http://c"}) || *project != "y" || !f.Changed("url") {
		t.Errorf("%v, %q", *urls, *project)
	}
}

// Without a run there is no full screen: what was typed wrong is said.
func TestTheWizardNeedsARun(t *testing.T) {
	t.Parallel()
	for theme, says := range map[string]string{"auto": "a/b", "none": "--theme"} {
		o := &wizardOptions{theme: theme}
		o.env = "a/b"
		if err := runWizard(t.Context(), IO{State: stepstest.State(t), InTTY: true, OutTTY: true}, o, nil, nil); !errors.Is(err, steps.ErrUsage) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v", err)
		}
	}
}

// A rollback that the wizard ended with has its own end: with an error that, and what is
// wrong is said; without one, where the upgrade was left, that.
func TestHowARollbackOfTheWizardEnds(t *testing.T) {
	t.Parallel()
	lost := errors.New("the disk is full")
	for _, c := range []struct {
		failed    error
		cancelled bool
		code      int
		says      bool
	}{{nil, false, ExitOK, false}, {nil, true, ExitCancelled, false}, {lost, true, codeOf(lost), true}} {
		var out bytes.Buffer
		run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
		o := ui.Outcome{Back: &rollback.Verdict{Err: c.failed, Summary: prose.Say("The key is back.")}, Cancelled: c.cancelled, Findings: []finding.Finding{finding.New(finding.ServerStaleKey, "One process is old.")}}
		err := wentBack(steps.NewEngine(run), newPlain(IO{Out: &out, Err: &out}, &speech{noColor: true}), o)
		if code := exitCode(IO{Err: &out}, err); code != c.code || strings.Contains(out.String(), "One process is old.") != c.says || !strings.Contains(out.String(), "The key is back.") {
			t.Errorf("exit %d, want %d:\n%s", code, c.code, out.String())
		}
	}
}

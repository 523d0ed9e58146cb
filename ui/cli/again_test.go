package cli

import (
	"errors"
	"slices"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"

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
	o := &wizardOptions{theme: "auto"}
	o.env = "a/b"
	if err := runWizard(t.Context(), IO{State: stepstest.State(t), InTTY: true, OutTTY: true}, o, nil, nil); !errors.Is(err, steps.ErrUsage) {
		t.Errorf("%v", err)
	}
}

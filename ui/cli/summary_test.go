package cli

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/sys/shell"
)

// What is said at the end is no more than what was done and proved.
func TestSummaries(t *testing.T) {
	skipped := map[steps.Name]steps.Status{steps.Write: steps.Done, steps.Restart: steps.Skipped, steps.SmokeTest: steps.Skipped}
	for name, c := range map[string]struct {
		end      steps.Ending
		says     string
		rollback bool
	}{
		"done":                {steps.Ending{OK: true, Changed: true}, "has a JWT key of its own", true},
		"own server":          {steps.Ending{OK: true, Changed: true, OwnServer: true}, "own server, which was not seen", true},
		"one item is open":    {steps.Ending{OK: true, Changed: true, Open: 1}, "has a JWT key of its own", true},
		"nothing to do":       {steps.Ending{OK: true}, "Nothing was changed", false},
		"only files edited":   {steps.Ending{OK: true, Edited: true}, "Only the files named here were edited", true},
		"written, no more":    {steps.Ending{OK: true, Changed: true, Steps: skipped}, "Skipped steps were not verified", true},
		"in order, no more":   {steps.Ending{OK: true, Steps: skipped}, "Skipped steps were not verified", false},
		"a plan":              {steps.Ending{OK: true, DryRun: true}, "That was the plan", false},
		"half a plan":         {steps.Ending{DryRun: true, Steps: map[steps.Name]steps.Status{steps.Restart: steps.Failed}}, "The plan is not finished, and nothing was changed", false},
		"failed":              {steps.Ending{Changed: true}, "Not finished", true},
		"failed, not changed": {steps.Ending{}, "Not finished", false},
	} {
		r := (&place{env: steps.DefaultEnvironment}).summarise(&steps.Run{}, result{Ending: c.end})
		if !strings.Contains(r.Summary.Rendered(), c.says) || strings.Contains(stepstest.Rendered(r.Next, " "), "rollback") != c.rollback {
			t.Errorf("%s: %s %q", name, r.Summary, stepstest.Rendered(r.Next, " "))
		}
		if left := slices.Contains(r.Next, prose.Say("1 item of the checklist is open. To see it: `keysplit report`")); left != (c.end.Open == 1) {
			t.Errorf("%s: %q", name, stepstest.Rendered(r.Next, " "))
		}
	}
	staging := steps.Run{Options: steps.Options{Environment: "staging", Given: []string{"--target", "fly:x"}}}
	if got := staging.ReopenCommand(); got != "keysplit --env staging --target fly:x" {
		t.Errorf("the wizard goes on with %s", got)
	}
}

// The mark of an ending is that of the wizard's page: no tick, where not all is proved.
func TestTheMarkOfAnEnding(t *testing.T) {
	t.Parallel()
	for want, end := range map[string]steps.Ending{
		"ok: ":    {OK: true},
		"note: ":  {OK: true, OwnServer: true},
		"error: ": {},
	} {
		var o strings.Builder
		newPlain(IO{Out: &o, In: strings.NewReader("")}, &speech{spoken: true}).Result(result{Ending: end, Summary: prose.Say("So it ended.")})
		if got := strings.TrimSpace(o.String()); got != want+"So it ended." {
			t.Errorf("%+v: %q", end, got)
		}
	}
}

// The command that goes on has every flag again that says where and how, and does
// not pass for right what may have been the mistake.
func TestHowToGoOn(t *testing.T) {
	o := &upgradeOptions{
		place:    place{project: "p", envFile: "e", python: "py", settings: "s", timeout: time.Minute},
		delivery: delivery{targets: []string{"dotenv"}, skip: []string{"write", "restart"}}, restart: "none",
		server: server{urls: []string{"http://localhost:9"}, caFile: "ca.pem"}, login: login{username: "ada", passwordStdin: true},
		answers: answers{yes: true, confirm: []string{"prod"}}, fix: true, writeConfig: true, dryRun: true,
	}
	run := &steps.Run{Options: steps.Options{Where: o.where(), Given: append(o.place.given(), o.given()...)}}
	given := run.Options.Given
	whole := "keysplit upgrade --project p --env-file e --settings s --python py --timeout 1m0s --target dotenv --restart none --url http://localhost:9 " +
		"--ca-file ca.pem --username ada --skip " + shell.Join("write,restart") + " --fix --write-config"
	if got := run.ResumeCommand(); got != whole {
		t.Errorf("%s\nwant %s", got, whole)
	}
	if err := newUpgrade(IO{}).ParseFlags(append(strings.Fields(whole)[2:], "--wait")); err != nil {
		t.Errorf("the program does not take what it advises: %v", err)
	}
	if got := (&upgradeOptions{place: place{timeout: steps.DefaultTimeout}, login: login{tempUser: true}}).given(); !slices.Equal(got, []string{"--temp-user"}) {
		t.Errorf("of a throwaway account: %q", got)
	}
	refused, nobody := []finding.Finding{finding.New("login-rejected", "")}, []finding.Finding{finding.New("server-unreachable", "")}
	for _, c := range []struct {
		end  steps.Ending
		want string
	}{
		{steps.Ending{GoOn: whole, Given: given, Findings: refused}, "To continue, with the right name and password: "},
		{steps.Ending{GoOn: "keysplit upgrade --temp-user", Given: []string{"--temp-user"}, Findings: refused}, "To continue: "},
		{steps.Ending{GoOn: whole, Given: given, Findings: nobody}, "To continue, if the address is right: "},
		{steps.Ending{GoOn: "keysplit upgrade", Findings: nobody}, "To continue: "},
		{steps.Ending{GoOn: whole, Given: given, Misused: true}, "To continue, with that corrected: "},
	} {
		if next := c.end.Next(); next[len(next)-1].Rendered() != c.want+c.end.GoOn {
			got := next[len(next)-1].Rendered()
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

// The words of the stepper are those of --skip; the names of earlier releases stay.
func TestStepsAreSkippedByTheirWords(t *testing.T) {
	for given, want := range map[string][]steps.Name{
		"key,Write": {steps.Generate, steps.Write}, "verify": {steps.Distinct}, "restart, login": {steps.Restart, steps.SmokeTest},
		"generate,distinct,smoke-test,checklist": {steps.Generate, steps.Distinct, steps.SmokeTest, steps.Checklist},
	} {
		skip, err := (&delivery{skip: strings.Split(given, ",")}).skipped()
		if err != nil || len(skip) != len(want) || slices.ContainsFunc(want, func(n steps.Name) bool { return !skip[n] }) {
			t.Errorf("%s: %v, %v", given, skip, err)
		}
	}
	for _, wrong := range []string{"look", "preflight", "step 5", ""} {
		if skip, err := (&delivery{skip: []string{wrong}}).skipped(); err == nil || !strings.Contains(err.Error(), "key, write, verify, restart, login") {
			t.Errorf("%q: %v, %v", wrong, skip, err)
		}
	}
}

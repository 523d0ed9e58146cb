package generate

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

func apply(t *testing.T, run *steps.Run) (stepstest.Events, error) {
	t.Helper()
	var events stepstest.Events
	s := &Step{}
	if _, err := s.Plan(context.Background(), run); err != nil {
		return events, err
	}
	err := s.Apply(context.Background(), run, events.Emit)
	if err == nil {
		err = s.Verify(context.Background(), run, events.Emit)
	}
	return events, err
}

func TestMakesAKeyWhereThereIsNoGoodOne(t *testing.T) {
	t.Parallel()
	secret, old := stepstest.Key(), stepstest.Key()
	for name, c := range map[string]struct {
		env      string
		previous string
		reason   string
	}{
		"missing":     {"SECRET_KEY=" + secret + "\n", "", "is not set"},
		"empty":       {"SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=\n", "", "empty"},
		"equal":       {"SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + secret + "\n", secret, "SECRET_KEY"},
		"short":       {"JWT_SECRET_KEY=" + old[:30] + "\n", old[:30], "shorter"},
		"placeholder": {"JWT_SECRET_KEY=REQUIRED__GENERATE_WITH__python_-c_import_secrets_token_urlsafe_64\n", "REQUIRED__GENERATE_WITH__python_-c_import_secrets_token_urlsafe_64", "placeholder"},
		"unread":      {"export JWT_SECRET_KEY=" + old + "\n", "", "The reader leaves it out."},
	} {
		t.Run(name, func(t *testing.T) {
			run := stepstest.NewRun(t, c.env, nil)
			run.Project.Findings = []finding.Finding{finding.New(finding.SecretKeyInsecure, "Another thing.")}
			if name == "unread" {
				run.Project.Findings = append(run.Project.Findings, finding.New(finding.KeyUnread, "The reader leaves it out."))
			}
			before := stepstest.Content(t, run)
			if plan, err := (&Step{}).Plan(t.Context(), run); err != nil || !strings.Contains(plan.Details[1].Rendered(), c.reason) {
				t.Errorf("the reason is %q, want %q (%v)", plan.Details[1].Rendered(), c.reason, err)
			}
			if _, err := apply(t, run); err != nil {
				t.Fatal(err)
			}
			if run.KeyFrom != "made" || !regexp.MustCompile(`^[A-Za-z0-9_-]{86}$`).MatchString(run.Key.Reveal()) {
				t.Errorf("key %s of %d characters, want made, 86 of base64url", run.KeyFrom, run.Key.Len())
			}
			if run.Previous.Reveal() != c.previous {
				t.Errorf("the previous key is wrong: %d characters, want %d", run.Previous.Len(), len(c.previous))
			}
			if stepstest.Content(t, run) != before {
				t.Error("the file changed")
			}
			key := run.Key
			if _, err := apply(t, run); err != nil || !run.Key.Equal(key) {
				t.Errorf("a second apply made another key (%v)", err)
			}
		})
	}
}

func TestKeepsAGoodKey(t *testing.T) {
	t.Parallel()
	key := stepstest.Key()
	run := stepstest.NewRun(t, "SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+key+"\n", nil)
	plan, err := (&Step{}).Plan(context.Background(), run)
	if err != nil || !plan.Nothing {
		t.Errorf("plan %+v, %v", plan, err)
	}
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	if run.KeyFrom != "kept" || run.Key.Reveal() != key || run.Previous.Set() {
		t.Errorf("key %s, previous set %v", run.KeyFrom, run.Previous.Set())
	}
}

func TestRotateReplacesAGoodKey(t *testing.T) {
	t.Parallel()
	key := stepstest.Key()
	run := stepstest.NewRun(t, "JWT_SECRET_KEY="+key+"\n", nil)
	run.Answers.Rotate = true
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	if run.Key.Reveal() == key || run.Previous.Reveal() != key {
		t.Error("the key was not rotated")
	}
}

// A step that is gone back to after the key was written still knows the one before.
func TestRotateKnowsThePreviousKeyAfterTheWrite(t *testing.T) {
	t.Parallel()
	key := stepstest.Key()
	run := stepstest.NewRun(t, "JWT_SECRET_KEY="+key+"\n", nil)
	run.Answers.Rotate = true
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Journal.Replace(t.Context(), run.Project.EnvFile.At, []byte("JWT_SECRET_KEY="+run.Key.Reveal()+"\n")); err != nil {
		t.Fatal(err)
	}
	stepstest.Look(t, run)
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	if run.Previous.Reveal() != key {
		t.Errorf("the previous key is forgotten: %d characters", run.Previous.Len())
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	secret := stepstest.Key()
	for name, c := range map[string]struct {
		key  string
		want finding.Code // "" for accepted
	}{
		"good":           {stepstest.Key(), ""},
		"good, quoted":   {"it's a #odd$ one & but long enough, (random) " + stepstest.Key()[:20], ""},
		"short":          {stepstest.Key()[:49], "jwt-key-too-short"},
		"equal":          {secret, "jwt-key-equals-secret-key"},
		"placeholder":    {"your-jwt-secret-key-goes-here-and-is-long-enough-for-it", "jwt-key-placeholder"},
		"guide's sample": {"Kj8Vx2Ym_5qN9wLpZ3rTc7Uf1hAs6Dg0iEoWbXvYnMzQlRkUjHtGfCsPaN4rBemI", "jwt-key-weak"},
	} {
		t.Run(name, func(t *testing.T) {
			run := stepstest.NewRun(t, "SECRET_KEY="+secret+"\n", nil)
			run.Answers.Import = run.Prints.Secret(c.key)
			_, err := apply(t, run)
			var failure *steps.Failure
			switch {
			case c.want == "":
				if err != nil || run.KeyFrom != "imported" || run.Key.Reveal() != c.key {
					t.Errorf("not imported: %v", err)
				}
			case !errors.As(err, &failure) || !finding.Has(failure.Findings, c.want):
				t.Errorf("error %v, want %s", err, c.want)
			case run.Key.Set():
				t.Error("a refused key was taken")
			}
		})
	}
}

func TestImportedKeyEqualToASecretKeyOfTheSettings(t *testing.T) {
	t.Parallel()
	secret := stepstest.Key()
	run := stepstest.NewRun(t, "", nil)
	run.Project.Facts = &steps.Facts{SecretKey: steps.KeyFacts{Set: true, Sum: run.Prints.Sum([]byte(secret))}}
	run.Answers.Import = run.Prints.Secret(secret)
	_, err := apply(t, run)
	var failure *steps.Failure
	if !errors.As(err, &failure) || !finding.Has(failure.Findings, "jwt-key-equals-secret-key") {
		t.Errorf("error %v", err)
	}
}

func TestAVariableOfTheShellWouldHideTheKey(t *testing.T) {
	t.Parallel()
	key := stepstest.Key()
	for name, c := range map[string]struct {
		env     string
		environ string
		refused bool
	}{
		"missing in the file":     {"", key, false}, // as in a container
		"short, and nowhere else": {"", key[:20], true},
		"empty in the shell":      {"JWT_SECRET_KEY=" + key + "\n", "", true},
		"another in the shell":    {"JWT_SECRET_KEY=" + key + "\n", stepstest.Key(), true},
		"the same in the shell":   {"JWT_SECRET_KEY=" + key + "\n", key, false},
	} {
		t.Run(name, func(t *testing.T) {
			run := stepstest.NewRun(t, c.env, map[string]string{"JWT_SECRET_KEY": c.environ})
			_, err := apply(t, run)
			var failure *steps.Failure
			if refused := errors.As(err, &failure) && finding.Has(failure.Findings, "jwt-key-shadowed"); refused != c.refused {
				t.Errorf("error %v, want refused %v", err, c.refused)
			}
			if !c.refused && (run.KeyFrom != "kept" || run.Key.Reveal() != key) {
				t.Errorf("the good key is not kept: %s", run.KeyFrom)
			}
		})
	}
}

func TestNoRandomBytesNoKey(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	s := &Step{Random: iotest.ErrReader(errors.New("no entropy"))}
	if err := s.Apply(context.Background(), run, func(steps.Event) {}); err == nil || run.Key.Set() {
		t.Errorf("error %v, key set %v", err, run.Key.Set())
	}
}

func TestUndoForgets(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	if err := (&Step{}).Undo(context.Background(), run, nil); err != nil || run.Key.Set() {
		t.Errorf("error %v, key set %v", err, run.Key.Set())
	}
}

// Before a change that ends sessions: how long they would have lived, or that this
// is not known; also when an interrupted run goes on.
func TestTheEffectsSayHowLongTokensLive(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	run.Options.Environment = "staging"
	said := func() string {
		t.Helper()
		plan, err := (&Step{}).Plan(context.Background(), run)
		if err != nil {
			t.Fatal(err)
		}
		return stepstest.Rendered(plan.Effects, " ")
	}
	run.Project.Facts = nil
	if got := said(); !strings.Contains(got, "not known") || !strings.Contains(got, "quiet hour") {
		t.Errorf("nothing known: %q", got)
	}
	for want, seconds := range map[string][2]int64{
		"Access tokens last 15 minutes here, refresh tokens 7 days.":   {15 * 60, 7 * 24 * 3600},
		"Access tokens last 90 seconds here, refresh tokens 24 hours.": {90, 24 * 3600},
	} {
		run.Project.Facts = &steps.Facts{Tokens: steps.TokenFacts{AccessSeconds: seconds[0], RefreshSeconds: seconds[1]}}
		if got := said(); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
	if err := run.Journal.Choose(run.Secret(stepstest.Key()), run.Specs()); err != nil {
		t.Fatal(err)
	}
	if got := said(); !strings.Contains(got, "log in again") {
		t.Errorf("an interrupted run goes on: %q", got)
	}
}

// A project may want more than the 86 characters of the usual key.
func TestAKeyIsAsLongAsTheProjectWants(t *testing.T) {
	t.Parallel()
	for _, least := range []int{50, 86, 87, 100, 512} {
		run := stepstest.NewRun(t, "", nil)
		run.Options.MinLength = least
		if _, err := apply(t, run); err != nil {
			t.Errorf("%d: %v", least, err)
		}
		if n := run.Key.Len(); n < least || n < 86 || n > max(86, least+2) {
			t.Errorf("%d characters were wanted, and %d made", least, n)
		}
	}
	run := stepstest.NewRun(t, "", nil)
	run.Options.MinLength, run.Answers.Import = 100, run.Secret(stepstest.Key())
	if _, err := apply(t, run); err == nil || !strings.Contains(err.Error(), "shorter than 100 characters") {
		t.Errorf("a key that is too short for the project: %v", err)
	}
}

// A key that only the settings can fetch is good where Django has told so.
func TestAKeyThatTheSettingsFetchIsKept(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	run.Project.Source = steps.Source{Kind: steps.FromCode}
	run.Project.Facts = &steps.Facts{State: "ok", Key: steps.KeyFacts{Set: true, Length: 86, Source: "code"}, Tokens: steps.TokenFacts{Algorithm: "HS256"}}
	events, err := apply(t, run)
	if err != nil || run.KeyFrom != "kept" {
		t.Fatalf("key %q: %v", run.KeyFrom, err)
	}
	for _, e := range events {
		if e.ID == "key" && e.Mark == steps.MarkOK && strings.Contains(e.Detail.Rendered(), "86 characters") {
			return
		}
	}
	t.Errorf("said %+v", events)
}

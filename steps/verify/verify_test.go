package verify

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// look runs step 3 and returns the codes that it found.
func look(t *testing.T, run *steps.Run) ([]finding.Code, error) {
	t.Helper()
	var events stepstest.Events
	err := (&Step{}).Apply(context.Background(), run, events.Emit)
	var codes []finding.Code
	var failure *steps.Failure
	if errors.As(err, &failure) {
		for _, f := range failure.Findings {
			codes = append(codes, f.Code)
		}
	}
	for _, ev := range events {
		if ev.Finding != nil {
			codes = append(codes, ev.Finding.Code)
		}
	}
	return codes, err
}

// healthy is a run whose file, environment and Django agree.
func healthy(t *testing.T) (*steps.Run, *steps.Facts, string, string) {
	key, secret := stepstest.Key(), stepstest.Key()
	run := stepstest.NewRun(t, "SECRET_KEY="+secret+"\nJWT_SECRET_KEY="+key+"\n", nil)
	run.Key = run.Prints.Secret(key)
	facts := &steps.Facts{
		State: "ok", SigningEqualsKey: true, Enforced: true,
		Key:    steps.KeyFacts{Set: true, Length: 86, Sum: run.Prints.Sum([]byte(key))},
		Tokens: steps.TokenFacts{Algorithm: "HS256"},
	}
	run.Django = &stepstest.Django{Now: facts}
	return run, facts, key, secret
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	run, _, _, _ := healthy(t)
	if codes, err := look(t, run); err != nil || len(codes) > 0 {
		t.Errorf("a healthy pair was met with %v, %v", codes, err)
	}
	run.Django = nil
	if codes, err := look(t, run); err != nil || len(codes) > 0 {
		t.Errorf("without Django: %v, %v", codes, err)
	}
}

func TestFileAndEnvironment(t *testing.T) {
	t.Parallel()
	key, secret := stepstest.Key(), stepstest.Key()
	for name, c := range map[string]struct {
		env     string
		environ map[string]string
		readers []envfile.Dialect
		want    finding.Code
	}{
		"missing":                         {"SECRET_KEY=" + secret + "\n", nil, nil, "jwt-key-missing"},
		"empty":                           {"JWT_SECRET_KEY=\n", nil, nil, "jwt-key-empty"},
		"equal":                           {"SECRET_KEY=" + key + "\nJWT_SECRET_KEY=" + key + "\n", nil, nil, "jwt-key-equals-secret-key"},
		"equal another":                   {"OTHER_KEY=" + key + "\nJWT_SECRET_KEY=" + key + "\n", nil, nil, "jwt-key-equals-secret-key"},
		"short":                           {"JWT_SECRET_KEY=" + key[:49] + "\n", nil, nil, "jwt-key-too-short"},
		"placeholder":                     {"JWT_SECRET_KEY=REQUIRED__GENERATE_WITH__python_-c_import_secrets_token_urlsafe_64\n", nil, nil, "jwt-key-placeholder"},
		"unread":                          {"export JWT_SECRET_KEY=" + key + "\n", nil, nil, "jwt-key-missing"},
		"shadowed":                        {"JWT_SECRET_KEY=" + key + "\n", map[string]string{"JWT_SECRET_KEY": secret}, nil, "jwt-key-shadowed"},
		"equal, of the environment alone": {"SECRET_KEY=" + key + "\n", map[string]string{"JWT_SECRET_KEY": key}, nil, "jwt-key-equals-secret-key"},
		"shadowed by an empty variable":   {"JWT_SECRET_KEY=" + key + "\n", map[string]string{"JWT_SECRET_KEY": ""}, nil, "jwt-key-shadowed"},
		"equal to a SECRET_KEY of the environment": {"JWT_SECRET_KEY=" + key + "\n", map[string]string{"SECRET_KEY": key}, nil, "jwt-key-equals-secret-key"},
		"a second reader sees another value":       {"JWT_SECRET_KEY=" + key + " # comment\n", nil, []envfile.Dialect{envfile.PythonDotenv, envfile.Decouple}, "value-dialect-ambiguous"},
		"a second reader refuses the file":         {"JWT_SECRET_KEY=" + key + "\nbare line\n", nil, []envfile.Dialect{envfile.Decouple, envfile.Godotenv}, "key-unread"},
	} {
		t.Run(name, func(t *testing.T) {
			run := stepstest.NewRun(t, c.env, c.environ, c.readers...)
			run.Key = run.Prints.Secret(key)
			codes, err := look(t, run)
			if err == nil || !slices.Contains(codes, c.want) {
				t.Errorf("found %v (%v), want %s", codes, err, c.want)
			}
			if failure := (*steps.Failure)(nil); errors.As(err, &failure) && regexp.MustCompile("equals|same value").MatchString(failure.Findings[0].Message.Rendered()) != (c.want == finding.JWTKeyEqualsSecretKey) {
				t.Errorf("it says %q", failure.Findings[0].Message.Rendered())
			}
		})
	}
}

func TestWhatDjangoSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(f *steps.Facts)
		want  finding.Code
		fails bool
	}{
		"key missing":        {func(f *steps.Facts) { f.State = "key-missing" }, "jwt-key-missing", true},
		"key equal":          {func(f *steps.Facts) { f.State = "key-equal" }, "jwt-key-equals-secret-key", true},
		"key short":          {func(f *steps.Facts) { f.State = "key-short" }, "jwt-key-too-short", true},
		"key refused":        {func(f *steps.Facts) { f.State, f.StateError = "key-refused", "JWT_SECRET_KEY needs a $" }, "jwt-key-weak", true},
		"settings broken":    {func(f *steps.Facts) { f.State, f.StateError = "failed", "boom" }, "django-not-runnable", true},
		"another value":      {func(f *steps.Facts) { f.Key.Sum = "00" }, "key-unread", true},
		"key not read":       {func(f *steps.Facts) { f.Key.Set = false }, "settings-not-upgraded", true},
		"signs with SECRET":  {func(f *steps.Facts) { f.SigningEqualsSecretKey, f.SigningEqualsKey = true, false }, "settings-not-upgraded", true},
		"signs with both":    {func(f *steps.Facts) { f.SigningEqualsSecretKey = true }, "jwt-key-equals-secret-key", true},
		"signs with a third": {func(f *steps.Facts) { f.SigningEqualsKey = false }, "settings-not-upgraded", true},
		"check fails":        {func(f *steps.Facts) { f.Checks = []steps.SystemCheck{{Level: 40, ID: "models.E001", Message: "bad"}} }, "django-check-failed", true},
		"another shared one": {func(f *steps.Facts) { f.Tokens.Algorithm = "HS512" }, "", false},
		"other algorithm":    {func(f *steps.Facts) { f.Tokens.Algorithm = "RS256" }, "token-algorithm", false},
		"check warns":        {func(f *steps.Facts) { f.Checks = []steps.SystemCheck{{Level: 30, ID: "x.W001"}} }, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			run, facts, _, _ := healthy(t)
			c.spoil(facts)
			codes, err := look(t, run)
			if (err != nil) != c.fails || (c.want != "" && !slices.Contains(codes, c.want)) || (c.want == "" && len(codes) > 0) {
				t.Errorf("found %v (%v), want %q, fails %v", codes, err, c.want, c.fails)
			}
		})
	}
}

func TestAReaderThatOverridesTheEnvironment(t *testing.T) {
	t.Parallel()
	run, facts, _, _ := healthy(t)
	run.Environ = func(name string) (string, bool) { return "another", name == steps.GuideNames.Key }
	for _, source := range []string{"file", "value-file"} { // the latter's path is in the variable
		facts.Key.Source = source
		if codes, err := look(t, run); err != nil || len(codes) > 0 {
			t.Errorf("the %s wins, but: %v, %v", source, codes, err)
		}
	}
	facts.Key.Source = "environment"
	if codes, err := look(t, run); err == nil || !slices.Contains(codes, "jwt-key-shadowed") {
		t.Errorf("the environment wins, but: %v, %v", codes, err)
	}
}

func TestDjangoThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	run, _, _, _ := healthy(t)
	run.Django = &stepstest.Django{Err: errors.New("the interpreter is gone")}
	if _, err := look(t, run); err == nil {
		t.Error("a Django that does not answer passed")
	}
}

func TestNoEventShowsAKey(t *testing.T) {
	t.Parallel()
	run, facts, key, secret := healthy(t)
	facts.SigningEqualsKey = false
	var events stepstest.Events
	err := (&Step{}).Apply(context.Background(), run, events.Emit)
	text := err.Error()
	for _, ev := range events {
		text += ev.Text.Rendered() + ev.Detail.Rendered()
	}
	for _, v := range []string{key, secret} {
		for i := 0; i+12 <= len(v); i++ {
			if strings.Contains(text, v[i:i+12]) {
				t.Fatal("a key was shown")
			}
		}
	}
}

// A key that somebody changed after it was written is told as that, and not as a
// quarrel of readers.
func TestAKeyThatWasChangedSince(t *testing.T) {
	t.Parallel()
	mine, theirs := stepstest.Key(), stepstest.Key()
	for name, c := range map[string]struct {
		env   string
		wrote bool
		want  finding.Code
		not   finding.Code
	}{
		"changed":      {"JWT_SECRET_KEY=" + theirs + "\n", true, "env-file-changed", "value-dialect-ambiguous"},
		"read unalike": {"JWT_SECRET_KEY=" + theirs + " # c\n", true, "value-dialect-ambiguous", "env-file-changed"},
		"not written":  {"JWT_SECRET_KEY=" + theirs + "\n", false, "value-dialect-ambiguous", "env-file-changed"},
	} {
		run := stepstest.NewRun(t, c.env, nil, envfile.Decouple, envfile.PythonDotenv)
		run.Key, run.Wrote = run.Prints.Secret(mine), c.wrote
		codes, err := look(t, run)
		if err == nil || !slices.Contains(codes, c.want) || slices.Contains(codes, c.not) {
			t.Errorf("%s: found %v (%v), want %s", name, codes, err, c.want)
		}
	}
}

// Settings that do not see what was written say where they have their key from, and the
// way to remove what nothing reads is offered; before a write there is nothing to remove.
func TestAWriteThatTheSettingsDoNotSee(t *testing.T) {
	t.Parallel()
	for source, says := range map[string]string{"settings": "written in their code", "code": "fetch it themselves", "value-file": "read it from", "file": "another JWT_SECRET_KEY"} {
		for _, wrote := range []bool{true, false} {
			run, facts, _, _ := healthy(t)
			run.Wrote = wrote
			facts.Key = steps.KeyFacts{Set: true, Length: 86, Sum: "another", Source: source}
			err := (&Step{}).Apply(t.Context(), run, func(steps.Event) {})
			var failure *steps.Failure
			if !errors.As(err, &failure) {
				t.Fatalf("%s: %v", source, err)
			}
			f := failure.Findings[0]
			if f.Code != finding.KeyUnread || !strings.Contains(f.Message.Rendered(), says) {
				t.Errorf("%s: %s %s", source, f.Code, f.Message.Rendered())
			}
			if undo := strings.Contains(f.Fix.Rendered(), "keysplit rollback"); undo != wrote {
				t.Errorf("%s, wrote %t: %s", source, wrote, f.Fix.Rendered())
			}
		}
	}
}

package generate

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// inStages is a run of a rotation in stages, with a journal.
func inStages(t *testing.T, env string) *steps.Run {
	t.Helper()
	run := stepstest.NewRun(t, env, nil)
	withJournal(t, run, t.TempDir())
	run.Answers.Rotate, run.Answers.Grace = true, true
	return run
}

func withJournal(t *testing.T, run *steps.Run, state string) {
	t.Helper()
	j, err := journal.Folder(filepath.Join(state, "state")).Open(run.Project.Root, "development")
	if err != nil {
		t.Fatal(err)
	}
	run.Journal, run.Prints = j, j.Prints()
}

// A rotation goes through its stages with the same two keys, whoever goes on with it.
func TestARotationGoesOnWithItsKeys(t *testing.T) {
	t.Parallel()
	old := stepstest.Key()
	run := inStages(t, "SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+old+"\n")
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	next := run.Second
	if run.Stage != steps.Accepting || run.Key.Reveal() != old || next.Len() != 86 || next.Equal(run.Key) || time.Until(run.Until) < time.Hour {
		t.Fatalf("the first stage: %q, until %v", run.Stage, run.Until)
	}
	// Killed here: another run goes on with the same new key, and shows it nowhere.
	run.Chosen, run.Redactor = steps.Chosen{}, secret.Redactor{}
	hidden := func(when string) {
		t.Helper()
		if shown := run.Show(next.Reveal() + " " + old); strings.Contains(shown, next.Reveal()[:8]) || strings.Contains(shown, old[:8]) {
			t.Errorf("%s: a key is shown", when)
		}
	}
	if _, err := apply(t, run); err != nil || !run.Second.Equal(next) || run.Stage != steps.Accepting {
		t.Fatalf("%v, stage %q, the same key %t", err, run.Stage, run.Second.Equal(next))
	}
	hidden("the new key")
	r, under, err := run.Journal.Rotation()
	if err != nil || !under {
		t.Fatal(err)
	}
	if err := run.Journal.SetAccepted(r); err != nil {
		t.Fatal(err)
	}
	if _, err := apply(t, run); err != nil || run.Stage != steps.Signing || !run.Key.Equal(next) || run.Second.Reveal() != old || run.Previous.Reveal() != old {
		t.Fatalf("the second stage: %v, %q", err, run.Stage)
	}
	if err := os.WriteFile(run.Project.EnvFile.Path, []byte("JWT_SECRET_KEY="+next.Reveal()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stepstest.Look(t, run)
	run.Redactor = secret.Redactor{}
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	hidden("the old key")
	if err := run.Journal.EndRotation(); err != nil {
		t.Fatal(err)
	}
	if _, under, _ := run.Journal.Rotation(); under {
		t.Error("the rotation is not at its end")
	}
	if kept, _ := filepath.Glob(filepath.Join(run.Journal.Dir(), "backup-*")); len(kept) > 0 {
		t.Errorf("keys are left: %q", kept)
	}
}

// Until the last process has restarted, tokens are made with the previous key.
func TestTheAllowanceForTheRestart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wrote       bool
		ago         time.Duration
		least, most time.Duration
	}{
		"nothing written": {false, time.Hour, 10 * time.Minute, 10 * time.Minute},
		"just now":        {true, 0, 5 * time.Second, 5 * time.Second},
		"a while ago":     {true, time.Minute, 2 * time.Minute, 3 * time.Minute},
		"long ago":        {true, time.Hour, 30 * time.Minute, 30 * time.Minute},
	} {
		run := &steps.Run{}
		run.Wrote, run.WroteAt = c.wrote, time.Now().Add(-c.ago)
		if got := allowance(run); got < c.least || got > c.most {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What a grace period would keep open is refused, and so is what would cut a rotation off.
func TestARotationInStagesIsRefused(t *testing.T) {
	t.Parallel()
	secret, good := stepstest.Key(), stepstest.Key()
	for name, c := range map[string]struct {
		env  string
		do   func(t *testing.T, run *steps.Run)
		code finding.Code
	}{
		"the current key is SECRET_KEY": {"SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + secret + "\n", nil, finding.GraceNotAdvised},
		"the current key is short":      {"SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + good[:30] + "\n", nil, finding.GraceNotAdvised},
		"there is no key":               {"SECRET_KEY=" + secret + "\n", nil, finding.GraceNotAdvised},
		"a rotation of another kind in its middle": {"SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + good + "\n", func(t *testing.T, run *steps.Run) {
			begun(t, run, good)
			run.Answers.Grace = false
		}, finding.UpgradeUnfinished},
		"an upgrade in its middle": {"SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + good + "\n", func(t *testing.T, run *steps.Run) {
			if err := run.Journal.Bring(run.Secret(good)); err != nil { // nobody holds a token of it
				t.Fatal(err)
			}
		}, finding.UpgradeUnfinished},
		"the end in its middle": {"SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + good + "\n", func(t *testing.T, run *steps.Run) {
			begun(t, run, good)
			run.Answers.Rotate, run.Answers.Grace, run.Answers.EndGrace = false, false, true
		}, finding.UpgradeUnfinished},
		"a third key in its middle": {"SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + stepstest.Key() + "\n", func(t *testing.T, run *steps.Run) {
			begun(t, run, good)
		}, finding.UpgradeUnfinished},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := inStages(t, c.env)
			if c.do != nil {
				c.do(t, run)
			}
			_, err := apply(t, run)
			var failure *steps.Failure
			if !errors.As(err, &failure) || !finding.Has(failure.Findings, c.code) {
				t.Errorf("%v", err)
			}
		})
	}
}

// begun is a rotation of which something is written: of another file, so that what was
// read of the .env stays true.
func begun(t *testing.T, run *steps.Run, old string) {
	t.Helper()
	if err := run.Journal.BeginRotation(run.Secret(stepstest.Key()), run.Secret(old)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(run.Project.Root, "other.env")
	at, err := envfile.Open(path)
	if err == nil {
		_, err = run.Journal.Replace(t.Context(), at, []byte("A=1\n"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
}

// Who has to log in again is said as it is, and that nobody has to only where it is so.
func TestWhoPaysForAShorterGracePeriod(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * 3600
	for name, c := range map[string]struct {
		facts  *steps.Facts
		asked  time.Duration
		length time.Duration
		says   string
	}{
		"as long as tokens":     {&steps.Facts{Tokens: steps.TokenFacts{AccessSeconds: 300, RefreshSeconds: week}}, 0, week * time.Second, "Nobody is logged out"},
		"shorter, not rotated":  {&steps.Facts{Tokens: steps.TokenFacts{RefreshSeconds: week}}, 24 * time.Hour, 24 * time.Hour, "Refresh tokens last 7 days and are not rotated: everyone who logged in before the rotation logs in again at the deadline."},
		"shorter, rotated":      {&steps.Facts{Tokens: steps.TokenFacts{RefreshSeconds: week, Rotates: true}}, 24 * time.Hour, 24 * time.Hour, "does not refresh one within 24 hours"},
		"sliding":               {&steps.Facts{Tokens: steps.TokenFacts{RefreshSeconds: week, Rotates: true, Type: "sliding"}}, 24 * time.Hour, 24 * time.Hour, "Sliding tokens last 7 days"},
		"longer than the limit": {&steps.Facts{Tokens: steps.TokenFacts{RefreshSeconds: 90 * 24 * 3600}}, 0, steps.MaxGrace, "last 90 days and are not rotated"},
		"nobody knows":          {nil, 0, steps.MaxGrace, "not known"},
	} {
		run := stepstest.NewRun(t, "", nil)
		run.Project.Facts, run.Answers.GraceFor = c.facts, c.asked
		if got := run.WhoPays().Rendered(); run.GraceLength() != c.length || !strings.Contains(got, c.says) || strings.Contains(got, "Nobody") != (name == "as long as tokens") {
			t.Errorf("%s: %v, %s", name, run.GraceLength(), got)
		}
	}
}

package inspect

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
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// planned is a preflight whose plan fails.
type planned struct {
	steps.Step
	err error
}

func (planned) Name() steps.Name { return steps.Preflight }
func (p planned) Plan(context.Context, *steps.Run) (steps.Plan, error) {
	return steps.Plan{}, p.err
}

// look makes an environment of what is found; nothing of the project is read.
func look(t *testing.T, env, name string, fail error, all ...finding.Finding) (*Environment, *[]string) {
	t.Helper()
	run := stepstest.NewRun(t, env, nil)
	run.Options.Environment = name
	var told []string
	v := &Environment{Run: run, Findings: all, Err: fail, Ready: fail == nil && len(finding.Errors(all)) == 0,
		emit: func(ev steps.Event) { told = append(told, string(ev.Finding.Code)) }}
	return v, &told
}

func TestVerdicts(t *testing.T) {
	good := "SECRET_KEY=" + stepstest.Key() + "\nJWT_SECRET_KEY=" + stepstest.Key() + "\n"
	warning, fixable, other := finding.New("env-file-permissions", ""), finding.New("jwt-key-missing", ""), finding.New("django-check-failed", "")
	if !fixable.FixedBySteps() || other.FixedBySteps() || warning.Severity != finding.Warning {
		t.Fatal("the findings are not of the kinds that this test is about")
	}
	for name, c := range map[string]struct {
		fail      error
		committed bool
		found     []finding.Finding
		says      string
		more      bool
	}{
		"good":                 {nil, false, nil, "Ready: JWT_SECRET_KEY is set, long enough and different", false},
		"a warning":            {nil, false, []finding.Finding{warning}, "Ready: ", false},
		"what upgrade fixes":   {nil, false, []finding.Finding{fixable}, "Not ready: 1 thing is wrong. keysplit fixes it.", false},
		"what it does not":     {nil, false, []finding.Finding{other, other}, "Not ready: 2 things are wrong.", true},
		"the look failed":      {steps.Fail(fixable), false, []finding.Finding{fixable}, "Not ready: 1 thing is wrong.", true},
		"no look":              {steps.CannotLook("no project"), false, nil, "keysplit could not inspect the project.", true},
		"committed":            {nil, true, nil, "What is committed is in order.", false},
		"committed, a warning": {nil, true, []finding.Finding{warning}, "Not in order: 1 warning.", true},
	} {
		v, _ := look(t, good, steps.DefaultEnvironment, c.fail, c.found...)
		v.Run.Options.Committed = c.committed
		if text, next, more := v.Verdict(); !strings.HasPrefix(text, c.says) || more != c.more || (next == "keysplit upgrade") != strings.Contains(c.says, "fixes") {
			t.Errorf("%s: %q, %q, %t", name, text, next, more)
		}
		v.Strict()
		if err := v.Failure(); (err == nil) != (c.says[:3] != "Not" && c.fail == nil) {
			t.Errorf("%s: ends with %v", name, err)
		}
	}
}

// A key that two environments share is found with neither shown; an unknown one is
// shared by nobody.
func TestASharedKeyIsFound(t *testing.T) {
	prints := secret.NewFingerprinter(nil)
	a, _ := look(t, "", "a", nil)
	b, told := look(t, "", "b", nil)
	if b.Compare([]*Environment{a}); len(*told) > 0 {
		t.Error("two unknown keys count as one")
	}
	a.print, b.print = prints.Of(prints.Secret("x")), prints.Of(prints.Secret("y"))
	if b.Compare([]*Environment{a}); len(*told) > 0 {
		t.Error("two keys count as one")
	}
	b.print = a.print
	if b.Compare([]*Environment{a}); len(*told) != 1 || b.Ready || !strings.Contains(b.Findings[0].Message.Rendered(), "a and b use the same") {
		t.Errorf("%v, %+v", *told, b.Findings)
	}
}

// The user's wish to stop and wrong usage end a look; a finding does not.
func TestWhatEndsALook(t *testing.T) {
	for _, c := range []struct {
		err  error
		ends bool
	}{{steps.ErrCancelled, true}, {steps.Usage("--python x"), true}, {errors.New("the disk is full"), false}, {steps.Fail(finding.New("jwt-key-missing", "")), false}} {
		e := steps.NewEngine(stepstest.NewRun(t, "", nil), planned{err: c.err})
		if v, err := Look(t.Context(), e, secret.NewFingerprinter(nil), nil); (err != nil) != c.ends || err == nil && (v.Err == nil || v.Ready) {
			t.Errorf("%v: %+v, %v", c.err, v, err)
		}
	}
}

// What the committed files lack counts, with or without edits.
func TestWhatCommittedFilesLack(t *testing.T) {
	key, other := stepstest.Key(), stepstest.Key()
	v, told := look(t, "SECRET_KEY="+key+"\nJWT_SECRET_KEY="+other+"\n", steps.DefaultEnvironment, nil)
	if err := os.WriteFile(filepath.Join(v.Run.Project.TopLevel, ".env.example"), []byte("SECRET_KEY=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := v.Committed(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !finding.Has(v.Findings, finding.ExampleMissingKey) || len(*told) != 1 {
		t.Errorf("%v, told %q", v.Findings, *told)
	}
}

// A look that was cut short, an edit that could not be made and a journal that cannot be
// read are no verdict.
func TestWhatCannotBeLookedAtIsNoVerdict(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	never := func([]steps.Edit) (bool, error) { return false, nil }
	v, _ := look(t, "A=1\n", steps.DefaultEnvironment, nil)
	if err := v.Committed(stopped, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	broken := errors.New("the disk is gone")
	if err := v.Committed(t.Context(), func([]steps.Edit) (bool, error) { return false, broken }); !errors.Is(err, broken) {
		t.Errorf("an edit that fails: %v", err)
	}
	midway, end := context.WithCancel(t.Context())
	if err := v.Committed(midway, func([]steps.Edit) (bool, error) { end(); return true, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped after the edits: %v", err)
	}
	if _, err := v.permitted(stopped, []steps.Edit{{Secret: true}}); !errors.Is(err, context.Canceled) {
		t.Errorf("git was not asked: %v", err)
	}
	missing := finding.New(finding.EnvFileMissing, "").At(".env", 0)
	v, _ = look(t, "A=1\n", steps.DefaultEnvironment, nil, missing)
	v.Run.Stage = steps.Accepting
	if err := os.WriteFile(filepath.Join(v.Run.Project.Root, "jwt_grace.py"), []byte("# another's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := v.Committed(t.Context(), never); err == nil {
		t.Error("a plan of edits that cannot be made")
	}
	if err := os.WriteFile(filepath.Join(v.Run.Journal.Dir(), "journal.jsonl"), []byte("nothing\nof ours\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v.Run.Journal = nil
	if err := v.Remind(time.Now()); err == nil {
		t.Error("reminded without the journal")
	}
}

// A .env that git tracks gets no secret, another one does.
func TestATrackedFileGetsNoSecret(t *testing.T) {
	t.Parallel()
	for _, tracked := range []bool{false, true} {
		v, _ := look(t, "A=1\n", "production", nil)
		words := [][]string{{"init", "-q"}}
		if tracked {
			words = append(words, []string{"add", "-f", ".env"})
		}
		for _, args := range words {
			c := exec.Command("git", args...)
			c.Dir = v.Run.Project.Root
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatal(string(out), err)
			}
		}
		on, err := v.permitted(t.Context(), []steps.Edit{{ID: "a", Secret: true}, {ID: "b"}})
		if err != nil || len(on) != 2 && !tracked || tracked && (len(on) != 1 || on[0].Secret) {
			t.Errorf("tracked %t: %+v, %v", tracked, on, err)
		}
	}
}

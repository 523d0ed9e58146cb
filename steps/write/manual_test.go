package write

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// oneTarget makes a run with a fresh key and one target; what Windows refuses is
// skipped there.
func oneTarget(t *testing.T, spec string) (*steps.Run, steps.Target) {
	t.Helper()
	run := withKey(stepstest.NewRun(t, "", nil))
	run.Options.Timeout = 5 * time.Second
	targets, err := Targets([]string{spec})
	if runtime.GOOS == "windows" && err != nil && strings.Contains(err.Error(), "/dev/stdin") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	run.Targets = targets
	return run, targets[0]
}

func TestByHandSaysWhereTheKeyLiesAndClaimsNothing(t *testing.T) {
	t.Parallel()
	run, target := oneTarget(t, "manual:the vault of the bank")
	if err := run.Journal.Choose(run.Key, run.Specs()); err != nil {
		t.Fatal(err)
	}
	file := run.Journal.ChosenFile()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Fatalf("%v %v", info, err)
	}
	run.Options.Unattended = false
	plan, err := target.Plan(t.Context(), run)
	if err != nil || plan.Question.Empty() || !slices.Contains(plan.Details, prose.Of(file)) || !strings.Contains(plan.Summary.Rendered(), "the vault of the bank") {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	said, err := bring(run, target)
	if err != nil || !strings.Contains(said, `"mark":"warn"`) || strings.Contains(said, `"mark":"ok"`) {
		t.Errorf("%s, %v", said, err)
	}
	if _, open := run.Journal.Begun("manual:the vault of the bank", run.Kept().Of(run.Key)); open {
		t.Error("the journal does not have that it was set")
	}
	noLeak(t, run, run.Key.Reveal(), map[string]string{"what was said": said})
	if err := run.Home().Look(t.Context()); err != nil || !run.Held[0].There || run.Held[0].Readable {
		t.Errorf("afterwards: %+v, %v", run.Held, err)
	}
	if _, err := undo(run); err != nil || len(run.Left) != 1 || !strings.Contains(run.Left[0].Rendered(), "the vault of the bank") {
		t.Errorf("undo: %v, left %v", err, run.Left)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the key is still on the disk")
	}
}

func TestByHandNeedsAPerson(t *testing.T) {
	t.Parallel()
	run, target := oneTarget(t, "manual")
	run.Options.Unattended = true
	run.Options.Given = []string{"--target", "manual"}
	_, err := bring(run, target)
	wantCode(t, err, "by-hand-only")
	var failure *steps.Failure
	if errors.As(err, &failure); !strings.HasSuffix(failure.Findings[0].Fix.Rendered(), ": keysplit upgrade --target manual") {
		t.Errorf("the command that goes on is not named: %s", failure.Findings[0].Fix.Rendered())
	}
	if len(run.Journal.Deliveries()) != 0 {
		t.Error("it was recorded as done")
	}
	run.Key = secret.Secret{}
	if plan, err := target.Plan(t.Context(), run); err != nil || !plan.Nothing {
		t.Errorf("with nothing to set: %+v, %v", plan, err)
	}
}

// A yes to what keysplit writes is no word that a person has done the rest: that
// is asked for by itself, last, and the key is kept for it until then.
func TestByHandIsAskedForByItself(t *testing.T) {
	t.Parallel()
	for name, production := range map[string]bool{"staging": false, "production": true} {
		t.Run(name, func(t *testing.T) {
			program := stepstest.NewTool(t, "fly", clis[1].body)
			run := withKey(stepstest.NewRun(t, "", nil))
			run.Options.Environment, run.Options.Production, run.Options.Unattended = name, production, false
			var err error
			if run.Targets, err = Targets([]string{"manual:the vault of the bank", "fly:shop"}); err != nil {
				t.Fatal(err)
			}
			if err := run.Journal.Choose(run.Key, run.Specs()); err != nil {
				t.Fatal(err)
			}
			step, ctx, none := &Step{}, t.Context(), func(steps.Event) {}
			plan, err := step.Plan(ctx, run)
			if err != nil || !plan.More || strings.Contains(plan.Question.Rendered(), "set it there") || (plan.Confirm != "") != production ||
				!strings.Contains(stepstest.Rendered(plan.Details, " "), "After that: Set the key by hand in the vault of the bank.") {
				t.Fatalf("first: %+v, %v", plan, err)
			}
			if err := step.Apply(ctx, run, none); err != nil {
				t.Fatal(err)
			}
			if err := step.Verify(ctx, run, none); err != nil {
				t.Fatal(err)
			}
			if all := run.Journal.Deliveries(); len(all) != 1 || all[0].Target != "fly:shop" || run.Journal.ChosenFile() == "" {
				t.Fatalf("after the first yes: %+v, the key is kept: %t", all, run.Journal.ChosenFile() != "")
			}
			for range 2 { // a question that was put off comes again
				if plan, err = step.Plan(ctx, run); err != nil || plan.More || plan.Question.Rendered() != "Have you set it there?" || plan.Confirm != "" || plan.Yes == "" {
					t.Fatalf("then: %+v, %v", plan, err)
				}
			}
			if err := step.Apply(ctx, run, none); err != nil {
				t.Fatal(err)
			}
			if err := step.Verify(ctx, run, none); err != nil {
				t.Fatal(err)
			}
			if plan, err = step.Plan(ctx, run); err != nil || !plan.Nothing {
				t.Errorf("a retry asks once more: %+v, %v", plan, err)
			}
			if err := step.Apply(ctx, run, none); err != nil || len(run.Journal.Deliveries()) != 2 || run.Journal.ChosenFile() == "" {
				t.Errorf("at the end: %v, %+v", err, run.Journal.Deliveries())
			}
			if program.Stdin() != "JWT_SECRET_KEY="+run.Key.Reveal()+"\n" {
				t.Error("it was written more than once")
			}
		})
	}
}

func TestByHandIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	program := stepstest.NewTool(t, "fly", clis[1].body)
	run := withKey(stepstest.NewRun(t, "", nil))
	run.Targets, _ = Targets([]string{"fly:shop", "manual"})
	run.Options.Unattended = true
	_, err := deliver(t, run)
	wantCode(t, err, "by-hand-only")
	if program.Stdin() != "" {
		t.Error("the other place was written to")
	}
	run.Options.ReadOnly = true
	if plan, err := (&Step{}).Plan(t.Context(), run); err != nil || !plan.More {
		t.Errorf("a dry run: %+v, %v", plan, err)
	}
}

// Without --env the app is what says production, and what is typed.
func TestProductionIsConfirmedByTheNameThatSaysIt(t *testing.T) {
	t.Parallel()
	stepstest.NewTool(t, "fly", `case "$1 $2" in "secrets list") echo '[]' ;; esac`)
	for specs, want := range map[string]string{"fly:shop-prod": "shop-prod", "dotenv,fly:shop-prod": "shop-prod", "fly:shop-stg": ""} {
		run := withKey(stepstest.NewRun(t, "", nil))
		var err error
		if run.Targets, err = Targets(strings.Split(specs, ",")); err != nil {
			t.Fatal(err)
		}
		if p, err := (&Step{}).Plan(context.Background(), run); err != nil || p.Confirm != want {
			t.Errorf("%s: confirm %q, %v", specs, p.Confirm, err)
		}
	}
}

// A file of --env-file that the backend does not read is not written without a yes of
// its own.
func TestAFileThatTheBackendDoesNotReadIsConfirmed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asked, where string // --env-file, and the place of the finding
		confirmed    bool
		want         string
	}{
		"not read":          {".env", ".env", false, ".env"},
		"confirmed":         {".env", ".env", true, ""},
		"read":              {".env", "", false, ""},
		"another is hidden": {".env", "settings.ini", false, ""},
		"nothing is asked":  {"", ".env", false, ""},
	} {
		run := withKey(stepstest.NewRun(t, "A=1\n", nil))
		run.Options.EnvFile = c.asked
		if c.where != "" {
			run.Project.Findings = append(run.Project.Findings, finding.New(finding.EnvFileWrongPlace, "").At(c.where, 0))
		}
		if c.confirmed {
			run.Confirmed = []string{".env"}
		}
		p, err := (&Step{}).Plan(t.Context(), run)
		if err != nil || p.Confirm != c.want || (p.Why != "") != (c.want != "") || c.want != "" && !strings.Contains(p.Question.Rendered(), "does not read .env") {
			t.Errorf("%s: confirm %q since %q, %q, %v", name, p.Confirm, p.Why, p.Question, err)
		}
	}
}

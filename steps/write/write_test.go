package write

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// deliver plans and applies step 2 with a new key.
func deliver(t *testing.T, run *steps.Run) (steps.Plan, error) {
	t.Helper()
	s := &Step{}
	plan, err := s.Plan(context.Background(), run)
	if err != nil {
		return plan, err
	}
	var events stepstest.Events
	if err := s.Apply(context.Background(), run, events.Emit); err != nil {
		return plan, err
	}
	return plan, s.Verify(context.Background(), run, events.Emit)
}

func withKey(run *steps.Run) *steps.Run {
	run.Key = run.Secret(stepstest.Key())
	return run
}

// found gives preflight's finding about a line of the .env.
func found(code finding.Code, line int) finding.Finding {
	return finding.New(code, "").At(".env", line)
}

func TestWhereTheKeyGoes(t *testing.T) {
	t.Parallel()
	secret := stepstest.Key()
	old := stepstest.Key()
	for name, c := range map[string]struct {
		env      string
		findings []finding.Finding
		want     string // K stands for the new key
	}{
		"at the end":         {"A=1\nSECRET_KEY=" + secret + "\n", nil, "A=1\nSECRET_KEY=" + secret + "\nJWT_SECRET_KEY=K\n"},
		"no final newline":   {"A=1\nDEBUG=True", nil, "A=1\nDEBUG=True\nJWT_SECRET_KEY=K\n"},
		"CRLF":               {"A=1\r\nB=2\r\n", nil, "A=1\r\nB=2\r\nJWT_SECRET_KEY=K\r\n"},
		"empty line":         {"A=1\nJWT_SECRET_KEY=\nB=2\n", nil, "A=1\nJWT_SECRET_KEY=K\nB=2\n"},
		"placeholder":        {"# k\nJWT_SECRET_KEY=change-me-please\n\nB=2", nil, "# k\nJWT_SECRET_KEY=K\n\nB=2"},
		"export":             {"export JWT_SECRET_KEY=" + old + "\nB=2\n", nil, "JWT_SECRET_KEY=K\nB=2\n"},
		"bare":               {"A=1\n" + old + "\nB=2\n", []finding.Finding{found("line-bare", 2)}, "A=1\nB=2\nJWT_SECRET_KEY=K\n"},
		"glued":              {"A=1\nDEBUG=TrueJWT_SECRET_KEY=" + old + "\n", []finding.Finding{found("line-glued", 2)}, "A=1\nDEBUG=True\nJWT_SECRET_KEY=K\n"},
		"duplicate":          {"JWT_SECRET_KEY=a\nB=2\nJWT_SECRET_KEY=b\n", []finding.Finding{found("jwt-key-duplicate", 1)}, "B=2\nJWT_SECRET_KEY=K\n"},
		"an empty file":      {"", nil, "JWT_SECRET_KEY=K\n"},
		"a comment stays":    {"# JWT_SECRET_KEY=your-key\nA=1\n", nil, "# JWT_SECRET_KEY=your-key\nA=1\nJWT_SECRET_KEY=K\n"},
		"other file's lines": {"A=1\n", []finding.Finding{finding.New("line-bare", "").At("other/.env", 1)}, "A=1\nJWT_SECRET_KEY=K\n"},
	} {
		t.Run(name, func(t *testing.T) {
			run := withKey(stepstest.NewRun(t, c.env, nil))
			run.Project.Findings = c.findings
			plan, err := deliver(t, run)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(stepstest.Content(t, run), run.Key.Reveal(), "K")
			if got != c.want {
				t.Errorf("the file holds\n%q, want\n%q", got, c.want)
			}
			for _, d := range plan.Diff {
				for _, v := range []string{run.Key.Reveal(), secret, old} {
					if strings.Contains(d.Text+d.Note, v[:12]) {
						t.Errorf("the diff shows a value: line %d", d.Line)
					}
				}
			}
			if len(plan.Diff) == 0 || plan.Question.Empty() {
				t.Error("nothing was shown or asked")
			}
			if err := (&Step{}).Undo(context.Background(), run, func(steps.Event) {}); err != nil {
				t.Fatal(err)
			}
			if got := stepstest.Content(t, run); got != c.env {
				t.Errorf("after the undo the file holds %q, want %q", got, c.env)
			}
		})
	}
}

// After the write, what committed files lack can still be fixed; what preflight found in
// the .env is no longer so.
func TestCommittedFilesAreOfferedAfterTheWrite(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "A=1\n"+stepstest.Key()+"\n", nil))
	run.Project.Findings = []finding.Finding{found(finding.LineBare, 2)}
	sample := filepath.Join(run.Project.Root, ".env.example")
	if err := os.WriteFile(sample, []byte("SECRET_KEY=change-me\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run.Lacking = []finding.Finding{finding.New(finding.ExampleMissingKey, "").At(".env.example", 1)}
	if _, err := deliver(t, run); err != nil || !run.Wrote {
		t.Fatalf("wrote %v: %v", run.Wrote, err)
	}
	s := &Step{}
	for _, on := range []bool{false, true} {
		run.Switch(map[string]bool{"example-missing-key .env.example": on})
		plan, err := s.Plan(t.Context(), run)
		if err != nil || plan.Nothing == on || len(plan.Offered()) != 1 || plan.Edits[0].On != on {
			t.Fatalf("switched %v: %+v, error %v", on, plan, err)
		}
	}
	var events stepstest.Events
	if err := s.Apply(t.Context(), run, events.Emit); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(sample); err != nil || !strings.Contains(string(text), "JWT_SECRET_KEY=") {
		t.Errorf("%s, error %v", text, err)
	}
}

func TestNothingToWrite(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	run = withKey(run)
	if _, err := deliver(t, run); err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(run.Project.EnvFile.Path)
	run.Wrote = false
	stepstest.Look(t, run)
	plan, err := deliver(t, run)
	if err != nil || !plan.Nothing || run.Wrote {
		t.Errorf("plan %+v, error %v, wrote %v", plan, err, run.Wrote)
	}
	if again, _ := os.Stat(run.Project.EnvFile.Path); !again.ModTime().Equal(info.ModTime()) || !os.SameFile(again, info) {
		t.Error("the file was written again")
	}
}

func TestAnEditSincePreflightIsKept(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	if err := os.WriteFile(run.Project.EnvFile.Path, []byte("A=1\nEDITED=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := deliver(t, run)
	var failure *steps.Failure
	if !errors.As(err, &failure) || !finding.Has(failure.Findings, "env-file-changed") {
		t.Errorf("error %v", err)
	}
	if got := stepstest.Content(t, run); got != "A=1\nEDITED=1\n" {
		t.Errorf("the edit is gone: %q", got)
	}
}

func TestAnEditSinceThePlanIsKept(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	s := &Step{}
	if _, err := s.Plan(context.Background(), run); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(run.Project.EnvFile.Path, []byte("A=2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := s.Apply(context.Background(), run, func(steps.Event) {})
	var failure *steps.Failure
	if !errors.As(err, &failure) || !finding.Has(failure.Findings, "env-file-changed") {
		t.Errorf("error %v", err)
	}
	if got := stepstest.Content(t, run); got != "A=2\n" {
		t.Errorf("the edit is gone: %q", got)
	}
}

func TestMissingFile(t *testing.T) {
	t.Parallel()
	gone := func(t *testing.T) *steps.Run {
		run := withKey(stepstest.NewRun(t, "", nil))
		if err := os.Remove(run.Project.EnvFile.Path); err != nil {
			t.Fatal(err)
		}
		stepstest.Look(t, run)
		return run
	}
	t.Run("is made", func(t *testing.T) {
		run := gone(t)
		if _, err := deliver(t, run); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(run.Project.EnvFile.Path)
		if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("mode %v, error %v", info.Mode(), err)
		}
		if err := (&Step{}).Undo(context.Background(), run, func(steps.Event) {}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(run.Project.EnvFile.Path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after the undo the file is still there: %v", err)
		}
	})
	t.Run("has an example beside it", func(t *testing.T) {
		run := gone(t)
		if err := os.WriteFile(filepath.Join(run.Project.Root, ".env.example"), []byte("SECRET_KEY=\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := deliver(t, run)
		var failure *steps.Failure
		if !errors.As(err, &failure) || !finding.Has(failure.Findings, "env-file-missing") {
			t.Errorf("error %v", err)
		}
	})
}

func TestTheReaderDecides(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "export JWT_SECRET_KEY=old\n", nil, envfile.PythonDotenv))
	if _, err := deliver(t, run); err != nil {
		t.Fatal(err)
	}
	if got := strings.ReplaceAll(stepstest.Content(t, run), run.Key.Reveal(), "K"); got != "export JWT_SECRET_KEY=K\n" {
		t.Errorf("python-dotenv reads export, so it could stay: %q", got)
	}
}

func TestVerifyCatchesAnotherValue(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "JWT_SECRET_KEY="+stepstest.Key()+"\n", nil))
	s := &Step{targets: []steps.Target{&dotenv{}}}
	var failure *steps.Failure
	if err := s.Verify(context.Background(), run, func(steps.Event) {}); !errors.As(err, &failure) || !finding.Has(failure.Findings, "key-unread") {
		t.Errorf("error %v", err)
	}
}

func TestUnknownTarget(t *testing.T) {
	t.Parallel()
	if _, err := Targets([]string{"dotenv:x", "papyrus:scroll"}); !errors.Is(err, steps.ErrUsage) || !strings.Contains(err.Error(), "dotenv") {
		t.Errorf("error %v", err)
	}
	if _, err := Targets([]string{"dotenv", "dotenv:backend/.env"}); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	other := filepath.Join(run.Project.Root, "folder")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	run.Targets, _ = Targets([]string{"dotenv:folder"})
	_, err := deliver(t, run)
	var failure *steps.Failure
	if !errors.As(err, &failure) || !finding.Has(failure.Findings, "env-file-not-regular") {
		t.Errorf("error %v", err)
	}
}

// A backup that was damaged since is not put over a file.
func TestADamagedBackupIsNotPutBack(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	if _, err := deliver(t, run); err != nil {
		t.Fatal(err)
	}
	backups, err := filepath.Glob(filepath.Join(run.Journal.Dir(), "backup-*"))
	if err != nil || len(backups) != 1 {
		t.Fatalf("%v, %v", backups, err)
	}
	if err := os.WriteFile(backups[0], []byte("A="), 0o600); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(run.Project.EnvFile.Path)
	err = (&Step{}).Undo(context.Background(), run, func(steps.Event) {})
	var failure *steps.Failure
	if !errors.As(err, &failure) || !finding.Has(failure.Findings, "backup-damaged") {
		t.Errorf("error %v", err)
	}
	if after, _ := os.ReadFile(run.Project.EnvFile.Path); !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

// Several files are shown and told apart, each with its own lines; what two places
// of a kind have in common is said once.
func TestSeveralFilesAreToldApart(t *testing.T) {
	t.Parallel()
	stepstest.NewTool(t, "fly", clis[1].body)
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	for name, text := range map[string]string{"a.env": "B=1\n", "b.env": "C=1\nJWT_SECRET_KEY=\n"} {
		if err := os.WriteFile(filepath.Join(run.Project.Root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if run.Targets, err = Targets([]string{"dotenv:a.env", "fly:shop", "dotenv:b.env", "fly:api"}); err != nil {
		t.Fatal(err)
	}
	s := &Step{}
	plan, err := s.Plan(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	diffs := plan.Diffs()
	if len(diffs) != 2 || diffs[0].File != "a.env" || diffs[1].File != "b.env" || diffs[0].Lines[1].Line != 2 || diffs[1].Lines[1].Op != "-" {
		t.Errorf("diffs %+v", diffs)
	}
	if len(plan.Effects) != 1 {
		t.Errorf("effects %q", stepstest.Rendered(plan.Effects, " "))
	}
	var events stepstest.Events
	run.Targets, _ = Targets([]string{"dotenv:a.env", "dotenv:b.env"})
	if _, err := s.Plan(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), run, events.Emit); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), run, events.Emit); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, ev := range events {
		if ev.Kind == steps.EventCheck && ev.Mark == steps.MarkOK {
			seen[ev.ID] = ev.Text.Rendered()
		}
	}
	for id, text := range map[string]string{"write a.env": "wrote a.env", "write b.env": "wrote b.env", "read-back a.env": "read back a.env", "read-back b.env": "read back b.env"} {
		if seen[id] != text {
			t.Errorf("check %q says %q, want %q", id, seen[id], text)
		}
	}
}

// Without a key, such as when step 1 was left out, nothing is written: least of
// all an empty value over a good one.
func TestNoKeyIsWrittenWhenNoneWasChosen(t *testing.T) {
	t.Parallel()
	env := "A=1\nJWT_SECRET_KEY=" + stepstest.Key() + "\n"
	run := stepstest.NewRun(t, env, nil)
	plan, err := deliver(t, run)
	if err != nil || !plan.Nothing || len(plan.Details) > 0 || !strings.Contains(plan.Summary.Rendered(), "No key was chosen") {
		t.Errorf("%+v, %v", plan, err)
	}
	if data, err := os.ReadFile(run.Project.EnvFile.Path); err != nil || string(data) != env || run.Wrote {
		t.Errorf("the file was changed: %v", err)
	}
}

package grace

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/canary"
)

// What cannot be read or is another's ends the plan of a period.
func TestAPeriodOverWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(run *steps.Run, path string) error
		code  finding.Code
	}{
		"the keys": {func(run *steps.Run, path string) error {
			return os.WriteFile(path, []byte("JWT_SECRET_KEY=\xff\n"), 0o600)
		}, ""},
		"the file": {func(_ *steps.Run, path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, ""},
		"the module": {func(run *steps.Run, _ string) error {
			return os.WriteFile(filepath.Join(run.Project.Root, FileName), []byte("# another's\n"), 0o600)
		}, finding.GraceModuleNotOurs},
	} {
		run, path := rotated(t, canary.New())
		if err := c.spoil(run, path); err != nil {
			t.Fatal(err)
		}
		if g, err := Plan(t.Context(), run, time.Hour, false, time.Now()); err == nil || g != nil || c.code != "" && code(err) != c.code || errors.Is(err, steps.ErrCannotLook) != (name == "the keys" || name == "the file") {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
	}
}

// The code of a period is written as a whole or an error: what the plan cannot take, the
// journal cannot note or Python cannot place is said.
func TestTheCodeOfAPeriodThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	run, _, module, _ := lacking(t, "A = 1\n")
	run.Project.Python = filepath.Join(t.TempDir(), "gone")
	d, err := steps.Draw(t.Context(), run, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := offer(t.Context(), run, nil, d); err == nil || len(d.On()) != 1 {
		t.Errorf("without Python: %v, %d edits", err, len(d.On()))
	}
	if err := Ready(t.Context(), run); err == nil {
		t.Error("ready without Python")
	}
	c, err := Look(run)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(module, []byte("# another's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), run); code(err) != finding.EnvFileChanged {
		t.Errorf("another's module in between: %v", err)
	}
}

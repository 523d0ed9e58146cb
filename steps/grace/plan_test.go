package grace

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// rotated is a project whose .env had the key old, and has now another one, by way of the
// journal.
func rotated(t *testing.T, old string, readers ...envfile.Dialect) (run *steps.Run, path string) {
	t.Helper()
	text := "SECRET_KEY=" + canary.New() + "\nJWT_SECRET_KEY="
	run = stepstest.NewRun(t, text+old+"\n", nil, readers...)
	path = run.Project.EnvFile.Path
	if _, err := run.Journal.Replace(t.Context(), run.Project.EnvFile.At, []byte(text+canary.New()+"\n")); err != nil {
		t.Fatal(err)
	}
	stepstest.Look(t, run)
	return run, path
}

// code is the code of an error's finding, "" for none.
func code(err error) finding.Code {
	if failure := (*steps.Failure)(nil); errors.As(err, &failure) {
		return failure.Findings[0].Code
	}
	return ""
}

// Both files are written, the second run changes nothing, and a period that is in force
// goes on to its own deadline unless another one is asked for.
func TestAPeriodIsWrittenOnceAndGoesOn(t *testing.T) {
	t.Parallel()
	old, now := canary.New(), time.Now()
	run, path := rotated(t, old)
	module := filepath.Join(run.Project.Root, FileName)
	g, err := Plan(t.Context(), run, time.Hour, false, now)
	if err != nil {
		t.Fatal(err)
	}
	until := now.Add(time.Hour).UTC().Truncate(time.Second)
	if !g.Until.Equal(until) || g.Goes || !slices.Equal(g.Changes, []string{"write " + FileName, "set JWT_PREVIOUS_SECRET_KEY and JWT_PREVIOUS_SECRET_KEY_UNTIL in .env"}) {
		t.Errorf("%v, goes on %t, %q", g.Until, g.Goes, g.Changes)
	}
	if err := g.Apply(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(module); err != nil || !bytes.Equal(got, Module) {
		t.Errorf("the module: %v", err)
	}
	if env := stepstest.Content(t, run); !strings.Contains(env, "\n"+KeyName+"="+old+"\n") || !strings.Contains(env, "\n"+UntilName+"="+steps.GraceUntil(until)+"\n") || !run.Wrote {
		t.Errorf("the lines are not in %s, wrote %t", path, run.Wrote)
	}
	stepstest.Look(t, run)
	if g, err = Plan(t.Context(), run, 2*time.Hour, false, now.Add(time.Minute)); err != nil || !g.Goes || !g.Until.Equal(until) || len(g.Changes) != 0 {
		t.Errorf("the second time: %+v, %v", g, err)
	}
	if g, err = Plan(t.Context(), run, 2*time.Hour, true, now); err != nil || g.Goes || !g.Until.Equal(until.Add(time.Hour)) || len(g.Changes) != 1 {
		t.Errorf("another one: %+v, %v", g, err)
	}
	if g, err = Plan(t.Context(), run, 2*time.Hour, false, now.Add(90*time.Minute)); err != nil || g.Goes || len(g.Changes) != 1 {
		t.Errorf("after its end: %+v, %v", g, err)
	}
}

func TestTheLengthOfAPeriod(t *testing.T) {
	t.Parallel()
	run, _ := rotated(t, canary.New())
	for length, fits := range map[time.Duration]bool{-time.Hour: false, 0: false, time.Second: true, steps.MaxGrace: true, steps.MaxGrace + 1: false} {
		if _, err := Plan(t.Context(), run, length, false, time.Now()); (err == nil) != fits || !fits && !errors.Is(err, steps.ErrUsage) {
			t.Errorf("%v: %v", length, err)
		}
	}
}

// The settings read the two variables as they read the others.
func TestTheLinesAreForTheSettingsReader(t *testing.T) {
	t.Parallel()
	for reader, want := range map[envfile.Dialect]string{
		envfile.Decouple:      "config('JWT_PREVIOUS_SECRET_KEY', default='')",
		envfile.DjangoEnviron: "env('JWT_PREVIOUS_SECRET_KEY', default='')",
		envfile.PythonDotenv:  "os.environ.get('JWT_PREVIOUS_SECRET_KEY', '')",
		"":                    "os.environ.get('JWT_PREVIOUS_SECRET_KEY', '')",
	} {
		run := &steps.Run{Found: steps.Found{Project: &steps.Project{}}}
		if reader != "" {
			run.Project.EnvFile.Readers = []envfile.Dialect{reader}
		}
		lines := settingsLines(run)
		if len(lines) != 3 || lines[0] != KeyName+" = "+want || lines[1] != UntilName+" = "+strings.Replace(want, KeyName, UntilName, 1) || !strings.Contains(lines[2], "jwt_grace.GraceConfig") {
			t.Errorf("%s: %q", reader, lines)
		}
	}
}

// A previous key that must not be accepted is refused, and nothing is written.
func TestAKeyThatMustNotBeAcceptedIsRefused(t *testing.T) {
	t.Parallel()
	good := canary.New()
	for name, c := range map[string]struct {
		run  func(t *testing.T) *steps.Run
		says string
	}{
		"nothing was replaced here": {func(t *testing.T) *steps.Run { return stepstest.NewRun(t, "JWT_SECRET_KEY="+good+"\n", nil) }, "keysplit knows of no previous key"},
		"there was no key": {func(t *testing.T) *steps.Run {
			run, _ := rotated(t, "")
			if err := run.Journal.SetStatus(string(steps.Write), string(steps.Done)); err != nil {
				t.Fatal(err)
			}
			return run
		}, "before this upgrade tokens were signed with SECRET_KEY"},
		"it was short": {func(t *testing.T) *steps.Run { run, _ := rotated(t, "short"); return run }, "The previous key was not good"},
		"it is SECRET_KEY in the file": {func(t *testing.T) *steps.Run {
			run := stepstest.NewRun(t, "SECRET_KEY="+good+"\nJWT_SECRET_KEY="+good+"\n", nil)
			if _, err := run.Journal.Replace(t.Context(), run.Project.EnvFile.At, []byte("SECRET_KEY="+good+"\nJWT_SECRET_KEY="+canary.New()+"\n")); err != nil {
				t.Fatal(err)
			}
			stepstest.Look(t, run)
			return run
		}, "The previous key is SECRET_KEY"},
		"it is SECRET_KEY in the settings": {func(t *testing.T) *steps.Run {
			run, _ := rotated(t, good)
			run.Project.Facts = &steps.Facts{}
			run.Project.Facts.SecretKey.Sum = run.Prints.Of(run.Secret(good))
			return run
		}, "The previous key is SECRET_KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := c.run(t)
			before := stepstest.Content(t, run)
			_, err := Plan(t.Context(), run, time.Hour, false, time.Now())
			if code(err) != finding.GraceNotAdvised || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", code(err), err)
			}
			if _, err := os.Lstat(filepath.Join(run.Project.Root, FileName)); err == nil || stepstest.Content(t, run) != before {
				t.Error("something was written")
			}
		})
	}
	run, _ := rotated(t, good)
	keys := steps.Keys{}
	keys.Key.Secret = run.Secret(good)
	if err := advise(run, keys, run.Secret(good)); code(err) != finding.GraceNotAdvised || !strings.Contains(err.Error(), "the one in force") {
		t.Errorf("the key in force: %v", err)
	}
}

// Where the place is not a file, it is said why it told no previous key.
func TestWhyAPlaceTellsNoPreviousKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		held steps.Held
		says string
	}{
		"not read":     {steps.Held{Where: "the store", Unknown: true}, "keysplit cannot read the store"},
		"never shown":  {steps.Held{Where: "the store"}, "the store never shows a value"},
		"read, no run": {steps.Held{Where: "the store", Readable: true}, "it has not replaced one here"},
	} {
		run := stepstest.NewRun(t, "", nil)
		run.Held = []steps.Held{c.held}
		if err := advise(run, steps.Keys{}, secret.Secret{}); code(err) != finding.GraceNotAdvised || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The previous key is a secret: it goes into no file that git tracks.
func TestNoPreviousKeyInATrackedFile(t *testing.T) {
	t.Parallel()
	run, path := rotated(t, canary.New())
	for _, args := range [][]string{{"init", "-q"}, {"add", "-f", ".env"}} {
		c := exec.Command("git", args...)
		c.Dir = run.Project.Root
		if out, err := c.CombinedOutput(); err != nil {
			t.Skip("SKIPPED: git is missing: ", string(out))
		}
	}
	if _, err := Plan(t.Context(), run, time.Hour, false, time.Now()); code(err) != finding.EnvFileTrackedByGit {
		t.Errorf("%s is tracked: %v", path, err)
	}
}

// What was edited after it was looked at is not replaced.
func TestAnEditBetweenThePlanAndTheWriteIsKept(t *testing.T) {
	t.Parallel()
	for _, name := range []string{FileName, ".env"} {
		run, _ := rotated(t, canary.New())
		g, err := Plan(t.Context(), run, time.Hour, false, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(run.Project.Root, name)
		if err := os.WriteFile(path, []byte("# edited\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := g.Apply(t.Context(), run); code(err) != finding.EnvFileChanged {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "# edited\n" {
			t.Errorf("%s was replaced: %v", name, err)
		}
		if name == FileName && strings.Contains(stepstest.Content(t, run), KeyName) {
			t.Error("the .env has the lines without the module")
		}
	}
}

// A module that the settings still name is needed; where that cannot be told, it is.
func TestTheModuleIsNeededWhereSettingsNameIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string // nil content for a folder
		path  string
		want  bool
	}{
		"the settings name it":        {map[string]string{"config/s.py": "INSTALLED_APPS += ['jwt_grace.GraceConfig']\n"}, FileName, true},
		"a file beside names it":      {map[string]string{"config/s.py": "", "config/base.py": "import jwt_grace\n"}, FileName, true},
		"in a folder of signs":        {map[string]string{"[a-c/s.py": "import jwt_grace\n"}, FileName, true},
		"their folder is gone":        {map[string]string{}, FileName, true},
		"none names it":               {map[string]string{"config/s.py": "A = 1\n"}, FileName, false},
		"only the module itself":      {map[string]string{"config/s.py": ""}, "config/" + FileName, false},
		"one beside cannot be read":   {map[string]string{"config/s.py": "", "config/x.py/y": ""}, FileName, true},
		"the settings are not known":  {nil, FileName, true},
		"another file":                {map[string]string{"config/s.py": "import jwt_grace\n"}, "grace.py", false},
		"another file, none is known": {nil, "grace.py", false},
	} {
		root := t.TempDir()
		run := &steps.Run{Found: steps.Found{Project: &steps.Project{Root: root}}}
		path := filepath.Join(root, c.path)
		files := map[string]string{c.path: "# jwt_grace\n"}
		for name, text := range c.files {
			files[name] = text
			if filepath.Base(name) == "s.py" {
				run.Project.SettingsFile = filepath.Join(root, name)
			}
		}
		if c.files != nil && len(c.files) == 0 {
			run.Project.SettingsFile = filepath.Join(root, "gone/s.py")
		}
		for name, text := range files {
			at := filepath.Join(root, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if got := Needed(run, path); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// lacking is a rotated project whose settings have a text, and the question how many
// findings its first stage has to add to the code.
func lacking(t *testing.T, text string) (run *steps.Run, settings, module string, lacks func(want int)) {
	t.Helper()
	run, _ = rotated(t, canary.New())
	settings, module = filepath.Join(run.Project.Root, "s.py"), filepath.Join(run.Project.Root, FileName)
	run.Project.SettingsFile = settings
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return run, settings, module, func(want int) {
		t.Helper()
		for stage, n := range map[steps.Stage]int{steps.Accepting: want, steps.Signing: 0} {
			if run.Stage = stage; run.Elsewhere() != "" {
				n = 0
			}
			if found, err := Lacks(run); err != nil || len(found) != n || n > 0 && found[0].Code != finding.GraceModuleNotLoaded {
				t.Errorf("stage %v: %v, %v", stage, found, err)
			}
		}
	}
}

// In development the plan of the first
// stage has what is missing; elsewhere the code comes by a commit, and nothing is written.
func TestWhatTheCodeLacks(t *testing.T) {
	t.Parallel()
	run, settings, _, lacks := lacking(t, "A = 1\n")
	lacks(1)
	run.Options.Environment = "production"
	lacks(1)
	if err := Ready(t.Context(), run); code(err) != finding.GraceModuleNotLoaded || err.(*steps.Failure).Findings[0].Fixable || strings.Contains(err.Error(), FileName+" is missing") {
		t.Errorf("production is ready: %v", err)
	}
	if err := offer(t.Context(), run, nil, nil); err != nil {
		t.Errorf("code is edited in production: %v", err)
	}
	if err := os.WriteFile(settings, []byte("INSTALLED_APPS = ['jwt_grace.GraceConfig']\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Ready(t.Context(), run); code(err) != finding.GraceModuleNotLoaded || !strings.Contains(err.Error(), FileName+" is missing") {
		t.Errorf("production without the module is ready: %v", err)
	}
	run.Options.Environment = steps.DefaultEnvironment
	lacks(1)
	if err := Ready(t.Context(), run); err != nil {
		t.Errorf("development, where the module is made: %v", err)
	}
}

// The lines of the settings are those of the file that was looked at: beside another edit of
// it they are not offered.
func TestTheSettingsAreThoseThatWereLookedAt(t *testing.T) {
	t.Parallel()
	run, settings, _, _ := lacking(t, "INSTALLED_APPS = [\n    'shop',\n]\n")
	run.Stage, run.Project.Python = steps.Accepting, djangotest.Python(t, djangotest.Modern)
	before := func(_ context.Context, _ *steps.Run, _ []finding.Finding, d *steps.Draft) error {
		_, err := d.Offer(steps.Edit{ID: "another", File: settings, Is: []byte("B = 1\n"), Needed: true})
		return err
	}
	found := []finding.Finding{finding.New(finding.GraceModuleNotLoaded, "")}
	if _, err := steps.Draw(t.Context(), run, []steps.Maker{{Codes: Maker.Codes, Make: before}, Maker}, found); code(err) != finding.EnvFileChanged {
		t.Errorf("beside another edit: %v", err)
	}
}

// The module is written once, and then nothing is missing anywhere.
func TestTheModuleIsWrittenOnce(t *testing.T) {
	t.Parallel()
	run, _, module, lacks := lacking(t, "INSTALLED_APPS = ['jwt_grace.GraceConfig']\n")
	for range 2 {
		c, err := Look(run)
		if err == nil {
			err = c.Write(t.Context(), run)
		}
		if got, readErr := os.ReadFile(module); err != nil || readErr != nil || !bytes.Equal(got, Module) {
			t.Fatal(err, readErr)
		}
		if file, err := c.Adopt(t.Context(), run); file != "" || err != nil {
			t.Errorf("lines that are there: %q, %v", file, err)
		}
	}
	if n := len(run.Journal.Applied()); n != 2 {
		t.Errorf("%d writes, the rotation and the module", n)
	}
	lacks(0)
	run.Options.Environment = "production"
	if err := Ready(t.Context(), run); err != nil {
		t.Errorf("production is not ready: %v", err)
	}
	if err := os.WriteFile(module, []byte("# another's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Lacks(run); run.Elsewhere() == "" || err != nil {
		t.Errorf("elsewhere: %v", err)
	}
	if err := Ready(t.Context(), run); code(err) != finding.GraceModuleNotOurs {
		t.Errorf("another's module: %v", err)
	}
}

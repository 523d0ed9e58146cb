package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
)

// lay makes a small module of which one branch is tested and one is not.
func lay(t *testing.T, test string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"go.mod": "module small\n\ngo 1.24\n",
		"small.go": `package small

func Double(n int) int {
	if n < 0 {
		return 0
	}
	return 2 * n
}

func Half(n int) int {
	if n < 0 {
		return 0
	}
	return n / 2
}
`,
		"small_plan9.go": "package small\n\nfunc Other(n int) int {\n\tif n < 0 {\n\t\treturn 0\n\t}\n\treturn n\n}\n", // of a system that is not this one
		"small_test.go":  "package small\n\nimport \"testing\"\n\nfunc TestDouble(t *testing.T) {\n\t" + test + "\n}\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatal(string(out), err)
		}
	}
}

// A change that a test notices is told apart from one that none does, and no file is
// changed for that.
func TestChangesThatNoTestNoticesAreTold(t *testing.T) {
	stepstest.OnlyLong(t)
	lay(t, "if Double(2) != 4 || Double(-1) != 0 {\n\t\tt.Error(1)\n\t}")
	before, err := os.ReadFile("small.go")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run(&out, 10, 1); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"seed 1, 10 places of 2\n", "survived: small.go:11: the condition is negated: n < 0\n", "changes tried: 2, not noticed: 1\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q lacks %q", out.String(), want)
		}
	}
	if strings.Contains(out.String(), "small.go:4:") {
		t.Errorf("what a test notices is told as survived: %q", out.String())
	}
	if after, err := os.ReadFile("small.go"); err != nil || string(after) != string(before) {
		t.Errorf("the code was changed: %v", err)
	}
}

// Tests that fail anyway would notice everything.
func TestTestsThatFailWithoutAChangeAreRefused(t *testing.T) {
	stepstest.OnlyLong(t)
	lay(t, "t.Error(1)")
	var out strings.Builder
	if err := run(&out, 1, 1); err == nil || !strings.Contains(err.Error(), "the tests of . fail without a change") {
		t.Errorf("%v, %q", err, out.String())
	}
}

// What serves the tests alone is not changed; a step whose name ends with "test" is.
func TestStepsAreChangedAndHelpersOfTestsAreNot(t *testing.T) {
	lay(t, "")
	code := []byte("package x\n\nfunc F(n int) int {\n\tif n < 0 {\n\t\treturn 0\n\t}\n\treturn n\n}\n")
	for _, folder := range []string{"steps/smoketest", "steps/stepstest", "ui/internal/ptytest"} {
		if err := errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(folder+"/x.go", code, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("git", "add", "-A").CombinedOutput(); err != nil {
		t.Fatal(string(out), err)
	}
	all, err := changes()
	if err != nil || len(all) != 3 || all[2].file != "steps/smoketest/x.go" {
		t.Errorf("%v, %v", all, err)
	}
}

package preflight

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
)

// A fix is pasted into a shell, and names of folders come from a repository of anyone's.
func TestAFixAboutExposureCanBePasted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED, NOT TESTED: no modes here")
	}
	run := stepstest.NewRun(t, "", nil)
	top := run.Project.TopLevel
	if out, err := exec.Command("git", "-C", top, "init", "-q").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: no git: %v %s", err, out)
	}
	dir := filepath.Join(top, "a $(touch x)")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for at := dir; at != filepath.Dir(at); at = filepath.Dir(at) {
		if info, err := os.Stat(at); err != nil || info.Mode()&0o001 == 0 && os.Chmod(at, 0o711) != nil {
			t.Skipf("SKIPPED, NOT TESTED: %s is for nobody else", at)
		}
	}
	run.Project.EnvFile.Path = filepath.Join(dir, ".env")
	if err := os.WriteFile(run.Project.EnvFile.Path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	stepstest.Look(t, run)
	if out, err := exec.Command("git", "-C", top, "add", ".").CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	said := ""
	for _, f := range exposure(t.Context(), run, run.Project) {
		said += f.Fix.Rendered() + "\n"
	}
	for _, want := range []string{"Run: git -C '" + dir + "' rm --cached .env, add", "Run: chmod 600 '" + dir + "/.env', or"} {
		if !strings.Contains(said, want) {
			t.Errorf("want %s in\n%s", want, said)
		}
	}
}

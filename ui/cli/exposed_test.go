//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// Beside a secret that git would pick up no front end says Done alone: the line for
// .gitignore comes with it. Here it is the file of another environment.
func TestAnUpgradeBesideASecretInTheOpen(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is not installed")
	}
	root, _ := staticProject(t)
	t.Chdir(root)
	if out, err := exec.Command("git", "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.WriteFile(filepath.Join(root, ".env.staging"), []byte("SECRET_KEY="+djangotest.NewKey()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := []string{"upgrade", "--env", "staging", "--target", "dotenv:.env.staging", "--yes", "--skip", "restart,login"}
	_, out, errOut := inProcess(t, newUpgrade, at)
	if said := stepstest.OneLine(out + errOut); !strings.Contains(said, "! The backend has a JWT key of its own. Git does not ignore a secret file. Add a line to .gitignore: /.env.staging") {
		t.Errorf("the end is %s", said[max(0, len(said)-400):])
	}
	_, out, errOut = inProcess(t, newUpgrade, append(at, "--json"))
	if !strings.Contains(out, `"fix":"Add a line to .gitignore: /.env.staging"`) {
		t.Errorf("as JSON: %s%s", out, errOut)
	}
	if err := os.WriteFile(filepath.Join(root, ".gitignore"), []byte("/.env*\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, out, errOut = inProcess(t, newUpgrade, append(at, "--rotate")); strings.Contains(out+errOut, "gitignore") || !strings.Contains(out, "The key is in place") {
		t.Errorf("with that line: %s%s", out, errOut)
	}
}

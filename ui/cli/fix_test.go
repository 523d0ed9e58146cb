//go:build unix

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

func TestCheckFixEditsAndRollbackTakesItBack(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	before := map[string]string{
		".env.example":      "SECRET_KEY=change-me\n",
		"compose.yaml":      "services:\n  web:\n    environment:\n      - SECRET_KEY=${SECRET_KEY}\n",
		"k8s/secret.yaml":   "apiVersion: v1\nkind: Secret\nstringData:\n  SECRET_KEY: x\n",
		"app/settings.py":   "", // as it is
		"docs/deploying.md": "    SECRET_KEY=your-key\n",
	}
	for name, text := range before {
		if text == "" {
			continue
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errOut := check(t, "--json")
	for _, want := range []string{"example-missing-key", "compose-missing-key", "kubernetes-missing-key", "docs-missing-key"} {
		if !strings.Contains(out, want) {
			t.Errorf("%s was not found: exit %d\n%s%s", want, code, out, errOut)
		}
	}
	for name, text := range before {
		if got, _ := os.ReadFile(filepath.Join(root, name)); text != "" && string(got) != text {
			t.Errorf("a check without --fix changed %s", name)
		}
	}
	code, out, errOut = check(t, "--fix")
	if code != 0 || !strings.Contains(out, "Edited .env.example: 1 line added") || !strings.Contains(out, "kubernetes-missing-key") || strings.Contains(out, "compose-missing-key") || !strings.Contains(out, "- JWT_SECRET_KEY=${JWT_SECRET_KEY:?}") {
		t.Fatalf("exit %d\n%s%s", code, out, errOut)
	}
	got, err := os.ReadFile(filepath.Join(root, "compose.yaml"))
	if err != nil || !strings.HasSuffix(string(got), "      - JWT_SECRET_KEY=${JWT_SECRET_KEY:?}\n") {
		t.Errorf("%s, %v", got, err)
	}
	if _, out, _ := check(t, "--json"); strings.Contains(out, "compose-missing-key") || !strings.Contains(out, "kubernetes-missing-key") {
		t.Errorf("afterwards:\n%s", out)
	}
	var o bytes.Buffer
	if code := Main([]string{"rollback", "--yes", "--restart", "none"}, IO{State: Stdio().State, In: strings.NewReader(""), Out: &o, Err: &o}); code != 0 {
		t.Fatalf("rollback: exit %d\n%s", code, o.String())
	}
	for name, text := range before {
		if got, _ := os.ReadFile(filepath.Join(root, name)); text != "" && string(got) != text {
			t.Errorf("after the rollback %s is %q", name, got)
		}
	}
}

// One file that cannot be written is a finding, and keeps nobody from the others
// nor from the JSON.
func TestCheckFixGoesOnPastAFileThatCannotBeWritten(t *testing.T) {
	for name, format := range map[string][]string{"text": nil, "JSON": {"--json"}} {
		t.Run(name, func(t *testing.T) {
			root, _ := staticProject(t)
			t.Chdir(root)
			if out, err := exec.Command("git", "init", "-q").CombinedOutput(); err != nil {
				t.Skipf("SKIPPED: git: %v: %s", err, out)
			}
			if err := os.WriteFile(filepath.Join(root, ".gitignore"), []byte("*.pyc\n"), 0o444); err != nil {
				t.Fatal(err)
			}
			for name, mode := range map[string]os.FileMode{".env.example": 0o444, ".env.template": 0o644} {
				if err := os.WriteFile(filepath.Join(root, name), []byte("SECRET_KEY=change-me\n"), mode); err != nil {
					t.Fatal(err)
				}
			}
			code, out, errOut := check(t, append([]string{"--fix"}, format...)...)
			if code != ExitFinding || errOut != "" || !strings.Contains(stepstest.OneLine(out), "It was not edited: .env.example is read-only") ||
				!strings.Contains(stepstest.OneLine(out), "Git does not ignore .env. It was not edited: .gitignore is read-only") {
				t.Errorf("exit %d\n%s%s", code, out, errOut)
			}
			var report struct {
				Ready    bool
				Findings []finding.Finding
			}
			if format != nil {
				if err := json.Unmarshal([]byte(out), &report); err != nil || report.Ready || len(report.Findings) != 2 || report.Findings[1].Severity != finding.Error || report.Findings[1].Fixable {
					t.Errorf("%v: %+v", err, report)
				}
			}
			if got, _ := os.ReadFile(filepath.Join(root, ".env.template")); !strings.Contains(string(got), "JWT_SECRET_KEY=") {
				t.Error("the other file was not edited")
			}
		})
	}
}

// A clone may hold a .gitignore that leads out of the repository. Nothing is written there, and that is said.
func TestCheckFixFollowsNoLink(t *testing.T) {
	for _, flag := range []string{"--fix", "--fix --json"} {
		root, _ := staticProject(t)
		t.Chdir(root)
		if out, err := exec.Command("git", "init", "-q").CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: git: %v: %s", err, out)
		}
		home := t.TempDir()
		const profile = "export A=b\n"
		for link, target := range map[string]string{".gitignore": ".profile", "compose.yaml": "compose.yaml", "deploy": "deploy"} {
			target = filepath.Join(home, target)
			if link == "deploy" {
				if err := os.Mkdir(target, 0o755); err != nil {
					t.Fatal(err)
				}
				for _, name := range []string{"compose.yaml", ".env.example"} {
					if err := os.WriteFile(filepath.Join(target, name), []byte("SECRET_KEY: x\n"), 0o644); err != nil {
						t.Fatal(err)
					}
				}
			} else if err := os.WriteFile(target, []byte(profile), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
				t.Fatal(err)
			}
		}
		if _, out, _ := check(t, "--json"); strings.Contains(out, `"fixable":true`) || !strings.Contains(out, "env-file-not-ignored") {
			t.Errorf("what a link keeps from an edit is called fixable: %s", out)
		}
		_, out, errOut := check(t, strings.Fields(flag)...)
		said := stepstest.OneLine(out)
		if !strings.Contains(said, "It was not edited: .gitignore is a symbolic link") {
			t.Errorf("%s: it is not said:\n%s%s", flag, out, errOut)
		}
		if got, err := os.ReadFile(filepath.Join(home, ".profile")); err != nil || string(got) != profile {
			t.Errorf("%s: .profile became %q, %v", flag, got, err)
		}
		if entries, err := os.ReadDir(home); err != nil || len(entries) != 3 {
			t.Errorf("%s: %d entries beside .profile, %v", flag, len(entries), err)
		}
	}
}

// The patch of a dry run is what git apply takes, without the files that hold secrets.
func TestCheckFixDryRunPrintsAPatch(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	if out, err := exec.Command("git", "init", "-q").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: git: %v: %s", err, out)
	}
	for name, text := range map[string]string{".env.example": "A=1\nSECRET_KEY=change-me", "compose.yaml": "services:\n  web:\n    environment:\n      - SECRET_KEY=${SECRET_KEY}\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(root, ".env"), 0o644); err != nil { // #nosec G302 -- what is to be found
		t.Fatal(err)
	}
	_, out, errOut := check(t, "--fix", "--dry-run")
	cmd := exec.Command("git", "apply", "--check", "-")
	cmd.Stdin = strings.NewReader(out)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s%s", err, said, out, errOut)
	}
	for _, want := range []string{"+++ b/.env.example", "+++ b/compose.yaml", "+++ b/.gitignore", "+JWT_SECRET_KEY="} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is not in the patch:\n%s", want, out)
		}
	}
	if _, err := os.Stat(filepath.Join(root, ".gitignore")); err == nil {
		t.Error("a dry run wrote a file")
	}
	if code, _, _ := check(t, "--dry-run"); code != ExitUsage {
		t.Errorf("--dry-run without --fix ends with %d", code)
	}
	if _, out, _ := check(t, "--fix"); !strings.Contains(out, "Edited .gitignore") || strings.Contains(out, "env-file-not-ignored") {
		t.Errorf("what was found is not fixed, or still told of:\n%s", out)
	}
}

// A file that may hold a secret is named and counted in its patch's place.
func TestAPatchNamesWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	value := stepstest.Key()
	run := &steps.Run{Found: steps.Found{Project: &steps.Project{TopLevel: "/shop"}}}
	patch(IO{Out: &out, Err: &errOut}, run, []steps.Edit{
		{File: "/shop/.env", Is: []byte("A=" + value + "\n"), Secret: true, On: true},
		{File: "/shop/.gitignore", Is: []byte(".env\n"), On: true},
	})
	if got := errOut.String(); !strings.HasPrefix(got, "Not in the patch, since it may hold a secret: .env (") || strings.Contains(got, "gitignore") {
		t.Errorf("it says %q", got)
	}
	if strings.Contains(out.String()+errOut.String(), value) || !strings.Contains(out.String(), "+++ b/.gitignore") {
		t.Error("the patch has the secret, or lacks the other file")
	}
}

// The line to add names the file that the finding is about.
func TestCheckNamesTheFileThatGitDoesNotIgnore(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	if out, err := exec.Command("git", "init", "-q").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: git: %v: %s", err, out)
	}
	if err := os.Rename(filepath.Join(root, ".env"), filepath.Join(root, ".env.staging")); err != nil {
		t.Fatal(err)
	}
	_, out, _ := check(t, "--env", "staging", "--env-file", ".env.staging")
	if !strings.Contains(out, "Git does not ignore .env.staging.") || !strings.Contains(out, "Add a line to .gitignore: /.env.staging") {
		t.Errorf("%s", out)
	}
}

// A name that the key must differ from, and that is set nowhere, is said.
func TestCheckTellsOfANameThatIsSetNowhere(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	conf := filepath.Join(root, "keysplit.toml")
	for names, want := range map[string]bool{`"SECRET_KEY"`: false, `"NOPE"`: true} {
		if err := os.WriteFile(conf, []byte("distinct_from = ["+names+"]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, _ := check(t, "--json")
		if code != ExitOK || strings.Contains(out, `"distinct-from-unset","severity":"info"`) != want || strings.Contains(out, "NOPE") != want {
			t.Errorf("%s: exit %d\n%s", names, code, out)
		}
	}
}

//go:build unix

package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
)

// A pipeline has no .env, and should fail for what is committed.
func TestWhatIsCommitted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		code  int
		says  string
	}{
		"in order":              {nil, 0, "What is committed is in order"},
		"a pipeline without it": {map[string]string{".github/workflows/ci.yml": "env:\n  SECRET_KEY: ${{ secrets.DJANGO_SECRET_KEY }}\n"}, 1, "ci-missing-key"},
		"another job has it":    {map[string]string{".github/workflows/ci.yml": "jobs:\n  a:\n    env:\n      SECRET_KEY: x\n      JWT_SECRET_KEY: y\n  b:\n    env: {SECRET_KEY: x}\n"}, 1, ".github/workflows/ci.yml:7"},
		"an example without it": {map[string]string{".env.example": "SECRET_KEY=change-me\n"}, 1, "example-missing-key"},
		"settings from before":  {map[string]string{"config/settings.py": "from decouple import config\nSECRET_KEY = config('SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': config('JWT_SECRET_KEY', default=SECRET_KEY)}\n"}, 1, "settings-not-upgraded"},
		"a .env in the tree":    {map[string]string{".env": "SECRET_KEY=" + stepstest.Key() + "\n"}, 1, "jwt-key-missing"},
	} {
		t.Run(name, func(t *testing.T) {
			root := staticProject(t, "")
			if err := os.Remove(filepath.Join(root, ".env")); err != nil {
				t.Fatal(err)
			}
			for path, text := range c.files {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r := invocation{args: []string{"check", "--committed"}, dir: root}.run(t, filepath.Join(t.TempDir(), "state"))
			if r.code != c.code || !strings.Contains(r.out, c.says) {
				t.Errorf("exit %d\n%s%s", r.code, r.out, r.errOut)
			}
			// What stops a pipeline is a failure in the formats that pipelines read.
			if r := (invocation{args: []string{"check", "--committed", "--format", "junit"}, dir: root}).run(t, filepath.Join(t.TempDir(), "state")); strings.Contains(r.out, `failures="0"`) != (c.code == 0) || strings.Contains(r.out, "JWT_SECRET_KEY is in order") != (c.code == 0) {
				t.Errorf("JUnit:\n%s", r.out)
			}
			// Without the flag a .env that is not there is a fault, as on any other machine.
			if r := (invocation{args: []string{"check", "--static"}, dir: root}).run(t, filepath.Join(t.TempDir(), "state")); r.code != 1 {
				t.Errorf("check --static: exit %d\n%s", r.code, r.out)
			}
		})
	}
}

// A .env of one's own, that git ignores, is not in the repository, and is not judged.
func TestWhatIsNotCommittedIsNotJudged(t *testing.T) {
	t.Parallel()
	root := staticProject(t, "")
	env := filepath.Join(root, ".env")
	if err := os.WriteFile(env, []byte("SECRET_KEY="+stepstest.Key()+"\n"), 0o644); err != nil { //nolint:gosec // that others can read it is what a fault would be
		t.Fatal(err)
	}
	git := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("git", append([]string{"-C", root}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	check := func() ran {
		t.Helper()
		return invocation{args: []string{"check", "--committed"}, dir: root}.run(t, filepath.Join(t.TempDir(), "state"))
	}
	if err := os.WriteFile(filepath.Join(root, ".gitignore"), []byte(".env\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	git("init", "-q")
	git("add", ".")
	if r := check(); r.code != 0 || !strings.Contains(r.out, "No .env was looked for") {
		t.Errorf("ignored: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	git("add", "--force", ".env")
	if r := check(); r.code != 1 || !strings.Contains(r.out, "env-file-tracked-by-git") || !strings.Contains(r.out, "jwt-key-missing") {
		t.Errorf("tracked: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
}

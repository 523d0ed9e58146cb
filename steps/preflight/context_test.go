package preflight

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

func TestTheRulesOfDockerignore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rules, file string
		want        bool
	}{
		{"", ".env", false}, {".env\n", ".env", true}, {"/.env\n", ".env", true}, {".env\n", "backend/.env", false},
		{"**/.env\n", "backend/.env", true}, {"**/.env\n", ".env", true}, {"backend\n", "backend/.env", true}, {"back*/\n", "backend/.env", true},
		{".env*\n", ".env", true}, {"*\n", ".env", true}, {"*\n!.env\n", ".env", false}, {"**\n!backend/app\n", "backend/.env", true},
		{"# .env\n", ".env", false}, {".en?\n", ".env", true}, {"./.env\r\n", ".env", true}, {".envs\n", ".env", false}, {"[\n", ".env", false},
		{"clés/.env\n", "clés/.env", true}, {"cl\xff\n*.env\n", ".env", true},
	} {
		if got := dockerIgnores([]byte(c.rules), c.file); got != c.want {
			t.Errorf("%q, %s: %t", c.rules, c.file, got)
		}
	}
}

func TestADockerfileThatCopiesTheEnv(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dockerfile, ignore string
		want               bool
	}{
		"copies all":         {"FROM x\nCOPY . /app\n", "", true},
		"with flags":         {"FROM x\nCOPY --chown=app:app ./ /app\n", "", true},
		"as a list":          {"ADD [\".\", \"/app\"]\n", "", true},
		"copies some":        {"FROM x\nCOPY app /app\nCOPY manage.py .\n", "", false},
		"keeps the file out": {"FROM x\nCOPY . /app\n", "**/.env\n", false},
		"keeps another out":  {"FROM x\nCOPY . /app\n", ".git\n", true},
		"in a comment":       {"# COPY . /app\n", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			run := stepstest.NewRun(t, "A=1\n", nil)
			for file, text := range map[string]string{"Dockerfile": c.dockerfile, ".dockerignore": c.ignore} {
				if err := os.WriteFile(filepath.Join(run.Project.Root, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := finding.Has(exposure(t.Context(), run, run.Project), "env-file-in-build-context"); got != c.want {
				t.Errorf("found: %t", got)
			}
		})
	}
}

func TestTheKeyInTheHistoryOfTheEnv(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is missing")
	}
	key := stepstest.Key()
	for name, c := range map[string]struct {
		before string
		static bool
		want   bool
	}{
		"the same key": {"JWT_SECRET_KEY=" + key + "\n", false, true},
		"another key":  {"JWT_SECRET_KEY=" + stepstest.Key() + "\n", false, false},
		"static":       {"JWT_SECRET_KEY=" + key + "\n", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			run := stepstest.NewRun(t, c.before, nil)
			run.Options.Static = c.static
			top := run.Project.TopLevel
			git := func(args ...string) {
				t.Helper()
				cmd := exec.Command("git", append([]string{"-C", top, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("git %v: %s", args, out)
				}
			}
			git("init", "-q")
			git("add", "-f", ".env")
			git("commit", "-qm", "x")
			git("rm", "-q", "--cached", ".env")
			git("commit", "-qm", "y")
			if err := os.WriteFile(run.Project.EnvFile.Path, []byte("JWT_SECRET_KEY="+key+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			stepstest.Look(t, run)
			if got := finding.Has(exposure(t.Context(), run, run.Project), "env-file-in-git-history"); got != c.want {
				t.Errorf("found: %t", got)
			}
		})
	}
}

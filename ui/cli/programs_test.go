//go:build unix

package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest/djangotest"
)

// typed runs a command as a person pastes it into a shell that is in a folder.
func typed(t *testing.T, dir, command string) (out string, err error) {
	t.Helper()
	c := exec.Command("sh", "-c", command)
	c.Dir = dir
	c.Env = djangotest.CleanEnviron("GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_EDITOR=true",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	said, err := c.CombinedOutput()
	return string(said), err
}

func mustType(t *testing.T, dir, command string) {
	t.Helper()
	if out, err := typed(t, dir, command); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// foundBy is the command of the finding with a code, by a check that is run in a folder.
func foundBy(t *testing.T, dir string, code finding.Code, args ...string) (command string, there bool) {
	t.Helper()
	r := invocation{args: append([]string{"check", "--static", "--json"}, args...), dir: dir}.run(t, filepath.Join(t.TempDir(), "state"))
	var said struct {
		Findings []struct {
			Code    finding.Code
			Command string
		}
	}
	if err := json.Unmarshal([]byte(r.out), &said); err != nil {
		t.Fatalf("%v\n%s%s", err, r.out, r.errOut)
	}
	for _, f := range said.Findings {
		if f.Code == code {
			return f.Command, true
		}
	}
	return "", false
}

// A fix that is a command of another program, typed as it is printed, fixes it: in the
// project's folder, in one below it, and where the project is another's neighbour.
func TestFixesByOtherProgramsWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before  string // what makes the project so
		args    []string
		code    finding.Code
		command string // how it begins
	}{
		"a .env in git": {"git add -f .env && git commit -qm x", nil, finding.EnvFileTrackedByGit, "git "},
		"that compose reads": {"mkdir back && mv manage.py config .env back && cp back/.env .env && printf 'services:\n  db:\n    environment: [\"K=${SECRET_KEY}\"]\n' >compose.yaml && printf '.env\n' >.gitignore && git add -f .env && git commit -qm x",
			nil, finding.EnvFileTrackedByGit, "git "},
		"open to all":     {"chmod 755 .. . && chmod 644 .env", nil, finding.EnvFilePermissions, "chmod "},
		"a folder":        {"rm .env && mkdir .env", nil, finding.EnvFileNotRegular, "rmdir "},
		"only an example": {"cp .env 'a b.env.example'", []string{"--env", "staging", "--env-file", "{ROOT}/a b.env"}, finding.EnvFileMissing, "cp "},
	} {
		for _, from := range []string{".", "config", "../beside"} {
			t.Run(name+", from "+from, func(t *testing.T) {
				t.Parallel()
				root := staticProject(t, "SECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+djangotest.NewKey()+"\n")
				if out, err := typed(t, root, "git init -q && git commit -q --allow-empty -m x"); err != nil {
					t.Skipf("SKIPPED: git: %v: %s", err, out)
				}
				mustType(t, root, c.before)
				here := filepath.Join(root, from)
				if err := os.MkdirAll(here, 0o755); err != nil {
					t.Fatal(err)
				}
				project := root
				if _, err := os.Stat(filepath.Join(root, "back")); err == nil {
					project = filepath.Join(root, "back")
				}
				args := []string{"--project", project}
				for _, a := range c.args {
					args = append(args, strings.ReplaceAll(a, "{ROOT}", root))
				}
				command, there := foundBy(t, here, c.code, args...)
				if !there || !strings.HasPrefix(command, c.command) {
					t.Fatalf("found %t, to type: %q", there, command)
				}
				if out, err := typed(t, here, command); err != nil {
					t.Fatalf("%s: %v\n%s", command, err, out)
				}
				if _, still := foundBy(t, here, c.code, args...); still {
					t.Errorf("after %s it is still there", command)
				}
			})
		}
	}
}

// The plan of an emergency is typed as it is printed, and undoes the change without its
// migrations.
func TestTheEmergencyPlanCanBeTyped(t *testing.T) {
	t.Parallel()
	for _, from := range []string{".", "config", "../beside"} {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			root := staticProject(t, "SECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+djangotest.NewKey()+"\n")
			settings := read(t, filepath.Join(root, "config", "settings.py"))
			write := func(name, text string) {
				t.Helper()
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("config/settings.py", "SECRET_KEY = 1\n")
			if out, err := typed(t, root, "git init -q && git add config manage.py && git commit -qm start"); err != nil {
				t.Skipf("SKIPPED: git: %v: %s", err, out)
			}
			write("config/settings.py", settings)
			write("migrations/0001_a.py", "")
			write("users/migrations/0002_b.py", "")
			write("users/models.py", "")
			mustType(t, root, "git add config users migrations && git commit -qm change")
			here := filepath.Join(root, from)
			if err := os.MkdirAll(here, 0o755); err != nil {
				t.Fatal(err)
			}
			r := invocation{args: []string{"rollback", "--emergency", "--project", root}, dir: here}.run(t, filepath.Join(t.TempDir(), "state"))
			var typedOnes []string
			for line := range strings.Lines(r.out) {
				if at := strings.Index(line, "git "); at >= 0 {
					command := strings.TrimSpace(line[at:])
					typedOnes = append(typedOnes, command)
					if said, err := typed(t, here, command); err != nil {
						t.Errorf("%s: %v\n%s", command, err, said)
					}
				}
			}
			if len(typedOnes) < 4 {
				t.Fatalf("only these were printed: %q\n%s%s", typedOnes, r.out, r.errOut)
			}
			if read(t, filepath.Join(root, "config/settings.py")) != "SECRET_KEY = 1\n" {
				t.Error("the settings are not as they were")
			}
			for name, kept := range map[string]bool{"migrations/0001_a.py": true, "users/migrations/0002_b.py": true, "users/models.py": false} {
				if _, err := os.Stat(filepath.Join(root, name)); (err == nil) != kept {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

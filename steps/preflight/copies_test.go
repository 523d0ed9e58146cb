package preflight

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// A copy of a key in a file that git would pick up is found, whoever made it: its line for
// .gitignore comes with it, unless it is a file that a project commits.
func TestCopiesThatGitWouldPickUp(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is not installed")
	}
	secretKey, key := stepstest.Key(), stepstest.Key()
	both := "SECRET_KEY=" + secretKey + "\nJWT_SECRET_KEY=" + key + "\n"
	const line = "or delete that file: "
	for name, c := range map[string]struct {
		env   string // "" for both
		files map[string]string
		want  map[string]string // by file, a part of the fix
	}{
		"a copy, backups, a note": {"", map[string]string{"backend/.env.bak": both, "env~": "# 1\n" + both, "notes.txt": "the key is " + key},
			map[string]string{"backend/.env.bak": line + "/backend/.env.bak", "env~": line + "/env~", "notes.txt": line + "/notes.txt"}},
		"only SECRET_KEY":              {"SECRET_KEY=" + secretKey + "\n", map[string]string{"old": "SECRET_KEY=" + secretKey}, map[string]string{"old": line + "/old"}},
		"a file to commit":             {"", map[string]string{"deploy.py": "KEY = '" + key + "'", "docker-compose.yml": "x: " + key}, map[string]string{"deploy.py": "Take the value out of deploy.py", "docker-compose.yml": "Take the value out"}},
		"another key":                  {"", map[string]string{".env.bak": "JWT_SECRET_KEY=" + stepstest.Key()}, nil},
		"it is ignored":                {"", map[string]string{"x.ignored": both}, nil},
		"a key that is none yet":       {"SECRET_KEY=change-me\nJWT_SECRET_KEY=change-me\n", map[string]string{".env.bak": "JWT_SECRET_KEY=change-me"}, nil},
		"one that says it is insecure": {"SECRET_KEY=django-insecure-" + secretKey + "\n", map[string]string{"old": "django-insecure-" + secretKey}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.env == "" {
				c.env = both
			}
			files := map[string]string{".git/HEAD": "-", ".gitignore": "/backend/.env\n*.ignored\n"}
			for at, text := range c.files {
				files[at] = text
			}
			dir := lay(t, tree(c.env, files))
			if out, err := exec.Command("git", "-C", dir, "init", "-q").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			look := func(committed bool) (found []finding.Finding) {
				run, _, _ := lookStatic(t, dir, func(r *steps.Run) { r.Options.Committed = committed }, nil)
				for _, f := range run.Project.Findings {
					if f.Code == finding.EnvFileNotIgnored {
						found = append(found, f)
					}
				}
				return found
			}
			found := look(false)
			if len(found) != len(c.want) {
				t.Errorf("%d files, want %d: %v", len(found), len(c.want), found)
			}
			for _, f := range found {
				want := c.want[f.File]
				if text := f.Fix.Rendered(); want == "" || !strings.Contains(text, want) || f.Fixable == strings.HasPrefix(want, "Take") || f.Line == 0 {
					t.Errorf("%s:%d, fixable %t: %q", f.File, f.Line, f.Fixable, text)
				}
			}
			if found := look(true); len(found) > 0 {
				t.Errorf("a look at the repository alone has %v", found)
			}
			if err := os.Remove(filepath.Join(dir, ".gitignore")); err == nil {
				err = os.Symlink("elsewhere", filepath.Join(dir, ".gitignore"))
				for _, f := range look(false) {
					if f.Fixable && err == nil {
						t.Errorf("%s would be added to a link", f.File)
					}
				}
			}
		})
	}
}

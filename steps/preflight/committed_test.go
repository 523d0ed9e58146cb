package preflight

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/sys/file"
)

func TestTheKeyInATrackedFileIsFound(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is missing")
	}
	key := stepstest.Key()
	const placeholder = "REQUIRED-replace-me-with-a-key-of-fifty-characters-or-more"
	for name, c := range map[string]struct {
		file, text, key string
		add             bool
		want            string // file:line, "" for no finding
	}{
		"in a tracked file":   {"docs/a \"b\".md", "x\ny\nkey: " + key + "\n", key, true, `docs/a "b".md:3`},
		"in one that is not":  {"notes.md", key, key, false, ""},
		"another key":         {"notes.md", stepstest.Key(), key, true, ""},
		"a placeholder":       {"env.md", "JWT_SECRET_KEY=" + placeholder + "\n", placeholder, true, ""},
		"in the tracked .env": {"x.md", "x", key, true, ""},
		"through a link":      {"link.md", "", key, true, ""},
		"larger than is read": {"big.bin", "", key, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			run := stepstest.NewRun(t, "JWT_SECRET_KEY="+c.key+"\n", nil)
			top := run.Project.TopLevel
			path := filepath.Join(top, filepath.FromSlash(c.file))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			switch name {
			case "through a link":
				if err := os.Symlink(run.Project.EnvFile.Path, path); err != nil {
					t.Skip("SKIPPED: no links here")
				}
			case "larger than is read":
				if err := os.WriteFile(path, append(make([]byte, file.MaxRead), key...), 0o600); err != nil {
					t.Fatal(err)
				}
			default:
				if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			git := func(args ...string) {
				t.Helper()
				if out, err := exec.Command("git", append([]string{"-C", top}, args...)...).CombinedOutput(); err != nil {
					t.Fatalf("git %v: %s", args, out)
				}
			}
			git("init", "-q")
			if c.add {
				git("add", "-f", ".")
			}
			got := ""
			for _, f := range exposure(t.Context(), run, run.Project) {
				if f.Code == "key-committed-elsewhere" {
					got += codes([]finding.Finding{f}) + " " + f.File
				}
			}
			want := ""
			if c.want != "" {
				want = "key-committed-elsewhere:3 docs/a \"b\".md"
			}
			if got != want {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}

package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The pre-commit hook calls a command and flags that exist, and looks at the
// files that it should.
func TestThePreCommitHook(t *testing.T) {
	data, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []struct {
		ID, Entry, Language, Files string
		PassFilenames              *bool `yaml:"pass_filenames"`
	}
	if err := yaml.Unmarshal(data, &hooks); err != nil || len(hooks) != 1 {
		t.Fatalf("%v, %d hooks", err, len(hooks))
	}
	h := hooks[0]
	words := strings.Fields(h.Entry)
	if h.ID != "keysplit" || h.Language != "golang" || words[0] != "keysplit" || h.PassFilenames == nil || *h.PassFilenames {
		t.Errorf("%+v", h)
	}
	cmd, rest, err := newRoot(IO{State: Stdio().State, In: strings.NewReader(""), Out: os.Stdout, Err: os.Stderr}, &signals{}).Find(words[1:])
	if err != nil || cmd.Name() != "check" {
		t.Fatalf("%v, %v", cmd, err)
	}
	// A fresh clone has no .env: what is committed is all that counts.
	if err := cmd.ParseFlags(rest); err != nil || !cmd.Flags().Changed("committed") {
		t.Errorf("flags %q: %v", rest, err)
	}
	files := regexp.MustCompile(h.Files)
	for name, want := range map[string]bool{".env": true, "a/.env.example": true, "config/settings.py": true, "compose.yaml": true, "docker-compose.dev.yml": true, ".github/workflows/ci.yml": true, "config/settings/base.py": true, "README.md": true, "a.py": false, "a.html": false} {
		if files.MatchString(name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
}

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/finding"
)

// completed are the words that a shell is offered for the last of the arguments.
func completed(t *testing.T, args ...string) []string {
	t.Helper()
	var out bytes.Buffer
	if code := Main(append([]string{"__complete"}, args...), IO{State: Stdio().State, In: strings.NewReader(""), Out: &out, Err: &bytes.Buffer{}}); code != 0 {
		t.Fatalf("exit %d: %s", code, out.String())
	}
	var words []string
	for line := range strings.Lines(out.String()) {
		word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		words = append(words, word)
	}
	return words[:len(words)-1] // the last line is the directive
}

func TestCompletion(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"manage.py":     "import django\n",
		"settings.py":   "",
		"keysplit.toml": "[environments.staging]\ntargets = [\"heroku:shop\"]\n[environments.production]\ntargets = [\"heroku:shop\"]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		args      []string
		has, lack []string
	}{
		"environments":           {[]string{"check", "--project", dir, "--env", ""}, []string{"development", "staging", "production"}, nil},
		"of the program":         {[]string{"--project", dir, "--env", ""}, []string{"development", "staging", "production"}, nil},
		"without a project":      {[]string{"check", "--project", t.TempDir(), "--env", ""}, []string{"development"}, []string{"staging"}},
		"targets":                {[]string{"upgrade", "--target", ""}, []string{"dotenv", "kubernetes:", "heroku:", "manual"}, nil},
		"restarts":               {[]string{"upgrade", "--restart", ""}, []string{"runserver", "systemd:", "command:"}, nil},
		"steps":                  {[]string{"upgrade", "--skip", ""}, []string{"key", "write", "restart"}, []string{"look", "checklist", "generate"}},
		"the rest of a list":     {[]string{"upgrade", "--skip", "restart,"}, []string{"restart,write"}, []string{"restart,restart", "write"}},
		"findings":               {[]string{"explain", ""}, []string{"jwt-key-missing"}, nil},
		"formats of check":       {[]string{"check", "--format", ""}, []string{"sarif", "junit"}, nil},
		"commands":               {[]string{""}, []string{"check", "upgrade"}, []string{"man"}},
		"no file where none is":  {[]string{"upgrade", "--url", ""}, nil, nil},
		"a command without them": {[]string{"version", "--skip", ""}, nil, []string{"write"}},
	} {
		t.Run(name, func(t *testing.T) {
			words := completed(t, c.args...)
			for _, w := range c.has {
				if !slices.Contains(words, w) {
					t.Errorf("%q is not offered: %q", w, words)
				}
			}
			for _, w := range c.lack {
				if slices.Contains(words, w) {
					t.Errorf("%q is offered: %q", w, words)
				}
			}
		})
	}
}

// Each value that is offered is one that the command takes.
func TestWhatIsCompletedIsValid(t *testing.T) {
	for _, word := range completed(t, "upgrade", "--skip", "") {
		o := &delivery{skip: []string{word}}
		if skip, err := o.skipped(); err != nil || len(skip) != 1 {
			t.Errorf("--skip %s: %v", word, err)
		}
	}
	if words := completed(t, "explain", ""); len(words) != len(finding.Codes()) {
		t.Errorf("%d of %d codes are offered", len(words), len(finding.Codes()))
	}
}

//go:build unix

package repo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// A clone may hold a link to any file of its user. Nothing is read or written through one, be it the file itself or a
// folder above it, and be it put there between the proposal and the edit.
func TestNothingIsEditedThroughALink(t *testing.T) {
	t.Parallel()
	const text = "services:\n  web:\n    environment:\n      SECRET_KEY: x\n"
	for name, c := range map[string]struct {
		code       finding.Code
		file, path string // of the finding, and of what gets edited
	}{
		"gitignore":       {ignored, ".env", ".gitignore"},
		"example":         {sample, ".env.example", ".env.example"},
		"compose":         {compose, "compose.yaml", "compose.yaml"},
		"workflow":        {ci, ".github/workflows/ci.yml", ".github/workflows/ci.yml"},
		"document":        {docs, "docs/a.md", "docs/a.md"},
		"manifest":        {kubernetes, "k8s/a/b/d.yaml", "k8s/a/b/d.yaml"},
		"out of the tree": {compose, "../outside/compose.yaml", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, part := range linkParts(c.path) {
				run := stepstest.NewRun(t, "", nil)
				outside := t.TempDir()
				top := run.Project.TopLevel
				victim := filepath.Join(outside, filepath.FromSlash(strings.TrimPrefix(c.path, part)))
				if part == c.path {
					victim = filepath.Join(outside, "profile")
				}
				must(t, os.MkdirAll(filepath.Dir(victim), 0o700))
				must(t, os.WriteFile(victim, []byte(text), 0o600))
				if part != "" {
					at := filepath.Join(top, filepath.FromSlash(part))
					must(t, os.MkdirAll(filepath.Dir(at), 0o700))
					target := outside
					if part == c.path {
						target = victim
					}
					must(t, os.Symlink(target, at))
				}
				found := finding.New(c.code, "").At(c.file, 4)
				if _, ok := propose(t, run, found); ok {
					t.Errorf("%q is a link, and an edit is proposed", part)
				}
				if f, refused := Refused(run, found); !refused || !strings.Contains(f.Message.Rendered(), "It was not edited") || f.Fixable {
					t.Errorf("%q: it is not said: %+v", part, f)
				}
				if got, _ := os.ReadFile(victim); string(got) != text {
					t.Errorf("%q: the file outside was changed", part)
				}
			}
		})
	}
}

// linkParts are a path and every folder in it.
func linkParts(path string) (parts []string) {
	if path == "" {
		return []string{""}
	}
	for ; path != "."; path = filepath.Dir(path) {
		parts = append(parts, path)
	}
	return parts
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestALinkThatComesLaterIsNotFollowed(t *testing.T) {
	t.Parallel()
	const text = "services:\n  web:\n    environment:\n      SECRET_KEY: x\n"
	for name, swap := range map[string]func(t *testing.T, top, outside string){
		"the file": func(t *testing.T, top, outside string) {
			must(t, os.Remove(filepath.Join(top, "deploy", "compose.yaml")))
			must(t, os.Symlink(filepath.Join(outside, "compose.yaml"), filepath.Join(top, "deploy", "compose.yaml")))
		},
		"the folder": func(t *testing.T, top, outside string) {
			must(t, os.Rename(filepath.Join(top, "deploy"), filepath.Join(top, "was")))
			must(t, os.Symlink(outside, filepath.Join(top, "deploy")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			run := stepstest.NewRun(t, "", nil)
			top, outside := run.Project.TopLevel, t.TempDir()
			must(t, os.Mkdir(filepath.Join(top, "deploy"), 0o700))
			for _, dir := range []string{outside, filepath.Join(top, "deploy")} {
				must(t, os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(text), 0o600))
			}
			p, ok := propose(t, run, finding.New(compose, "").At("deploy/compose.yaml", 4))
			if !ok {
				t.Fatal("no edit is proposed")
			}
			swap(t, top, outside)
			if err := write(t, run, p); err == nil || !strings.Contains(err.Error(), "env-file-not-regular") {
				t.Errorf("error %v", err)
			}
			if entries, _ := os.ReadDir(outside); len(entries) != 1 {
				t.Errorf("there is something new outside: %v", entries)
			}
			if got, _ := os.ReadFile(filepath.Join(outside, "compose.yaml")); string(got) != text {
				t.Errorf("the file outside became\n%s", got)
			}
		})
	}
}

// Nor does a rollback follow one, not even by force.
func TestARollbackFollowsNoLink(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	path, outside := filepath.Join(run.Project.TopLevel, ".gitignore"), filepath.Join(t.TempDir(), "profile")
	must(t, os.WriteFile(path, []byte("*.pyc\n"), 0o600))
	must(t, os.WriteFile(outside, []byte("export A=b\n"), 0o600))
	p, ok := propose(t, run, finding.New(ignored, "").At(".env", 0))
	if !ok {
		t.Fatal("no edit is proposed")
	}
	must(t, write(t, run, p))
	must(t, os.Remove(path))
	must(t, os.Symlink(outside, path))
	for _, in := range run.Journal.Applied() {
		if _, err := run.Journal.Revert(t.Context(), in, true); err == nil {
			t.Error("it says that the file is back")
		}
	}
	if got, _ := os.ReadFile(outside); string(got) != "export A=b\n" {
		t.Errorf("the file outside became %q", got)
	}
}

// The work tree itself may be reached through a link.
func TestAWorkTreeBehindALinkIsEdited(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	top := run.Project.TopLevel
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(top, link))
	must(t, os.WriteFile(filepath.Join(top, ".env.example"), []byte("SECRET_KEY=x\n"), 0o600))
	run.Project.TopLevel = link
	p, ok := propose(t, run, finding.New(sample, "").At(".env.example", 1))
	if !ok {
		t.Fatal("no edit is proposed")
	}
	must(t, write(t, run, p))
	if got, _ := os.ReadFile(filepath.Join(top, ".env.example")); !strings.Contains(string(got), steps.GuideNames.Key) {
		t.Errorf("%s", got)
	}
}

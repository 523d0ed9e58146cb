package steps

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
)

// ground is a work tree with files, and a run on it that may write.
func ground(t *testing.T, files map[string]string) (run *Run, top string) {
	t.Helper()
	top = t.TempDir()
	top, _ = filepath.EvalSymlinks(top)
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(top, name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, name), []byte(text), 0o640); err != nil { // #nosec G306 -- a file of the test
			t.Fatal(err)
		}
	}
	j, err := journal.Folder(filepath.Join(t.TempDir(), "state")).Open(top, DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	run = &Run{Found: Found{Project: &Project{Root: top, TopLevel: top}, Journal: j}, Prints: j.Prints()}
	return run, top
}

// appending is a maker that adds a line to each file that its findings name.
func appending(code finding.Code, line string, needed bool) Maker {
	return Maker{Codes: []finding.Code{code}, Make: func(_ context.Context, run *Run, found []finding.Finding, d *Draft) error {
		for _, f := range found {
			path := filepath.Join(run.Project.TopLevel, f.File)
			now, err := d.Read(path)
			if err != nil {
				return err
			}
			_, err = d.Offer(Edit{
				ID: string(code) + " " + f.File, File: path, Is: append(slices.Clone(now), line...),
				Why: prose.Say("Adds a line."), Needed: needed, Secret: strings.HasPrefix(f.File, ".env"), Closes: []finding.Finding{f},
			})
			if err != nil {
				return err
			}
		}
		return nil
	}}
}

func TestEditsOfOneFileFollowEachOther(t *testing.T) {
	t.Parallel()
	run, top := ground(t, map[string]string{".env": "A=1\n"})
	makers := []Maker{appending(finding.LineGlued, "B=2\n", true), appending(finding.LineBare, "C=3\n", false), appending(finding.KeyUnread, "D=4\n", true)}
	var found []finding.Finding
	for _, code := range []finding.Code{finding.KeyUnread, finding.LineBare, finding.LineGlued} {
		found = append(found, finding.New(code, "").At(".env", 1))
	}
	for _, c := range []struct {
		switched map[string]bool
		want     string
	}{
		{nil, "A=1\nB=2\nD=4\n"},
		{map[string]bool{"line-bare .env": true}, "A=1\nB=2\nC=3\nD=4\n"},
		{map[string]bool{"line-bare .env": true, "line-glued .env": false}, "A=1\nC=3\nD=4\n"},
	} {
		run.Answers.Edits = c.switched
		d, err := Draw(t.Context(), run, makers, found)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(d.Trial().Files[filepath.Join(top, ".env")]); got != c.want || len(d.Edits) != 3 {
			t.Errorf("%v: %q, want %q", c.switched, got, c.want)
		}
	}
}

// plan is one in which every file of ground gets a line.
func plan(t *testing.T, run *Run, files ...string) []Edit {
	t.Helper()
	var found []finding.Finding
	for _, f := range files {
		found = append(found, finding.New(finding.LineBare, "").At(f, 1))
	}
	d, err := Draw(t.Context(), run, []Maker{appending(finding.LineBare, "NEW=1\n", true)}, found)
	if err != nil {
		t.Fatal(err)
	}
	return d.Edits
}

func contents(t *testing.T, top string, files ...string) (all []string) {
	t.Helper()
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(top, f)) // #nosec G304 -- a file of the test
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, string(data))
	}
	return all
}

func TestEditsAreWrittenInAnOrderThatStarts(t *testing.T) {
	t.Parallel()
	files := map[string]string{"app/views.py": "x\n", "config/settings.py": "x\n", ".env": "A=1\n", "README.md": "x\n", "compose.yml": "x\n"}
	run, top := ground(t, files)
	edits := plan(t, run, "config/settings.py", "app/views.py", "README.md", ".gitignore", "compose.yml", ".env")
	edits[0].Refuses = true
	var order []string
	if err := run.WriteEdits(t.Context(), edits, func(e Event) { order = append(order, e.ID) }); err != nil {
		t.Fatal(err)
	}
	want := []string{"write .gitignore", "write .env", "write README.md", "write compose.yml", "write app/views.py", "write config/settings.py"}
	if !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
	for _, text := range contents(t, top, ".env", "config/settings.py") {
		if !strings.HasSuffix(text, "\nNEW=1\n") {
			t.Errorf("%q", text)
		}
	}
	made, err := os.Stat(filepath.Join(top, ".gitignore"))
	if err != nil || made.Mode().Perm()&0o044 != 0o044 && os.PathSeparator == '/' {
		t.Errorf("a new file for everyone has the mode %v (%v)", made.Mode(), err)
	}
	if n := len(run.Journal.Upgrades()); n != 1 || len(run.Journal.Applied()) != len(want) {
		t.Errorf("%d runs with %d changes", n, len(run.Journal.Applied()))
	}
}

func TestEditsThatCannotAllBeWrittenAreNone(t *testing.T) {
	t.Parallel()
	files := map[string]string{".env": "A=1\n", "a.md": "x\n", "b.md": "y\n"}
	spoil := map[string]func(t *testing.T, top string) func(){
		"changed since the plan": func(t *testing.T, top string) func() {
			put(t, filepath.Join(top, "b.md"), "edited\n")
			return nil
		},
		"changed in mid-write": func(t *testing.T, top string) func() {
			return func() { put(t, filepath.Join(top, "b.md"), "edited\n") }
		},
		"a link since the plan": func(t *testing.T, top string) func() {
			if err := os.Rename(filepath.Join(top, "b.md"), filepath.Join(top, "c.md")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("c.md", filepath.Join(top, "b.md")); err != nil {
				t.Skip(err)
			}
			return nil
		},
	}
	for name, spoil := range spoil {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, top := ground(t, files)
			edits := plan(t, run, ".env", "a.md", "b.md")
			midway := spoil(t, top)
			err := run.WriteEdits(t.Context(), edits, func(e Event) {
				if midway != nil && e.ID == "write a.md" {
					midway()
				}
			})
			var failure *Failure
			if !errors.As(err, &failure) {
				t.Fatalf("no finding: %v", err)
			}
			if got := contents(t, top, ".env", "a.md"); got[0] != "A=1\n" || got[1] != "x\n" {
				t.Errorf("not restored: %q", got)
			}
			if n := len(run.Journal.Applied()); n != 0 {
				t.Errorf("%d changes are in force", n)
			}
		})
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEditOfAModeIsUndone(t *testing.T) {
	t.Parallel()
	if os.PathSeparator != '/' {
		t.Skip("no permissions here")
	}
	run, top := ground(t, map[string]string{".env": "A=1\n"})
	path := filepath.Join(top, ".env")
	if err := os.Chmod(path, 0o644); err != nil { // #nosec G302 -- what is to be found
		t.Fatal(err)
	}
	edits := plan(t, run, ".env")
	more := Edit{ID: "mode", File: path, Was: edits[0].Is, Is: edits[0].Is, Mode: 0o600, Secret: true, On: true}
	if err := run.WriteEdits(t.Context(), append(edits, more), func(Event) {}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	for _, in := range run.Journal.Applied() {
		if _, err := run.Journal.Revert(t.Context(), in, false); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 || contents(t, top, ".env")[0] != "A=1\n" {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

package edits

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// The .env comes first in what is shown, wherever it was edited, and an edit of nothing but the mode has a line.
func TestDiffsBeginWithTheEnvFile(t *testing.T) {
	t.Parallel()
	run, path := ground(t, []byte("A=1\n"), nil)
	other := filepath.Join(run.Project.Root, "compose.yaml")
	made := []steps.Edit{
		{On: true, File: other, Was: []byte("a: 1\n"), Is: []byte("a: 2\n")},
		{On: true, File: path, Was: []byte("A=1\n"), Is: []byte("A=1\n"), Mode: 0o600, Secret: true},
	}
	lines := Diffs(run, made)
	if len(lines) < 3 || lines[0].File != ".env" || lines[0].Op != "+" || !strings.Contains(lines[0].Text, "600") || lines[len(lines)-1].File != "compose.yaml" {
		t.Errorf("%+v", lines)
	}
}

// A file that changed its nature under the plan, or that no reader can read, gets no edit that is drawn for another one.
func TestWhatCannotBeReadGetsNoEdit(t *testing.T) {
	t.Parallel()
	run, path := ground(t, []byte("\ufeffA=1\n"), []byte("B=\xff\xfe\x00\n"))
	d, err := Draw(t.Context(), run, []finding.Finding{finding.New(finding.EncodingBOM, "").At(".env", 1).WithSeverity(finding.Error)})
	if err != nil || len(d.Edits) != 1 || !strings.Contains(d.Edits[0].Why.Rendered(), "byte order mark") {
		t.Fatalf("%v, %v", d, err)
	}
	if err := os.WriteFile(path, []byte("A=Zo\xeb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err = Draw(t.Context(), run, []finding.Finding{at(finding.EncodingInvalid, 1)})
	if err != nil || len(d.Edits) != 1 || !strings.Contains(d.Edits[0].Why.Rendered(), "from Latin-1 to UTF-8") {
		t.Fatalf("%v, %v", d, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range []finding.Finding{at(finding.EncodingInvalid, 1), at(finding.LineBare, 1), at(finding.SecretKeyMissing, 1)} {
		if d, err := Draw(t.Context(), run, []finding.Finding{f}); err == nil {
			t.Errorf("%s: %d edits of a folder", f.Code, len(d.Edits))
		}
	}
	if run, path = ground(t, nil, nil); os.Mkdir(path+".example", 0o700) != nil {
		t.Fatal("no folder")
	}
	if d, err := Draw(t.Context(), run, []finding.Finding{finding.New(finding.EnvFileMissing, "")}); err == nil && len(d.Edits) > 0 {
		t.Errorf("%d edits from an example that is a folder", len(d.Edits))
	}
	if p := publicOf(path); len(p.values)+len(p.comments) != 0 {
		t.Error("a folder shows something to everybody")
	}
}

// The lines of an edit follow those of the edits before it, and one that would harm another line is left out.
func TestALineThatCannotBeEditedIsLeft(t *testing.T) {
	t.Parallel()
	run, path := ground(t, []byte("A=\"one\nrawkey\n\"\nB=2\nrawkey\nrawkey # x\n"), nil)
	d, err := Draw(t.Context(), run, []finding.Finding{at(finding.LineBare, 2), at(finding.LineBare, 5), at(finding.LineBare, 5), at(finding.LineBare, 6), at(finding.LineBare, 99)})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(d.Trial().Files[path]); got != "A=\"one\nrawkey\n\"\nB=2\n" || len(d.Edits) != 1 || len(d.Edits[0].Closes) != 2 {
		t.Errorf("%q, %d edits", got, len(d.Edits))
	}
}

// A file with more wrong lines than a person writes is left to one.
func TestAFileOfWrongLinesIsLeft(t *testing.T) {
	t.Parallel()
	for n, edits := range map[int]int{most: 1, most + 1: 0} {
		run, path := ground(t, []byte("B=2\n"+strings.Repeat("rawkey\n", n)), nil)
		var found []finding.Finding
		for line := range n {
			found = append(found, at(finding.LineBare, line+2))
		}
		d, err := Draw(t.Context(), run, found)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(d.Trial().Files[path]); len(d.Edits) != edits || edits == 1 && got != "B=2\n" {
			t.Errorf("%d lines: %d edits, %q", n, len(d.Edits), got)
		}
	}
}

// An example that is too large is no file to begin with.
func TestAnExampleThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	run, path := ground(t, nil, []byte(strings.Repeat("A=1\n", 1<<19)))
	if d, err := Draw(t.Context(), run, []finding.Finding{run.MissingFile(path)}); err != nil || len(d.Edits) != 0 {
		t.Errorf("%v, %d edits", err, len(d.Edits))
	}
	run, path = ground(t, nil, []byte("SECRET_KEY=x\n"))
	if d, err := Draw(t.Context(), run, []finding.Finding{run.MissingFile(path)}); err != nil || len(d.Edits) != 1 {
		t.Errorf("the control: %v", err)
	}
}

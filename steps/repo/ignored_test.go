package repo

import (
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// Each file that git is to ignore is an edit of its own, to be switched on or off; together
// they are one .gitignore.
func TestSeveralFilesToIgnore(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	var found []finding.Finding
	for _, file := range []string{".env", ".env~", "notes 1.txt"} {
		found = append(found, finding.New(finding.EnvFileNotIgnored, "").At(file, 0))
	}
	d, err := steps.Draw(t.Context(), run, Makers, found)
	if err != nil || len(d.Edits) != 3 {
		t.Fatalf("%v, %+v", err, d.Edits)
	}
	if is := string(d.Edits[2].Is); is != "/.env\n/.env~\n/notes\\ 1.txt\n" {
		t.Errorf("%q", is)
	}
	run.Answers.Edits = map[string]bool{d.Edits[1].ID: false}
	if d, err = steps.Draw(t.Context(), run, Makers, found); err != nil || len(d.On()) != 2 || string(d.Edits[2].Is) != "/.env\n/notes\\ 1.txt\n" {
		t.Errorf("with one switched off: %v, %+v", err, d.Edits)
	}
}

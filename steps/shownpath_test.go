package steps

import (
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/steps/finding"
)

// The path of a file is no secret, also where a password has the name of a folder; that of
// a place elsewhere may be one.
func TestThePathOfAFileIsShown(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	if err := os.MkdirAll(filepath.Join(top, "deploy", "flowershop"), 0o700); err != nil {
		t.Fatal(err)
	}
	r := &Run{Found: Found{Project: &Project{Root: top, TopLevel: top}}}
	r.Redactor.Add(r.Secret("flowershop"))
	for path, want := range map[string]string{"deploy/flowershop": "deploy/flowershop", "vault:flowershop": "vault:****"} {
		if got := r.ShowFinding(finding.New(finding.CIMissingKey, "").At(path, 0)).File; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

package steps

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A fix is pasted into a shell, and names of folders come from a repository of anyone's.
func TestAFixCanBePasted(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	p := &Project{TopLevel: top}
	dir := filepath.Join(top, "it's $(touch x)")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	env := filepath.Join(dir, ".env")
	if err := os.WriteFile(env+".example", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want := `Run: cp 'it'\''s $(touch x)/.env.example' 'it'\''s $(touch x)/.env', fill in`
	if f := p.MissingFile(env); !strings.HasPrefix(f.Fix.String(), want) {
		t.Errorf("%s", f.Fix.String())
	}
	p.TopLevel = dir
	if f := p.MissingFile(env); !strings.HasPrefix(f.Fix.String(), "Run: cp .env.example .env, fill in") {
		t.Errorf("%s", f.Fix.String())
	}
}

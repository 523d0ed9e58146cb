package steps

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/sys/shell"
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
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	want := "Run: " + shell.Join("cp", from(here, env)+".example", from(here, env)) + ", fill in"
	run := &Run{Options: Options{Environment: "staging"}, Found: Found{Project: p}}
	if f := run.MissingFile(env); !strings.HasPrefix(f.Fix.Rendered(), want) {
		t.Errorf("%s", f.Fix.Rendered())
	}
}

// A command is pasted where keysplit was started, which may be below the project,
// above it or elsewhere.
func TestFromHere(t *testing.T) {
	t.Parallel()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := func(name string) string { return filepath.Join(top, filepath.FromSlash(name)) }
	if err := os.MkdirAll(path("mono/services/api"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ here, path, want string }{
		{"mono", "mono/services/api/.env", "services/api/.env"},
		{"mono/services/api", "mono/services/api/.env", ".env"},
		{"mono/services/api", "mono/docker-compose.yml", "../../docker-compose.yml"},
		{"mono/services", "mono/services", "."},
		{"mono/services/api", "else/.env", path("else/.env")},
	} {
		if got := from(path(c.here), path(c.path)); filepath.ToSlash(got) != filepath.ToSlash(c.want) {
			t.Errorf("%s in %s: %s, want %s", c.path, c.here, got, c.want)
		}
	}
}

package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Paths count from the file that has them, wherever in the work tree that lies.
func TestPathsAreRelativeToTheFile(t *testing.T) {
	top := t.TempDir()
	backend := filepath.Join(top, "backend")
	if err := os.Mkdir(backend, 0o700); err != nil {
		t.Fatal(err)
	}
	text := `python = "backend/.venv/bin/python"
[environments.a]
targets = ["dotenv:backend/.env.a", "dotenv:deploy/#a.env", "compose:deploy/compose.yml#web", "compose:compose.yml", "dotenv:/etc/shop.env", "dotenv", "vault:kv/a#b"]
restart = "compose:deploy/compose.yml#web,worker"
[environments.b]
restart = "command:./deploy/again#1"
[environments.c]
restart = "compose:web"
`
	if err := os.WriteFile(filepath.Join(top, File), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Find(backend, top)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"dotenv:.env.a", "dotenv:../deploy/#a.env", "compose:../deploy/compose.yml#web", "compose:../compose.yml", "dotenv:/etc/shop.env", "dotenv", "vault:kv/a#b"}
	if got := c.Environments["a"].Targets; !slices.Equal(got, want) {
		t.Errorf("targets %q", got)
	}
	if c.Python != filepath.Join(backend, ".venv/bin/python") {
		t.Errorf("python %q", c.Python)
	}
	for name, want := range map[string]string{"a": "compose:../deploy/compose.yml#web,worker", "b": "command:./deploy/again#1", "c": "compose:web"} {
		if got := c.Environments[name].Restart; got != want {
			t.Errorf("restart of %s %q, want %q", name, got, want)
		}
	}
}

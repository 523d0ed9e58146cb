//go:build unix

package git

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/sys/child"
)

// git gets none of the keys of the shell that keysplit runs in.
func TestGitInheritsNoSecret(t *testing.T) {
	t.Attr("part", "hostile repositories")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte("#!/bin/sh\nenv\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("OTHER", "stays")
	for _, name := range child.Withheld {
		t.Setenv(name, "a value")
	}
	res, ok := Ask(context.Background(), dir, nil, 1<<20, "ls-files")
	if !ok || !strings.Contains(string(res.Stdout), "OTHER=stays") {
		t.Fatalf("it did not run: %s", res.Stdout)
	}
	for _, name := range child.Withheld {
		if strings.Contains("\n"+string(res.Stdout), "\n"+name+"=") {
			t.Errorf("git was given %s", name)
		}
	}
}

package checklist

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
)

func TestWhatGitIgnoresIsNotLookedAt(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is missing")
	}
	run := stepstest.NewRun(t, "", nil)
	top := run.Project.TopLevel
	for name, text := range map[string]string{
		".gitignore":           "build/\n*.local.md\n!keep.local.md\n",
		"build/compose.yaml":   "services:\n  web:\n    environment:\n      SECRET_KEY: x\n",
		"notes.local.md":       "SECRET_KEY=x\n",
		"keep.local.md":        "SECRET_KEY=x\n",
		"deploy/compose.yaml":  "services:\n  web:\n    environment:\n      SECRET_KEY: x\n",
		"deploy/web.env":       "DEBUG=0\nSECRET_KEY=x\n",
		"deploy/good.env":      "SECRET_KEY=x\nJWT_SECRET_KEY=y\n",
		"build/web.env":        "SECRET_KEY=x\n",
		".git-hooks/fsmonitor": "#!/bin/sh\ntouch '" + filepath.Join(top, "ran") + "'\n",
	} {
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	found := func() string {
		r, err := Look(t.Context(), run, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, f := range r.Findings {
			files = append(files, f.File)
		}
		return strings.Join(files, " ")
	}
	if got := found(); !strings.Contains(got, "build/compose.yaml") || !strings.Contains(got, "notes.local.md") {
		t.Errorf("without a repository: %s", got)
	}
	for _, args := range [][]string{{"init", "-q"}, {"config", "core.fsmonitor", filepath.Join(top, ".git-hooks/fsmonitor")}} {
		if out, err := exec.Command("git", append([]string{"-C", top}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%s", out)
		}
	}
	if got := found(); got != "deploy/compose.yaml deploy/web.env keep.local.md" {
		t.Errorf("with it: %s", got)
	}
	if _, err := os.Stat(filepath.Join(top, "ran")); err == nil {
		t.Error("the repository's own program was run")
	}
}

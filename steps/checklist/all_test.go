package checklist

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// A file lacks the key since the settings name it, or since it is there.
func TestSinceWhenAFileLacksTheKey(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	day := func(n int) string { return time.Date(2026, 3, n, 12, 0, 0, 0, time.UTC).Format(time.RFC3339) }
	commit := func(n int, name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "x"}} {
			cmd := exec.Command("git", args...)
			cmd.Dir = root
			cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE="+day(n), "GIT_COMMITTER_DATE="+day(n), "GIT_CONFIG_GLOBAL=/dev/null")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
	}
	if out, err := exec.Command("git", "init", "-q", root).CombinedOutput(); err != nil {
		t.Skipf("no git: %s", out)
	}
	commit(1, "ci.yml", "SECRET_KEY: x\n")
	commit(2, "settings.py", "JWT_SECRET_KEY = env('JWT_SECRET_KEY')\n")
	commit(3, "settings.py", "JWT_SECRET_KEY = env('JWT_SECRET_KEY')\nDEBUG = True\n")
	commit(4, "compose.yml", "SECRET_KEY: x\n")

	items := make([]Item, 9)
	for i := range items {
		items[i] = Item{Number: i + 1, Title: "item", State: Done}
	}
	open := append([]Item{}, items...)
	open[0] = Item{Number: 1, Title: "item", State: Open, Reason: ".env sets no JWT_SECRET_KEY", Next: prose.Say("x")}
	found := []finding.Finding{
		finding.New(finding.CIMissingKey, "").At("ci.yml", 1), finding.New(finding.ComposeMissingKey, "").At("compose.yml", 1),
		finding.New(finding.EnvFileNotIgnored, "").At(".env", 0),
	}
	run := &steps.Run{Found: steps.Found{Project: &steps.Project{Root: root, TopLevel: root}}}
	all := Together(t.Context(), run, []Report{
		{Environment: "development", Complete: true, Items: items, Findings: found},
		{Environment: "staging", Items: open, Findings: found},
	})
	want := []string{"ci.yml:1, since 2026-03-02", "compose.yml:1, since 2026-03-04", "staging: .env sets no JWT_SECRET_KEY, since 2026-03-02"}
	text := all.Text()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("not %q:\n%s", w, text)
		}
	}
	if all.Complete || len(all.Lacking) != 3 || strings.Count(all.Markdown(), "ci.yml") != 1 {
		t.Errorf("complete %t, %d lack it:\n%s", all.Complete, len(all.Lacking), all.Markdown())
	}
}

package preflight

import (
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
)

// The file that direnv is told to load is the one that gets the key, where this process has
// SECRET_KEY as it sets that.
func TestTheFileThatDirenvLoads(t *testing.T) {
	t.Parallel()
	for envrc, want := range map[string]string{
		"dotenv_if_exists .env.local\n":        ".env.local",
		"layout python\n  dotenv .env.local\n": ".env.local",
		"source_env \".env.local\"\n":          ".env.local",
		// Each is read once: this takes minutes otherwise.
		strings.Repeat("source_env .envrc\n", 20_000) + "dotenv .env.local\n": ".env.local",
		"# dotenv .env.local\n":         ".env",
		"dotenv_if_exists .env.other\n": ".env",
	} {
		dir := lay(t, map[string]string{".envrc": envrc, ".env.local": "SECRET_KEY=one\n", ".env.other": "SECRET_KEY=two\n"})
		run := &steps.Run{Environ: func(string) (string, bool) { return "one", true }}
		p := &steps.Project{Root: dir, TopLevel: dir, EnvFile: steps.EnvFile{Path: filepath.Join(dir, ".env"), Readers: []envfile.Dialect{envfile.Shell}}}
		run.Project = p
		(&diagnosis{run: run, project: p}).belong()
		if got := p.Rel(p.EnvFile.Path); got != want || p.EnvFile.Sourced != (want == ".env.local") {
			t.Errorf("%q: %s, want %s", envrc, got, want)
		}
	}
}

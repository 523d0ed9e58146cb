//go:build linux

package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// A script that reads a part of the output must not take it for all of it.
func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	t.Attr("part", "outputs that cannot be written")
	root := staticProject(t, "SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+stepstest.Key()+"\n")
	for _, args := range [][]string{{"check", "--static"}, {"check", "--static", "--json"}, {"explain"}, {"version"}} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip("there is no /dev/full")
		}
		c := invocation{args: args, dir: root}.command(t.Context(), t, filepath.Join(t.TempDir(), "state"))
		var said strings.Builder
		c.Stdout, c.Stderr = full, &said
		_ = c.Run()
		full.Close()
		if c.ProcessState.ExitCode() != 1 || !strings.Contains(said.String(), "no space left") || strings.Contains(said.String(), "--help") {
			t.Errorf("%v: exit %d: %s", args, c.ProcessState.ExitCode(), said.String())
		}
		c = exec.Command(c.Path, c.Args[1:]...)
		c.Dir, c.Env = root, append(os.Environ(), "KEYSPLIT_STATE_DIR="+filepath.Join(t.TempDir(), "state"))
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v on a good output: %v\n%s", args, err, out)
		}
	}
}

// The demo touches nothing of its user's, also where a configuration lies.
func TestTheDemoTakesNoConfiguration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mine := filepath.Join(dir, "mine.env")
	for name, text := range map[string]string{
		"manage.py": "django", "mine.env": "A=1\n",
		"keysplit.toml": "min_length = 99\n[environments.development]\ntargets = [\"dotenv:" + mine + "\"]\nrestart = \"command:touch ran\"\nurl = \"http://127.0.0.1:9\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := invocation{args: []string{"demo", "--yes"}, dir: dir}.run(t, filepath.Join(t.TempDir(), "state"))
	if r.code != 0 {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if read(t, mine) != "A=1\n" {
		t.Error("the demo wrote to a file of its user's")
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("the demo ran a command of the configuration")
	}
}

// The configuration is that of the project which is found, and no other.
func TestTheConfigurationIsTheProjects(t *testing.T) {
	t.Parallel()
	root := staticProject(t, "SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+stepstest.Key()+"\n")
	top := filepath.Join(t.TempDir(), "repo")
	beside := filepath.Join(top, "frontend", "src")
	for _, dir := range []string{beside, filepath.Join(top, ".git")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(root, filepath.Join(top, "backend")); err != nil {
		t.Fatal(err)
	}
	conf := []byte("[environments.staging]\nurl = \"https://staging.example.com\"\n")
	above := filepath.Join(filepath.Dir(top), "keysplit.toml")
	check := func() ran {
		return invocation{args: []string{"check", "--static", "--env", "stagin", "--env-file", ".env"}, dir: beside}.run(t, filepath.Join(t.TempDir(), "state"))
	}
	if err := os.WriteFile(above, conf, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := check(); r.code == 2 {
		t.Errorf("a file above the project counts: %s", r.errOut)
	}
	if err := os.Rename(above, filepath.Join(top, "backend", "keysplit.toml")); err != nil {
		t.Fatal(err)
	}
	if r := check(); r.code != 2 || !strings.Contains(r.errOut, "staging") {
		t.Errorf("exit %d: the project's own is not found from beside it: %s%s", r.code, r.out, r.errOut)
	}
}

// The last line of upgrade --json is its result, also where the command line
// turns out to be wrong on the way.
func TestTheResultComesLast(t *testing.T) {
	t.Parallel()
	root := staticProject(t, "SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+stepstest.Key()+"\n")
	if err := os.WriteFile(filepath.Join(root, "prod.env"), []byte("SECRET_KEY="+stepstest.Key()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := invocation{args: []string{"upgrade", "--yes", "--json", "--env", "production", "--target", "dotenv:prod.env", "--restart", "none"}, dir: root}.run(t, filepath.Join(t.TempDir(), "state"))
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	var last struct {
		Event string
		OK    *bool
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Event != "result" || last.OK == nil || *last.OK || r.code != 2 {
		t.Errorf("exit %d, %v\n%s%s", r.code, err, r.out, r.errOut)
	}
}

// One key has one fingerprint, from the first line that shows it to the last, and
// the next time too.
func TestAKeyThatIsGivenHasOneFingerprint(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	state, key := filepath.Join(t.TempDir(), "state"), stepstest.Key()
	seen := map[string]bool{}
	for range 2 {
		r := invocation{args: []string{"upgrade", "--yes", "--key-stdin", "--python", p.Python, "--skip", "restart,smoke-test"}, dir: p.Root, stdin: key + "\n"}.run(t, state)
		found := regexp.MustCompile(`fingerprint ([0-9a-f]{6})`).FindAllStringSubmatch(r.out, -1)
		if r.code != 0 || len(found) < 3 {
			t.Fatalf("exit %d\n%s%s", r.code, r.out, r.errOut)
		}
		for _, f := range found {
			seen[f[1]] = true
		}
	}
	if len(seen) != 1 {
		t.Errorf("one key was shown with %d fingerprints", len(seen))
	}
}

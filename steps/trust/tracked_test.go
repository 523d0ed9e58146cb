package trust_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/trust"
)

// versioned is a real git repository with these files, of which the forced ones are
// tracked.
func versioned(t *testing.T, tracked ...string) *tree {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is not installed")
	}
	r := newTree(t)
	r.must(os.Remove(filepath.Join(r.top, ".git")))
	r.git("init", "-q")
	for _, path := range tracked {
		r.write(path, "SECRET_KEY=x\n")
		r.git("add", "-f", path)
	}
	return r
}

func (r *tree) git(args ...string) {
	r.t.Helper()
	c := exec.Command("git", args...)
	c.Dir = r.top
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	if out, err := c.CombinedOutput(); err != nil {
		r.t.Fatalf("git: %v: %s", err, out)
	}
}

func (r *tree) run(environment string) *steps.Run {
	run := &steps.Run{Found: steps.Found{Project: &steps.Project{Root: r.root, TopLevel: r.top}}}
	run.Options.Environment, run.Options.State = environment, r.state
	return run
}

func TestWhatGitTracks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lay     func(r *tree)
		path    string
		tracked string // the file that the finding names, "" for none
	}{
		"not tracked":             {func(r *tree) { r.write("backend/.env", "") }, "backend/.env", ""},
		"not there":               {nil, "backend/.env", ""},
		"tracked":                 {func(r *tree) { r.write("backend/.env", ""); r.git("add", "-f", "backend/.env") }, "backend/.env", "backend/.env"},
		"tracked, and gone":       {func(r *tree) { r.write("x", ""); r.git("add", "x"); r.must(os.Remove(r.top + "/x")) }, "x", "x"},
		"staged for removal":      {func(r *tree) { r.write("x", ""); r.git("add", "x"); r.git("rm", "-q", "--cached", "x") }, "x", ""},
		"hidden from git status":  {func(r *tree) { r.write("x", ""); r.git("add", "x"); r.git("update-index", "--skip-worktree", "x") }, "x", "x"},
		"a link to a tracked one": {func(r *tree) { r.write("conf/dev", ""); r.git("add", "conf/dev"); r.link("x", "conf/dev") }, "x", "conf/dev"},
		"a tracked link out":      {func(r *tree) { r.write("../outside/x", ""); r.link("x", r.outside+"/x"); r.git("add", "x") }, "x", "OUTSIDE/x"},
		"a tracked folder out":    {func(r *tree) { r.write("../outside/x", ""); r.link("c", r.outside); r.git("add", "c") }, "c/x", "OUTSIDE/x"},
		"a link of one's own":     {func(r *tree) { r.write("../outside/x", ""); r.link("x", r.outside+"/x") }, "x", ""},
		"a folder that is a link": {func(r *tree) { r.write("conf/dev", ""); r.git("add", "conf/dev"); r.link("c", "conf") }, "c/dev", "conf/dev"},
		"a name that is a glob":   {func(r *tree) { r.write("env1", ""); r.git("add", "env1"); r.write("env[1]", "") }, "env[1]", ""},
		"a name with a colon":     {func(r *tree) { r.write(":(top)x", ""); r.git("--literal-pathspecs", "add", ":(top)x") }, ":(top)x", ":(top)x"},
		"outside of every tree":   {func(r *tree) { r.write("../outside/x", "") }, "../outside/x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := versioned(t)
			if c.lay != nil {
				c.lay(r)
			}
			for writes, severity := range map[bool]finding.Severity{true: finding.Error, false: finding.Warning} {
				f, tracked, known := trust.Tracked(t.Context(), r.run(""), filepath.Join(r.top, c.path), writes)
				if !known || tracked != (c.tracked != "") || tracked && (f.File != strings.Replace(c.tracked, "OUTSIDE", r.outside, 1) || f.Severity != severity || f.Code != "env-file-tracked-by-git") {
					t.Errorf("%+v, tracked %t, known %t", f, tracked, known)
				}
			}
		})
	}
}

// In development the team's file, or a person, may say that it is committed on
// purpose; in another environment nothing may.
func TestOnPurpose(t *testing.T) {
	t.Parallel()
	r := versioned(t, "backend/.env", "backend/.env.other")
	path := filepath.Join(r.root, ".env")
	look := func(environment, by string) finding.Finding {
		t.Helper()
		run := r.run(environment)
		run.Options.TrackedEnv = by
		f, tracked, _ := trust.Tracked(t.Context(), run, path, true)
		if !tracked {
			t.Error("it is tracked")
		}
		return f
	}
	for _, development := range []string{"", steps.DefaultEnvironment} {
		f := look(development, "")
		if f.Severity != finding.Error || f.Ask.Empty() || !strings.Contains(f.Fix.Rendered(), " rm --cached .env") || !strings.Contains(f.Fix.Rendered(), "tracked_env = true") || !strings.Contains(f.Fix.Rendered(), "--env-file") {
			t.Errorf("%+v", f)
		}
		if f := look(development, "keysplit.toml:3"); f.Severity != finding.Info || f.Ask.Rendered() != "" || !strings.Contains(f.Message.Rendered(), "keysplit.toml:3") {
			t.Errorf("%+v", f)
		}
	}
	for _, by := range []string{"", "keysplit.toml:3"} {
		if f := look("staging", by); f.Severity != finding.Error || f.Ask.Rendered() != "" || strings.Contains(f.Fix.Rendered(), "tracked_env") {
			t.Errorf("%+v", f)
		}
	}
	// The yes of a person is kept, for this file and for development.
	for _, environment := range []string{steps.DefaultEnvironment, "staging"} {
		run := r.run(environment)
		var err error
		run.Journal, err = run.Options.State.Open(r.root, environment)
		r.must(err)
		f, _, _ := trust.Tracked(t.Context(), run, path, true)
		if err := run.Overrule(f); (err == nil) != (environment == steps.DefaultEnvironment) {
			t.Errorf("%s: %v", environment, err)
		}
		r.must(run.Journal.Agree(string(f.Code), f.File))
	}
	if f := look("", ""); f.Severity != finding.Info || !strings.Contains(f.Message.Rendered(), "you said so") {
		t.Errorf("%+v", f)
	}
	if f := look("staging", ""); f.Severity != finding.Error {
		t.Errorf("%+v", f)
	}
	path = filepath.Join(r.root, ".env.other")
	if f := look("", ""); f.Severity != finding.Error {
		t.Errorf("another file: %+v", f)
	}
}

// A committed link out of the work tree is for a person to say yes to, and not for a
// line that is committed with it.
func TestACommittedLinkOut(t *testing.T) {
	t.Parallel()
	r := versioned(t)
	r.write("../outside/.profile", "umask 077\n")
	r.link("backend/.env", r.outside+"/.profile")
	r.git("add", "-f", "backend/.env")
	run := r.run("")
	run.Options.TrackedEnv = "keysplit.toml:1"
	var err error
	run.Journal, err = run.Options.State.Open(r.root, steps.DefaultEnvironment)
	r.must(err)
	f, tracked, _ := trust.Tracked(t.Context(), run, filepath.Join(r.root, ".env"), true)
	if !tracked || f.Severity != finding.Error || !strings.Contains(f.Ask.Rendered(), r.outside+"/.profile") || !strings.Contains(f.Message.Rendered(), "backend/.env is a link") {
		t.Errorf("%+v", f)
	}
	r.must(run.Overrule(f))
	if f, _, _ := trust.Tracked(t.Context(), run, filepath.Join(r.root, ".env"), true); f.Severity != finding.Info {
		t.Errorf("after a yes: %+v", f)
	}
	if f, _, _ := trust.Tracked(t.Context(), r.run("staging"), filepath.Join(r.root, ".env"), true); f.Severity != finding.Error || f.Ask.Rendered() != "" {
		t.Errorf("elsewhere: %+v", f)
	}
}

// Where git does not answer, nothing is claimed.
func TestWithoutAnAnswerNothingIsKnown(t *testing.T) {
	r := versioned(t, "backend/.env")
	t.Setenv("PATH", t.TempDir())
	if f, tracked, known := trust.Tracked(t.Context(), r.run(""), filepath.Join(r.root, ".env"), true); tracked || known {
		t.Errorf("%+v, %t, %t", f, tracked, known)
	}
	r.must(errors.Join(os.RemoveAll(filepath.Join(r.top, ".git"))))
	if _, tracked, known := trust.Tracked(t.Context(), r.run(""), filepath.Join(r.root, ".env"), true); tracked || !known {
		t.Errorf("%t, %t", tracked, known)
	}
}

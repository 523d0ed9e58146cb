package write

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// Several targets may lie in one place: what the first one writes there is no change
// by someone else to the next one. All get the key, and a rollback takes all back.
func TestTwoTargetsInOneSecret(t *testing.T) {
	type fields map[string]string
	vault := func(kv int) func(t *testing.T, before fields) func() fields {
		return func(t *testing.T, before fields) func() fields {
			m := vaultManager(kv)
			program := m.begin(t, remembered{KV: kv, Versions: []map[string]string{before}})
			return func() fields {
				k := memory(t, program)
				return k.Versions[len(k.Versions)-1]
			}
		}
	}
	for name, c := range stepstest.Part(2, map[string]struct {
		specs string
		begin func(t *testing.T, before fields) func() fields
	}{
		"vault, KV version 1": {"vault:kv/app/jwt#a vault:kv/app/jwt#b", vault(1)},
		"vault, KV version 2": {"vault:kv/app/jwt#a vault:kv/app/jwt#b", vault(2)},
		"aws": {"aws:prod/shop#a aws:prod/shop#b", func(t *testing.T, before fields) func() fields {
			text, _ := json.Marshal(before)
			program := managers()[2].begin(t, remembered{Strings: []string{string(text)}})
			return func() (now fields) {
				k := memory(t, program)
				_ = json.Unmarshal([]byte(k.Strings[len(k.Strings)-1]), &now)
				return now
			}
		}},
		// The namespace is that of the context: two names of one Secret.
		"kubernetes": {"kubernetes:backend#a kubernetes:shop/backend#b", func(t *testing.T, before fields) func() fields {
			a := cluster(t)
			a.data = map[string]string{}
			for name, value := range before {
				a.data[name] = base64.StdEncoding.EncodeToString([]byte(value))
			}
			return func() fields {
				now := fields{}
				for name := range a.data {
					now[name] = a.value(name)
				}
				return now
			}
		}},
	}) {
		for what, before := range map[string]fields{"new": {"other": "x"}, "replaced": {"other": "x", "a": stepstest.Key(), "b": stepstest.Key()}} {
			t.Run(name+", "+what, func(t *testing.T) {
				now := c.begin(t, before)
				run := withKey(stepstest.NewRun(t, "", nil))
				run.Options.Timeout = 10 * time.Second
				var err error
				if run.Targets, err = Targets(strings.Fields(c.specs)); err != nil {
					t.Fatal(err)
				}
				if _, err := deliver(t, run); err != nil {
					t.Fatal(err)
				}
				if got := now(); got["a"] != run.Key.Reveal() || got["b"] != run.Key.Reveal() || got["other"] != "x" || len(got) != 3 {
					t.Errorf("a has it: %t, b has it: %t, %d fields", got["a"] == run.Key.Reveal(), got["b"] == run.Key.Reveal(), len(got))
				}
				if _, err := undo(run); err != nil {
					t.Fatal(err)
				}
				if got := now(); got["a"] != before["a"] || got["b"] != before["b"] || got["other"] != "x" || len(got) != len(before) {
					t.Errorf("not as before: a %t, b %t, %d fields", got["a"] == before["a"], got["b"] == before["b"], len(got))
				}
			})
		}
	}
}

// Two services may read one file.
func TestTwoTargetsInOneFile(t *testing.T) {
	t.Parallel()
	stepstest.NewTool(t, "docker", "exit 1")
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	root := run.Project.Root
	if err := os.WriteFile(filepath.Join(root, "compose.yaml"), []byte("services:\n  web:\n    env_file: .env\n  worker:\n    env_file: [also.env]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".env", filepath.Join(root, "also.env")); err != nil {
		t.Skip(err)
	}
	var err error
	if run.Targets, err = Targets([]string{"dotenv", "compose:compose.yaml#web", "compose:compose.yaml#worker"}); err != nil {
		t.Fatal(err)
	}
	plan, err := deliver(t, run)
	if err != nil {
		t.Fatal(err)
	}
	if got := stepstest.Content(t, run); got != "A=1\nJWT_SECRET_KEY="+run.Key.Reveal()+"\n" {
		t.Error("the file is not as it should be")
	}
	if files := plan.Diffs(); len(files[0].Lines) != 2 { // with the line around it
		t.Errorf("two lines are %d", len(files[0].Lines))
	}
	if _, err := undo(run); err != nil || stepstest.Content(t, run) != "A=1\n" {
		t.Errorf("after the undo: %v", err)
	}

	// What someone else does to the file in between is a conflict still.
	run = withKey(stepstest.NewRun(t, "A=1\n", nil))
	if run.Targets, err = Targets([]string{"dotenv:other.env", "dotenv"}); err != nil {
		t.Fatal(err)
	}
	s := &Step{}
	if _, err := s.Plan(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(run.Project.EnvFile.Path, []byte("A=2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.Apply(t.Context(), run, func(steps.Event) {}), "env-file-changed")
}

// A place that has the key already is not counted among those that get it.
func TestAPlanCountsWhatItWrites(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	if err := os.WriteFile(filepath.Join(run.Project.Root, "b.env"), []byte("JWT_SECRET_KEY="+run.Key.Reveal()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for specs, want := range map[string]string{"dotenv dotenv:b.env": "1 of 2", "dotenv dotenv:c.env": "to 2"} {
		var err error
		if run.Targets, err = Targets(strings.Fields(specs)); err != nil {
			t.Fatal(err)
		}
		if plan, err := (&Step{}).Plan(t.Context(), run); err != nil || !strings.Contains(plan.Summary.Rendered(), want+" places") {
			t.Errorf("%s: %q, %v", specs, plan.Summary, err)
		}
	}
}

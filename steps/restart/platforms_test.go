//go:build unix

package restart

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// delivered has the key of a run delivered to a target just now.
func delivered(t *testing.T, w *world, target string) {
	t.Helper()
	w.run.Options.State = stepstest.State(t)
	j, err := w.run.Options.State.Open(w.run.Project.Root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	w.run.Journal, w.run.Prints = j, j.Prints()
	w.run.Key = w.run.Secret(w.run.Key.Reveal())
	d, err := j.Deliver(journal.Delivery{Target: target, Key: j.Prints().Of(w.run.Key)}, secret.Secret{})
	if err == nil {
		err = j.Delivered(d)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.run.Wrote, w.run.WroteAt = true, time.Now()
}

// platformTests are the three platforms: how an app stands before and after its
// restart, and how when that fails. @ is a time.
var platformTests = map[string]struct {
	spec, program, again string
	up, down             []string // JSON by the command's first word or, with fly, its first two
	log                  string
}{
	"heroku": {"heroku:shop", "heroku", "ps:restart",
		[]string{`releases: [{"version":8,"status":"succeeded","created_at":"@"},{"version":7,"status":"failed"}]`, `ps: [{"type":"web","state":"up","updated_at":"@","release":{"version":8}},{"type":"run","state":"crashed","updated_at":"@"}]`},
		[]string{`releases: [{"version":8,"status":"succeeded","created_at":"@"}]`, `ps: [{"type":"web","state":"crashed","updated_at":"@","release":{"version":8}}]`}, "logs\n--num\n20\n--app\nshop"},
	"fly": {"fly:shop", "fly", "secrets\ndeploy",
		[]string{`machine: [{"state":"started","updated_at":"@"},{"state":"stopped","updated_at":"@","events":[{"type":"exit","timestamp":2,"request":{"exit_event":{"exit_code":143,"requested_stop":true}}},{"type":"exit","timestamp":1,"request":{"exit_event":{"exit_code":1}}}]}]`},
		[]string{`machine: [{"state":"stopped","updated_at":"@","events":[{"type":"exit","timestamp":1,"request":{"exit_event":{"exit_code":1}}}]}]`}, "logs\n--no-tail\n--app\nshop"},
	"railway": {"railway:web@staging", "railway", "redeploy\n--yes",
		[]string{`deployment: [{"status":"SUCCESS","createdAt":"@"}]`}, []string{`deployment: [{"status":"CRASHED","createdAt":"@"}]`}, "logs\n--service\nweb\n--environment\nstaging"},
}

// platformTool is a platform's program, which answers before until it is told to
// restart, and after from then on.
func platformTool(t *testing.T, name, again string, before, after []string, beforeAt, afterAt time.Time) *stepstest.Tool {
	t.Helper()
	script := `state=before; [ ! -e "$DIR/again" ] || state=after
case "$*" in *"redeploy --help"*) cat "$DIR/help" 2>/dev/null || echo "--environment"; exit ;; esac
case "$(printf '%s\n%s' "$1" "$2")" in "` + again + `"*) touch "$DIR/again"; exit ;; esac
case "$1" in logs) echo "the app says $(cat "$DIR/key")"; sleep 0.1; exit ;; esac
cat "$DIR/$state-$1"`
	tool := stepstest.NewTool(t, name, script)
	for state, answers := range map[string][]string{"before": before, "after": after} {
		at := map[string]time.Time{"before": beforeAt, "after": afterAt}[state].UTC().Format(time.RFC3339Nano)
		for _, a := range answers {
			word, text, _ := strings.Cut(a, ": ")
			if err := os.WriteFile(filepath.Join(tool.Dir, state+"-"+word), []byte(strings.ReplaceAll(text, "@", at)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return tool
}

// An app is waited for only when this upgrade delivered to that very app, and from
// then on; any other is restarted, and what was there before the restart is no proof.
func TestPlatformsAreWaitedForOrRestarted(t *testing.T) {
	t.Parallel()
	year := time.Now().Add(-365 * 24 * time.Hour)
	now := time.Now()
	for name, c := range stepstest.Part(2, platformTests) {
		for what, s := range stepstest.Part(7, map[string]struct {
			target        string // that was delivered to
			before, after []string
			at, then      time.Time
			again, fails  bool
		}{
			"after its delivery":                 {c.spec, c.up, c.up, now, now, false, false},
			"what runs is from before":           {c.spec, c.up, c.up, year, year, false, true},
			"it comes up no more":                {c.spec, c.down, c.down, now, now, false, true},
			"another app was delivered to":       {c.spec + "-other", c.up, c.up, year, now, true, false},
			"nothing was delivered":              {"", c.up, c.up, year, now, true, false},
			"a restart that changes nothing":     {"", c.up, c.up, year, year, true, true},
			"it crashes after the restart":       {"", c.up, c.down, year, now, true, true},
			"it had crashed before the restart":  {"", c.down, c.up, year, now, true, false},
			"the clock of the platform is wrong": {"", c.up, c.up, year.Add(-time.Hour), year, true, false},
		}) {
			t.Run(name+", "+what, func(t *testing.T) {
				t.Parallel()
				w := managedWorld(t, c.spec)
				if s.fails {
					w.step.StartsWithin = 1500 * time.Millisecond // one call of a loaded machine takes a part of it
				}
				if s.target != "" {
					delivered(t, w, s.target)
				}
				program := platformTool(t, c.program, c.again, s.before, s.after, s.at, s.then)
				if err := os.WriteFile(filepath.Join(program.Dir, "key"), []byte(w.run.Key.Reveal()), 0o600); err != nil {
					t.Fatal(err)
				}
				said, found, err := restarted(t, w)
				if (err != nil) != s.fails || s.fails && !finding.Has(found, "restart-failed") {
					t.Fatalf("error %v, found %v\n%s", err, found, said)
				}
				if again := strings.Contains(program.Argv(), c.again); again != s.again || strings.Contains(said, "by itself") == s.again {
					t.Errorf("restarted by us: %t\n%s", again, said)
				}
				if s.fails && (!strings.Contains(program.Argv(), c.log) || !strings.Contains(said, "the app says ****") || !strings.Contains(found[0].Fix.Rendered(), strings.ReplaceAll(c.log, "\n", " "))) {
					t.Errorf("its log is not shown: %s\n%s", found[0].Fix.Rendered(), said)
				}
			})
		}
	}
}

// A run that goes on later waits for what the first one delivered; a rollback, for
// what it restored.
func TestPlatformsAreWaitedForLater(t *testing.T) {
	t.Parallel()
	c := platformTests["heroku"]
	for name, rollback := range map[string]bool{"resumed": false, "rollback": true} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, c.spec)
			delivered(t, w, c.spec)
			j, err := w.run.Options.State.Open(w.run.Project.Root, steps.DefaultEnvironment)
			if err != nil {
				t.Fatal(err)
			}
			w.run.Journal, w.run.Wrote, w.run.WroteAt = j, false, time.Time{}
			if rollback {
				if err := j.TookBack(j.Deliveries()[0]); err != nil {
					t.Fatal(err)
				}
			}
			program := platformTool(t, c.program, c.again, c.up, c.up, time.Now(), time.Now())
			if said, _, err := restarted(t, w); err != nil || strings.Contains(program.Argv(), c.again) {
				t.Errorf("%v\n%s", err, said)
			}
			// Another process, after the rollback, has nothing to wait for.
			if w.run.Journal, err = w.run.Options.State.Open(w.run.Project.Root, steps.DefaultEnvironment); err != nil {
				t.Fatal(err)
			}
			p, err := w.step.Plan(t.Context(), w.run)
			if waits := strings.Contains(p.Summary.Rendered(), "by itself"); err != nil || waits == rollback {
				t.Errorf("later: waits %t, error %v", waits, err)
			}
		})
	}
}

// An older railway cannot restart in an environment that is named: that is said
// before anything is changed.
func TestAnOldRailwayDoesNotRestart(t *testing.T) {
	t.Parallel()
	c := platformTests["railway"]
	w := managedWorld(t, c.spec)
	program := platformTool(t, c.program, c.again, c.up, c.up, time.Now(), time.Now())
	if err := os.WriteFile(filepath.Join(program.Dir, "help"), []byte("--service\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := w.step.Plan(t.Context(), w.run)
	var failure *steps.Failure
	if !errors.As(err, &failure) || !finding.Has(failure.Findings, "tool-missing") || !strings.Contains(failure.Findings[0].Fix.Rendered(), "--restart railway:web") {
		t.Errorf("%+v", err)
	}
}

func TestSeveralPlatformsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string][]string{
		"fly:a,heroku:b":       {"fly:a", "heroku:b"},
		"fly:a,b":              {"fly:a", "fly:b"},
		"systemd:a,b":          {"systemd:a,b"},
		"command:x a,fly:b":    {"command:x a,fly:b"},
		"fly:a,kubernetes:b/c": {"fly:a,kubernetes:b/c"},
		"":                     {""},
	} {
		if got := apart(spec); !slices.Equal(got, want) {
			t.Errorf("%q: %q", spec, got)
		}
	}
	w := managedWorld(t, "fly:a,heroku:b")
	if p, err := w.step.Plan(t.Context(), w.run); err != nil || !strings.Contains(p.Summary.Rendered(), "app a") || !strings.Contains(p.Summary.Rendered(), "app b") {
		t.Errorf("%+v, %v", p, err)
	}
}

package write

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// bring plans, applies and verifies one target, and tells everything that was
// said in the meantime.
func bring(run *steps.Run, t steps.Target) (said string, err error) {
	var events stepstest.Events
	plan, err := t.Plan(context.Background(), run)
	if err == nil {
		err = t.Apply(context.Background(), run, events.Emit)
	}
	if err == nil {
		err = t.Verify(context.Background(), run, events.Emit)
	}
	all, _ := json.Marshal([]any{plan, events, fmt.Sprintf("%+v", err)})
	return string(all), err
}

// undo takes the delivery back as a rollback does.
func undo(run *steps.Run) (string, error) {
	var events stepstest.Events
	err := (&Step{}).Undo(context.Background(), run, events.Emit)
	all, _ := json.Marshal([]any{events, fmt.Sprintf("%+v", err)})
	return string(all), err
}

// holdsPart reports whether text holds the secret or any 12 characters of it.
func holdsPart(text, secret string) bool {
	for i := 0; i+12 <= len(secret); i++ {
		if strings.Contains(text, secret[i:i+12]) {
			return true
		}
	}
	return false
}

// noLeak fails when a secret is anywhere but where it belongs.
func noLeak(t *testing.T, run *steps.Run, secret string, texts map[string]string) {
	t.Helper()
	journal, err := os.ReadFile(filepath.Join(run.Journal.Dir(), "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	texts["the journal"] = string(journal)
	for where, text := range texts {
		if holdsPart(text, secret) {
			t.Errorf("the key is in %s", where)
		}
	}
}

func wantCode(t *testing.T, err error, code finding.Code) finding.Finding {
	t.Helper()
	var failure *steps.Failure
	if !errors.As(err, &failure) || len(failure.Findings) != 1 || failure.Findings[0].Code != code {
		t.Fatalf("error %v, want %s alone", err, code)
	}
	return failure.Findings[0]
}

// cli is one kind of target that goes through a program, with a stand-in for it
// that remembers.
type cli struct {
	spec, program string
	body          string // of the stand-in; its memory is $DIR/state
	stdin         string // how the key arrives: a format with %s
	readable      bool
}

var clis = []cli{
	{
		spec: "github:acme/shop@staging", program: "gh", stdin: "%s",
		body: `case "$1 $2" in
"api --paginate") echo '{"total_count":2,"secrets":[{"name":"OTHER","updated_at":"2025-01-01T00:00:00Z"}]}'
	[ ! -e "$DIR/state" ] || echo '{"total_count":2,"secrets":[{"name":"JWT_SECRET_KEY","updated_at":"'$(cat "$DIR/state")'"}]}' ;;
"secret set") cat >>"$DIR/stdin"; n=$(wc -c <"$DIR/stdin"); echo "2025-01-01T00:00:0$((n % 10))Z" >"$DIR/state" ;;
"secret delete") rm "$DIR/state" ;;
"api user") echo ada ;;
*) exit 9 ;;
esac`,
	},
	{
		spec: "fly:shop", program: "fly", stdin: "JWT_SECRET_KEY=%s\n",
		body: `case "$1 $2" in
"secrets list") [ -e "$DIR/state" ] && echo '[{"Name":"JWT_SECRET_KEY","Digest":"'$(cksum <"$DIR/state" | cut -d' ' -f1)'","CreatedAt":"2025-01-01T00:00:00Z"}]' || echo '[]' ;;
"secrets import") cat >"$DIR/state"; cat "$DIR/state" >>"$DIR/stdin" ;;
"secrets unset") rm "$DIR/state" ;;
"auth whoami") echo ada@example.com ;;
*) exit 9 ;;
esac`,
	},
	{
		spec: "railway:web@staging", program: "railway", stdin: "%s", readable: true,
		body: `case "$1 $2" in
"variable list") [ -e "$DIR/state" ] && echo '{"JWT_SECRET_KEY":"'$(cat "$DIR/state")'","OTHER":"x"}' || echo '{"OTHER":"x"}' ;;
"variable set") case "$*" in *--help*) echo "  --stdin  read it"; exit 0 ;; esac; cat >"$DIR/state"; cat "$DIR/state" >>"$DIR/stdin" ;;
"variable delete") rm "$DIR/state" ;;
*) exit 9 ;;
esac`,
	},
}

func TestProgramsGetTheKeyOnStandardInputAndNowhereElse(t *testing.T) {
	t.Parallel()
	t.Attr("part", "hostile programs of managers")
	for _, c := range clis {
		t.Run(c.program, func(t *testing.T) {
			program := stepstest.NewTool(t, c.program, c.body)
			run, target := oneTarget(t, c.spec)
			said, err := bring(run, target)
			if err != nil || !run.Wrote {
				t.Fatalf("%v, there is something to take back: %t", err, run.Wrote)
			}
			key := run.Key.Reveal()
			if got, want := program.Stdin(), fmt.Sprintf(c.stdin, key); got != want {
				t.Errorf("standard input held %d bytes, want %d", len(got), len(want))
			}
			if strings.Contains(program.Environ(), "JWT_SECRET_KEY=") {
				t.Error("the program inherited JWT_SECRET_KEY")
			}
			// A second run finds it there. What is not readable, the journal knows.
			again, _ := Targets([]string{c.spec})
			plan, err := again[0].Plan(context.Background(), run)
			if err != nil || !plan.Nothing {
				t.Errorf("a second run: %+v, %v", plan, err)
			}
			undone, err := undo(run)
			if err != nil {
				t.Fatal(err)
			}
			if program.File("state") != "" || len(run.Journal.Deliveries()) != 0 {
				t.Error("the key was not taken out")
			}
			noLeak(t, run, key, map[string]string{"argv": program.Argv(), "the environment": program.Environ(), "what was said": said, "the undo": undone})
		})
	}
}

func TestAnEarlierValueComesBackWhereItCanBeRead(t *testing.T) {
	t.Parallel()
	for _, c := range clis {
		t.Run(c.program, func(t *testing.T) {
			program := stepstest.NewTool(t, c.program, c.body)
			old := stepstest.Key()
			state := old
			if c.program == "gh" {
				state = "2024-01-01T00:00:00Z" // it never gives more than the time
			}
			if err := os.WriteFile(filepath.Join(program.Dir, "state"), []byte(state), 0o600); err != nil {
				t.Fatal(err)
			}
			run, target := oneTarget(t, c.spec)
			said, err := bring(run, target)
			if err != nil {
				t.Fatal(err)
			}
			undone, err := undo(run)
			if c.readable {
				if err != nil || program.File("state") != old {
					t.Errorf("error %v, back is %t", err, program.File("state") == old)
				}
			} else if f := wantCode(t, err, "place-not-restored"); !strings.Contains(f.Fix.Rendered(), c.program) {
				t.Errorf("the fix does not say how: %s", f.Fix.Rendered())
			}
			noLeak(t, run, old, map[string]string{"argv": program.Argv(), "what was said": said, "the undo": undone})
		})
	}
}

func TestWhatCanGoWrongWithAProgram(t *testing.T) {
	t.Parallel()
	t.Attr("part", "hostile programs of managers")
	for _, c := range clis {
		for name, w := range map[string]struct {
			says string
			code finding.Code
		}{
			"logged out":  {"error: You are not logged in. Please run login", "tool-not-logged-in"},
			"expired":     {"Unauthorized: token expired", "tool-not-logged-in"},
			"denied":      {"HTTP 403: Resource not accessible", "access-denied"},
			"not there":   {"HTTP 404: Not Found", "place-not-found"},
			"unreachable": {"dial tcp: lookup x: no such host", "place-unreachable"},
		} {
			t.Run(c.program+" "+name, func(t *testing.T) {
				leak := stepstest.Key() // what such programs print when they fail
				stepstest.NewTool(t, c.program, "echo '"+w.says+" "+leak+"' >&2; exit 1")
				run, target := oneTarget(t, c.spec)
				said, err := bring(run, target)
				f := wantCode(t, err, w.code)
				if f.Fix.Empty() || f.File != c.spec {
					t.Errorf("finding %+v", f)
				}
				if holdsPart(said, leak) {
					t.Error("what the program printed was shown")
				}
			})
		}
		t.Run(c.program+" fails, nobody knows why", func(t *testing.T) {
			leak := stepstest.Key()
			stepstest.NewTool(t, c.program, "echo 'odd: "+leak+"' | tee /dev/stderr; exit 1")
			run, target := oneTarget(t, c.spec)
			said, err := bring(run, target)
			if err == nil || holdsPart(said+err.Error(), leak) {
				t.Errorf("passed: %t, or what the program printed was shown", err == nil)
			}
		})
		t.Run(c.program+" missing", func(t *testing.T) {
			run, target := oneTarget(t, c.spec)
			run.Environ = stepstest.LookupEnv(t, map[string]string{"PATH": t.TempDir()})
			_, err := bring(run, target)
			wantCode(t, err, "tool-missing")
		})
		t.Run(c.program+" hangs", func(t *testing.T) {
			stepstest.NewTool(t, c.program, "exec sleep 60")
			run, target := oneTarget(t, c.spec)
			run.Options.Timeout = 200 * time.Millisecond
			_, err := bring(run, target)
			wantCode(t, err, "place-unreachable")
		})
		t.Run(c.program+" ends before it reads", func(t *testing.T) {
			stepstest.NewTool(t, c.program, strings.ReplaceAll(strings.ReplaceAll(c.body, "cat >>", "exit 1; cat >>"), "cat >\"", "exit 1; cat >\""))
			run, target := oneTarget(t, c.spec)
			said, err := bring(run, target)
			if err == nil {
				t.Fatal("it passed")
			}
			noLeak(t, run, run.Key.Reveal(), map[string]string{"what was said": said})
		})
	}
}

func TestAnOldRailwayIsNotTried(t *testing.T) {
	t.Parallel()
	program := stepstest.NewTool(t, "railway", `case "$1 $2" in
"variable list") echo '{}' ;;
*) case "$*" in *--help*) echo usage ;; *) cat >>"$DIR/stdin" ;; esac ;;
esac`)
	run, target := oneTarget(t, "railway:web")
	_, err := bring(run, target)
	wantCode(t, err, "tool-missing")
	if program.Stdin() != "" {
		t.Error("it was given the key")
	}
}

// Railway lists a sealed variable with null, also after it was set.
func TestASealedVariableIsReplacedAndCannotBePutBack(t *testing.T) {
	t.Parallel()
	body := strings.ReplaceAll(clis[2].body, `"'$(cat "$DIR/state")'"`, "null")
	for _, there := range []bool{false, true} {
		program := stepstest.NewTool(t, "railway", body)
		if there {
			if err := os.WriteFile(filepath.Join(program.Dir, "state"), []byte(stepstest.Key()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		run, target := oneTarget(t, clis[2].spec)
		said, err := bring(run, target)
		if err != nil || !strings.Contains(said, "not compared") || strings.Contains(said, "a value that cannot be read") != there {
			t.Fatalf("there before %t: %v\n%s", there, err, said)
		}
		_, err = undo(run)
		if !there {
			if err != nil || program.File("state") != "" {
				t.Errorf("it was not taken out: %v", err)
			}
			continue
		}
		if f := wantCode(t, err, "place-not-restored"); !strings.Contains(f.Fix.Rendered(), "railway variable set JWT_SECRET_KEY --stdin --service web --environment staging") {
			t.Errorf("fix %q", f.Fix.Rendered())
		}
		if program.File("state") != run.Key.Reveal() {
			t.Error("the key is gone")
		}
	}
}

// The third of three targets fails. The next run brings the same key to it, and
// a rollback undoes all three.
func TestAnInterruptedDeliveryGoesOnWithTheSameKey(t *testing.T) {
	t.Parallel()
	gh := stepstest.NewTool(t, "gh", clis[0].body)
	rail := stepstest.NewTool(t, "railway", clis[2].body)
	fly := stepstest.NewTool(t, "fly", `[ -e "$DIR/up" ] || { case "$1 $2" in "secrets import") echo forbidden >&2; exit 1 ;; esac; }
`+clis[1].body)
	specs := []string{clis[0].spec, clis[2].spec, clis[1].spec}
	run := withKey(stepstest.NewRun(t, "", nil))
	var err error
	if run.Targets, err = Targets(specs); err != nil {
		t.Fatal(err)
	}
	if err := run.Journal.Choose(run.Key, specs); err != nil { // as step 1 does
		t.Fatal(err)
	}
	var events stepstest.Events
	step := &Step{}
	if _, err := step.Plan(context.Background(), run); err != nil {
		t.Fatal(err)
	}
	wantCode(t, step.Apply(context.Background(), run, events.Emit), "access-denied")
	named := false
	for _, ev := range events {
		named = named || strings.Contains(ev.Text.Rendered(), specs[0]+", "+specs[1])
	}
	if !named {
		t.Error("it does not say which targets have the key")
	}

	if err := os.WriteFile(filepath.Join(fly.Dir, "up"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	again := &steps.Run{Found: steps.Found{Project: run.Project}, Prints: run.Prints, Options: run.Options, Environ: run.Environ}
	if again.Journal, err = run.Options.State.Open(run.Project.Root, steps.DefaultEnvironment); err != nil {
		t.Fatal(err)
	}
	kept, ok := again.Journal.Chosen(specs)
	if !ok {
		t.Fatal("the key was not kept")
	}
	again.Key = again.Secret(string(kept))
	if err := again.Journal.Choose(again.Key, specs); err != nil {
		t.Fatal(err)
	}
	again.Targets, _ = Targets(specs)
	step = &Step{}
	if _, err := step.Plan(context.Background(), again); err != nil {
		t.Fatal(err)
	}
	if err := step.Apply(context.Background(), again, events.Emit); err != nil {
		t.Fatal(err)
	}
	if err := step.Verify(context.Background(), again, events.Emit); err != nil {
		t.Fatal(err)
	}
	key := run.Key.Reveal()
	if gh.Stdin() != key || rail.Stdin() != key || fly.Stdin() != "JWT_SECRET_KEY="+key+"\n" {
		t.Error("the three places did not get the same key, each once")
	}
	if _, ok := again.Journal.Chosen(specs); ok {
		t.Error("the key is still kept")
	}
	if _, err := undo(again); err != nil {
		t.Fatal(err)
	}
	if gh.File("state")+rail.File("state")+fly.File("state") != "" {
		t.Error("the rollback left a key behind")
	}
	all, _ := json.Marshal(events)
	noLeak(t, again, key, map[string]string{"argv": gh.Argv() + rail.Argv() + fly.Argv(), "what was said": string(all)})
}

func TestSpecsThatAreNotUnderstood(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{
		"github", "github:", "github:acme", "github:acme/shop@", "github:-R/x y", "heroku", "heroku:a/b", "fly:", "fly:-a",
		"railway:", "railway:@x", "compose:", "compose:#web", "compose:f#", "--help",
	} {
		if _, err := Targets([]string{spec}); !errors.Is(err, steps.ErrUsage) {
			t.Errorf("%q: error %v", spec, err)
		}
	}
	if _, err := Targets([]string{"manual", "manual"}); !errors.Is(err, steps.ErrUsage) {
		t.Errorf("twice: error %v", err)
	}
	for _, spec := range []string{"manual", "manual:the vault of the bank", "github:a/b", "github:a/b@c", "heroku:x", "fly:x", "railway:x@y", "compose:c.yml#web", "dotenv"} {
		got, err := Targets([]string{spec})
		if err != nil || got[0].Spec() != spec {
			t.Errorf("%q: %v", spec, err)
		}
	}
	if bytes.Contains([]byte(strings.Join(Kinds(), " ")), []byte("::")) {
		t.Error(Kinds())
	}
}

package write

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/vendor"
)

// A program that fails at one call and works at all others ends the write, or the way back,
// there and with that reason, unless it was asked only for what is worth knowing.
func TestEachCallOfAManagerCounts(t *testing.T) {
	t.Parallel()
	for _, m := range stepstest.Every(2, managers()) {
		old := stepstest.Key()
		calls := 1
		for n := 0; n <= calls; n++ {
			if n > 0 && !stepstest.Long() && n%3 != 1 {
				continue // each call starts a program
			}
			run, target := oneTarget(t, m.spec)
			program := stepstest.NewTool(t, m.program, stepstest.FailsOnce+standInBody(t, m.program))
			remember(t, program, m.start(old))
			if err := os.WriteFile(filepath.Join(program.Dir, "fail"), []byte(strconv.Itoa(n)), 0o600); err != nil {
				t.Fatal(err)
			}
			said, err := bring(run, target)
			undone := ""
			if err == nil {
				undone, err = undo(run)
			}
			if n == 0 {
				if calls, _ = strconv.Atoi(strings.TrimSpace(program.File("n"))); calls == 0 {
					t.Fatal("it was not called")
				}
			}
			failed := strings.TrimSpace(program.File("failed"))
			key, _ := m.value(memory(t, program))
			ends := failed != "" && !slices.ContainsFunc([]string{"sts", "token"}, func(words string) bool { return strings.HasPrefix(failed, words) })
			if (err != nil) != ends || ends && !strings.Contains(fmt.Sprint(err), "exit code 9") {
				t.Errorf("%s: call %d of %d fails (%s): %v", m.name, n, calls, failed, err)
			}
			if holds := key == run.Key.Reveal(); strings.Contains(said, "read back from") && !holds && undone == "" || strings.Contains(undone, "is back as it was") && key != old {
				t.Errorf("%s: call %d of %d fails (%s), and it says %s%s", m.name, n, calls, failed, said, undone)
			}
		}
	}
}

// An answer that is cut off or of another form shows nothing that is there.
func TestAnAnswerThatCannotBeRead(t *testing.T) {
	const mount = `case "$1" in read) echo '{"data":{"type":"kv","path":"kv/","options":{"version":"2"}}}' ;; *) echo '{"data":{"data":[1]}}' ;; esac`
	for spec, tool := range map[string][2]string{
		"github:ada/shop":          {"gh", `echo '{"secrets":[{'`},
		"vault:kv/app/jwt#jwt_key": {"vault", mount},
		"aws:prod/shop":            {"aws", "echo '{'"},
		"railway:web":              {"railway", "echo '{'"},
		"fly:shop":                 {"fly", "echo '{'"},
		"kubernetes:shop/backend":  {"kubectl", "echo '{'"},
	} {
		run, target := oneTarget(t, spec)
		stepstest.NewTool(t, tool[0], tool[1])
		if held, err := target.Look(t.Context(), run); err == nil {
			t.Errorf("%s: %+v", spec, held)
		}
		stepstest.NewTool(t, tool[0], "exit 9")
		if held, err := target.Look(t.Context(), run); err == nil || !strings.Contains(err.Error(), "exit code 9") {
			t.Errorf("%s, without an answer: %+v, %v", spec, held, err)
		}
	}
	_, run, target := herokuBench(t)
	answer := "{"
	target.store.(*vendor.Heroku).API = stepstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
	if held, err := target.Look(t.Context(), run); err == nil {
		t.Errorf("heroku: %+v", held)
	}
	run.Environ = stepstest.LookupEnv(t, nil)
	stepstest.NewTool(t, "heroku", "exit 9")
	if held, err := target.Look(t.Context(), run); err == nil || !strings.Contains(err.Error(), "exit code 9") {
		t.Errorf("heroku without a token: %+v, %v", held, err)
	}
	if _, err := target.store.Put(t.Context(), run, run.Key, steps.Held{}); err == nil || !strings.Contains(err.Error(), "exit code 9") {
		t.Errorf("heroku without a token: %v", err)
	}
}

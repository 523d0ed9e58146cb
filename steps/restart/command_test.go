//go:build unix

package restart

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/vendor"
)

func commandWorld(t *testing.T, text string) *world {
	w := newWorld(t)
	w.run.Options.Restart = by(t, "command:"+text)
	return w
}

func TestCommandRuns(t *testing.T) {
	canary := newKey()
	t.Setenv(steps.GuideNames.Key, canary)
	t.Setenv(passwordVariable, canary)
	var had unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &had); err != nil {
		t.Fatal(err)
	}
	had.Cur = min(had.Max, 4<<20)
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &had); err != nil {
		t.Fatal(err)
	}
	child.ForbidCore() // as keysplit does for itself
	for _, text := range []string{"./restart.sh 'two words'", "./restart.sh 'two words' | cat"} {
		w := commandWorld(t, text)
		script := "#!/bin/sh\nprintf '\\033[31m%s\\n' \"said $1\"\nenv > seen\nulimit -c >> seen\n"
		if err := stepstest.WriteProgram(filepath.Join(w.run.Project.Root, "restart.sh"), script); err != nil {
			t.Fatal(err)
		}
		texts, _, err := do(w.step.Apply, w.run)
		if err != nil {
			t.Fatal(err)
		}
		if !hasText(texts, "said two words") || strings.Contains(strings.Join(texts, ""), "\x1b") {
			t.Errorf("output %q", texts)
		}
		seen, err := os.ReadFile(filepath.Join(w.run.Project.Root, "seen"))
		if err != nil || !strings.Contains(string(seen), "PATH=") {
			t.Fatalf("the command left %q, %v", seen, err)
		}
		if !strings.HasSuffix(string(seen), fmt.Sprintf("\n%d\n", had.Cur/512)) {
			t.Errorf("the command has not the limit of %d bytes for core dumps that keysplit was started with", had.Cur)
		}
		if strings.Contains(string(seen), canary) {
			t.Error("the key or the password is in the command's environment")
		}
		if !w.run.Restarted {
			t.Error("exit code 0 does not count as restarted")
		}
	}
}

func TestCommandRedactsItsOutput(t *testing.T) {
	t.Parallel()
	w := commandWorld(t, "cat .env")
	texts, _, err := do(w.step.Apply, w.run)
	if err != nil || !hasText(texts, "JWT_SECRET_KEY=****") || hasText(texts, w.run.Key.Reveal()) {
		t.Errorf("error %v, output redacted %v", err, hasText(texts, "****"))
	}
}

func TestCommandThatFails(t *testing.T) {
	t.Parallel()
	w := commandWorld(t, "false")
	_, findings, err := do(w.step.Apply, w.run)
	if err == nil || len(findings) != 1 || !strings.Contains(findings[0].Message.Rendered(), "exit code 1") || w.run.Restarted {
		t.Errorf("error %v, findings %+v, restarted %v", err, findings, w.run.Restarted)
	}
	if _, findings, err := do(w.step.Undo, w.run); err != nil || len(findings) != 1 {
		t.Errorf("undo: %v, %+v", err, findings)
	}
	w = commandWorld(t, "sleep 30")
	w.step.StartsWithin = 400 * time.Millisecond
	if _, findings, err := do(w.step.Apply, w.run); err == nil || len(findings) != 1 || !strings.Contains(findings[0].Message.Rendered(), "did not end") {
		t.Errorf("hanging: %v, %+v", err, findings)
	}
}

// A deployment that takes its time is not killed in the middle.
func TestCommandThatTakesItsTime(t *testing.T) {
	t.Parallel()
	w := commandWorld(t, "sleep 1")
	if _, _, err := do(w.step.Apply, w.run); err != nil {
		t.Errorf("longer than one wait of %v: %v", w.run.Options.Timeout, err)
	}
}

func TestCommandThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]finding.Code{"no-such-command-here": finding.ToolMissing, "./missing.sh": finding.ToolMissing, "echo 'open": "", "''": ""} {
		w := commandWorld(t, text)
		_, found, err := do(w.step.Apply, w.run)
		if warned := w.step.Forewarn(t.Context(), w.run); warned == nil || warned.Error() != err.Error() {
			t.Errorf("%q: warned %v, then %v", text, warned, err)
		}
		if code == "" && !errors.Is(err, steps.ErrUsage) || code != "" && !finding.Has(found, code) {
			t.Errorf("%q: %v, %v", text, err, found)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"a b":                 {"a", "b"},
		"  a\t'b c' d\"e f\"": {"a", "b c", "de f"},
		"a ''":                {"a", ""},
	} {
		if got, err := split(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("split(%q) = %q, %v", text, got, err)
		}
	}
}

// What a command says is on the screen while it runs. Of much, the beginning and
// the end are shown: the end says why it failed.
func TestCommandIsShownLive(t *testing.T) {
	t.Parallel()
	w := commandWorld(t, `sh -c 'echo first; sleep 1; i=0; while [ $i -lt 200000 ]; do echo "line $i"; i=$((i+1)); done; cat .env; echo the reason >&2; exit 1'`)
	w.run.Options.Timeout = 30 * time.Second
	begun := time.Now()
	var first time.Duration
	var said []string
	err := w.step.Apply(t.Context(), w.run, func(ev steps.Event) {
		if text(w.run, ev) == "first" {
			first = time.Since(begun)
		}
		said = append(said, text(w.run, ev))
	})
	if err == nil || first == 0 || time.Since(begun)-first < 800*time.Millisecond {
		t.Errorf("error %v, the first line after %v of %v", err, first, time.Since(begun))
	}
	if len(said) > vendor.FirstLines+vendor.LastLines+5 || !hasText(said[len(said)-2:], "the reason") || hasText(said, w.run.Key.Reveal()) || !hasText(said, "JWT_SECRET_KEY=****") {
		t.Errorf("%d lines, the last %q", len(said), said[len(said)-2:])
	}
}

// A command may end before the server has begun, as one that starts a daemon: a rollback
// waits for it, as an upgrade does.
func TestARollbackWaitsForTheServer(t *testing.T) {
	t.Parallel()
	w := commandWorld(t, "true")
	late := httptest.NewUnstartedServer(http.NotFoundHandler())
	w.run.Options.URL = "http://" + late.Listener.Addr().String()
	w.run.Options.URLs = []string{w.run.Options.URL}
	address := late.Listener.Addr().String()
	if err := late.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	began := time.AfterFunc(300*time.Millisecond, func() {
		if l, err := net.Listen("tcp", address); err == nil {
			late.Listener = l
			late.Start()
		}
	})
	defer began.Stop()
	_, found, err := do(w.step.Undo, w.run)
	if err != nil || len(found) > 0 {
		t.Fatalf("%v, %v", err, found)
	}
	res, err := http.Get(w.run.Options.URL)
	if err != nil {
		t.Fatalf("it did not wait: %v", err)
	}
	res.Body.Close()
	late.Close()
}

// A proxy answers 502 until the backend behind it has come up; one that stays so is for the
// proof to tell of.
func TestAProxyWhoseBackendIsNotUpYet(t *testing.T) {
	t.Parallel()
	for name, up := range map[string]int32{"it comes up": 3, "it stays down": 1 << 30} {
		w := commandWorld(t, "true")
		var asked atomic.Int32
		proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			status := http.StatusBadGateway
			if asked.Add(1) > up {
				status = http.StatusNotFound
			}
			rw.WriteHeader(status)
		}))
		t.Cleanup(proxy.Close)
		if err := w.step.await(t.Context(), w.run, func(steps.Event) {}, proxy.URL); err != nil || asked.Load() < 4 || asked.Load() > up+1 {
			t.Errorf("%s: %v, asked %d times", name, err, asked.Load())
		}
	}
}

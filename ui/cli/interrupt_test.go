//go:build unix

package cli_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/ptytest"
)

// A run that is ended while the project's Django starts changes nothing, says how to
// go on, and the next run finishes. A script in the interpreter's place ends the run and
// then waits, so that the moment is the same on every machine. That a run may end at
// every other moment, package faults tests call by call.
func TestEndedWhileDjangoStarts(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Attr("part", "ends while Django starts, hangups under nohup")
	t.Parallel()
	ptytest.HangupCounts()
	for _, sig := range stepstest.Every(3, []string{"INT", "TERM", "HUP", "KILL"}) {
		t.Run(sig, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Env: rest})
			state := filepath.Join(t.TempDir(), "state")
			python := filepath.Join(t.TempDir(), "python")
			script := "#!/bin/sh\nkill -" + sig + " $PPID\nexec cat >/dev/null\n"
			if err := stepstest.WriteProgram(python, script); err != nil {
				t.Fatal(err)
			}
			args := []string{"upgrade", "--yes", "--skip", "restart,smoke-test", "--python"}
			before, folder := read(t, p.EnvPath), names(t, p.Root)
			r := invocation{args: append(args, python), dir: p.Root}.run(t, state)
			if want := map[bool]int{true: -1, false: 130}[sig == "KILL"]; r.code != want || want == 130 && !strings.Contains(stepstest.OneLine(r.out), "To continue: keysplit upgrade") {
				t.Errorf("exit %d\n%s%s", r.code, r.out, r.errOut)
			}
			if now := names(t, p.Root); read(t, p.EnvPath) != before || now != folder {
				t.Errorf(".env was changed, or the folder: it holds %s, want %s", now, folder)
			}
			next := invocation{args: append(args, p.Python), dir: p.Root}.run(t, state)
			if next.code != 0 || len(keyIn(read(t, p.EnvPath))) != 86 {
				t.Errorf("the next run ends with %d\n%s%s", next.code, next.out, next.errOut)
			}
		})
	}
}

// names lists a folder.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

// Several keysplits at once on one project: one key wins, and every run either
// succeeds or says that the file changed under it.
func TestSeveralRunsAtOnce(t *testing.T) {
	t.Parallel()
	t.Attr("part", "runs at once")
	for name, c := range stepstest.Part(2, map[string]struct {
		apart bool
		more  []string
	}{
		"of one user":                     {},
		"of one user, who waits":          {more: []string{"--wait"}},
		"with state folders of their own": {apart: true},
	}) {
		t.Run(name, func(t *testing.T) {
			p := djangotest.New(t, djangotest.Options{Env: rest})
			state := filepath.Join(t.TempDir(), "state")
			type end struct {
				code int
				out  string
			}
			ends := make(chan end)
			runs := 2
			if stepstest.Long() {
				runs = 4
			}
			for n := range runs {
				dir := state
				if c.apart {
					dir += strconv.Itoa(n)
				}
				run := invocation{args: append([]string{"upgrade", "--yes", "--skip", "restart,smoke-test", "--python", p.Python}, c.more...), dir: p.Root}.command(t.Context(), t, dir)
				go func() {
					out, _ := run.CombinedOutput()
					ends <- end{run.ProcessState.ExitCode(), string(out)}
				}()
			}
			good, wrote := 0, 0
			for range runs {
				e := <-ends
				switch {
				case e.code == 0:
					good++
					if strings.Contains(e.out, "wrote .env") {
						wrote++
					}
				case e.code == 4 && !c.apart && c.more == nil && strings.Contains(e.out, "keysplit upgrade of "):
				case e.code == 1 && c.apart && (strings.Contains(e.out, "env-file-changed") || strings.Contains(e.out, "another value")):
				default:
					t.Errorf("exit %d\n%s", e.code, e.out)
				}
			}
			text := read(t, p.EnvPath)
			if good == 0 || c.more != nil && good < runs || wrote > 1 || len(keyIn(text)) != 86 || strings.Count(text, "JWT_SECRET_KEY=") != 1 {
				t.Errorf("%d runs succeeded, %d wrote, the file has %d lines with the key", good, wrote, strings.Count(text, "JWT_SECRET_KEY="))
			}
		})
	}
}

// Under nohup a hangup ends nothing.
func TestAHangupUnderNohup(t *testing.T) {
	t.Attr("part", "ends while Django starts, hangups under nohup")
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: rest})
	i := invocation{args: []string{"upgrade", "--yes", "--skip", "restart,smoke-test", "--python", p.Python}, dir: p.Root}
	c := i.command(t.Context(), t, filepath.Join(t.TempDir(), "state"))
	c.Path, c.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" HUP; exec "$@" 2>&1`, "sh", binary.Path(t)}, i.args...)
	pipe, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	// Each line tells that it runs; before the first one the shell may not ignore
	// the signal yet.
	hangups, lines := 0, bufio.NewScanner(pipe)
	var out strings.Builder
	for lines.Scan() {
		out.WriteString(lines.Text() + "\n")
		if c.Process.Signal(syscall.SIGHUP) == nil {
			hangups++
		}
	}
	if err := c.Wait(); err != nil || hangups == 0 || len(keyIn(read(t, p.EnvPath))) != 86 {
		t.Errorf("%v after %d hangups\n%s", err, hangups, out.String())
	}
}

// A second signal ends the run at once, also where what runs takes no end.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	root := staticProject(t, "SECRET_KEY="+djangotest.NewKey()+"\n")
	python := filepath.Join(t.TempDir(), "python")
	script := "#!/bin/sh\ntrap '' INT TERM\nkill -INT $PPID\nwhile kill -0 $PPID; do sleep 0.1; done 2>/dev/null\n"
	if err := stepstest.WriteProgram(python, script); err != nil {
		t.Fatal(err)
	}
	c := invocation{args: []string{"upgrade", "--yes", "--skip", "restart,smoke-test", "--python", python}, dir: root}.command(t.Context(), t, filepath.Join(t.TempDir(), "state"))
	var out strings.Builder
	c.Stdout = &out
	pipe, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "Stopping.") {
			told++
			_ = c.Process.Signal(syscall.SIGINT)
		}
	}
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != 130 || told != 1 || strings.Contains(out.String(), "To continue") {
		t.Errorf("exit %d, told %d times\n%s", code, told, out.String())
	}
}

//go:build unix

package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps/sandbox/djangotest"
)

// Whenever a run ends early, .env is the old one or the new one, nothing lies
// beside it, and the next run finishes.
func TestEndedAtAnyMoment(t *testing.T) {
	p := djangotest.New(t, djangotest.Options{Env: rest})
	args := []string{"upgrade", "--yes", "--skip", "restart,smoke-test", "--python", p.Python}
	before := read(t, p.EnvPath)
	folder := listing(t, p.Root)
	var whole time.Duration
	stopped := 0
	for i, sig := range []os.Signal{nil, syscall.SIGINT, syscall.SIGKILL, syscall.SIGINT, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGKILL, syscall.SIGHUP, syscall.SIGINT} {
		p.WriteEnv(t, rest)
		state := filepath.Join(t.TempDir(), "state")
		c := invocation{args: args, dir: p.Root}.command(t.Context(), t, state)
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		begun := time.Now()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if sig != nil {
			// From the first instant to just before the end of a whole run.
			time.Sleep(whole * time.Duration(i) / 10)
			_ = c.Process.Signal(sig) // it may have ended already
		}
		err := c.Wait()
		if sig == nil {
			whole = time.Since(begun)
		}
		after := read(t, p.EnvPath)
		if without := strings.Join(otherLines(after), "\n"); without != strings.Join(otherLines(before), "\n") || len(keyIn(after)) != 86 && after != before {
			t.Errorf("signal %v at %d/10: .env is neither the old one nor the new one", sig, i)
		}
		if now := listing(t, p.Root); now != folder {
			t.Errorf("signal %v at %d/10: the folder holds %s, want %s", sig, i, now, folder)
		}
		if err != nil {
			stopped++
			if sig != syscall.SIGKILL && c.ProcessState.ExitCode() == cancelled && !strings.Contains(strings.Join(strings.Fields(out.String()), " "), "To go on: keysplit upgrade") {
				t.Errorf("signal %v at %d/10: nothing says how to go on:\n%s", sig, i, out.String())
			}
		}
		if r := (invocation{args: args, dir: p.Root}).run(t, state); r.code != 0 {
			t.Fatalf("signal %v at %d/10: the next run ends with %d\n%s%s", sig, i, r.code, r.out, r.errOut)
		}
		if back := (invocation{args: []string{"rollback", "--yes", "--restart", "none"}, dir: p.Root}).run(t, state); back.code != 0 || read(t, p.EnvPath) != before {
			t.Errorf("signal %v at %d/10: the rollback ends with %d", sig, i, back.code)
		}
	}
	if stopped < 5 {
		t.Errorf("only %d of 9 runs were stopped early: this looked at nothing", stopped)
	}
}

const cancelled = 130 // exit code

func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// Several keysplits at once on one project: one key wins, and every run either
// succeeds or says that the file changed under it.
func TestSeveralRunsAtOnce(t *testing.T) {
	for name, apart := range map[string]bool{"of one user": false, "with state folders of their own": true} {
		t.Run(name, func(t *testing.T) {
			p := djangotest.New(t, djangotest.Options{Env: rest})
			state := filepath.Join(t.TempDir(), "state")
			type end struct {
				code int
				out  string
			}
			ends := make(chan end)
			for n := range 4 {
				dir := state
				if apart {
					dir += strconv.Itoa(n)
				}
				c := invocation{args: []string{"upgrade", "--yes", "--skip", "restart,smoke-test", "--python", p.Python}, dir: p.Root}.command(t.Context(), t, dir)
				go func() {
					out, _ := c.CombinedOutput()
					ends <- end{c.ProcessState.ExitCode(), string(out)}
				}()
			}
			good, wrote := 0, 0
			for range 4 {
				e := <-ends
				switch {
				case e.code == 0:
					good++
					if strings.Contains(e.out, "wrote .env") {
						wrote++
					}
				case e.code == 1 && (strings.Contains(e.out, "env-file-changed") || strings.Contains(e.out, "another value")):
				default:
					t.Errorf("exit %d\n%s", e.code, e.out)
				}
			}
			text := read(t, p.EnvPath)
			if good == 0 || wrote > 1 || len(keyIn(text)) != 86 || strings.Count(text, "JWT_SECRET_KEY=") != 1 {
				t.Errorf("%d runs succeeded, %d wrote, the file has %d lines with the key", good, wrote, strings.Count(text, "JWT_SECRET_KEY="))
			}
		})
	}
}

// Under nohup a hangup ends nothing.
func TestAHangupUnderNohup(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: rest})
	i := invocation{args: []string{"upgrade", "--yes", "--skip", "restart,smoke-test", "--python", p.Python}, dir: p.Root}
	c := i.command(t.Context(), t, filepath.Join(t.TempDir(), "state"))
	c.Path, c.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh", binary.Path(t)}, i.args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		time.Sleep(10 * time.Millisecond)
		_ = c.Process.Signal(syscall.SIGHUP) // it may have ended already
	}
	if err := c.Wait(); err != nil || len(keyIn(read(t, p.EnvPath))) != 86 {
		t.Errorf("%v\n%s", err, out.String())
	}
}

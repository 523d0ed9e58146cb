//go:build unix

package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

const helper = "KEYSPLIT_CHILD_TEST_TTY"

func TestMain(m *testing.M) {
	if how := os.Getenv(helper); how != "" {
		onTerminal(how)
		return
	}
	os.Exit(m.Run())
}

func sh(script string) Command {
	return Command{Path: "/bin/sh", Args: []string{"-c", script}, Grace: 200 * time.Millisecond}
}

func limited(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// gone waits until no process with that id is left.
func gone(t *testing.T, pid string) bool {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(pid))
	if err != nil {
		t.Fatalf("no process id: %q", pid)
	}
	for range 100 {
		if !running(n) {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// running reports whether a process lives; a zombie that nobody has collected yet
// does not count.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func TestRun(t *testing.T) {
	t.Attr("part", "hostile children")
	tests := []struct {
		name string
		c    Command
		want Result
	}{
		{"both streams", sh("echo out; echo err >&2"), Result{Stdout: []byte("out\n"), Stderr: []byte("err\n")}},
		{"exit code", sh("exit 7"), Result{Code: 7}},
		{"signal", sh("kill -KILL $$"), Result{Code: -1}},
		{"no input", sh("cat"), Result{}},
		{"input", Command{Path: "/bin/cat", Stdin: strings.NewReader("given")}, Result{Stdout: []byte("given")}},
		{"folder", Command{Path: "/bin/pwd", Dir: "/"}, Result{Stdout: []byte("/\n")}},
		{"environment", Command{Path: "/usr/bin/env", Env: []string{"A=1", "AB=3", "B=2"}, Unset: []string{"A"}}, Result{Stdout: []byte("AB=3\nB=2\n")}},
		{"nothing left of the environment", Command{Path: "/usr/bin/env", Env: []string{"A=1"}, Unset: []string{"A"}}, Result{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.c.Run(limited(t, 5*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Stdout) != string(tt.want.Stdout) || string(got.Stderr) != string(tt.want.Stderr) ||
				got.Code != tt.want.Code || got.Truncated {
				t.Errorf("got %q %q %d %v", got.Stdout, got.Stderr, got.Code, got.Truncated)
			}
		})
	}
}

func TestRunRefuses(t *testing.T) {
	t.Attr("part", "hostile children")
	if _, err := (Command{Path: "sh"}).Run(context.Background()); !errors.Is(err, ErrRelative) {
		t.Errorf("relative path: %v", err)
	}
	if _, err := (Command{Path: "/nonexistent/program"}).Run(context.Background()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing program: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := sh("true").Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

func TestRunEndsAtTheLimit(t *testing.T) {
	t.Parallel()
	t.Attr("part", "hostile children")
	for name, script := range map[string]string{
		"hangs":                                  "echo $$; sleep 60",
		"ignores TERM":                           "trap '' TERM; echo $$; while :; do sleep 1; done",
		"grandchild ignores TERM without a pipe": "(trap '' TERM; exec >/dev/null 2>&1; while :; do sleep 1; done) & echo $!; sleep 60",
	} {
		for way, run := range map[string]func(context.Context) (Result, error){"run": sh(script).Run, "watched": func(ctx context.Context) (Result, error) { return sh(script).Watch(ctx, func(string) {}) }} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				begin := time.Now()
				res, err := run(limited(t, time.Second)) // enough for a shell to start, also on a busy machine
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("error %v", err)
				}
				if d := time.Since(begin); d > 5*time.Second {
					t.Errorf("took %v", d)
				}
				if !gone(t, string(res.Stdout)) {
					t.Errorf("process %s is still there", res.Stdout)
				}
			})
		}
	}
}

func TestRunAllowsAnOrderlyEnd(t *testing.T) {
	t.Parallel()
	t.Attr("part", "hostile children")
	res, err := sh("trap 'echo tidy; exit 0' TERM; echo ready; while :; do sleep 0.01; done").Run(limited(t, time.Second))
	if !errors.Is(err, context.DeadlineExceeded) || string(res.Stdout) != "ready\ntidy\n" {
		t.Errorf("got %q, %v", res.Stdout, err)
	}
}

func TestRunDoesNotWaitForGrandchildren(t *testing.T) {
	t.Parallel()
	t.Attr("part", "hostile children")
	begin := time.Now()
	res, err := sh("sleep 30 & echo $!").Run(limited(t, 10*time.Second))
	if err != nil || res.Code != 0 {
		t.Fatalf("code %d, %v", res.Code, err)
	}
	if d := time.Since(begin); d > 3*time.Second {
		t.Errorf("took %v", d)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(res.Stdout)))
	if err != nil {
		t.Fatal(err)
	}
	if !running(pid) {
		t.Error("a service that the command started was killed")
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

func TestRunBoundsOutput(t *testing.T) {
	t.Parallel()
	t.Attr("part", "hostile children")
	c := sh("yes 0123456789")
	c.Limit = 1000
	res, err := c.Run(limited(t, 300*time.Millisecond))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
	if len(res.Stdout) != 1000 || !res.Truncated || res.Dropped < 1000 {
		t.Errorf("kept %d, dropped %d, truncated %v", len(res.Stdout), res.Dropped, res.Truncated)
	}
}

func TestRunChildThatDoesNotRead(t *testing.T) {
	t.Attr("part", "hostile children")
	c := sh("exec <&-; exit 3")
	c.Stdin = strings.NewReader(strings.Repeat("x", 1<<20))
	res, err := c.Run(limited(t, 5*time.Second))
	if err != nil || res.Code != 3 {
		t.Errorf("code %d, %v", res.Code, err)
	}
}

// TestRunWithoutTerminal runs on a real pseudo-terminal. There a child of
// os/exec alone can open /dev/tty, and ours cannot.
func TestRunWithoutTerminal(t *testing.T) {
	t.Attr("part", "hostile children")
	for how, want := range map[string]string{"plain": "opened", "child": "refused"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), helper+"="+how)
		f, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		out, _ := io.ReadAll(f)
		f.Close()
		_ = cmd.Wait()
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("%s: %q, want %q", how, got, want)
		}
	}
}

func onTerminal(how string) {
	const script = ": </dev/tty"
	ok := false
	if how == "plain" {
		ok = exec.Command("/bin/sh", "-c", script).Run() == nil
	} else {
		res, err := sh(script).Run(context.Background())
		ok = err == nil && res.Code == 0
	}
	if ok {
		fmt.Println("opened")
	} else {
		fmt.Println("refused")
	}
}

func TestStart(t *testing.T) {
	out := NewTail(100)
	p, err := sh("read line; echo got $line; cat >/dev/null").Start(Streams{Stdout: out})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(p.Stdin, "question\n"); err != nil {
		t.Fatal(err)
	}
	for len(out.Bytes()) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	if p.Code() != -1 {
		t.Error("an exit code before the end")
	}
	p.Stop()
	p.Stop()
	if got := string(out.Bytes()); got != "got question\n" {
		t.Errorf("output %q", got)
	}
	if p.Code() != 0 {
		t.Errorf("ended with %d: the end of its input was not enough", p.Code())
	}
}

func TestStopEndsWhatDoesNotListen(t *testing.T) {
	t.Parallel()
	t.Attr("part", "hostile children")
	for name, stop := range map[string]func(*Process){"stop": (*Process).Stop, "terminate": (*Process).Terminate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := NewTail(100)
			p, err := sh("trap '' TERM; (while :; do sleep 1; done) & echo $!; while :; do sleep 1; done").Start(Streams{Stdout: out})
			if err != nil {
				t.Fatal(err)
			}
			for len(out.Bytes()) == 0 {
				time.Sleep(5 * time.Millisecond)
			}
			begin := time.Now()
			stop(p)
			if d := time.Since(begin); d > 3*time.Second {
				t.Errorf("took %v", d)
			}
			if !gone(t, string(out.Bytes())) || !gone(t, strconv.Itoa(p.PID())) {
				t.Error("a process is left")
			}
		})
	}
}

func TestStartRefuses(t *testing.T) {
	if _, err := (Command{Path: "sh"}).Start(Streams{}); !errors.Is(err, ErrRelative) {
		t.Errorf("relative path: %v", err)
	}
	if _, err := (Command{Path: "/nonexistent/program"}).Start(Streams{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing program: %v", err)
	}
}

func TestTail(t *testing.T) {
	tail := NewTail(5)
	for _, s := range []string{"abc", "def", "g"} {
		if n, err := io.WriteString(tail, s); n != len(s) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if string(tail.Bytes()) != "cdefg" || !tail.Truncated() {
		t.Errorf("%q, truncated %v", tail.Bytes(), tail.Truncated())
	}
	if NewTail(5).Truncated() {
		t.Error("an empty tail says that something is missing")
	}
}

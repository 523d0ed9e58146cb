// Package child runs child processes so that none of them can hang, flood or
// surprise the program that started it.
//
// The rules, for every child:
//
//   - The program is an absolute path, its arguments are a list; no shell comes
//     between, and no secret belongs into either.
//   - It gets a session of its own (on Unix), so that a child that asks for a
//     password on /dev/tty fails instead of waiting for somebody to type. The
//     exception is OnTerminal.
//   - Its standard input is what the caller gives, or empty.
//   - Its output is bounded: what is over the limit is read, counted and thrown
//     away, so that the child never blocks on a full pipe.
//   - When the context ends, its whole process group gets TERM, and after a
//     grace period KILL.
//   - A grandchild that outlives it and holds its pipes delays the end by no
//     more than the grace period. It is left alone: a command that starts a
//     service does just that.
//
// Output is foreign text. Callers make it secret.Foreign to show it.
package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// DefaultLimit is how many bytes of each output stream Run keeps: 1 MiB.
const DefaultLimit = 1 << 20

// DefaultGrace is the time between TERM and KILL, and the time that pipes held
// by a grandchild are waited for.
const DefaultGrace = 2 * time.Second

// Command describes one child process.
type Command struct {
	Path  string        // absolute
	Args  []string      // without the program's own name
	Dir   string        // working folder, "" for ours
	Env   []string      // NAME=value, nil for ours
	Unset []string      // names that are taken out of Env
	Stdin io.Reader     // nil for an empty input; Start does not use it
	Limit int           // bytes kept of each output stream; 0 means DefaultLimit
	Grace time.Duration // 0 means DefaultGrace
	As    *Account      // the user that it runs as, nil for ours; only root can
	Core  bool          // may write core dumps as far as this program might at its start, see ForbidCore
}

// Withheld are the variables that no child may inherit but the backend itself: a
// key is none of its business, and would beat a .env file in some programs; nor
// is the password of the login test.
var Withheld = []string{"JWT_SECRET_KEY", "SECRET_KEY", "KEYSPLIT_PASSWORD"}

// Result is what became of a child that ran to its end.
type Result struct {
	Stdout, Stderr []byte
	Truncated      bool  // there was more output than Limit
	Dropped        int64 // how many bytes more, in both streams
	Code           int   // exit code, -1 when a signal ended it
}

// ErrRelative marks a Command whose Path is not absolute.
var ErrRelative = errors.New("the program's path is not absolute")

// Run runs the child to its end. A child that ran and exited with any code is
// no error. The error wraps ctx.Err() when the context ended first; what the
// child had written by then is in the result.
func (c Command) Run(ctx context.Context) (Result, error) {
	out, errs := &head{limit: c.limit()}, &head{limit: c.limit()}
	cmd, err := c.prepare(ctx)
	if err != nil {
		return Result{}, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, out, errs
	err = c.start(cmd)
	if err == nil {
		err = cmd.Wait()
		if ctx.Err() != nil {
			endGroup(cmd.Process, c.grace())
		}
	}
	res := Result{
		Stdout:  out.kept,
		Stderr:  errs.kept,
		Dropped: out.dropped + errs.dropped,
		Code:    -1,
	}
	res.Truncated = res.Dropped > 0
	if cmd.ProcessState != nil {
		res.Code = cmd.ProcessState.ExitCode()
	}
	return res, c.explain(ctx, err)
}

// explain keeps what is a fault and drops what is an ordinary end.
func (c Command) explain(ctx context.Context, err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("run %s: %w", c.Path, ctx.Err())
	case errors.As(err, &exit), errors.Is(err, exec.ErrWaitDelay):
		return nil
	}
	return fmt.Errorf("run %s: %w", c.Path, err)
}

// OnTerminal prepares a child that talks with the user, such as one that asks for
// a password: it stays in our session, with the terminal as its input and both
// outputs. The caller runs it, and keeps off the terminal in the meantime.
func (c Command) OnTerminal(ctx context.Context, in, out *os.File) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Dir, cmd.Env = c.Dir, c.environment()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = c.grace()
	return cmd
}

func (c Command) prepare(ctx context.Context) (*exec.Cmd, error) {
	if !filepath.IsAbs(c.Path) {
		return nil, fmt.Errorf("run %q: %w", c.Path, ErrRelative)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("run %s: %w", c.Path, err)
	}
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Dir = c.Dir
	cmd.Env = c.environment()
	cmd.WaitDelay = c.grace()
	ownSession(cmd)
	if c.As != nil {
		become(cmd, c.As)
	}
	cmd.Cancel = func() error { return terminate(cmd.Process) }
	return cmd, nil
}

func (c Command) environment() []string {
	env := c.Env
	if env == nil {
		env = os.Environ()
	}
	// Never nil: to os/exec that would mean the whole of our own.
	kept := make([]string, 0, len(env))
	for _, pair := range env {
		if name, _, _ := strings.Cut(pair, "="); !c.unset(pair) && (c.As == nil || !ours(name)) {
			kept = append(kept, pair)
		}
	}
	if c.As != nil {
		kept = c.As.environment(kept)
	}
	return kept
}

func (c Command) unset(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	for _, u := range c.Unset {
		if name == u || runtime.GOOS == "windows" && strings.EqualFold(name, u) {
			return true
		}
	}
	return false
}

func (c Command) limit() int {
	if c.Limit > 0 {
		return c.Limit
	}
	return DefaultLimit
}

func (c Command) grace() time.Duration {
	if c.Grace > 0 {
		return c.Grace
	}
	return DefaultGrace
}

// head keeps the first bytes written to it and counts the rest.
type head struct {
	limit   int
	kept    []byte
	dropped int64
}

func (h *head) Write(p []byte) (int, error) {
	n := min(len(p), h.limit-len(h.kept))
	h.kept = append(h.kept, p[:n]...)
	h.dropped += int64(len(p) - n)
	return len(p), nil
}

// endGroup waits until every process of the group is gone, and kills what is
// left after the grace period. The leader has ended by then.
func endGroup(leader *os.Process, grace time.Duration) {
	for end := time.Now().Add(grace); groupAlive(leader) && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	kill(leader)
}

package child

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"dj/keysplit/steps/sys/guard"
)

// Process is a child that stays: a server, or a program that is asked questions
// on its standard input.
type Process struct {
	Stdin io.WriteCloser

	cmd   *exec.Cmd
	grace time.Duration
	end   context.CancelFunc
	done  chan struct{}
	once  sync.Once
}

// Streams says where the output of a Process goes. A nil writer throws it away.
// The writers are called from goroutines of their own, one for each writer, and
// must take everything: Tail does.
type Streams struct {
	Stdout, Stderr io.Writer
}

// Start starts a child and returns at once. The caller ends it with Stop.
func (c Command) Start(s Streams) (*Process, error) {
	ctx, cancel := context.WithCancel(context.Background())
	cmd, err := c.prepare(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	p := &Process{cmd: cmd, grace: c.grace(), end: cancel, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = s.Stdout, s.Stderr
	if p.Stdin, err = cmd.StdinPipe(); err == nil {
		err = c.start(cmd)
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("run %s: %w", c.Path, err)
	}
	guard.Go(func() {
		// How it ended is in its exit code; that a grandchild held its pipes is no news.
		_ = cmd.Wait()
		close(p.done)
	}, func(error) { close(p.done) }) // it counts as ended, without an exit code
	return p, nil
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended and its output was read.
func (p *Process) Done() <-chan struct{} { return p.done }

// Code is the exit code, -1 while the child runs or when a signal ended it.
func (p *Process) Code() int {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	default:
		return -1
	}
}

// Stop closes the child's input, which asks a well-behaved child to end. After
// the grace period its whole group gets TERM, and after another one KILL. It is
// safe to call more than once, also for a child that has already ended.
func (p *Process) Stop() { p.stop(p.grace) }

// Terminate is Stop without waiting for the end of input to work: right for
// servers, which do not read it.
func (p *Process) Terminate() { p.stop(0) }

func (p *Process) stop(patience time.Duration) {
	p.once.Do(func() {
		_ = p.Stdin.Close()
		select {
		case <-p.done:
		case <-time.After(patience):
		}
		p.end()
		<-p.done
		_ = terminate(p.cmd.Process)
		endGroup(p.cmd.Process, p.grace)
	})
}

// Tail is a writer that keeps the last bytes written to it. It takes
// everything, and is safe for use by several goroutines.
type Tail struct {
	mu      sync.Mutex
	limit   int
	kept    []byte
	dropped bool
}

// NewTail keeps the last limit bytes.
func NewTail(limit int) *Tail { return &Tail{limit: limit} }

func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
		t.dropped = true
	}
	return len(p), nil
}

// Bytes is a copy of what is kept.
func (t *Tail) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]byte(nil), t.kept...)
}

// Truncated reports whether more was written than is kept.
func (t *Tail) Truncated() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dropped
}

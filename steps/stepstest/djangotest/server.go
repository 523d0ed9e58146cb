package djangotest

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// startLimit is the time for a runserver to answer on a busy machine.
const startLimit = 60 * time.Second

// ServerOptions choose how the server runs.
type ServerOptions struct {
	Reload bool     // with the autoreloader: a parent that watches, a child that serves
	NoWait bool     // return at once, for a server that will not answer
	Env    []string // more variables, NAME=value
	Addr   string   // host:port; "" takes a free port of 127.0.0.1
}

// Server is a running `manage.py runserver`.
type Server struct {
	URL string // "http://127.0.0.1:PORT"
	PID int    // the process that was started: the autoreloader's parent, with Reload

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	out  output
}

// Start runs the project's own development server and waits until it answers.
// The end of the test kills it with all its children.
func (p *Project) Start(t testing.TB, o ServerOptions) *Server {
	t.Helper()
	if o.Addr == "" {
		o.Addr = FreeAddr(t)
	}
	args := []string{"runserver"}
	if !o.Reload {
		args = append(args, "--noreload")
	}
	s := &Server{URL: "http://" + o.Addr, done: make(chan struct{})}
	s.cmd = p.command(context.Background(), o.Env, append(args, o.Addr)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	s.cmd.WaitDelay = 2 * time.Second
	ownGroup(s.cmd)
	must(t, s.cmd.Start())
	s.PID = s.cmd.Process.Pid
	go func() {
		_ = s.cmd.Wait() // its exit code says nothing that the output does not
		close(s.done)
	}()
	t.Cleanup(s.Stop)
	if !o.NoWait && !s.Answers(startLimit) {
		t.Fatalf("runserver does not answer; it said:\n%s", tail(s.Output(), 2000))
	}
	if o.Reload && !o.NoWait {
		time.Sleep(settle)
	}
	return s
}

// settle is how long the autoreloader may take, after the server answers, to
// see each file for the first time; a change before that goes unnoticed.
const settle = 1200 * time.Millisecond

// Touch gives the settings file the present time, which makes the autoreloader
// start its child again.
func (p *Project) Touch(t testing.TB) {
	t.Helper()
	now := time.Now()
	must(t, os.Chtimes(p.Settings, now, now))
}

// Stop kills the server and its children and waits for the end. It may be
// called twice.
func (s *Server) Stop() {
	_ = killGroup(s.cmd.Process) // fails when they have ended
	<-s.done
}

// Ended reports whether the started process has ended.
func (s *Server) Ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Output is all that the server has printed so far.
func (s *Server) Output() string { return s.out.String() }

// Says waits until the output holds the text, and tells whether it came.
func (s *Server) Says(text string, limit time.Duration) bool {
	return until(limit, func() bool { return strings.Contains(s.Output(), text) })
}

// Answers waits until the server answers HTTP, with whatever status, and tells
// whether it did before the limit or its end.
func (s *Server) Answers(limit time.Duration) bool {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answered := false
	until(limit, func() bool {
		ended := s.Ended()
		if res, err := client.Get(s.URL + "/api/v1/auth/csrf/"); err == nil {
			res.Body.Close()
			answered = true
		}
		return answered || ended
	})
	return answered
}

func until(limit time.Duration, f func() bool) bool {
	for end := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		if f() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// FreeAddr returns 127.0.0.1 with a port that was free a moment ago.
func FreeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// output gathers what several streams print.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

package restart

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/vendor"
)

// own is the server that the step started for the length of the run.
type own struct {
	mu   sync.Mutex
	pid  int
	stop func()
}

// end stops the server, if there is one. It is safe to call twice.
func (o *own) end() {
	o.mu.Lock()
	stop := o.stop
	o.stop, o.pid = nil, 0
	o.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (o *own) among(all []staleServer) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range all {
		if o.pid != 0 && s.PID == o.pid {
			return true
		}
	}
	return false
}

// passwordVariable holds the password of the test login. No child needs it.
const passwordVariable = "KEYSPLIT_PASSWORD"

// outputLimit is how much of the server's last output is kept for an error.
const outputLimit = 16 << 10

// guarded runs manage.py and ends with keysplit, however keysplit ends: its
// standard input is a pipe that nobody writes to, and the end of that pipe ends
// the process. The first argument is the path of manage.py.
const guarded = `import os, runpy, sys, threading
def watch():
    sys.stdin.buffer.read()
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
runpy.run_path(sys.argv[0], run_name="__main__")
`

// ownArguments is what manage.py gets.
func ownArguments(run *steps.Run, port string) []string {
	args := []string{run.Project.ManagePy, "runserver", "127.0.0.1:" + port, "--noreload"}
	if run.Options.Settings != "" {
		args = append(args, "--settings", run.Options.Settings)
	}
	return args
}

// ownCommand is the command as a person would type it.
func ownCommand(run *steps.Run, port string) string {
	args := ownArguments(run, port)
	args[0] = filepath.Base(args[0])
	return filepath.Base(run.Project.Python) + " " + strings.Join(args, " ")
}

// ownEnvironment is what the server gets: our own, and what only root can read.
func ownEnvironment(run *steps.Run) []string {
	env := append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	for name, value := range run.HandedIn(run.Project) {
		env = append(env, name+"="+value)
	}
	return env
}

// startOwn starts a server for the test, because none was running.
func (s *Step) startOwn(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	start := s.Start
	if start == nil {
		start = func(ctx context.Context, run *steps.Run) (string, func(), error) {
			return s.startRunserver(ctx, run, emit)
		}
	}
	s.own.end()
	base, stop, err := start(ctx, run)
	if err != nil {
		return err
	}
	s.own.mu.Lock()
	s.own.stop = stop
	s.own.mu.Unlock()
	run.OnClose(s.own.end)
	run.URL, run.Restarted, run.OwnServer = base, true, true
	run.Left = append(run.Left, prose.Say("No server of this project is running now. Start yours as usual."))
	emit.Progress(fmt.Sprintf("No server was running. keysplit started one on %s for the test and stops it afterwards.",
		strings.TrimPrefix(base, "http://")))
	return nil
}

// startRunserver starts manage.py runserver on a free port of the loopback
// address, without the autoreloader, and waits until it answers.
func (s *Step) startRunserver(ctx context.Context, run *steps.Run, emit steps.Emit) (string, func(), error) {
	if run.Project.Python == "" || run.Project.ManagePy == "" {
		return "", nil, steps.Fail(finding.New(finding.DjangoNotRunnable, "No server is running, and no Python was found to start one.").
			WithFix(finding.Do("Start the backend in a terminal, or name the interpreter: --python PATH.")))
	}
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	tail := child.NewTail(outputLimit)
	p, err := child.Command{
		Path:  run.Project.Python,
		Args:  append([]string{"-u", "-c", guarded}, ownArguments(run, port)...),
		Dir:   run.Project.Root,
		As:    run.Project.User,
		Env:   ownEnvironment(run),
		Unset: []string{passwordVariable},
	}.Start(child.Streams{Stdout: tail, Stderr: tail})
	if err != nil {
		return "", nil, fmt.Errorf("start the backend: %w", err)
	}
	s.own.mu.Lock()
	s.own.pid = p.PID()
	s.own.mu.Unlock()
	base := "http://127.0.0.1:" + port
	ended := errors.New("ended")
	ok, err := s.Until(ctx, run.Options.Wait(), func() (bool, error) {
		select {
		case <-p.Done():
			return false, ended
		default:
			return answers(ctx, base, min(firstAnswer, run.Options.Wait())) == nil, ctx.Err()
		}
	})
	if ok && err == nil {
		return base, p.Terminate, nil
	}
	p.Terminate()
	switch {
	case errors.Is(err, ended):
		return "", nil, failedStart(run, emit, "The backend ended at its start.", tail.Bytes())
	case err != nil:
		return "", nil, err
	}
	return "", nil, failedStart(run, emit, fmt.Sprintf("The backend started, but did not answer within %v.", run.Options.Wait()), tail.Bytes())
}

// failedStart says where the code stopped; what it printed goes to the log.
func failedStart(run *steps.Run, emit steps.Emit, message string, output []byte) error {
	emit.Printed("The backend", secret.Printed(output))
	if stopped := vendor.Stopped(run, output); stopped != "" {
		message += " It stopped with " + stopped + "."
	}
	return steps.Fail(finding.New(finding.ServerUnreachable, message).
		WithFix(finding.Do("Put that right, then start it to see: %s", finding.Command(ownCommand(run, "8000")))))
}

// freePort asks the system for a port that is free on the loopback address.
// Another process could take it before the server does; the server then ends
// and says so.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

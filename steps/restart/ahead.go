package restart

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/vendor"
)

// guarded runs manage.py and ends with keysplit, however keysplit ends: its standard
// input is a pipe, and the end of that pipe ends the process. The first argument is the
// path of manage.py. It imports Django, which loads none of the project, and waits for a
// line before it does anything else.
const guarded = `import os, runpy, sys, threading
def watch():
    sys.stdin.buffer.read()
    os._exit(0)
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
try:
    import django.core.management.commands.runserver
except Exception:
    pass  # manage.py says what it is
if not sys.stdin.buffer.readline():
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
runpy.run_path(sys.argv[0], run_name="__main__")
`

// starting is a manage.py runserver of the step's own: without the autoreloader, on a free
// port of the loopback address.
type starting struct {
	*child.Process
	tail *child.Tail
	port string
	env  []string // that it was started with
	told bool     // to load the project
}

// prepare starts the process, which waits until it is told to load the project.
func prepare(run *steps.Run) (*starting, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	b := &starting{tail: child.NewTail(outputLimit), port: port, env: ownEnvironment(run)}
	b.Process, err = child.Command{
		Path:  run.Project.Python,
		Args:  append([]string{"-u", "-c", guarded}, ownArguments(run, port)...),
		Dir:   run.Project.Root,
		As:    run.Project.User,
		Env:   b.env,
		Unset: []string{passwordVariable},
	}.Start(child.Streams{Stdout: b.tail, Stderr: b.tail})
	if err != nil {
		return nil, fmt.Errorf("start the backend: %w", err)
	}
	return b, nil
}

// load has the process load the project and serve it. One that has ended shows that by
// its end.
func (b *starting) load() {
	if !b.told {
		b.told = true
		_, _ = b.Stdin.Write([]byte("\n"))
	}
}

// Prepare starts the Python of the server that the step is likely to start, so that it
// imports Django while another Django is asked about the project, and the key is made and
// written. Nothing of the project is loaded. Where
// another server runs, that one is restarted, and none is started.
func (s *Step) Prepare(ctx context.Context, run *steps.Run) {
	if s.ahead != nil || s.Start != nil || s.Find != nil || asked(run).spec != usual.spec || run.Options.URL != "" || !startable(run.Project) {
		return
	}
	if found, err := s.find(ctx, run); err != nil || len(found) > 0 {
		return
	}
	b, err := prepare(run)
	if err != nil {
		return // the step itself tries again, and says why
	}
	s.ahead = b
	run.OnClose(s.endAhead)
}

// Written has the server that the step is going to start load the project at once, side
// by side with the proof of the keys: it is nobody's but keysplit's, so that one which
// does not start harms no service. Where another server runs, there will be none.
func (s *Step) Written(ctx context.Context, run *steps.Run) {
	if s.ahead == nil {
		return
	}
	if found, err := s.find(ctx, run); err != nil || len(found) > 0 {
		s.endAhead()
		return
	}
	s.ahead.load()
}

// endAhead ends the process that was started ahead and is not used.
func (s *Step) endAhead() {
	if b := s.ahead; b != nil {
		s.ahead = nil
		b.Terminate()
	}
}

// take is the process that was started ahead, where it would be started the same way now.
func (s *Step) take(run *steps.Run) *starting {
	b := s.ahead
	if b == nil {
		return nil
	}
	if !slices.Equal(b.env, ownEnvironment(run)) {
		s.endAhead()
		return nil
	}
	s.ahead = nil
	return b
}

// startable reports whether keysplit can start the backend on this machine.
func startable(p *steps.Project) bool { return p.Python != "" && p.ManagePy != "" && !p.Inside() }

// startRunserver starts a backend, or takes the one that was started ahead, and waits
// until it answers.
func (s *Step) startRunserver(ctx context.Context, run *steps.Run, emit steps.Emit) (string, func(), error) {
	if !startable(run.Project) {
		return "", nil, steps.Fail(finding.New(finding.DjangoNotRunnable, notFound+" No Python of this machine was found to start one with.").
			WithFix(finding.Do("Start the backend in a terminal, or name the interpreter: `keysplit --python PATH`.")))
	}
	b := s.take(run)
	if b == nil {
		var err error
		if b, err = prepare(run); err != nil {
			return "", nil, err
		}
	}
	b.load()
	s.own.mu.Lock()
	s.own.pid = b.PID()
	s.own.mu.Unlock()
	base := "http://127.0.0.1:" + b.port
	ended := errors.New("ended")
	emit.Wait("the backend's first answer", run.Options.Wait())
	often := vendor.Pace{Every: 10 * time.Millisecond} // a port where nobody listens refuses at once
	ok, err := often.Until(ctx, run.Options.Wait(), func() (bool, error) {
		select {
		case <-b.Done():
			return false, ended
		default:
			return answers(ctx, base, min(firstAnswer, run.Options.Wait())) == nil, ctx.Err()
		}
	})
	if ok && err == nil {
		return base, b.Terminate, nil
	}
	b.Terminate()
	switch {
	case errors.Is(err, ended):
		return "", nil, failedStart(run, emit, "The backend ended right after it started.", b.tail.Bytes())
	case err != nil:
		return "", nil, err
	}
	return "", nil, failedStart(run, emit, fmt.Sprintf("The backend started, but did not answer within %v.", run.Options.Wait()), b.tail.Bytes())
}

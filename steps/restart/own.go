package restart

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/shell"
	"dj/keysplit/steps/vendor"
)

// own is the server that the step started for the length of the run.
type own struct {
	mu   sync.Mutex
	pid  int
	base string
	left prose.Text // what was said to be left to do, as no other was found
	stop func()
}

// end stops the server, if there is one. It is safe to call twice.
func (o *own) end() {
	o.mu.Lock()
	stop := o.stop
	o.stop, o.pid, o.base = nil, 0, ""
	o.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (o *own) running() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stop != nil
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

// apartFrom are the servers that the step did not start.
func (o *own) apartFrom(all []steps.Server) []steps.Server {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(all), func(s steps.Server) bool {
		return o.stop != nil && (s.PID == o.pid && o.pid != 0 || s.URL == o.base)
	})
}

// endOwn stops the server that the step started, and forgets what was said of it.
func (s *Step) endOwn(run *steps.Run) {
	s.own.end()
	if run.OwnServer {
		run.OwnServer, run.URL = false, ""
		run.Left = slices.DeleteFunc(run.Left, func(line prose.Text) bool { return line == s.own.left })
	}
}

// Seen reports whether a server of the project answers that the step did not start: what
// a person who was told to start theirs is waited for with.
func (s *Step) Seen(ctx context.Context, run *steps.Run) (bool, error) {
	look := s.find
	if !run.Home().Here() {
		look = s.ofPlaces
	}
	found, err := look(ctx, run)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(s.own.apartFrom(found), func(server steps.Server) bool {
		return server.URL != "" && answers(ctx, server.URL, firstAnswer) == nil
	}), nil
}

// passwordVariable holds the password of the test login. No child needs it.
const passwordVariable = "KEYSPLIT_PASSWORD"

// outputLimit is how much of the server's last output is kept for an error.
const outputLimit = 16 << 10

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

// ownEnvironment is what the server gets: our own, what only root can read, and what the
// places of another environment give to its backend.
func ownEnvironment(run *steps.Run) []string {
	env := append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	for name, value := range run.HandedIn(run.Project) {
		env = append(env, name+"="+value)
	}
	for name, value := range run.Lent() {
		env = append(env, name+"="+*value)
	}
	return env
}

// usualCommand starts the project's own server from the folder that keysplit runs in.
func usualCommand(run *steps.Run) string {
	words := []string{fromHere(run.Project.Python), fromHere(run.Project.ManagePy), "runserver"}
	if run.Options.Settings != "" {
		words = append(words, "--settings", run.Options.Settings)
	}
	return shell.Join(words...)
}

// fromHere is a path as it is typed in the folder that keysplit runs in.
func fromHere(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

// startOwn starts a server for the test, because none was found. That proves the code
// and the file, and not the service: elsewhere than in development it is not enough.
func (s *Step) startOwn(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	begin := s.Start
	if begin == nil {
		begin = func(ctx context.Context, run *steps.Run) (string, func(), error) {
			return s.startRunserver(ctx, run, emit)
		}
	}
	s.own.end()
	base, stop, err := begin(ctx, run)
	if err != nil {
		return err
	}
	s.own.mu.Lock()
	s.own.stop, s.own.base = stop, base
	s.own.mu.Unlock()
	run.OnClose(s.own.end)
	run.URL, run.Restarted, run.OwnServer = base, true, true
	start := startYours(run)
	s.own.left = prose.Of(s.noneFound()).Then(start)
	run.Left = append(run.Left, s.own.left)
	emit.Progress(fmt.Sprintf("keysplit started a server of its own on %s for the test and stops it afterwards.", strings.TrimPrefix(base, "http://")))
	for _, f := range s.unserved(run, "What was proved is the code and the file, on a server that keysplit started.", start) {
		emit.Find(f)
	}
	return nil
}

// unserved is what a run outside of development ends with that found no server and starts
// one: what that proves, and how to start the real one.
func (s *Step) unserved(run *steps.Run, proves string, start finding.Fix) []finding.Finding {
	if run.Options.Environment == "" || run.Options.Environment == steps.DefaultEnvironment {
		return nil
	}
	return []finding.Finding{finding.New(finding.ServerNotFound, s.noneFound()+" "+proves).
		WithFix(start.Then(finding.Do("Or name its address: `keysplit --url https://HOST`.")))}
}

// startYours says how the real server is started.
func startYours(run *steps.Run) finding.Fix {
	if !run.Home().Here() {
		return finding.Do("Start your server with the variables of %s.", run.InFiles())
	}
	return finding.Do("Start your server: %s", prose.Command(usualCommand(run)))
}

// foretold is unserved for a plan.
func (s *Step) foretold(run *steps.Run) []finding.Finding {
	return s.unserved(run, "Without one, the run proves the code and the file, on a server that keysplit starts, and ends with 1.", startYours(run))
}

// failedStart says where the code stopped; what it printed goes to the log.
func failedStart(run *steps.Run, emit steps.Emit, message string, output []byte) error {
	emit.Printed("The backend", secret.Printed(output))
	if stopped := vendor.Stopped(run, output); stopped != "" {
		message += " It stopped with " + stopped + "."
	}
	return steps.Fail(finding.New(finding.ServerUnreachable, message).
		WithFix(finding.Do("Fix that, then start it to see: %s", finding.Command(ownCommand(run, "8000")))))
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

// Package demo is the demo: a throwaway project with a small backend of its
// own, which behaves like the one that the upgrade guide is for. It needs no
// Python and no Django.
//
// Three processes take part, all of them this program:
//
//	keysplit -- the guardian -- the server
//
// The guardian makes the project's folder, plays the part of runserver's
// autoreloader, and keeps the accounts. Like the real one it starts the server
// again when the time of the settings file changes, takes no notice of .env, and
// gives up when the settings refuse to load. The server reads .env once, when
// it starts.
//
// Nothing is left behind. Each process reads its standard input, and the end of
// it, which comes when the one before has ended in whatever way, ends it too.
// The guardian then removes the folder. It has a session of its own, so that
// what ends the terminal does not end it first. If it was killed itself, the
// next Make removes the folder.
//
// Keys are made by the guardian and stay in the project's .env and in memory;
// passwords travel over the pipes between these processes. Neither is ever an
// argument or a variable of the environment.
package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/sys/guard"
)

// Command is the hidden subcommand under which this program's main function,
// or a test's TestMain, calls RunBackend with the arguments behind it.
const Command = "sandbox-backend"

// State is what the upgrade finds in the sandbox.
type State string

// The states of .env. In all of them a server is running. In Missing, Equal,
// Short and Glued it was started before the breaking change, as a server that
// nobody has restarted yet: it signs with JWT_SECRET_KEY when it has one, else
// with SECRET_KEY, and its next start applies the new rules.
const (
	Missing     State = "missing"     // no JWT_SECRET_KEY
	Equal       State = "equal"       // the value of SECRET_KEY
	Short       State = "short"       // 32 characters
	Placeholder State = "placeholder" // the one of .env.example, which the backend takes
	Glued       State = "glued"       // appended to a last line without its newline
	Stale       State = "stale"       // a good key, but the server was started with the one before
)

// States lists them all.
func States() []State { return []State{Missing, Equal, Short, Placeholder, Glued, Stale} }

// limit is how long the guardian may take for one answer: it waits up to
// startLimit for a server.
const limit = startLimit + 5*time.Second

// Sandbox is a running demo.
type Sandbox struct {
	Dir   string         // the project's top level, absolute, links resolved
	Root  string         // the folder of manage.py
	State journal.Folder // for the journal of the demo, removed with the rest

	folder   string // holds all of it
	username string
	password string
	guardian *child.Process
	answers  chan reply
	life     context.Context // ends with a mistake of keysplit's own in one of the goroutines
	fail     context.CancelCauseFunc

	mu   sync.Mutex // one question at a time
	last int
	once sync.Once
}

// request is one line to the guardian.
type request struct {
	ID    int    `json:"id"`
	Do    string `json:"do"` // "make", "servers", "start", "stop", "add" or "remove"
	State State  `json:"state,omitempty"`
	User  *user  `json:"user,omitempty"`
}

// reply is the guardian's line in return.
type reply struct {
	ID      int            `json:"id"`
	Error   string         `json:"error,omitempty"`
	Refused bool           `json:"refused,omitempty"` // Error is what the settings said
	Folder  string         `json:"folder,omitempty"`
	User    *user          `json:"user,omitempty"`
	Servers []steps.Server `json:"servers,omitempty"`
}

type user struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

// Make makes a sandbox and returns when its server answers. It removes what
// earlier ones have left behind, if they were killed. The caller closes it.
func Make(state State) (*Sandbox, error) {
	removeLeftovers(os.TempDir())
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program for the demo's backend: %w", err)
	}
	reading, writing := io.Pipe()
	errs := child.NewTail(4 << 10)
	s := &Sandbox{answers: make(chan reply, 1)}
	s.life, s.fail = context.WithCancelCause(context.Background())
	s.guardian, err = backendCommand(program).Start(child.Streams{Stdout: writing, Stderr: errs})
	if err != nil {
		return nil, fmt.Errorf("start the demo's backend: %w", err)
	}
	guard.Go(func() {
		<-s.guardian.Done()
		_ = writing.Close() // an io.Pipe closes without error
	}, s.fail)
	guard.Go(func() { s.listen(reading) }, func(err error) {
		s.fail(err)
		_ = reading.Close() // the guardian is never kept waiting
	})
	got, err := s.call(context.Background(), request{Do: "make", State: state})
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("make the demo: %w %s", err, secret.Inert(string(errs.Bytes())))
	}
	s.folder = got.Folder
	s.Dir = filepath.Join(got.Folder, projectName)
	s.Root = filepath.Join(s.Dir, "backend")
	s.State = journal.Folder(filepath.Join(got.Folder, "state"))
	s.username, s.password = got.User.Name, got.User.Password
	return s, nil
}

// backendCommand starts this program as a part of the demo, without the
// variables that would override .env in a real backend.
func backendCommand(program string, args ...string) child.Command {
	return child.Command{
		Path:  program,
		Args:  append([]string{Command}, args...),
		Dir:   os.TempDir(),
		Unset: []string{steps.GuideNames.Key, steps.GuideNames.SecretKey, "DEBUG", "EMAIL_FROM", "KEYSPLIT_PASSWORD"},
		Grace: 3 * time.Second,
	}
}

// LookupEnv is the environment that a run on the sandbox sees: that of keysplit
// without the variables that would override the demo's .env, since its backend
// does not get them.
func LookupEnv(name string) (string, bool) {
	switch name {
	case steps.GuideNames.Key, steps.GuideNames.SecretKey:
		return "", false
	}
	return os.LookupEnv(name)
}

// Account is the demo's own account, whose password was made for this sandbox.
func (s *Sandbox) Account(run *steps.Run) steps.Account {
	return steps.Account{Field: "username", Username: s.username, Password: run.Secret(s.password)}
}

// Servers lists the sandbox's running server, or none for another folder. It
// has the form of process.Find and works on every system.
func (s *Sandbox) Servers(ctx context.Context, root string) ([]steps.Server, error) {
	if root != s.Root {
		return nil, nil
	}
	got, err := s.call(ctx, request{Do: "servers"})
	return got.Servers, err
}

// KeyOf reports whether the server has no key in its environment. It has the form of
// process.KeyInEnvironment.
func (s *Sandbox) KeyOf(int, string, secret.Fingerprinter) (sum string, set bool, err error) {
	return "", false, nil
}

// Start starts the server when none runs, for the length of a run. When the
// settings refuse, the error is a *steps.Failure.
func (s *Sandbox) Start(ctx context.Context, run *steps.Run) (url string, stop func(), err error) {
	got, err := s.call(ctx, request{Do: "start"})
	if err != nil {
		if got.Refused {
			return "", nil, steps.Fail(finding.New(finding.ServerUnreachable,
				"The backend will not start: "+run.Redactor.Show(secret.Said(got.Error))))
		}
		return "", nil, fmt.Errorf("start the demo's server: %w", err)
	}
	stop = func() {
		// It fails when the guardian has ended, and the server with it.
		_, _ = s.call(context.Background(), request{Do: "stop"})
	}
	return got.Servers[0].URL, stop, nil
}

// Close stops the backend and removes the folder. It is safe to call twice.
func (s *Sandbox) Close() error {
	s.once.Do(s.guardian.Stop)
	if s.folder == "" {
		return nil
	}
	// The guardian has done this already, unless it was killed.
	if err := os.RemoveAll(s.folder); err != nil {
		return fmt.Errorf("remove the demo: %w", err)
	}
	return nil
}

var errEnded = errors.New("the demo's backend has ended")

// call asks the guardian one question.
func (s *Sandbox) call(ctx context.Context, q request) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s.last++
	q.ID = s.last
	line, _ := json.Marshal(q) // texts always have a form
	if _, err := s.guardian.Stdin.Write(append(line, '\n')); err != nil {
		return reply{}, errEnded
	}
	for {
		select {
		case got, open := <-s.answers:
			switch {
			case !open:
				return reply{}, errEnded
			case got.ID != q.ID: // of a question that was given up
			case got.Error != "":
				return got, errors.New(got.Error)
			default:
				return got, nil
			}
		case <-s.life.Done():
			return reply{}, context.Cause(s.life)
		case <-ctx.Done():
			return reply{}, ctx.Err()
		}
	}
}

// listen passes the guardian's answers on until it ends. Answers that nobody
// waits for any more are dropped.
func (s *Sandbox) listen(from io.Reader) {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		var got reply
		if json.Unmarshal(lines.Bytes(), &got) != nil {
			continue
		}
		select {
		case <-s.answers: // an answer that came too late makes room
		default:
		}
		s.answers <- got
	}
	close(s.answers)
}

package demo

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/sys/guard"
)

// pollEvery is how often the guardian looks at the time of the settings file.
// The real autoreloader looks once a second.
const pollEvery = 50 * time.Millisecond

// serverAge is how long the first server seems to have been running, so that
// what keysplit concludes from the times of processes and files is as clear in
// the demo as it is in life. The .env seems twice as old.
const serverAge = time.Hour

// RunBackend is the body of the hidden subcommand. Without arguments it is the
// guardian, with "serve" the server. It returns the exit code.
func RunBackend(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// Both end with their standard input, never by a key in the terminal.
	signal.Ignore(os.Interrupt, syscall.SIGHUP)
	switch {
	case len(args) == 0:
		return supervise(stdin, stdout, stderr)
	case len(args) == 1 && args[0] == "serve":
		return serve(stdin, stdout, stderr)
	}
	fmt.Fprintln(stderr, "this command is a part of keysplit demo")
	return 2
}

// guardian is the middle process.
type guardian struct {
	folder  string // holds all of the demo
	root    string // of manage.py
	release func() // gives the folder's lock up
	program string
	users   []user // the first one is the demo's own
	worker  *worker
	addr    string    // of the server, kept over reloads
	seen    time.Time // the time of the settings file at the last look
}

// supervise serves requests until its input ends, then removes everything.
func supervise(stdin io.Reader, stdout, stderr io.Writer) int {
	g := &guardian{}
	defer g.end()
	var err error
	if g.program, err = os.Executable(); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	requests := make(chan request)
	guard.Go(func() {
		defer close(requests)
		lines := bufio.NewScanner(stdin)
		for lines.Scan() {
			var q request
			if json.Unmarshal(lines.Bytes(), &q) == nil {
				requests <- q
			}
		}
	}, func(err error) { fmt.Fprintln(stderr, err) })
	out := json.NewEncoder(stdout)
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		select {
		case q, open := <-requests:
			if !open {
				return 0
			}
			got := g.answer(q)
			got.ID = q.ID
			if out.Encode(got) != nil {
				return 0 // nobody listens any more
			}
		case <-poll.C:
			g.watch()
		case <-term:
			return 0
		}
	}
}

func (g *guardian) answer(q request) reply {
	var got reply
	var err error
	switch q.Do {
	case "make":
		err = g.make(q.State)
		if err == nil {
			got.Folder, got.User = g.folder, &g.users[0]
		}
	case "servers":
		got.Servers = g.servers()
	case "start":
		if len(g.servers()) == 0 {
			err = g.start(false)
		}
		got.Servers = g.servers()
	case "stop":
		g.stop()
	case "add":
		q.User.ID = g.users[len(g.users)-1].ID + 1
		g.users = append(g.users, *q.User)
		err = g.tellUsers()
	case "remove":
		for i, u := range g.users {
			if i > 0 && u.Name == q.User.Name {
				g.users = append(g.users[:i], g.users[i+1:]...)
				break
			}
		}
		err = g.tellUsers()
	default:
		err = fmt.Errorf("unknown request %q", q.Do)
	}
	if err != nil {
		got.Error = err.Error()
		var refused *refusedError
		got.Refused = errors.As(err, &refused)
	}
	return got
}

// make makes the folder, the project in its state, and the first server.
func (g *guardian) make(state State) error {
	var err error
	if g.folder, g.release, err = newFolder(os.TempDir()); err != nil {
		return err
	}
	dir := filepath.Join(g.folder, projectName)
	g.root = filepath.Join(dir, "backend")
	if err := layProject(dir); err != nil {
		return fmt.Errorf("write the demo's project: %w", err)
	}
	if err := os.Mkdir(filepath.Join(g.folder, "state"), 0o700); err != nil {
		return err
	}
	secretKey := newKey()
	if err := writeEnv(g.root, state, secretKey); err != nil {
		return err
	}
	if err := g.age(); err != nil {
		return err
	}
	g.users = []user{{ID: 1, Name: "demo", Password: newKey()[:20]}}
	g.seen = g.settingsTime()
	old := state != Placeholder && state != Stale
	if err := g.start(old); err != nil {
		return err
	}
	g.worker.ready.Started = g.worker.ready.Started.Add(-serverAge)
	if state == Stale {
		return writeEnv(g.root, state, secretKey)
	}
	return nil
}

func (g *guardian) age() error {
	then := time.Now().Add(-2 * serverAge)
	for _, file := range []string{".env", filepath.Join("plants", "settings.py")} {
		if err := os.Chtimes(filepath.Join(g.root, file), then, then); err != nil {
			return err
		}
	}
	return nil
}

// start starts a server. old gives it the code from before the change.
func (g *guardian) start(old bool) error {
	g.stop()
	g.seen = g.settingsTime()
	w, err := startWorker(g.program, workerStart{Root: g.root, Addr: g.addr, Old: old, Users: g.users})
	if err != nil {
		return err
	}
	g.worker, g.addr = w, w.ready.Addr
	return nil
}

func (g *guardian) stop() {
	if g.worker != nil {
		g.worker.stop()
		g.worker = nil
	}
}

// watch is the autoreloader. A server that does not come up again is gone, as
// with the real one: then there is no server until the next start.
func (g *guardian) watch() {
	if g.worker == nil || !g.settingsTime().After(g.seen) {
		return
	}
	// What the settings say is asked for and told by the next start.
	_ = g.start(false)
}

func (g *guardian) settingsTime() time.Time {
	info, err := os.Stat(filepath.Join(g.root, "plants", "settings.py"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func (g *guardian) servers() []steps.Server {
	if g.worker == nil || g.worker.ended() {
		return nil
	}
	return []steps.Server{{
		URL:      "http://" + g.addr,
		PID:      g.worker.pid(),
		Reloader: os.Getpid(),
		Folder:   g.root,
		Command:  "python manage.py runserver " + g.addr,
		Started:  g.worker.ready.Started,
	}}
}

func (g *guardian) tellUsers() error {
	if g.worker == nil || g.worker.ended() {
		return nil // the next server gets them when it starts
	}
	return g.worker.tell(g.users)
}

func (g *guardian) end() {
	g.stop()
	if g.folder == "" {
		return
	}
	g.release()
	// What cannot be removed now is removed by the next demo.
	_ = os.RemoveAll(g.folder)
}

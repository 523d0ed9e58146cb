package demo

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/sys/guard"
)

// startLimit is how long a server may take to listen.
const startLimit = 10 * time.Second

// worker is the guardian's end of a server process.
type worker struct {
	proc  *child.Process
	lines chan []byte
	ready workerReady
}

// workerStart is the first line that a server reads.
type workerStart struct {
	Root  string `json:"root"`
	Addr  string `json:"addr"` // "" for a free port
	Old   bool   `json:"old"`  // the code from before the change
	Users []user `json:"users"`
}

// workerReady is the line that a server prints when it listens.
type workerReady struct {
	Addr    string    `json:"addr"`
	Started time.Time `json:"started"`
}

// refusedError says that the settings did not load.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }

// startWorker starts a server and waits until it listens. When the settings
// refuse to load, the error is a *refusedError with the last line of what the
// server printed.
func startWorker(program string, s workerStart) (*worker, error) {
	reading, writing := io.Pipe()
	errs := child.NewTail(8 << 10)
	proc, err := backendCommand(program, "serve").Start(child.Streams{Stdout: writing, Stderr: errs})
	if err != nil {
		return nil, err
	}
	// Without its lines a server counts as ended.
	failed := func(error) { _ = reading.Close() }
	guard.Go(func() {
		<-proc.Done()
		_ = writing.Close() // an io.Pipe closes without error
	}, failed)
	w := &worker{proc: proc, lines: make(chan []byte, 4)}
	guard.Go(func() { w.listen(reading) }, failed)
	err = w.send(s)
	if err == nil {
		err = w.receive(&w.ready)
	}
	if err == nil {
		return w, nil
	}
	w.stop()
	if said := strings.TrimSpace(string(errs.Bytes())); said != "" {
		return nil, &refusedError{said[strings.LastIndex(said, "\n")+1:]}
	}
	return nil, fmt.Errorf("the server did not start: %w", err)
}

func (w *worker) pid() int { return w.proc.PID() }

func (w *worker) stop() { w.proc.Stop() }

func (w *worker) ended() bool {
	select {
	case <-w.proc.Done():
		return true
	default:
		return false
	}
}

// tell gives the server the accounts and returns when it has them.
func (w *worker) tell(users []user) error {
	if err := w.send(users); err != nil {
		return err
	}
	var count int
	return w.receive(&count)
}

func (w *worker) send(v any) error {
	line, _ := json.Marshal(v) // texts always have a form
	_, err := w.proc.Stdin.Write(append(line, '\n'))
	return err
}

func (w *worker) receive(v any) error {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case line, open := <-w.lines:
		if !open {
			return errors.New("it ended")
		}
		return json.Unmarshal(line, v)
	case <-limit.C:
		return errors.New("it does not answer")
	}
}

func (w *worker) listen(from io.Reader) {
	defer close(w.lines)
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		w.lines <- append([]byte{}, lines.Bytes()...)
	}
}

//go:build unix

// Package ptytest runs a program on a pseudo-terminal with a screen behind it,
// types into it, and tells what a person would see. It is for tests, and for the
// program that draws the README's picture.
//
// The screen answers the questions that terminals answer (its background, its
// kind, where the cursor is), unless it is told to be mute, as some are.
package ptytest

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Key is what a terminal sends for a key.
type Key string

// The keys that have no letter.
const (
	Enter    Key = "\r"
	Esc      Key = "\x1b"
	Tab      Key = "\t"
	ShiftTab Key = "\x1b[Z"
	Up       Key = "\x1b[A"
	Down     Key = "\x1b[B"
	Right    Key = "\x1b[C"
	Left     Key = "\x1b[D"
	CtrlC    Key = "\x03"
	CtrlD    Key = "\x04"
	CtrlZ    Key = "\x1a"
)

// Reporter is told when something fails; a *testing.T is one.
type Reporter interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Options say what runs and where. Program is needed; Cols and Rows of zero mean
// 80 by 24.
type Options struct {
	Program    string
	Args       []string
	Dir        string
	Env        []string // the whole environment
	Cols, Rows int
	Light      bool // the background, when the program asks
	Mute       bool // answer nothing
}

// Terminal is a running program and its screen.
type Terminal struct {
	t      Reporter
	master *os.File
	cmd    *exec.Cmd

	mu      sync.Mutex
	screen  *screen
	raw     []byte
	changed chan struct{} // closed at the next change

	drained chan struct{} // closed when all output was read
	exited  chan struct{} // closed when the program has ended
	closing sync.Once
}

// Start runs the program on a new terminal, as the leader of a session whose
// terminal it is. What is left of it is killed when t is done.
func Start(t Reporter, o Options) *Terminal {
	t.Helper()
	size := &pty.Winsize{Cols: 80, Rows: 24}
	if o.Cols > 0 {
		size.Cols = uint16(o.Cols)
	}
	if o.Rows > 0 {
		size.Rows = uint16(o.Rows)
	}
	cmd := exec.Command(o.Program, o.Args...)
	cmd.Dir, cmd.Env = o.Dir, o.Env
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	HangupCounts()
	blocking, err := pty.StartWithSize(cmd, size)
	if err != nil {
		t.Fatalf("start %s on a terminal: %v", o.Program, err)
		return nil
	}
	master, err := Pollable(blocking)
	if err != nil {
		t.Fatalf("start %s on a terminal: %v", o.Program, err)
		return nil
	}
	tm := &Terminal{
		t: t, master: master, cmd: cmd, changed: make(chan struct{}),
		drained: make(chan struct{}), exited: make(chan struct{}),
	}
	background := "rgb:1616/1515/1d1d"
	if o.Light {
		background = "rgb:ffff/ffff/ffff"
	}
	answer := func(text string) { _, _ = master.WriteString(text) }
	if o.Mute {
		answer = func(string) {}
	}
	tm.screen = newScreen(int(size.Cols), int(size.Rows), background, answer)
	go tm.read()
	go func() {
		_ = cmd.Wait() // the code is in ProcessState
		close(tm.exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended, mostly
		<-tm.exited
		tm.Hangup()
		<-tm.drained
	})
	return tm
}

// HangupCounts lets children feel a hangup also when the tests themselves run
// under nohup: a signal that is ignored stays ignored in every child, and one
// that is caught does not.
func HangupCounts() {
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
}

// Pollable gives the same terminal as a file whose Close ends a waiting Read,
// which pty's own is not. The given one is closed.
func Pollable(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("copy the terminal's descriptor: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("prepare the terminal for reading: %w", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

func (tm *Terminal) read() {
	defer close(tm.drained)
	buf := make([]byte, 32<<10)
	for {
		n, err := tm.master.Read(buf)
		if n > 0 {
			tm.mu.Lock()
			tm.raw = append(tm.raw, buf[:n]...)
			tm.screen.parser.Parse(buf[:n])
			close(tm.changed)
			tm.changed = make(chan struct{})
			tm.mu.Unlock()
		}
		if err != nil {
			return // EIO: the program has closed its side
		}
	}
}

// Type sends text as if it were typed.
func (tm *Terminal) Type(text string) {
	tm.t.Helper()
	if _, err := tm.master.WriteString(text); err != nil {
		tm.t.Fatalf("type %q: %v", text, err)
	}
}

// Press sends keys, one write each.
func (tm *Terminal) Press(keys ...Key) {
	tm.t.Helper()
	for _, k := range keys {
		tm.Type(string(k))
	}
}

// Frame is what the screen shows now.
func (tm *Terminal) Frame() Frame {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	return tm.screen.frame()
}

// Mishaps tells what went wrong on the screen up to now.
func (tm *Terminal) Mishaps() Mishaps {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	m := tm.screen.mishaps
	m.Unknown = slices.Clone(m.Unknown)
	return m
}

// Modes lists the private modes for the mouse, the focus and pasted text that
// are on.
func (tm *Terminal) Modes() []int {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	var on []int
	for n, set := range tm.screen.modes {
		if set {
			on = append(on, n)
		}
	}
	slices.Sort(on)
	return on
}

// Raw is all that the program has written.
func (tm *Terminal) Raw() string {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	return string(tm.raw)
}

// Written is the number of bytes that the program has written.
func (tm *Terminal) Written() int {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	return len(tm.raw)
}

// Resize changes the size of the terminal; the program is told by SIGWINCH.
func (tm *Terminal) Resize(cols, rows int) {
	tm.t.Helper()
	tm.mu.Lock()
	tm.screen.resize(cols, rows)
	tm.mu.Unlock()
	err := control(tm.master, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(cols), Row: uint16(rows)})
	})
	if err != nil {
		tm.t.Fatalf("resize the terminal: %v", err)
	}
}

// Signal sends a signal to the program alone.
func (tm *Terminal) Signal(sig syscall.Signal) {
	tm.t.Helper()
	if err := tm.cmd.Process.Signal(sig); err != nil {
		tm.t.Fatalf("send %v: %v", sig, err)
	}
}

// PID is the program's process.
func (tm *Terminal) PID() int { return tm.cmd.Process.Pid }

// Hangup closes the terminal, as when its window is closed or ssh ends.
func (tm *Terminal) Hangup() {
	tm.closing.Do(func() { _ = tm.master.Close() })
}

// Exit waits for the end of the program and its output, and gives the exit code:
// -1 when a signal ended it.
func (tm *Terminal) Exit(limit time.Duration) int {
	tm.t.Helper()
	over := time.After(limit)
	for _, done := range []chan struct{}{tm.exited, tm.drained} {
		select {
		case <-done:
		case <-over:
			tm.t.Fatalf("the program did not end within %v; the screen shows:\n%s", limit, tm.Frame().Text())
			return -1
		}
	}
	return tm.cmd.ProcessState.ExitCode()
}

// Running reports whether the program has not ended.
func (tm *Terminal) Running() bool {
	select {
	case <-tm.exited:
		return false
	default:
		return true
	}
}

//go:build unix

package ptytest

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"time"

	"golang.org/x/sys/unix"
)

// WaitFor waits until the screen's text matches a regular expression, and gives
// the frame that did.
func (tm *Terminal) WaitFor(pattern string, limit time.Duration) Frame {
	tm.t.Helper()
	re, err := regexp.Compile(pattern)
	if err != nil {
		tm.t.Fatalf("%v", err)
	}
	return tm.WaitUntil(pattern, limit, func(f Frame) bool { return re.MatchString(f.Text()) })
}

// WaitUntil waits for a frame; what names it when it does not come.
func (tm *Terminal) WaitUntil(what string, limit time.Duration, ok func(Frame) bool) Frame {
	tm.t.Helper()
	over := time.NewTimer(limit)
	defer over.Stop()
	drained, when := tm.drained, fmt.Sprintf("within %v", limit)
	for {
		tm.mu.Lock()
		f, changed := tm.screen.frame(), tm.changed
		tm.mu.Unlock()
		if ok(f) {
			return f
		}
		select {
		case <-changed:
		// What ok looks at beside the screen, such as the terminal's modes,
		// changes without a new frame.
		case <-time.After(20 * time.Millisecond):
		case <-drained:
			drained, when = nil, "before the end" // one more look, at the last of the output
			over.Reset(10 * time.Millisecond)
		case <-over.C:
			tm.t.Fatalf("no %q %s; the screen shows:\n%s", what, when, f.Text())
			return f
		}
	}
}

// Settled waits until nothing was written for the given time, and gives the
// frame.
func (tm *Terminal) Settled(quiet, limit time.Duration) Frame {
	tm.t.Helper()
	over := time.After(limit)
	for {
		tm.mu.Lock()
		f, changed := tm.screen.frame(), tm.changed
		tm.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(quiet):
			return f
		case <-over:
			tm.t.Fatalf("the screen did not come to rest within %v", limit)
			return f
		}
	}
}

// Discipline is how the terminal treats what is typed.
type Discipline struct {
	Echo   bool // typed text is shown
	Lines  bool // input comes line by line
	Signal bool // ctrl+c and ctrl+z send signals
	Output bool // a line feed written also returns the carriage
}

// Discipline reads the terminal's settings.
func (tm *Terminal) Discipline() Discipline {
	tm.t.Helper()
	var attr *unix.Termios
	err := control(tm.master, func(fd int) (err error) {
		attr, err = unix.IoctlGetTermios(fd, readAttr)
		return err
	})
	if err != nil {
		tm.t.Fatalf("read the terminal's settings: %v", err)
		return Discipline{}
	}
	return Discipline{
		Echo: attr.Lflag&unix.ECHO != 0, Lines: attr.Lflag&unix.ICANON != 0,
		Signal: attr.Lflag&unix.ISIG != 0, Output: attr.Oflag&unix.OPOST != 0,
	}
}

// control lets do use the descriptor. It does not call Fd, after which a Read
// would wait even for Close.
func control(f *os.File, do func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var doErr error
	err = conn.Control(func(fd uintptr) { doErr = do(int(fd)) })
	return errors.Join(err, doErr)
}

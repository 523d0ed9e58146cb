//go:build unix

package ui

import (
	"bytes"
	"context"
	"errors"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
	"golang.org/x/term"

	"dj/keysplit/steps"
	"dj/keysplit/ui/internal/ptytest"
)

// A tty is the far side of a terminal that shows a wizard.
type tty struct {
	t      *testing.T
	master *os.File
	slave  *os.File
	before *term.State

	mu   sync.Mutex
	seen bytes.Buffer

	ended   chan struct{}
	outcome Outcome
	err     error
}

// show runs a wizard over the stage's engine on a terminal of 80 by 24.
func show(t *testing.T, ctx context.Context, st *stage, o Options) *tty {
	t.Helper()
	t.Setenv("TERM", "xterm-256color")
	t.Setenv("COLORTERM", "truecolor")
	t.Setenv("COLORFGBG", "")
	t.Setenv("NO_COLOR", "")
	t.Setenv("CI", "")
	t.Setenv("LC_ALL", "C.UTF-8")
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	if master, err = ptytest.Pollable(master); err != nil {
		t.Fatal(err)
	}
	before, err := term.GetState(int(slave.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	y := &tty{t: t, master: master, slave: slave, before: before, ended: make(chan struct{})}
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			y.mu.Lock()
			y.seen.Write(b[:n])
			y.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	o.In, o.Out = slave, slave
	go func() {
		y.outcome, y.err = Run(ctx, st.e, o)
		close(y.ended)
	}()
	// The other end stays open until nobody has it: bubbletea asks it for its size in a
	// goroutine that it does not wait for.
	t.Cleanup(func() { _ = master.Close() })
	return y
}

func (y *tty) text() string {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.seen.String()
}

// until waits for a text or a sequence, anywhere in what was shown so far.
func (y *tty) until(what string) { y.t.Helper(); y.since(0, what) }

// answers types and waits for a text that comes after it.
func (y *tty) answers(typed, what string) {
	y.t.Helper()
	from := len(y.text())
	y.types(typed)
	y.since(from, what)
}

func (y *tty) since(from int, what string) {
	y.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		text := y.text()[from:]
		if strings.Contains(text, what) || strings.Contains(ansi.Strip(text), what) {
			return
		}
	}
	y.t.Fatalf("%q did not come; the terminal shows %q", what, y.text())
}

func (y *tty) types(text string) {
	y.t.Helper()
	if _, err := y.master.WriteString(text); err != nil {
		y.t.Fatal(err)
	}
}

func (y *tty) end() {
	y.t.Helper()
	select {
	case <-y.ended:
	case <-time.After(30 * time.Second):
		stacks := make([]byte, 1<<16)
		y.t.Fatalf("the wizard did not end\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// restored checks that the terminal is as it was.
func (y *tty) restored() {
	y.t.Helper()
	after, err := term.GetState(int(y.slave.Fd()))
	if err != nil {
		y.t.Fatal(err)
	}
	if *after != *y.before {
		y.t.Error("the mode of the terminal is not as it was before")
	}
	y.until("\x1b[?25h")
	y.until("\x1b[?1049l")
	// What was written last may still be on its way through the terminal.
	for end := time.Now().Add(10 * time.Second); y.otherScreen(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			y.t.Error("the other screen is still on")
			return
		}
	}
}

func (y *tty) otherScreen() bool {
	text := y.text()
	return strings.LastIndex(text, "\x1b[?1049l") < strings.LastIndex(text, "\x1b[?1049h")
}

// slow makes a step wait until it is told to stop, and take its time then.
func slow(st *stage, n steps.Name) (finished func() bool) {
	var mu sync.Mutex
	var is bool
	st.fakes[n].apply = func(ctx context.Context, _ *steps.Run, emit steps.Emit) error {
		emit.Progress("it runs")
		<-ctx.Done()
		time.Sleep(100 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		is = true
		return ctx.Err()
	}
	return func() bool { mu.Lock(); defer mu.Unlock(); return is }
}

func TestQuittingRestoresTheTerminal(t *testing.T) {
	t.Attr("part", "ends of the wizard inside the process")
	y := show(t, context.Background(), newStage(t, plainLight), Options{})
	y.until("[ Start ]")
	y.types("q")
	y.end()
	y.restored()
	if y.err != nil || !y.outcome.Cancelled {
		t.Errorf("outcome %+v, error %v", y.outcome, y.err)
	}
}

// A signal ends the context. The step is told to stop, and is waited for.
func TestASignalStopsTheStepFirst(t *testing.T) {
	t.Attr("part", "ends of the wizard inside the process")
	ctx, cancel := context.WithCancelCause(context.Background())
	st := newStage(t, plainLight)
	finished := slow(st, steps.Preflight)
	y := show(t, ctx, st, Options{})
	y.until("it runs")
	cancel(steps.ErrCancelled)
	y.end()
	y.restored()
	if !errors.Is(y.err, steps.ErrCancelled) || !finished() {
		t.Errorf("error %v, the step had finished: %v", y.err, finished())
	}
}

func TestAClosedTerminalStopsTheStep(t *testing.T) {
	t.Attr("part", "ends of the wizard inside the process")
	st := newStage(t, plainLight)
	finished := slow(st, steps.Preflight)
	y := show(t, context.Background(), st, Options{})
	y.until("it runs")
	_ = y.master.Close()
	y.end()
	if !errors.Is(y.err, steps.ErrCancelled) || !finished() {
		t.Errorf("error %v, the step had finished: %v", y.err, finished())
	}
}

func TestAPanicInAStepRestoresTheTerminal(t *testing.T) {
	t.Attr("part", "panics in Update, View, a command, a step")
	st := newStage(t, plainLight)
	st.fakes[steps.Preflight].apply = func(context.Context, *steps.Run, steps.Emit) error { panic("on purpose") }
	y := show(t, context.Background(), st, Options{})
	y.end()
	y.restored()
	if y.err == nil || !strings.Contains(y.err.Error(), "on purpose") {
		t.Errorf("error %v", y.err)
	}
}

func TestAnIdleScreenWritesNothing(t *testing.T) {
	y := show(t, context.Background(), newStage(t, plainLight), Options{Theme: "dark"})
	y.until("[ Start ]")
	time.Sleep(200 * time.Millisecond)
	before := len(y.text())
	time.Sleep(500 * time.Millisecond)
	if more := y.text()[before:]; more != "" {
		t.Errorf("it wrote %q", more)
	}
	y.types("?")
	y.until("pgup, pgdn")
	y.types("q")
	y.end()
}

const (
	lightAccent = "\x1b[38;2;91;63;21" // #5B3FD6, of which lip gloss may round the last part
	darkAccent  = "\x1b[38;2;183;165;25"
)

// The terminal's answer chooses the colours, and no part of it counts as a key.
func TestTheBackgroundIsAsked(t *testing.T) {
	for name, tc := range map[string]struct{ answer, accent string }{
		"light, ended by BEL": {"\x1b]11;rgb:ffff/ffff/ffff\x07", lightAccent},
		"light, ended by ST":  {"\x1b]11;rgb:ff/ff/ff\x1b\\", lightAccent},
		"dark":                {"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\", darkAccent},
		"no answer":           {"", darkAccent},
	} {
		t.Run(name, func(t *testing.T) {
			y := show(t, context.Background(), newStage(t, plainLight), Options{})
			y.until("\x1b]11;?\x07")
			y.types(tc.answer)
			y.until("[ Start ]")
			y.types("t")
			y.until("all known")
			text := y.text()
			if last := text[strings.LastIndex(text, "Findings"):]; !strings.Contains(last, tc.accent) {
				t.Errorf("the accent is not %q in %q", tc.accent, last)
			}
			y.types("q")
			y.end()
			if y.err != nil {
				t.Error(y.err)
			}
		})
	}
}

// The password goes through the terminal's line and comes back as dots.
func TestAPasswordIsNotEchoed(t *testing.T) {
	st := newStage(t, plainLight)
	y := show(t, context.Background(), st, Options{Theme: "dark"})
	y.until("[ Start ]")
	// What stands at the end of each page: while a step runs, enter goes nowhere.
	for _, next := range []string{"Which key should sign", "Write this change?", "Restart the server now?", "A throwaway account"} {
		y.answers("\r", next)
	}
	password := fresh()
	y.answers("j", "asks for name")
	y.answers("\r", "User name: _")
	y.answers("ada\r", "Password: _")
	y.answers(password, "••••••••_")
	y.answers("\r", "[ Finish ]")
	y.types("q")
	y.end()
	if leaks(y.text(), password) {
		t.Error("the terminal shows the password")
	}
	if got := st.e.Run.Answers.Password.Reveal(); got != password {
		t.Errorf("the run got a password of %d characters", len(got))
	}
}

func TestNoColour(t *testing.T) {
	y := show(t, context.Background(), newStage(t, plainLight), Options{NoColor: true})
	y.until("[ Start ]")
	y.types("q")
	y.end()
	if got := regexp.MustCompile("\x1b\\][^ ]*11|\x1b\\[([0-9]+;)*(3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]").FindString(y.text()); got != "" {
		t.Errorf("%q was sent", got)
	}
	// What matters does not hang on colour.
	for _, seq := range []string{"\x1b[1m", "\x1b[2m", "\x1b[1;7m"} {
		if !strings.Contains(y.text(), seq) {
			t.Errorf("%q was not sent", seq)
		}
	}
}

func TestIsLight(t *testing.T) {
	for text, want := range map[string][2]bool{
		"11;rgb:ffff/ffff/ffff": {true, true},
		"11;rgb:0/0/0":          {false, true},
		"11;rgb:28/2a/36":       {false, true},
		"11;rgb:fdf6/e3e3/0000": {true, true},
		"11;rgb:fdf6/e3e3":      {false, false},
		"11;rgb:x/y/z":          {false, false},
		"":                      {false, false},
	} {
		if light, ok := isLight(text); light != want[0] || ok != want[1] {
			t.Errorf("isLight(%q) = %v, %v", text, light, ok)
		}
	}
}

// alt+] pressed by a person eats nothing but itself.
func TestAltBracketIsNotAnAnswer(t *testing.T) {
	st := newStage(t, plainLight).open()
	k := key("]")
	k.Alt = true
	st.send(k)
	st.press("enter")
	st.want(steps.Generate, ready)
}

// The wheel is no arrow key while the wizard is up, and the window has its title; both
// are given back, also to the shell that ctrl+z leads to.
func TestTheWheelAndTheTitleAreBorrowed(t *testing.T) {
	y := show(t, context.Background(), newStage(t, plainLight), Options{})
	y.until("[ Start ]")
	y.until("\x1b]2;keysplit: plantid/backend, development\x07")
	y.types("q")
	y.end()
	y.restored()
	text, last := y.text(), -1
	for _, seq := range []string{"\x1b[?1049h\x1b[?1007s\x1b[?1007l\x1b[22;2t", "\x1b]2;", "\x1b[?1007h\x1b[?1007r\x1b[23;2t\x1b[?1049l"} {
		at := strings.Index(text, seq)
		if at <= last || strings.Count(text, seq) != 1 {
			t.Errorf("%q is not in its place, or not there once", seq)
		}
		last = at
	}
}

//go:build unix

package ptytest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const soon = 10 * time.Second

func shell(t Reporter, script string) *Terminal {
	return Start(t, Options{Program: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm"}})
}

func TestAProgramOnATerminal(t *testing.T) {
	tm := shell(t, `test -t 0 && test -t 1 && stty size && printf 'name? ' && read name && echo "hello $name" && exit 7`)
	tm.WaitFor(`24 80\nname\?`, soon)
	if d := tm.Discipline(); !d.Echo || !d.Lines || !d.Signal || !d.Output {
		t.Errorf("a fresh terminal is %+v", d)
	}
	tm.Type("world")
	tm.Press(Enter)
	tm.WaitFor(`name\? world\nhello world`, soon)
	if code := tm.Exit(soon); code != 7 {
		t.Errorf("exit %d", code)
	}
	if tm.Running() || tm.Written() != len(tm.Raw()) || !strings.Contains(tm.Raw(), "hello") {
		t.Error("the end was not noticed, or the output not kept")
	}
}

func TestSizeSignalsAndHangup(t *testing.T) {
	tm := shell(t, `trap 'stty size' WINCH; trap 'echo term; exit 3' TERM; echo ready; while :; do sleep 0.05; done`)
	tm.WaitFor("ready", soon)
	tm.Resize(60, 20)
	tm.WaitFor("20 60", soon)
	if got := tm.Frame().Cells; len(got) != 20 || len(got[0]) != 60 {
		t.Errorf("the screen has %d rows", len(got))
	}
	tm.Signal(syscall.SIGTERM)
	if code := tm.Exit(soon); code != 3 {
		t.Errorf("exit %d", code)
	}
	gone := shell(t, "echo ready; sleep 60")
	gone.WaitFor("ready", soon)
	gone.Hangup()
	if code := gone.Exit(soon); code != -1 {
		t.Errorf("a program whose terminal was closed: exit %d", code)
	}
}

func TestMutedAndAnswering(t *testing.T) {
	const ask = `stty -echo -icanon min 0 time 10; printf '\033[6n'; dd bs=1 count=6 2>/dev/null | od -An -c`
	answering := shell(t, ask)
	answering.Exit(soon)
	if !strings.Contains(answering.Frame().Text(), "1   ;   1   R") {
		t.Errorf("no answer arrived: %q", answering.Raw())
	}
	mute := Start(t, Options{Program: "/bin/sh", Args: []string{"-c", ask}, Env: []string{"PATH=" + os.Getenv("PATH")}, Mute: true})
	mute.Exit(soon)
	if strings.Contains(mute.Frame().Text(), "R") {
		t.Errorf("a mute terminal answered: %q", mute.Raw())
	}
}

// failures is a Reporter that keeps what it is told.
type failures struct {
	text    string
	cleanup []func()
}

func (f *failures) Helper()           {}
func (f *failures) Cleanup(do func()) { f.cleanup = append(f.cleanup, do) }
func (f *failures) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// during runs do as a test that may fail, and gives the failure.
func during(do func(Reporter)) string {
	f := &failures{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(f)
	}()
	<-done
	for _, c := range f.cleanup {
		c()
	}
	return f.text
}

func TestWaitingInVainFails(t *testing.T) {
	t.Attr("part", "controls that a terminal is looked at")
	for name, do := range map[string]func(Reporter){
		"no such text":        func(r Reporter) { shell(r, "echo here; sleep 60").WaitFor("elsewhere", 300*time.Millisecond) },
		"no such text at all": func(r Reporter) { shell(r, "echo here").WaitFor("elsewhere", soon) },
		"no end":              func(r Reporter) { shell(r, "sleep 60").Exit(200 * time.Millisecond) },
		"never at rest": func(r Reporter) {
			shell(r, "while :; do echo x; sleep 0.02; done").Settled(300*time.Millisecond, soon/10)
		},
		"not a pattern": func(r Reporter) { shell(r, "echo").WaitFor("(", soon) },
		"no program":    func(r Reporter) { Start(r, Options{Program: "/does/not/exist"}) },
	} {
		if during(do) == "" {
			t.Errorf("%s: this did not fail", name)
		}
	}
}

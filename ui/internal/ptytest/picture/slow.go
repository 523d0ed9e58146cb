//go:build unix

package main

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/unix"

	"dj/keysplit/steps/demo"
	"dj/keysplit/ui/internal/ptytest"
)

// The turns in which the demo's backend runs while step 5 asks it. It answers in less
// than a millisecond, so that all lines would come in the same screen; a Django needs
// some twenty times as long.
const (
	turn  = 200 * time.Microsecond
	pause = 30 * time.Millisecond
	whole = 5 * time.Millisecond // a screen is written to its end when nothing follows for so long
)

// slowly makes the demo's backend, which runs as dir's keysplit, answer as slowly as a
// Django does, until stop is called.
func slowly(dir string) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	backends := backendsOf(dir)
	all := func(sig unix.Signal) {
		for _, pid := range backends {
			_ = unix.Kill(pid, sig) // one that has ended needs no slowing
		}
	}
	go func() {
		defer close(ended)
		defer all(unix.SIGCONT)
		runtime.LockOSThread()                          // and never unlocked: the thread ends with its priority
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, -20) // only root may; otherwise a busy machine makes the turns longer
		for {
			all(unix.SIGSTOP)
			select {
			case <-done:
				return
			case <-time.After(pause):
			}
			all(unix.SIGCONT)
			time.Sleep(turn)
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// backendsOf are the processes of the demo that serve, of the keysplit in dir.
func backendsOf(dir string) (pids []int) {
	processes, err := process.Processes()
	if err != nil {
		return nil
	}
	for _, p := range processes {
		args, err := p.CmdlineSlice()
		if err == nil && slices.Contains(args, demo.Command) && slices.Contains(args, "serve") && strings.Contains(args[0], filepath.Base(dir)) {
			pids = append(pids, int(p.Pid))
		}
	}
	return pids
}

// filling collects the screens that match during, one for each change of their text
// beside the spinner, until a screen matches end.
func filling(tm *ptytest.Terminal, during, end func(string) bool) (frames []ptytest.Frame) {
	last := ""
	for over := time.Now().Add(limit); time.Now().Before(over); {
		f := tm.Settled(whole, limit)
		text := strings.Map(withoutSpinner, f.Text())
		if end(text) {
			break
		}
		if during(text) && text != last {
			frames, last = append(frames, f), text
		}
	}
	return frames
}

// withoutSpinner drops the spinner's Braille.
func withoutSpinner(r rune) rune {
	if r >= 0x2800 && r <= 0x28FF {
		return -1
	}
	return r
}

//go:build unix

package ui

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"dj/keysplit/steps/sys/guard"
)

// caught is where a SIGTSTP goes while the wizard is shown. What stops a process
// that does not catch it would leave the shell with the wizard's screen.
var caught = make(chan os.Signal, 1)

// watchSuspend calls came for every SIGTSTP until its result is called. Under a
// shell that does not control jobs the signal may be ignored, and stays so.
func watchSuspend(came func(), failed func(error)) (end func()) {
	if signal.Ignored(syscall.SIGTSTP) {
		return func() {}
	}
	signal.Notify(caught, syscall.SIGTSTP)
	done := make(chan struct{})
	guard.Go(func() {
		for {
			select {
			case <-caught:
				came()
			case <-done:
				return
			}
		}
	}, failed)
	// Go does not restore what the system does by itself, so for the moment until
	// the program ends the signal does nothing.
	return func() { close(done) }
}

// haveShell reports whether somebody controls this job: the parent in another
// process group of the session. Without one nobody would ever continue it; the
// system does not stop such a group by SIGTSTP either (POSIX: an orphaned process
// group).
func haveShell() bool {
	group, session := unix.Getpgrp(), sessionOf(0)
	if group == session {
		return false
	}
	// A parent in the same group, such as a script, is stopped with us.
	parent, err := unix.Getpgid(unix.Getppid())
	return err == nil && (parent == group || sessionOf(unix.Getppid()) == session)
}

func sessionOf(pid int) int {
	session, err := unix.Getsid(pid)
	if err != nil {
		return -1
	}
	return session
}

// stopJob stops the whole job as ctrl+z would, and returns when it is continued.
// Nothing of this program may run in between, so it stops itself by the signal
// that cannot be caught.
func stopJob() {
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	watched := !signal.Ignored(syscall.SIGTSTP)
	signal.Ignore(syscall.SIGTSTP)
	_ = unix.Kill(0, syscall.SIGTSTP) // the others of the group
	_ = unix.Kill(unix.Getpid(), syscall.SIGSTOP)
	<-continued
	if watched {
		signal.Notify(caught, syscall.SIGTSTP)
	}
}

//go:build !windows

package djangotest

import (
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

func lockFile(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != unix.EINTR {
			return err
		}
	}
}

// ownGroup makes the command the head of a process group, so that the whole
// family can be ended.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &unix.SysProcAttr{Setpgid: true} }

func killGroup(p *os.Process) error { return unix.Kill(-p.Pid, unix.SIGKILL) }

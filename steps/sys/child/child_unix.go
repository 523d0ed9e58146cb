//go:build unix

package child

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// ownSession makes the child the leader of a session, and so of a process
// group, whose number is its process id. It has no controlling terminal.
func ownSession(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}

func terminate(leader *os.Process) error {
	err := syscall.Kill(-leader.Pid, syscall.SIGTERM)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

func kill(leader *os.Process) { _ = syscall.Kill(-leader.Pid, syscall.SIGKILL) }

// groupAlive reports whether any process of the group is left. The number of a
// group is not given to a new process while the group has a member.
func groupAlive(leader *os.Process) bool {
	return syscall.Kill(-leader.Pid, 0) == nil
}

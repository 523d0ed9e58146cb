package child

import (
	"os"
	"os/exec"
	"syscall"
)

// ownSession gives the child a process group and no console window. Windows has
// no /dev/tty; a child without a console cannot ask anything on one.
func ownSession(cmd *exec.Cmd) {
	const createNoWindow = 0x08000000
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | createNoWindow, HideWindow: true}
}

// terminate ends the child itself: Windows has no signal that asks, and its
// grandchildren are not reached.
func terminate(leader *os.Process) error { return leader.Kill() }

func kill(leader *os.Process) { _ = leader.Kill() }

func groupAlive(*os.Process) bool { return false }

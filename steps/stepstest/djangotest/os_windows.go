package djangotest

import (
	"os"
	"os/exec"
	"strconv"

	"golang.org/x/sys/windows"
)

func lockFile(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &windows.Overlapped{})
}

func ownGroup(*exec.Cmd) {}

// killGroup ends the process and its children; Windows has no groups to signal.
func killGroup(p *os.Process) error {
	return exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(p.Pid)).Run()
}

package cli

import (
	"golang.org/x/sys/unix"

	"dj/keysplit/steps/sys/child"
)

// guardMemory keeps the process's memory, which holds keys, out of core dumps
// and away from other processes of the same user. Neither needs
// privileges; where they fail there is nothing better to do than go on.
func guardMemory() {
	child.ForbidCore()
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

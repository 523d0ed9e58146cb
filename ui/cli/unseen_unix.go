//go:build unix && !linux

package cli

import "golang.org/x/sys/unix"

// dropTyped forgets what was typed on a terminal and not read yet.
func dropTyped(fd int) error {
	const input = 1 // FREAD of <sys/fcntl.h>
	return unix.IoctlSetPointerInt(fd, unix.TIOCFLUSH, input)
}

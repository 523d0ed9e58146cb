//go:build unix && !linux

package ptytest

import "golang.org/x/sys/unix"

const readAttr = unix.TIOCGETA

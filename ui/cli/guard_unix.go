//go:build unix && !linux

package cli

import "golang.org/x/sys/unix"

// guardMemory keeps the process's memory, which holds keys, out of core dumps.
func guardMemory() { _ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }

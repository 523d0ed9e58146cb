package cli

import "golang.org/x/sys/unix"

// guardMemory keeps the process's memory, which holds keys, out of core dumps
// and away from other processes of the same user. Both calls need no
// privileges; where they fail there is nothing better to do than go on.
func guardMemory() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

//go:build unix

package child

import (
	"os/exec"
	"sync"

	"golang.org/x/sys/unix"
)

// core is the limit for core dumps that this program was started with.
var core struct {
	mu    sync.Mutex
	had   unix.Rlimit
	taken bool
}

// ForbidCore takes core dumps from this process, whose memory holds keys, and from its children but those of
// Command.Core. The limit up to which it can be raised stays, for these.
func ForbidCore() {
	core.mu.Lock()
	defer core.mu.Unlock()
	if core.taken || unix.Getrlimit(unix.RLIMIT_CORE, &core.had) != nil {
		return
	}
	core.taken = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Max: core.had.Max}) == nil
}

// start starts the child, with the limit that this program had where that is asked for: a child is born with the limits
// of its parent. No other child starts in between.
func (c Command) start(cmd *exec.Cmd) error {
	core.mu.Lock()
	defer core.mu.Unlock()
	if c.Core && core.taken && unix.Setrlimit(unix.RLIMIT_CORE, &core.had) == nil {
		defer func() { _ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Max: core.had.Max}) }()
	}
	return cmd.Start()
}

package child

import "os/exec"

// ForbidCore has nothing to do: Windows writes no core dumps by itself.
func ForbidCore() {}

func (c Command) start(cmd *exec.Cmd) error { return cmd.Start() }

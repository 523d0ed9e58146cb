package child

import "os/exec"

// No account is ever found on Windows, where a file's owner is no number.
func become(*exec.Cmd, *Account)       {}
func (a *Account) MayRead(string) bool { return true }

// Owner is who a file belongs to, nil where that is not known.
func Owner(string) *Account { return nil }

//go:build unix

package child

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
)

// become makes the child run as the account.
func become(cmd *exec.Cmd, a *Account) {
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.UID, Gid: a.GID, Groups: a.Groups}
}

// MayRead reports whether the account may read a file, by the modes of the file and of
// the folders above it. Access lists are not looked at.
func (a *Account) MayRead(path string) bool {
	for at, bit := path, uint32(4); ; at, bit = filepath.Dir(at), 1 {
		info, err := os.Stat(at)
		if err != nil || !a.may(info, bit) {
			return false
		}
		if at == filepath.Dir(at) {
			return true
		}
	}
}

func (a *Account) may(info os.FileInfo, bit uint32) bool {
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok || a.UID == 0 {
		return true
	}
	switch {
	case sys.Uid == a.UID:
		bit <<= 6
	case sys.Gid == a.GID || slices.Contains(a.Groups, sys.Gid):
		bit <<= 3
	}
	return uint32(info.Mode().Perm())&bit != 0
}

// Owner is who a file belongs to, nil where it is not there.
func Owner(path string) *Account {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	sys := info.Sys().(*syscall.Stat_t)
	return OwnerAccount(sys.Uid, sys.Gid)
}

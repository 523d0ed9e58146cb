package envfile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// aclName is the extended attribute in which Linux keeps a POSIX access list (acl(5)). Its bytes are copied as
// they are.
const aclName = "system.posix_acl_access"

// readACL gives the access list of f, or nil when there is none or the file system knows none.
func readACL(f *os.File) ([]byte, error) {
	size := 256
	for {
		buf := make([]byte, size)
		n, err := unix.Fgetxattr(int(f.Fd()), aclName, buf)
		switch {
		case errors.Is(err, unix.ENODATA), errors.Is(err, unix.ENOTSUP):
			return nil, nil
		case errors.Is(err, unix.ERANGE) && size < 1<<16: // the kernel's limit for one attribute is 64 KiB
			size *= 4
		case err != nil:
			return nil, os.NewSyscallError("fgetxattr", err)
		default:
			return buf[:n:n], nil
		}
	}
}

// setACL gives f this access list, or takes its own away when acl is nil: a folder with a default list hands one to
// every new file, and it would let its users in as soon as the mode has group bits.
func setACL(f *os.File, acl []byte) error {
	if acl == nil {
		return os.NewSyscallError("fremovexattr", unix.Fremovexattr(int(f.Fd()), aclName))
	}
	return os.NewSyscallError("fsetxattr", unix.Fsetxattr(int(f.Fd()), aclName, acl, 0))
}

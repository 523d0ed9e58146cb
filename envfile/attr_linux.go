package envfile

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// readAttributes returns the extended attributes of f that a replacement has to keep: labels (security.selinux) and what
// users set. The access list has a way of its own, and the sums of security.ima and security.evm are made by the kernel
// for one content.
func readAttributes(f *os.File) (map[string][]byte, error) {
	names, err := attributeBytes(func(buf []byte) (int, error) { return unix.Flistxattr(int(f.Fd()), buf) })
	if err != nil {
		return nil, os.NewSyscallError("flistxattr", err)
	}
	var all map[string][]byte
	for name := range strings.SplitSeq(string(names), "\x00") {
		kind, _, _ := strings.Cut(name, ".")
		if kind != "user" && kind != "security" && kind != "trusted" || name == "security.ima" || name == "security.evm" {
			continue
		}
		value, err := attributeBytes(func(buf []byte) (int, error) { return unix.Fgetxattr(int(f.Fd()), name, buf) })
		if err != nil {
			return nil, os.NewSyscallError("fgetxattr", err)
		}
		if all == nil {
			all = map[string][]byte{}
		}
		all[name] = value
	}
	return all, nil
}

// attributeBytes calls read with a buffer that is large enough. There is nothing where the file system has no attributes,
// and where this user may not see one.
func attributeBytes(read func([]byte) (int, error)) ([]byte, error) {
	for size := 256; ; size *= 4 {
		buf := make([]byte, size)
		n, err := read(buf)
		switch {
		case err == nil:
			return buf[:n], nil
		case errors.Is(err, unix.ERANGE) && size < 1<<16: // the kernel's limit is 64 KiB
		case errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENODATA), errors.Is(err, fs.ErrPermission):
			return nil, nil
		default:
			return nil, err
		}
	}
}

func setAttribute(f *os.File, name string, value []byte) error {
	return os.NewSyscallError("fsetxattr", unix.Fsetxattr(int(f.Fd()), name, value, 0))
}

// sealed says whether chattr has taken a file or folder from everyone, root included: ReasonImmutable, ReasonAppendOnly
// or "".
func sealed(path string) Reason {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, 0, &st); err != nil {
		return ""
	}
	return sealedBy(st.Attributes)
}

func sealedBy(attributes uint64) Reason {
	switch {
	case attributes&unix.STATX_ATTR_IMMUTABLE != 0:
		return ReasonImmutable
	case attributes&unix.STATX_ATTR_APPEND != 0:
		return ReasonAppendOnly
	}
	return ""
}

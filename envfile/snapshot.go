package envfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// MaxSize is the largest file, in bytes, that Open reads and Replace writes: 1 MiB. A file of settings is a few
// kilobytes; one this large is a mistake in the path.
const MaxSize = 1 << 20

// Snapshot is a regular file as it was at one instant, or the knowledge that there was none. Replace compares the
// file with it before it changes anything, so that what another program saved in the meantime is never lost.
//
// Data holds secrets in clear, so a Snapshot prints as its path and length, and is no JSON.
type Snapshot struct {
	Path   string      // as it was asked for
	Target string      // absolute, every symbolic link resolved: the file that Replace changes
	Exists bool        // false: no such file in an existing folder; Replace then creates it with mode 0600
	Data   []byte      `json:"-"`
	Mode   fs.FileMode // permission, setuid, setgid and sticky bits
	UID    int         // -1 where the system has no numeric owners, or the file does not exist
	GID    int
	ACL    []byte // the POSIX access list as Linux stores it; nil where there is none

	attributes     map[string][]byte // extended ones, by name
	volume, number uint64            // which file it is: device and inode
}

// Open reads the file at path. Symbolic links are followed, and the link itself is left in place by Replace. A
// file that cannot be replaced safely (a pipe, a directory, a device, a socket, one with a second hard link, a broken
// link, one that may not be read, one over MaxSize) is a *RefusedError. Open never waits: a pipe is refused before
// it is opened, since the program at its other end may answer an opening by asking its user for a password.
func Open(path string) (*Snapshot, error) {
	target, err := resolve(path)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Path: path, Target: target, UID: -1, GID: -1}
	fi, err := os.Lstat(target)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, refusedByError(path, target, err)
	}
	if err := regular(path, fi); err != nil {
		return nil, err
	}
	// Between Lstat and here the name may have come to mean something else: a link is not followed, a pipe does not
	// block, and the open file is looked at again.
	f, err := os.OpenFile(target, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, refusedByError(path, target, err)
	}
	defer f.Close()
	if err := s.fill(f); err != nil {
		return nil, err
	}
	return s, nil
}

// fill reads everything that a Snapshot knows from an open file.
func (s *Snapshot) fill(f *os.File) error {
	fi, err := f.Stat()
	if err != nil {
		return fmt.Errorf("look at %s: %w", s.Path, err)
	}
	if err := regular(s.Path, fi); err != nil {
		return err
	}
	id, err := identify(f, fi)
	if err != nil {
		return fmt.Errorf("look at %s: %w", s.Path, err)
	}
	if id.links > 1 {
		return &RefusedError{Path: s.Path, Reason: ReasonHardLink}
	}
	m, err := metaOf(f)
	if err != nil {
		return fmt.Errorf("look at %s: %w", s.Path, err)
	}
	if s.attributes, err = readAttributes(f); err != nil {
		return fmt.Errorf("look at %s: %w", s.Path, err)
	}
	if fi.Size() > MaxSize {
		return tooLarge(s.Path, fi.Size())
	}
	data, err := io.ReadAll(io.NewSectionReader(f, 0, MaxSize+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", s.Path, err)
	}
	if len(data) > MaxSize { // it has grown since
		return tooLarge(s.Path, int64(len(data)))
	}
	s.Exists, s.Data = true, data
	s.Mode, s.UID, s.GID, s.ACL = m.mode, m.uid, m.gid, m.acl
	s.volume, s.number = id.volume, id.number
	return nil
}

// Writable says, without changing anything, why Replace would refuse to write: a *RefusedError, or nil.
func (s *Snapshot) Writable() error {
	if !utf8.ValidString(s.Target) {
		return &RefusedError{Path: s.Path, Reason: ReasonNameNotText}
	}
	for path, what := range map[string]string{s.Target: "the file", filepath.Dir(s.Target): "its folder"} {
		if reason := sealed(path); reason != "" {
			return &RefusedError{Path: s.Path, Reason: reason, Detail: what}
		}
	}
	if s.Exists {
		// Root may write to a file without any write bit. Whoever took the bits away meant everyone.
		if s.Mode&0o222 == 0 {
			return &RefusedError{Path: s.Path, Reason: ReasonReadOnly, Detail: describe(s.Mode, s.UID)}
		}
		if err := MayWrite(s.Target); err != nil {
			return refusedWriting(s.Path, ReasonReadOnly, describe(s.Mode, s.UID), err)
		}
	}
	folder := filepath.Dir(s.Target)
	if err := MayWrite(folder); err != nil {
		detail := ""
		if fi, statErr := os.Stat(folder); statErr == nil {
			detail = describe(fi.Mode().Perm(), ownerOf(fi))
		}
		return refusedWriting(s.Path, ReasonFolderReadOnly, detail, err)
	}
	if s.Exists {
		return mayKeep(s, folder)
	}
	return nil
}

// Format prints the path and the length, never the content, whatever the verb.
func (s Snapshot) Format(w fmt.State, _ rune) {
	fmt.Fprintf(w, "snapshot of %s, %d bytes", s.Path, len(s.Data))
}

// same reports whether two snapshots show the same file with the same content, owner, access list,
// attributes and mode.
func (s *Snapshot) same(o *Snapshot) bool {
	return s.Target == o.Target && s.Exists == o.Exists && s.volume == o.volume && s.number == o.number &&
		s.meta().equal(o.meta()) && bytes.Equal(s.Data, o.Data) && maps.EqualFunc(s.attributes, o.attributes, bytes.Equal)
}

func (s *Snapshot) meta() meta { return meta{mode: s.Mode, uid: s.UID, gid: s.GID, acl: s.ACL} }

// resolve follows every symbolic link of path. A last part that does not exist is allowed, in a folder that does.
func resolve(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", path, err)
	}
	target, err := filepath.EvalSymlinks(abs)
	if err == nil {
		return target, nil
	}
	// EvalSymlinks reports a loop as a nameless error of its own; the system's Stat has a number for it.
	if _, statErr := os.Stat(abs); statErr != nil && isLoop(statErr) {
		return "", &RefusedError{Path: path, Reason: ReasonLinkLoop}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", refusedByError(path, abs, err)
	}
	if fi, err := os.Lstat(abs); err == nil && fi.Mode()&fs.ModeSymlink != 0 {
		return "", &RefusedError{Path: path, Reason: ReasonDanglingLink}
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", &RefusedError{Path: path, Reason: ReasonNoFolder, Err: err}
	}
	if fi, err := os.Stat(folder); err != nil || !fi.IsDir() {
		return "", &RefusedError{Path: path, Reason: ReasonNoFolder, Err: err}
	}
	return filepath.Join(folder, filepath.Base(abs)), nil
}

// regular refuses whatever is not a regular file.
func regular(path string, fi fs.FileInfo) error {
	var reason Reason
	switch mode := fi.Mode(); {
	case mode.IsRegular():
		return nil
	case mode&fs.ModeNamedPipe != 0:
		reason = ReasonPipe
	case mode.IsDir():
		reason = ReasonDirectory
	case mode&fs.ModeSocket != 0:
		reason = ReasonSocket
	case mode&fs.ModeSymlink != 0: // only when the name was swapped after resolve
		reason = ReasonChanged
	default:
		reason = ReasonDevice
	}
	return &RefusedError{Path: path, Reason: reason}
}

// meta is what a file has beside its content and must not lose: mode, owner and access list.
type meta struct {
	mode     fs.FileMode
	uid, gid int // -1: whatever the system gives
	acl      []byte
}

func (m meta) equal(o meta) bool {
	return m.mode == o.mode && m.uid == o.uid && m.gid == o.gid && bytes.Equal(m.acl, o.acl)
}

// modeBits are the bits of a mode that Chmod can set.
const modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// metaOf reads the meta of an open file.
func metaOf(f *os.File) (meta, error) {
	fi, err := f.Stat()
	if err != nil {
		return meta{}, err
	}
	acl, err := readACL(f)
	if err != nil {
		return meta{}, fmt.Errorf("read the access list: %w", err)
	}
	return meta{mode: fi.Mode() & modeBits, uid: ownerOf(fi), gid: groupOf(fi), acl: acl}, nil
}

// identity tells files apart: two names with the same volume and number are one file.
type identity struct{ volume, number, links uint64 }

package envfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
)

// Reason is why a file was refused. The values are stable words that a caller may store.
type Reason string

const (
	ReasonPipe           Reason = "pipe"
	ReasonDirectory      Reason = "directory"
	ReasonDevice         Reason = "device"
	ReasonSocket         Reason = "socket"
	ReasonHardLink       Reason = "hard-link"
	ReasonDanglingLink   Reason = "dangling-link"
	ReasonLinkLoop       Reason = "link-loop"
	ReasonNoFolder       Reason = "no-folder"
	ReasonUnreadable     Reason = "unreadable"
	ReasonTooLarge       Reason = "too-large"
	ReasonReadOnly       Reason = "read-only"
	ReasonFolderReadOnly Reason = "folder-read-only"
	ReasonReadOnlySystem Reason = "read-only-file-system"
	ReasonNoRoom         Reason = "no-room"
	ReasonImmutable      Reason = "immutable"     // chattr +i
	ReasonAppendOnly     Reason = "append-only"   // chattr +a
	ReasonNameTooLong    Reason = "name-too-long" // for the system
	ReasonNameNotText    Reason = "name-not-text" // not UTF-8, which the ledger could not give back
	ReasonChanged        Reason = "changed"       // another program changed the file after the Snapshot
	ReasonLocked         Reason = "locked"        // another run holds the lock
	ReasonCannotKeep     Reason = "cannot-keep"   // owner, access list or mode would be lost
	ReasonForeign        Reason = "foreign"       // Revert: the content is neither the old nor the new version
	ReasonBackupDamaged  Reason = "backup-damage" // Revert: the backup is not what the intent says
)

// RefusedError says that a file was left as it was, and why. Its text is one sentence that ends with what to do.
type RefusedError struct {
	Path   string // as the caller gave it
	Reason Reason
	Detail string // a few words for the sentence: owner and mode, or which process
	Err    error  // what the system said, where it said something; not part of the sentence
}

// Advice is the end of the sentence: what to do.
func (e *RefusedError) Advice() string { return refusals[e.Reason].todo }

// Unwrap gives the system's error.
func (e *RefusedError) Unwrap() error { return e.Err }

func (e *RefusedError) Error() string { return e.What() + ": " + e.Advice() }

// What is the sentence without the advice at its end.
func (e *RefusedError) What() string {
	detail := ""
	if e.Detail != "" {
		detail = " (" + e.Detail + ")"
	}
	return e.Path + " " + refusals[e.Reason].what + detail
}

var refusals = map[Reason]struct{ what, todo string }{
	ReasonPipe: {"is a named pipe that another program fills, as 1Password does",
		"add the value in that program, or name a regular file"},
	ReasonDirectory:    {"is a folder", "name the file inside it"},
	ReasonDevice:       {"is a device", "name a regular file"},
	ReasonSocket:       {"is a socket", "name a regular file"},
	ReasonHardLink:     {"has a second name (a hard link), and replacing it would part the two", "copy it to a file of its own first"},
	ReasonDanglingLink: {"is a symbolic link to a file that does not exist", "create that file, or correct the link"},
	ReasonLinkLoop:     {"is a symbolic link that leads back to itself", "correct the link"},
	ReasonNoFolder:     {"is in a folder that does not exist", "create the folder, or correct the path"},
	ReasonUnreadable:   {"may not be read by this user", "run as its owner, or ask the owner for access"},
	ReasonTooLarge:     {"is too large for a file of settings", "check that the path is right; 1 MiB is the limit"},
	ReasonReadOnly:     {"is read-only for this user", "run as its owner, or make it writable (chmod u+w) if that is meant"},
	ReasonFolderReadOnly: {"is in a folder that this user may not write to",
		"run as the owner of the folder, or ask for access"},
	ReasonReadOnlySystem: {"is on a read-only file system", "change it where the file comes from"},
	ReasonNoRoom:         {"is on a disk that is full", "make room on it, then run this again"},
	ReasonImmutable: {"is protected from every change, root's included, by chattr +i",
		"take that off first (sudo chattr -i) if the change is meant; lsattr -d shows it"},
	ReasonAppendOnly: {"is protected from being replaced, by root too, by chattr +a",
		"take that off first (sudo chattr -a) if the change is meant; lsattr -d shows it"},
	ReasonNameTooLong: {"has a name or a path that is too long for this system", "use a shorter one"},
	ReasonNameNotText: {"has a name that is not UTF-8, or is in a folder with such a name", "rename it first"},
	ReasonChanged:     {"was changed by another program just now, and that change was kept", "run this again"},
	ReasonLocked:      {"is being changed by another run of this program", "wait for it to end, then run this again"},
	ReasonCannotKeep:  {"would lose its owner, access list or mode", "run as its owner or as root"},
	ReasonForeign: {"was changed by someone else since, and that change was kept",
		"look at it before the earlier version is restored over it"},
	ReasonBackupDamaged: {"cannot be restored, since its backup does not hold what was saved", "restore it by hand"},
}

// tooLarge refuses a file of size bytes.
func tooLarge(path string, size int64) error {
	return &RefusedError{Path: path, Reason: ReasonTooLarge, Detail: fmt.Sprintf("%.1f MiB", float64(size)/(1<<20))}
}

// refusedByError turns what the system said about reading a file into a refusal, where it is one.
func refusedByError(path, target string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		detail := ""
		if fi, statErr := os.Lstat(target); statErr == nil {
			detail = describe(fi.Mode()&modeBits, ownerOf(fi))
		}
		return &RefusedError{Path: path, Reason: ReasonUnreadable, Detail: detail, Err: err}
	case isNameTooLong(err):
		return &RefusedError{Path: path, Reason: ReasonNameTooLong, Err: err}
	case isNotDir(err):
		return &RefusedError{Path: path, Reason: ReasonNoFolder, Err: err}
	case isLoop(err): // O_NOFOLLOW met a link that was not there a moment ago
		return &RefusedError{Path: path, Reason: ReasonChanged, Err: err}
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// refusedWriting chooses between a file that this user may not write and a file system that nobody may.
func refusedWriting(path string, reason Reason, detail string, err error) error {
	if isReadOnlySystem(err) {
		reason, detail = ReasonReadOnlySystem, ""
	}
	return &RefusedError{Path: path, Reason: reason, Detail: detail, Err: err}
}

// describe gives owner and mode in words, such as "owner deploy, mode 0400".
func describe(mode fs.FileMode, uid int) string {
	words := fmt.Sprintf("mode %04o", mode.Perm())
	if uid < 0 {
		return words
	}
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return "owner " + u.Username + ", " + words
	}
	return "owner number " + id + ", " + words
}

package envfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// lockPoll is how often a waiting run tries again.
const lockPoll = 20 * time.Millisecond

// ErrHeld is what TryLock returns while another process has the lock.
var ErrHeld = errors.New("the lock is held")

// lock is an advisory lock on one target, which every run of this program takes before it writes. Its file lies in the
// caller's folder, not beside the target, and the system frees it when its process ends in any way. The
// lock file stays: removing it would let two runs lock two files of one name.
//
// Two users, or one with two folders for locks, do not see each other's file. So the target's folder is locked too, by
// its descriptor, which leaves nothing behind: always second, so that two runs never wait for each other. That one is not
// needed: without it, the exchange of the files keeps what another run wrote.
type lock struct {
	f      *os.File
	folder *os.File // nil where it is not locked
	holder string   // who kept the folder's lock for longer than was waited; "" for nobody
}

// acquire waits up to wait for the lock on target, and less if ctx ends. The refusal names the holder. path is for
// messages.
func acquire(ctx context.Context, folder, target, path string, wait time.Duration) (*lock, error) {
	if folder == "" {
		return nil, errors.New("no folder for locks was given")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for locks: %w", err)
	}
	sum := sha256.Sum256([]byte(target))
	name := filepath.Join(folder, hex.EncodeToString(sum[:16])+".lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock for %s: %w", path, err)
	}
	deadline := time.Now().Add(wait)
	if err := take(ctx, f, path, deadline, func() string { return holder(f) }); err != nil {
		f.Close()
		return nil, err
	}
	l := &lock{f: f}
	if l.folder, l.holder, err = lockFolder(ctx, filepath.Dir(target), path, deadline); err != nil {
		l.release()
		return nil, err
	}
	if err := l.sign(); err != nil {
		l.release()
		return nil, fmt.Errorf("sign the lock for %s: %w", path, err)
	}
	return l, nil
}

// take waits for a lock until the deadline, and less if ctx ends.
func take(ctx context.Context, f *os.File, path string, deadline time.Time, holder func() string) error {
	for {
		err := TryLock(f)
		if err == nil {
			return nil
		}
		if ctxErr := ctx.Err(); errors.Is(err, ErrHeld) && ctxErr != nil {
			err = ctxErr
		} else if errors.Is(err, ErrHeld) && time.Now().Before(deadline) {
			pause(ctx, lockPoll)
			continue
		} else if errors.Is(err, ErrHeld) {
			return &RefusedError{Path: path, Reason: ReasonLocked, Detail: holder()}
		}
		return fmt.Errorf("lock %s: %w", path, err)
	}
}

// sign writes who holds the lock, for the message of the next one.
func (l *lock) sign() error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func (l *lock) release() {
	if l.folder != nil {
		l.folder.Close()
	}
	l.f.Close()
}

// holder reads who signed. The holder may be between its Truncate and its WriteAt: then nobody is named.
func holder(f *os.File) string {
	line, _ := io.ReadAll(io.NewSectionReader(f, 0, 32))
	pid, err := strconv.Atoi(strings.TrimSpace(string(line)))
	if err != nil {
		return ""
	}
	return "process " + strconv.Itoa(pid)
}

// pause sleeps for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

//go:build unix

package envfile

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o600) }

func TestOpenRefusesPipeAtOnce(t *testing.T) {
	p := newPlace(t, nil)
	if err := syscall.Mkfifo(p.target, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { _, err := Open(p.target); done <- err }()
	select {
	case err := <-done:
		refusedWith(t, err, ReasonPipe)
	case <-time.After(5 * time.Second):
		t.Fatal("Open waits for the other end of the pipe")
	}
}

// A program that waits at the other end of a pipe is not woken: it might ask its user for a password then.
func TestReplaceOpensNoPipe(t *testing.T) {
	for _, moment := range lastMoments() {
		p := newPlace(t, []byte("A=1\n"))
		woken := make(chan struct{})
		p.opts.before = func(step string) error {
			if step != moment {
				return nil
			}
			err := swapIn(mkfifo)(p)
			go func() {
				defer close(woken)
				if f, err := os.OpenFile(p.target, os.O_WRONLY, 0); err == nil {
					f.Close()
				}
			}()
			time.Sleep(100 * time.Millisecond) // for it to wait
			return err
		}
		_, err := p.replaceSoon(t, []byte("A=2\n"))
		refusedWith(t, err, ReasonChanged)
		select {
		case <-woken:
			t.Errorf("%s: the pipe was opened", moment)
		case <-time.After(100 * time.Millisecond):
		}
		f, err := os.OpenFile(p.target, os.O_RDONLY|openFlags, 0)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-woken: // the control: it waited there
		case <-time.After(5 * time.Second):
			t.Errorf("%s: nothing waited at the pipe", moment)
		}
		f.Close()
	}
}

// A pipe that takes the place of the file after it was looked at must not block either: fill is what sees it then.
func TestFillRefusesPipe(t *testing.T) {
	p := newPlace(t, nil)
	if err := syscall.Mkfifo(p.target, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(p.target, os.O_RDONLY|openFlags, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	refusedWith(t, (&Snapshot{Path: p.target}).fill(f), ReasonPipe)
}

func TestOpenRefusesSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "s") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, ".env")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Open(path)
	refusedWith(t, err, ReasonSocket)
}

func TestReadOnlyModeIsRefusedEvenForRoot(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	if err := os.Chmod(p.target, 0o444); err != nil {
		t.Fatal(err)
	}
	_, err := p.replace(t, []byte("A=2\n"))
	refusedWith(t, err, ReasonReadOnly)
	if !strings.Contains(err.Error(), "mode 0444") {
		t.Errorf("%q does not tell the mode", err)
	}
	p.holds(t, []byte("A=1\n"))
	p.clean(t)
}

// TestAsNobody runs every refusal that root never meets in a process without rights.
func TestAsNobody(t *testing.T) {
	if os.Getuid() != 0 {
		missingTool(t, "needs root to become another user", errors.New("not root"))
	}
	for name, c := range map[string]struct {
		owner           int
		file, folder    os.FileMode
		want            string
		wantReasonWords string
	}{
		"unreadable file":           {0, 0o600, 0o777, "unreadable", "owner root, mode 0600"},
		"folder without entry":      {0, 0o666, 0o700, "unreadable", ""},
		"readable, not writable":    {0, 0o644, 0o777, "read-only", "owner root, mode 0644"},
		"folder not writable":       {65534, 0o600, 0o755, "folder-read-only", "owner root, mode 0755"},
		"owner cannot be kept":      {0, 0o666, 0o777, "cannot-keep", ""},
		"control: own file, folder": {65534, 0o600, 0o777, "replaced", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, []byte("A=1\n"))
			base := filepath.Dir(p.house)
			for _, err := range []error{
				os.Chmod(filepath.Dir(base), 0o755), os.Chmod(base, 0o777), os.Chmod(p.ledger.dir, 0o777),
				os.Chown(p.target, c.owner, c.owner), os.Chmod(p.target, c.file), os.Chmod(p.house, c.folder),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			out, err := roleCommand(t, "nobody", p).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if !strings.HasPrefix(string(out), c.want+"\n") || !strings.Contains(string(out), c.wantReasonWords) {
				t.Errorf("got %q, want %q and %q", out, c.want, c.wantReasonWords)
			}
			if c.want == "replaced" {
				p.holds(t, []byte("A=2\n"))
			} else {
				p.holds(t, []byte("A=1\n"))
			}
			p.clean(t)
		})
	}
}

// playNobody gives up root and tries to replace the target. It prints the reason or the state, then the error.
func playNobody(ctx context.Context, p place) error {
	const nobody = 65534
	for _, err := range []error{syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)} {
		if err != nil {
			return err
		}
	}
	snap, err := Open(p.target)
	var out Outcome
	if err == nil {
		ahead := snap.Writable()
		out, err = Replace(ctx, snap, []byte("A=2\n"), p.ledger, p.opts)
		if (ahead == nil) != (err == nil) {
			return fmt.Errorf("ahead of it %v, then %v", ahead, err)
		}
	}
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		fmt.Printf("%s\n%v\n", refused.Reason, err)
	case err != nil:
		return err
	default:
		fmt.Println(out.State)
	}
	return nil
}

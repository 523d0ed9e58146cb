package envfile

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestLockWaitsThenNamesTheHolder(t *testing.T) {
	t.Attr("part", "writers and editors at once")
	p := newPlace(t, []byte("A=1\n"))
	cmd := roleCommand(t, "hold", p)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer stdin.Close()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("%q, %v", line, err)
	}

	p.opts.LockWait = 100 * time.Millisecond
	began := time.Now()
	out, err := p.replace(t, []byte("A=2\n"))
	refusedWith(t, err, ReasonLocked)
	if waited := time.Since(began); waited < p.opts.LockWait || out.State != Unchanged {
		t.Errorf("waited %v, %+v", waited, out)
	}
	if !strings.Contains(err.Error(), fmt.Sprint("process ", cmd.Process.Pid)) {
		t.Errorf("%q does not name process %d", err, cmd.Process.Pid)
	}
	p.holds(t, []byte("A=1\n"))

	// A cancelled context ends the waiting at once.
	p.opts.LockWait = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := Replace(ctx, p.open(t), []byte("A=2\n"), p.ledger, p.opts); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}

	// The holder's end is enough, however it ends; the file stays and does no harm.
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if out, err := p.replace(t, []byte("A=2\n")); err != nil || out.State != Replaced {
		t.Errorf("after the holder's end: %+v, %v", out, err)
	}
}

func TestLockIsPerTarget(t *testing.T) {
	t.Attr("part", "writers and editors at once")
	p := newPlace(t, []byte("A=1\n"))
	ctx := context.Background()
	one, err := acquire(ctx, p.opts.LockDir, p.target, p.target, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer one.release()
	other, err := acquire(ctx, p.opts.LockDir, filepath.Join(t.TempDir(), "other"), p.target, 0)
	if err != nil {
		t.Fatalf("another target is locked as well: %v", err)
	}
	other.release()
	_, err = acquire(ctx, p.opts.LockDir, p.target, p.target, 0)
	refusedWith(t, err, ReasonLocked)
}

// Anyone who may read the project's folder can hold a lock on it. That stops no write: it is waited for, and named.
func TestAForeignLockOnTheFolderStopsNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: folders take no lock here")
	}
	p := newPlace(t, []byte("A=1\n"))
	one, err := acquire(context.Background(), t.TempDir(), p.target, p.target, 0)
	if err != nil {
		t.Fatal(err)
	}
	p.opts.LockWait = 100 * time.Millisecond
	began := time.Now()
	out, err := p.replace(t, []byte("A=2\n"))
	if waited := time.Since(began); err != nil || out.State != Replaced || waited < p.opts.LockWait {
		t.Fatalf("after %v: %+v, %v", waited, out, err)
	}
	if runtime.GOOS == "linux" && !strings.Contains(out.Holder, fmt.Sprintf("process %d (", os.Getpid())) {
		t.Errorf("the holder is %q, not this process", out.Holder)
	} else if out.Holder == "" {
		t.Error("no holder is named")
	}
	p.holds(t, []byte("A=2\n"))
	p.clean(t)
	one.release()
	if out, err := p.replace(t, []byte("A=3\n")); err != nil || out.State != Replaced || out.Holder != "" {
		t.Errorf("after the release: %+v, %v", out, err)
	}
}

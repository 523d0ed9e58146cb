package envfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What a file does not take or show is an error of each part that asks it, never a result.
func TestAFileThatAnswersNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".env")
	put(t, path, []byte("A=b\n"))
	closed, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0) // it takes what is written, and has no length
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	unsynced, err := os.OpenFile("/proc/self/oom_score_adj", os.O_RDWR, 0) // it reads as it was written, and cannot be synced
	if err != nil {
		t.Fatal(err)
	}
	defer unsynced.Close()
	same, err := io.ReadAll(unsynced)
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func() error{
		"attributes":      func() error { _, err := readAttributes(closed); return err },
		"keep attributes": func() error { return (&replacement{temp: closed, snap: &Snapshot{}}).keepAttributes() },
		"mode and owner":  func() error { _, err := metaOf(closed); return err },
		"apply them":      func() error { return applyMeta(closed, meta{}) },
		"read":            func() error { return (&Snapshot{Path: path}).fill(closed) },
		"write":           func() error { return overwriteAll(readOnly, []byte("A=b\n")) },
		"cut":             func() error { return overwriteAll(null, nil) },
		"sync":            func() error { return overwriteAll(unsynced, same) },
		"sign the lock":   func() error { return (&lock{f: null}).sign() },
		"a line to lift": func() error {
			_, err := Edit([]byte("A=b # c\n"), For{Readers: []Dialect{Decouple}}, Lift{Line: 99})
			return err
		},
		"the target to go": func() error {
			return (&replacement{snap: &Snapshot{Target: path}, intent: Intent{Target: path, Temp: filepath.Base(path)}}).takeAway()
		},
	} {
		if err := try(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Without its lock nothing is changed, taken back or recovered.
func TestWithoutALockNothingIsDone(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(p *place) error{
		"its folder cannot be made": func(p *place) error { p.opts.LockDir = filepath.Join(p.target, "locks"); return nil },
		"it cannot be opened": func(p *place) error {
			sum := sha256.Sum256([]byte(p.target))
			p.opts.LockDir = filepath.Join(filepath.Dir(p.house), "other")
			return os.MkdirAll(filepath.Join(p.opts.LockDir, hex.EncodeToString(sum[:16])+".lock"), 0o700)
		},
	} {
		p := newPlace(t, []byte("A=1\n"))
		if _, err := p.replace(t, []byte("A=2\n")); err != nil {
			t.Fatal(err)
		}
		in := p.only(t)
		if err := spoil(&p); err != nil {
			t.Fatal(err)
		}
		if out, err := p.replace(t, []byte("A=3\n")); err == nil || out.State != Unchanged {
			t.Errorf("%s, replace: %+v, %v", name, out, err)
		}
		if out, err := Revert(context.Background(), in, p.ledger, p.opts, true); err == nil || out.State != Unchanged {
			t.Errorf("%s, revert: %+v, %v", name, out, err)
		}
		if out, err := Recover(context.Background(), in, p.ledger, p.opts); err == nil {
			t.Errorf("%s, recover: %+v", name, out)
		}
		if now := string(p.open(t).Data); now != "A=2\n" {
			t.Errorf("%s: the file holds %q", name, now)
		}
	}
}

// An edit that cannot be given back keeps a change from being taken back.
func TestARevertBesideAnEditThatCannotGoBack(t *testing.T) {
	t.Parallel()
	p := newPlace(t, nil)
	id := randomName()
	in := Intent{ID: id, Path: p.target, Target: p.target, Temp: tempName(p.target, id), Removes: true, OldSum: testSum([]byte("A=1\n"))}
	put(t, filepath.Join(p.house, in.Temp), []byte("edited\n"))
	made(t, "", os.Mkdir(p.target, 0o700))
	for name, act := range map[string]func() (Outcome, error){
		"revert":  func() (Outcome, error) { return Revert(context.Background(), in, p.ledger, p.opts, true) },
		"recover": func() (Outcome, error) { return Recover(context.Background(), in, p.ledger, p.opts) },
	} {
		if out, err := act(); err == nil || !strings.Contains(err.Error(), "remove the temporary file") {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	if _, err := os.Stat(filepath.Join(p.house, in.Temp)); err != nil {
		t.Error("the edit is gone:", err)
	}
}

// forgetful is a ledger that gives each content so many times.
type forgetful struct {
	Ledger
	gives map[string]int
}

func (l forgetful) Kept(id string) ([]byte, error) {
	if l.gives[id] == 0 {
		return nil, fs.ErrNotExist
	}
	l.gives[id]--
	return l.Ledger.Kept(id)
}

// An overwriting that broke off and cannot be repaired is damage, and is said to be.
func TestARepairThatFails(t *testing.T) {
	t.Parallel()
	before, after := []byte("A=1\nB=1\n"), []byte("A=2\nB=2\n")
	p := newPlace(t, []byte("A=2\nB=1\n"))
	old, err := p.ledger.Keep(p.target, before)
	made(t, "", err)
	next, err := p.ledger.Keep(p.target, after)
	made(t, "", err)
	in := Intent{ID: randomName(), Path: p.target, Target: p.target, InPlace: true, OldSum: testSum(before), NewSum: testSum(after), BackupID: old, StagedID: next}
	for name, c := range map[string]struct {
		gives map[string]int
		state State
	}{"no new version": {map[string]int{old: 2}, Foreign}, "no backup any more": {map[string]int{old: 1, next: 1}, Damaged}} {
		if out, err := Recover(context.Background(), in, forgetful{p.ledger, c.gives}, p.opts); err == nil || out.State != c.state {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	for name, c := range map[string]struct {
		snap *Snapshot
		is   error
	}{
		"it is gone":  {&Snapshot{Exists: true, Target: p.target + "-gone"}, fs.ErrNotExist},
		"it was read": {&Snapshot{Exists: true, Target: p.target, Data: []byte("another")}, nil},
	} {
		r := &replacement{ledger: p.ledger, snap: c.snap, intent: in}
		if err := r.repair(); err == nil || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("repaired, %s: %v", name, err)
		}
		if err := r.resync(); (err != nil) != (c.is != nil) {
			t.Errorf("synced, %s: %v", name, err)
		}
	}
	if err := (&replacement{snap: &Snapshot{Exists: true, Target: os.DevNull}}).resync(); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("what cannot be synced counts as durable: %v", err)
	}
	if now := string(p.open(t).Data); now != "A=2\nB=1\n" {
		t.Errorf("the file holds %q", now)
	}
	if out, err := Recover(context.Background(), in, p.ledger, p.opts); err != nil || out.State != Unchanged || string(p.open(t).Data) != string(before) {
		t.Errorf("the control: %+v, %v", out, err)
	}
}

// A name that is gone or taken ends a rename with its error, and an edit that was taken out
// and cannot go back is left to the next run.
func TestARenameThatFails(t *testing.T) {
	t.Parallel()
	p := newPlace(t, []byte("A=1\n"))
	temp := filepath.Join(p.house, "temp")
	f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE, 0o600)
	made(t, "", err)
	made(t, "", os.Remove(temp))
	r := &replacement{temp: f, snap: &Snapshot{Path: p.target + "-new", Target: p.target + "-new"}, intent: Intent{Target: p.target, Temp: "temp"}}
	if err := r.rename(); err == nil || r.temp == nil {
		t.Errorf("a version that is gone was renamed: %v", err)
	}
	r = &replacement{snap: p.open(t), intent: Intent{Target: p.target, Temp: "temp"}}
	if err := r.putBack(&Snapshot{}); !errors.Is(err, fs.ErrNotExist) || r.leftover == nil {
		t.Errorf("put back: %v, left over %v", err, r.leftover)
	}
	put(t, temp, []byte("another's\n"))
	if err := r.takeAway(); !errors.Is(err, fs.ErrExist) || string(p.open(t).Data) != "A=1\n" {
		t.Errorf("taken away: %v", err)
	}
	if _, err := os.Stat(temp); err != nil {
		t.Error("what lay there is gone:", err)
	}
}

// A lock whose folder's cannot be taken is given back: who tries again does not wait for it.
func TestALockThatIsHalfTakenIsGivenBack(t *testing.T) {
	t.Parallel()
	file, locks := filepath.Join(t.TempDir(), "file"), t.TempDir()
	put(t, file, nil)
	for range 2 {
		if _, err := acquire(t.Context(), locks, filepath.Join(file, ".env"), ".env", 0); !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("error %v", err)
		}
	}
}

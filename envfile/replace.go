package envfile

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// Ledger is the caller's durable memory: it keeps what Recover and Revert need after a run was killed. Each method
// returns only when its effect would survive a power cut, and whatever it stores is for this user's eyes alone
// (mode 0600), outside the folder of the target.
type Ledger interface {
	// Keep stores the content of a file, secrets included, and names it.
	Keep(target string, data []byte) (id string, err error)
	// Kept gives back what Keep stored.
	Kept(id string) ([]byte, error)
	// Begin notes what is about to happen. A second Begin with the same Intent.ID takes the place of the first.
	Begin(Intent) error
	// Finish notes how it ended. An intent that was begun and not finished is a case for Recover.
	Finish(Intent, Outcome) error
}

// Intent is what a run is about to do to one file. It can be stored as JSON and holds no secret: contents
// appear as the caller's fingerprints only.
type Intent struct {
	ID       string      `json:"id"`
	Path     string      `json:"path"`     // as the user named it
	Target   string      `json:"target"`   // absolute, links resolved
	Temp     string      `json:"temp"`     // name of the temporary file in the folder of Target; empty if there is none
	Created  bool        `json:"created"`  // there was no file before
	Removes  bool        `json:"removes"`  // there shall be no file after
	InPlace  bool        `json:"in_place"` // Target is being overwritten, since it cannot be renamed over
	OldSum   string      `json:"old_sum"`  // fingerprint of the content before; empty if Created
	NewSum   string      `json:"new_sum"`  // fingerprint of the content after; empty if Removes
	BackupID string      `json:"backup_id"`
	StagedID string      `json:"staged_id"`          // the new content in the ledger; only if InPlace
	OldMode  fs.FileMode `json:"old_mode,omitempty"` // before, where the change is one of the mode; 0 where it is not
	Mode     fs.FileMode `json:"mode"`               // mode, owner and access list that Target has after it
	UID      int         `json:"uid"`
	GID      int         `json:"gid"`
	ACL      []byte      `json:"acl,omitempty"`
}

// State is how a change to a file ended. The values are stable words that a caller may store.
type State string

const (
	Unchanged  State = "unchanged"   // the file is as it was before
	Replaced   State = "replaced"    // the new content is there and survives a power cut
	NotDurable State = "not-durable" // the new content is there; whether it survives a power cut is unknown
	Damaged    State = "damaged"     // overwriting in place broke off, and so did restoring it: Recover
	Foreign    State = "foreign"     // someone else's content is there; it was left alone
)

// Outcome is the end of one Replace, Recover or Revert.
type Outcome struct {
	State   State `json:"state"`
	InPlace bool  `json:"in_place"` // the change was not atomic: a reader could have seen half of it
	// Holder is who held a lock on the folder for longer than LockWait, so that the change went on without it.
	Holder string `json:"holder,omitempty"`
	// Lost names the extended attributes that the new version could not be given, such as security.selinux.
	// They are for a message, in one text, so that outcomes compare.
	Lost string `json:"lost,omitempty"`
}

// Changed reports whether the file is not, or may not be, what it was before.
func (o Outcome) Changed() bool {
	return o.State == Replaced || o.State == NotDurable || o.State == Damaged
}

// Options is what Replace, Recover and Revert need from their caller.
type Options struct {
	LockDir     string                   // folder for lock files, made with mode 0700 if missing
	LockWait    time.Duration            // how long to wait for another run that changes the same file
	Fingerprint func(data []byte) string // keyed, since a plain hash of a short secret can be guessed
	Mode        fs.FileMode              // that the file gets; zero is the one it has, and 0600 for one that Replace makes

	// before, in tests only, is called ahead of each named step; its error takes the place of the step.
	before func(step string) error
}

// replacement is one change to one file on its way through the steps.
type replacement struct {
	opts   Options
	ledger Ledger
	snap   *Snapshot // what the file must still be
	data   []byte    // what it should be
	want   meta
	intent Intent

	folder   *os.File
	temp     *os.File // nil before it is made and after it was renamed or removed
	begun    bool
	lost     []string
	leftover error // why the earlier version could not be removed after it was exchanged
}

// step is one part of the sequence: its name, said in errors as "name path: cause", and its work.
type step struct {
	name string
	do   func() error
}

// steps is the order in which a file is replaced. Up to the rename every failure leaves the target untouched and
// nothing beside it; a kill leaves at most the temporary file, whose name the ledger then knows.
func (r *replacement) steps() []step {
	return []step{
		// The backup comes before anything can go wrong with the original.
		{"back up", r.backUp},
		// The ledger knows the temporary name before that file exists, so no kill can leave an unknown one.
		{"note the plan for", r.begin},
		// Opened now: once the rename is done, nothing but the sync itself should be able to fail.
		{"open the folder of", r.openFolder},
		// In the same folder, since a rename works only within one file system; 0600 until it is complete.
		{"make a temporary file beside", r.makeTemp},
		{"write the new version of", r.write},
		// While it is ours and may be written.
		{"keep the attributes of", r.keepAttributes},
		// Owner first: chown clears mode bits. Then the access list, which changes the group bits. Then the mode.
		{"keep the owner and mode of", func() error { return keepMeta(r.temp, r.snap.Path, r.want) }},
		// Without this the rename could reach the disk before the content: an empty file after a power cut.
		{"sync the new version of", func() error { return r.temp.Sync() }},
		// Some disks and network file systems report success for what they did not write.
		{"read back the new version of", r.readBack},
		// The last look: an editor may have saved since the snapshot. Its work is kept, ours is dropped.
		{"compare", r.compare},
		// In one step, and where the system can exchange two names with one more look at what was taken out.
		{renameStep, r.rename},
	}
}

// Replace puts data in the place of the file that snap shows, in one step that is whole or does not happen, and keeps
// its owner, mode, access list and the symbolic links that lead to it. It writes nothing when nothing changes.
//
// An error with Unchanged means that the file is as it was, and nothing lies beside it. A *RefusedError says why that
// was so by intent; with ReasonChanged or ReasonLocked the caller may Open again and repeat. NotDurable and Damaged
// come with an error as well. An error with Replaced means only that the ledger could not note the end.
//
// ctx can stop it until the rename. A single file that is mounted by itself, as containers do, cannot be
// renamed over; it is overwritten in place, and Outcome.InPlace says so.
func Replace(ctx context.Context, snap *Snapshot, data []byte, ledger Ledger, opts Options) (Outcome, error) {
	held, err := acquire(ctx, opts.LockDir, snap.Target, snap.Path, opts.LockWait)
	if err != nil {
		return Outcome{State: Unchanged}, err
	}
	defer held.release()
	want := snap.meta()
	if !snap.Exists {
		want = meta{mode: 0o600, uid: -1, gid: -1}
	}
	if opts.Mode != 0 {
		want.mode = opts.Mode
	}
	want.mode = shown(want.mode)
	out, err := replace(ctx, snap, data, want, ledger, opts)
	out.Holder = held.holder
	return out, err
}

// replace is Replace under a lock that is already held, and with the meta that the file should have.
func replace(ctx context.Context, snap *Snapshot, data []byte, want meta, ledger Ledger, opts Options) (Outcome, error) {
	r := &replacement{opts: opts, ledger: ledger, snap: snap, data: data, want: want}
	if len(data) > MaxSize {
		return Outcome{State: Unchanged}, tooLarge(snap.Path, int64(len(data)))
	}
	if err := r.compare(); err != nil {
		return Outcome{State: Unchanged}, err
	}
	if snap.Exists && bytes.Equal(snap.Data, data) && snap.meta().equal(want) {
		return Outcome{State: Unchanged}, nil
	}
	if err := snap.Writable(); err != nil {
		return Outcome{State: Unchanged}, err
	}
	defer r.close()
	for _, s := range r.steps() {
		err := r.run(ctx, s)
		if s.name == renameStep && cannotRename(err) && snap.Exists {
			return r.overwrite(ctx)
		}
		if err != nil {
			return r.giveUp(err)
		}
	}
	return r.settle(Outcome{State: Replaced})
}

// renameStep is the only step whose failure has another way on.
const renameStep = "rename the new version over"

// run does one step unless ctx has ended, and says in the error which step of which file it was.
func (r *replacement) run(ctx context.Context, s step) error {
	err := ctx.Err()
	if err == nil && r.opts.before != nil {
		err = r.opts.before(s.name)
	}
	if err == nil {
		err = s.do()
	}
	var refused *RefusedError
	if err == nil || errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("%s %s: %w", s.name, r.snap.Path, err)
}

func (r *replacement) backUp() error {
	if !r.snap.Exists {
		return nil
	}
	id, err := r.ledger.Keep(r.snap.Target, r.snap.Data)
	r.intent.BackupID = id
	return err
}

func (r *replacement) begin() error {
	id := randomName()
	r.intent = Intent{
		ID: id, Path: r.snap.Path, Target: r.snap.Target, Temp: tempName(r.snap.Target, id),
		Created: !r.snap.Exists, NewSum: r.opts.Fingerprint(r.data), BackupID: r.intent.BackupID,
		Mode: r.want.mode, UID: r.want.uid, GID: r.want.gid, ACL: r.want.acl,
	}
	if r.snap.Exists {
		r.intent.OldSum = r.opts.Fingerprint(r.snap.Data)
		if r.want.mode != r.snap.Mode {
			r.intent.OldMode = r.snap.Mode
		}
	}
	r.begun = true // even if Begin fails: how much of it was stored is unknown
	return r.ledger.Begin(r.intent)
}

func (r *replacement) openFolder() (err error) {
	r.folder, err = os.Open(filepath.Dir(r.snap.Target))
	return err
}

func (r *replacement) makeTemp() (err error) {
	r.temp, err = os.OpenFile(r.tempPath(), os.O_RDWR|os.O_CREATE|os.O_EXCL|openFlags, 0o600)
	return err
}

func (r *replacement) write() error {
	_, err := r.temp.Write(r.data)
	return err
}

func (r *replacement) readBack() error { return holds(r.temp, r.data) }

// compare refuses unless the path still leads to the file of the snapshot, with that content, owner and mode.
func (r *replacement) compare() error {
	now, err := Open(r.snap.Path)
	if err != nil {
		return &RefusedError{Path: r.snap.Path, Reason: ReasonChanged, Err: err}
	}
	if !now.same(r.snap) {
		return &RefusedError{Path: r.snap.Path, Reason: ReasonChanged}
	}
	return nil
}

// settle makes a change that has happened durable and notes its end. There is no way back from here, so ctx no
// longer counts.
func (r *replacement) settle(out Outcome) (Outcome, error) {
	out.Lost = strings.Join(r.lost, ", ")
	err := r.run(context.Background(), step{"sync the folder of", func() error { return syncFolder(r.folder) }})
	if err != nil {
		out.State = NotDurable
	}
	return r.finish(out, err)
}

// giveUp leaves the target as it was. Should the temporary file not go away, the intent is left open, so that the next
// run's Recover tries again.
func (r *replacement) giveUp(err error) (Outcome, error) {
	out := Outcome{State: Unchanged}
	if dropErr := r.dropTemp(); dropErr != nil {
		return out, errors.Join(err, fmt.Errorf("remove the temporary file of %s: %w", r.snap.Path, dropErr))
	}
	return r.finish(out, err)
}

func (r *replacement) finish(out Outcome, err error) (Outcome, error) {
	if r.leftover != nil {
		// Not noted as finished: the next run finds the intent, and removes what lies there.
		out.State = NotDurable
		return out, errors.Join(err, fmt.Errorf("remove the earlier version of %s: %w", r.snap.Path, r.leftover))
	}
	if !r.begun {
		return out, err
	}
	if noteErr := r.ledger.Finish(r.intent, out); noteErr != nil {
		err = errors.Join(err, fmt.Errorf("note the end of the change to %s: %w", r.snap.Path, noteErr))
	}
	return out, err
}

// dropTemp removes the temporary file, if there is one.
func (r *replacement) dropTemp() error {
	if r.temp == nil {
		return nil
	}
	r.temp.Close() // closed already when the rename failed; nothing of it is needed any more
	if err := os.Remove(r.tempPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r.temp = nil
	return nil
}

func (r *replacement) close() {
	if r.folder != nil {
		r.folder.Close()
	}
}

func (r *replacement) tempPath() string {
	return filepath.Join(filepath.Dir(r.snap.Target), r.intent.Temp)
}

// tempName names the temporary file of a target. It exists for milliseconds, but a kill may leave it for git to pick
// up; so the name begins like the target (".env.*" in an ignore file covers it) and ends in .pyc, the one ending that
// the ignore file of every Python project has. No tool reads a .pyc outside a package, and none ships it to a log.
//
// A long name is cut, at a whole character, to what file systems take.
func tempName(target, random string) string {
	const most = 255
	name, end := filepath.Base(target), ".keysplit-"+random+".pyc"
	for len(name)+len(end) > most {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return name + end
}

// randomName gives 16 hexadecimal digits.
func randomName() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails: it ends the program instead
	return hex.EncodeToString(b[:])
}

// holds checks that f contains exactly want.
func holds(f *os.File, want []byte) error {
	got, err := io.ReadAll(io.NewSectionReader(f, 0, int64(len(want))+1))
	if err == nil && !bytes.Equal(got, want) {
		err = errors.New("the disk returned other bytes than were written")
	}
	return err
}

package envfile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Recover ends what a killed run began. It looks at the file, decides by fingerprints, and removes the temporary
// file that the intent names:
//
//   - the old content is there: the change did not happen. Unchanged.
//   - the new content is there: the change happened. It is synced. Replaced.
//   - an overwriting in place broke off: the old content is restored, since that is the version that was in use
//     and proven, and the change can simply be made again. Unchanged.
//   - anything else: someone else's content. It is left alone. Foreign.
//
// A path that has become something else than a regular file is Foreign too. Recover can itself be killed, and
// repeated as often as one likes. It notes the end in the ledger. An error means that it could not decide or not
// finish, as for a file that this user may not read; the intent stays open then.
func Recover(ctx context.Context, intent Intent, ledger Ledger, opts Options) (Outcome, error) {
	unknown := Outcome{State: Foreign, InPlace: intent.InPlace}
	held, err := acquire(ctx, opts.LockDir, intent.Target, intent.Path, opts.LockWait)
	if err != nil {
		return unknown, err
	}
	defer held.release()
	if err := removeLeftover(intent, opts); err != nil {
		return unknown, err
	}
	r := &replacement{opts: opts, ledger: ledger, snap: &Snapshot{Path: intent.Path}, intent: intent, begun: true}
	now, err := Open(intent.Target)
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Reason != ReasonUnreadable {
		return r.finish(unknown, nil)
	}
	if err != nil {
		return unknown, err
	}
	r.snap = now
	found, err := recognise(intent, now, ledger, opts)
	if err != nil {
		return unknown, err
	}
	out := Outcome{InPlace: intent.InPlace}
	switch found {
	case isOld:
		out.State = Unchanged
	case isForeign:
		out.State = Foreign
	case isMixed:
		if err := r.repair(); err != nil {
			out.State = Damaged
			return out, fmt.Errorf("restore the earlier version of %s: %w", intent.Path, err)
		}
		out.State = Unchanged
	case isNew:
		out.State = Replaced
		if err := r.resync(); err != nil {
			out.State = NotDurable
			return out, fmt.Errorf("sync %s: %w", intent.Path, err)
		}
	}
	return r.finish(out, nil)
}

// Revert restores, byte for byte, what was there before the change of intent: content, mode, owner and access
// list, or no file where there was none. It is itself a change with a backup and an intent of its own, so that it can be
// killed and recovered. Replaced means that the earlier version is back, Unchanged without an error that it was there
// already.
//
// When the file now holds neither the old nor the new version it refuses with ReasonForeign, unless force is set.
func Revert(ctx context.Context, intent Intent, ledger Ledger, opts Options, force bool) (Outcome, error) {
	same := Outcome{State: Unchanged}
	held, err := acquire(ctx, opts.LockDir, intent.Target, intent.Path, opts.LockWait)
	if err != nil {
		return same, err
	}
	defer held.release()
	if err := removeLeftover(intent, opts); err != nil {
		return same, err
	}
	now, err := Open(intent.Target)
	if err != nil {
		return same, err
	}
	// A link that has taken the file's place leads to another file, which is not restored over, not even by force.
	if now.Target != intent.Target {
		return same, &RefusedError{Path: intent.Path, Reason: ReasonForeign}
	}
	found, err := recognise(intent, now, ledger, opts)
	switch {
	case err != nil:
		return same, err
	case found == isOld:
		return same, nil
	case found == isForeign && !force:
		return same, &RefusedError{Path: intent.Path, Reason: ReasonForeign}
	case intent.Created:
		return remove(ctx, now, ledger, opts)
	}
	old, err := ledger.Kept(intent.BackupID)
	if err != nil {
		return same, fmt.Errorf("read the backup of %s: %w", intent.Path, err)
	}
	if opts.Fingerprint(old) != intent.OldSum {
		return same, &RefusedError{Path: intent.Path, Reason: ReasonBackupDamaged}
	}
	return replace(ctx, now, old, intent.before(), ledger, opts)
}

// before is what the file had, beside its content, before the change.
func (in Intent) before() meta {
	return meta{mode: cmp.Or(in.OldMode, in.Mode), uid: in.UID, gid: in.GID, acl: in.ACL}
}

// content is what a file was found to hold, seen from one intent.
type content int

const (
	isForeign content = iota
	isOld
	isNew
	isMixed // an overwriting in place that broke off
)

func recognise(intent Intent, now *Snapshot, ledger Ledger, opts Options) (content, error) {
	if !now.Exists {
		switch {
		case intent.Created:
			return isOld, nil
		case intent.Removes:
			return isNew, nil
		}
		return isForeign, nil
	}
	sum := opts.Fingerprint(now.Data)
	switch {
	case !intent.Removes && sum == intent.NewSum:
		return isNew, nil
	case !intent.Created && sum == intent.OldSum:
		return isOld, nil
	case !intent.InPlace:
		return isForeign, nil
	}
	before, err := ledger.Kept(intent.BackupID)
	if err != nil {
		return isForeign, fmt.Errorf("read the backup of %s: %w", intent.Path, err)
	}
	after, err := ledger.Kept(intent.StagedID)
	if err != nil {
		return isForeign, fmt.Errorf("read the new version of %s: %w", intent.Path, err)
	}
	if opts.Fingerprint(before) == intent.OldSum && mixed(now.Data, before, after) {
		return isMixed, nil
	}
	return isForeign, nil
}

// repair overwrites a broken-off overwriting with the old content. A kill here leaves a mix again.
func (r *replacement) repair() error {
	before, err := r.ledger.Kept(r.intent.BackupID)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(r.snap.Target, os.O_RDWR|openFlags, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := holds(f, r.snap.Data); err != nil {
		return &RefusedError{Path: r.intent.Path, Reason: ReasonChanged, Err: err}
	}
	return overwriteAll(f, before)
}

// resync makes a change durable that was killed before it did so itself.
func (r *replacement) resync() error {
	if r.snap.Exists {
		f, err := os.OpenFile(r.snap.Target, syncMode|openFlags, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := f.Sync(); err != nil {
			return err
		}
	}
	folder, err := os.Open(filepath.Dir(r.snap.Target))
	if err != nil {
		return err
	}
	defer folder.Close()
	return syncFolder(folder)
}

// removeLeftover removes the temporary file of a killed run. The name holds 64 random bits and comes from our own
// ledger; still it must be the name that tempName makes, and a regular file without a second name.
//
// Where the new version is in place, it was exchanged, and what lies there is what stood in its place: the old version,
// or an edit that was saved in the very moment of the exchange, which goes back. So does an edit that a removal took away;
// where nobody can see what stands in its place by now, it is left beside it, and an error.
func removeLeftover(intent Intent, opts Options) error {
	if intent.Temp == "" || intent.Temp != tempName(intent.Target, intent.ID) {
		return nil
	}
	left, err := Open(filepath.Join(filepath.Dir(intent.Target), intent.Temp))
	var refused *RefusedError
	if errors.As(err, &refused) || err == nil && (!left.Exists || filepath.Base(left.Target) != intent.Temp) {
		return nil // not what we made: not ours to remove
	}
	if err == nil {
		err = clearAway(left, intent, opts)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the temporary file of %s: %w", intent.Path, err)
	}
	return nil
}

// clearAway removes what a killed run left, or gives it back where it is an edit of somebody else.
func clearAway(left *Snapshot, intent Intent, opts Options) error {
	now, err := Open(intent.Target)
	exchanged := err == nil && now.Exists && opts.Fingerprint(now.Data) == intent.NewSum && !intent.Created
	sum := opts.Fingerprint(left.Data)
	switch edited := sum != intent.OldSum && sum != intent.NewSum; {
	case edited && exchanged:
		return os.Rename(left.Target, intent.Target)
	case edited && intent.Removes && err != nil:
		return err
	case edited && intent.Removes && !now.Exists:
		return renameNew(left.Target, intent.Target)
	}
	return os.Remove(left.Target)
}

// remove takes away a file that a run created, with a backup first: by force it may be someone else's by now.
func remove(ctx context.Context, snap *Snapshot, ledger Ledger, opts Options) (Outcome, error) {
	r := &replacement{opts: opts, ledger: ledger, snap: snap}
	defer r.close()
	if err := snap.Writable(); err != nil {
		return Outcome{State: Unchanged}, err
	}
	for _, s := range []step{
		{"back up", r.backUp},
		{"note the removal of", r.beginRemoval},
		{"open the folder of", r.openFolder},
		{"compare", r.compare},
		{"remove", r.takeAway},
	} {
		if err := r.run(ctx, s); err != nil {
			return r.giveUp(err)
		}
	}
	return r.settle(Outcome{State: Replaced})
}

func (r *replacement) beginRemoval() error {
	id := randomName()
	m := r.snap.meta()
	r.intent = Intent{
		ID: id, Path: r.snap.Path, Target: r.snap.Target, Temp: tempName(r.snap.Target, id), Removes: true, OldSum: r.opts.Fingerprint(r.snap.Data),
		BackupID: r.intent.BackupID, Mode: m.mode, UID: m.uid, GID: m.gid, ACL: m.acl,
	}
	r.begun = true
	return r.ledger.Begin(r.intent)
}

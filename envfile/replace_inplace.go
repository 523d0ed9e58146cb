package envfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
)

// overwrite is the way for a file that cannot be renamed over, since it is a mount of its own (a container that
// mounts a single file). A kill in the middle leaves a mix of both versions, so the ledger holds both before the
// first byte is written, and Recover puts the old one back.
func (r *replacement) overwrite(ctx context.Context) (Outcome, error) {
	var f *os.File
	prepare := []step{
		// The temporary file is of no use any more, and nothing should lie beside the target for longer than needed.
		{"remove the temporary file of", r.dropTemp},
		{"keep the new version of", func() (err error) {
			r.intent.StagedID, err = r.ledger.Keep(r.snap.Target, r.data)
			return err
		}},
		{"note the overwriting of", func() error {
			r.intent.Temp, r.intent.InPlace = "", true
			return r.ledger.Begin(r.intent)
		}},
		{"open", func() (err error) {
			f, err = os.OpenFile(r.snap.Target, os.O_RDWR|openFlags, 0)
			return err
		}},
		// Compared through the descriptor that is written to: no other file can slip in between.
		{"compare", func() error {
			now := &Snapshot{Path: r.snap.Path, Target: r.snap.Target}
			if err := now.fill(f); err != nil {
				return err
			}
			if !now.same(r.snap) {
				return &RefusedError{Path: r.snap.Path, Reason: ReasonChanged}
			}
			return nil
		}},
	}
	for _, s := range prepare {
		if err := r.run(ctx, s); err != nil {
			if f != nil {
				f.Close()
			}
			return r.giveUp(err)
		}
	}
	defer f.Close()
	err := r.run(context.Background(), step{"overwrite", func() error { return overwriteAll(f, r.data) }})
	if err == nil {
		err = keepMeta(f, r.snap.Path, r.want)
	}
	if err == nil {
		return r.finish(Outcome{State: Replaced, InPlace: true}, nil)
	}
	back := r.run(context.Background(), step{"restore", func() error { return overwriteAll(f, r.snap.Data) }})
	if back == nil {
		back = keepMeta(f, r.snap.Path, r.snap.meta())
	}
	if back != nil {
		// Not noted as finished: the next run finds the intent and recovers.
		return Outcome{State: Damaged, InPlace: true}, errors.Join(err, back)
	}
	return r.finish(Outcome{State: Unchanged, InPlace: true}, err)
}

// overwriteAll makes data the content of f. The file is cut only after the writing, so that at every instant each
// byte is one of the old or the new version, which is how mixed knows our own half-done work.
func overwriteAll(f *os.File, data []byte) error {
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	if err := f.Truncate(int64(len(data))); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return holds(f, data)
}

// mixed reports whether got can be what an interrupted overwriteAll left of before and after: nothing but bytes of the
// two, each in its place, and a length between theirs. Blocks may reach the disk in any order.
func mixed(got, before, after []byte) bool {
	if bytes.Equal(got, before) || bytes.Equal(got, after) {
		return true
	}
	if len(got) < min(len(before), len(after)) || len(got) > max(len(before), len(after)) {
		return false
	}
	for i, b := range got {
		if !(i < len(before) && before[i] == b) && !(i < len(after) && after[i] == b) {
			return false
		}
	}
	return true
}

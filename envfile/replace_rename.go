package envfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
)

// lookStep is when what was taken out of the target's place is looked at.
const lookStep = "look at the earlier version of"

// rename puts the new version in the place of the old one.
//
// Between the comparison and a plain rename an editor can save, and its work is lost. So the two names are exchanged
// where the system can do that in one step: what stood there then lies beside the target, is looked at once more, and
// goes back when it is not what was compared. What an editor writes after that into a file that it opened before is the
// one thing that is still not seen.
func (r *replacement) rename() error {
	ours := &Snapshot{}
	if err := ours.fill(r.temp); err != nil {
		return err
	}
	// Windows renames no open file.
	if err := r.temp.Close(); err != nil {
		return err
	}
	temp, target := r.tempPath(), r.snap.Target
	if !r.snap.Exists {
		if err := renameNew(temp, target); errors.Is(err, fs.ErrExist) {
			return &RefusedError{Path: r.snap.Path, Reason: ReasonChanged}
		} else if err != nil {
			return err
		}
		r.temp = nil
		return nil
	}
	exchanged, err := exchange(temp, target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &RefusedError{Path: r.snap.Path, Reason: ReasonChanged}
	case err != nil:
		return err
	case !exchanged:
		r.temp = nil
		return nil
	}
	if r.opts.before != nil {
		_ = r.opts.before(lookStep) // the names are exchanged by now: it is for tests that edit, not for those that fail
	}
	if was := r.beside(); was != nil && was.same(r.snap) {
		r.temp = nil
		// Once more, since what would be left are the old secrets, under another name.
		if r.leftover = os.Remove(temp); r.leftover != nil {
			r.leftover = os.Remove(temp)
		}
		return nil
	}
	return r.putBack(ours)
}

// takeAway removes the target. Between the comparison and a plain removal an editor can save, and its work is lost. So the
// file is moved beside first, looked at once more, and goes back when it is not what was compared.
func (r *replacement) takeAway() error {
	temp, target := r.tempPath(), r.snap.Target
	if err := renameNew(target, temp); errors.Is(err, fs.ErrNotExist) {
		return &RefusedError{Path: r.snap.Path, Reason: ReasonChanged}
	} else if err != nil {
		return err
	}
	if r.opts.before != nil {
		_ = r.opts.before(lookStep)
	}
	if was := r.beside(); was != nil && was.same(r.snap) {
		r.leftover = os.Remove(temp)
		return nil
	}
	err := renameNew(temp, target)
	if errors.Is(err, fs.ErrExist) {
		err = os.Remove(temp) // saved once more since: the later one stays
	}
	r.leftover = err
	return &RefusedError{Path: r.snap.Path, Reason: ReasonChanged}
}

// putBack ends an exchange that took out somebody's edit.
func (r *replacement) putBack(ours *Snapshot) error {
	temp, target := r.tempPath(), r.snap.Target
	if _, err := exchange(temp, target); err != nil {
		r.temp, r.leftover = nil, err // the edit lies beside the target: Recover restores it
		return err
	}
	// Whoever saved in between has seen what the one before saved, or has replaced it by intent: the later one stays.
	if out := r.beside(); out == nil || out.number != ours.number || out.volume != ours.volume || !bytes.Equal(out.Data, r.data) {
		r.temp, r.leftover = nil, os.Rename(temp, target)
	}
	return &RefusedError{Path: r.snap.Path, Reason: ReasonChanged}
}

// beside is what lies under the temporary name now, nil when it is no regular file or cannot be read.
func (r *replacement) beside() *Snapshot {
	// As in Open: a pipe is not opened, since that would wake the program at its other end.
	if fi, err := os.Lstat(r.tempPath()); err != nil || !fi.Mode().IsRegular() {
		return nil
	}
	f, err := os.OpenFile(r.tempPath(), os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	s := &Snapshot{Path: r.snap.Path, Target: r.snap.Target}
	if s.fill(f) != nil {
		return nil
	}
	return s
}

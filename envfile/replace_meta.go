package envfile

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"slices"
)

// keepAttributes gives the new version the extended attributes of the old one. That is not refused for a label that this
// user may not set: it is said.
func (r *replacement) keepAttributes() error {
	have, err := readAttributes(r.temp)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(r.snap.attributes)) {
		value := r.snap.attributes[name]
		if old, ok := have[name]; ok && bytes.Equal(old, value) {
			continue
		}
		if err := setAttribute(r.temp, name, value); err != nil {
			r.lost = append(r.lost, name)
		}
	}
	return nil
}

// keepMeta gives an open file this meta, and refuses unless it then really has it. The mode is never wider than
// wanted at any moment: it is set last, on a file that begins with 0600.
func keepMeta(f *os.File, path string, want meta) error {
	err := applyMeta(f, want)
	if err == nil {
		return nil
	}
	return &RefusedError{Path: path, Reason: ReasonCannotKeep, Err: err}
}

func applyMeta(f *os.File, want meta) error {
	have, err := metaOf(f)
	if err != nil {
		return err
	}
	if want.uid < 0 {
		want.uid, want.gid = have.uid, have.gid
	}
	// What is right already is left alone: some file systems know one owner only and refuse every chown.
	if have.uid != want.uid || have.gid != want.gid {
		if err := f.Chown(want.uid, want.gid); err != nil {
			return err
		}
	}
	if !bytes.Equal(have.acl, want.acl) {
		if err := setACL(f, want.acl); err != nil {
			return err
		}
	}
	if have, err = metaOf(f); err != nil {
		return err
	}
	if have.mode != want.mode {
		if err := f.Chmod(want.mode); err != nil {
			return err
		}
		if have, err = metaOf(f); err != nil {
			return err
		}
	}
	if !have.equal(want) {
		return errors.New("the file system did not take the owner, access list or mode")
	}
	return nil
}

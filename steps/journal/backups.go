package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/sys/file"
)

// Keep stores the content of a target, durably and under a name of its own. The
// name is noted first: a backup that no line names is a sign of damage.
func (j *Journal) Keep(target string, data []byte) (string, error) {
	id := "backup-" + time.Now().UTC().Format("20060102T150405") + "-" + randomHex(4)
	if err := j.append(Entry{Kind: KindBackup, ID: id, Target: target}); err != nil {
		return "", err
	}
	path := filepath.Join(j.dir, id)
	err := writeDurably(path, data)
	if err != nil {
		_ = os.Remove(path) // what is written badly must not look like what was there before
	}
	return id, err
}

// Kept returns what Keep stored.
func (j *Journal) Kept(id string) ([]byte, error) {
	if id == "" || id != filepath.Base(id) {
		return nil, fmt.Errorf("%w: no backup is called %q", ErrUnusable, id)
	}
	data, err := readOwn(filepath.Join(j.dir, id))
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	return data, nil
}

// used are the backups that a line is about beside the one that names them.
func (j *Journal) used() map[string]bool {
	used := map[string]bool{}
	for _, e := range j.entries {
		if e.Intent != nil {
			used[e.Intent.BackupID], used[e.Intent.StagedID] = true, true
		}
		if e.Delivery != nil {
			used[e.Delivery.BackupID], used[e.Delivery.PairID] = true, true
		}
		if e.Kind != KindBackup {
			used[e.ID] = true // of a key that was chosen
		}
	}
	return used
}

// Doubtful reports whether an empty Applied does not mean that nothing was changed:
// a line cannot be read, a killed run left a file that had other content by the
// time it was recovered, or there is a backup and nothing shows what it was for.
func (j *Journal) Doubtful() bool {
	if j.lost > 0 || slices.ContainsFunc(j.entries, func(e Entry) bool { return e.Kind == KindEnd && e.Outcome.State == envfile.Foreign }) {
		return true
	}
	used := j.used()
	// A run that was killed between the backup and the line that uses it has not
	// changed the file: it still holds what one of its backups does.
	kept := map[string]bool{}
	same := map[string]bool{}
	for _, e := range j.entries {
		if e.Kind != KindBackup {
			continue
		}
		unused := !used[e.ID]
		used[e.ID] = true
		if !filepath.IsAbs(e.Target) {
			continue // of a place that is no file
		}
		kept[e.Target] = kept[e.Target] || unused
		before, err := j.Kept(e.ID)
		if errors.Is(err, fs.ErrNotExist) {
			same[e.Target] = same[e.Target] || unused // not even the backup was made
			continue
		}
		now, unread := file.ReadSmall(e.Target)
		// An empty one was cut off while it was made.
		same[e.Target] = same[e.Target] || err == nil && (len(before) == 0 || unread == nil && bytes.Equal(now, before))
	}
	for target, unused := range kept {
		if unused && !same[target] {
			return true
		}
	}
	return slices.ContainsFunc(file.Glob(j.dir, "backup-*"), func(b string) bool { return !used[filepath.Base(b)] })
}

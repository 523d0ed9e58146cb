package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"dj/keysplit/steps/secret"
)

// fingerprintKey is the key of the state folder, so that one key has one fingerprint in
// every command, project and environment. A journal of an earlier release has a key of
// its own, under which its lines are sealed: it goes on with that one.
func (j *Journal) fingerprintKey() ([]byte, error) {
	info, err := os.Stat(j.path())
	begun := err == nil && info.Size() > 0
	own, err := readKey(filepath.Join(j.dir, "key"))
	old := !errors.Is(err, fs.ErrNotExist)
	if old && err != nil {
		return nil, keyTrouble(j.dir, err)
	}
	shared, err := j.state.key(!j.readOnly && (old || !begun))
	if err != nil {
		return nil, keyTrouble(string(j.state), err)
	}
	if old {
		return own, nil
	}
	return shared, nil
}

// keyTrouble says how to go on without the key of a folder.
func keyTrouble(folder string, err error) error {
	if errors.Is(err, errNoKey) || errors.Is(err, fs.ErrNotExist) {
		return unusable(folder, "its file key is missing or damaged")
	}
	return fmt.Errorf("read the journal's key: %w", err)
}

var errNoKey = errors.New("it is no key")

func readKey(path string) ([]byte, error) {
	key, err := readOwn(path)
	if err == nil && len(key) != 32 {
		err = errNoKey
	}
	return key, err
}

// key is the key of the state folder; with make, it comes to be where there is none.
func (f Folder) key(make bool) ([]byte, error) {
	path := filepath.Join(string(f), "key")
	key, err := readKey(path)
	if !make || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := publish(path, f.passing().key); err != nil {
		return nil, err
	}
	return readKey(path) // of several runs that begin at once one made the key that counts
}

// Prints makes the fingerprints that are shown of the keys of a project, "" where that is
// not known yet. Where the folder has no key, the first one that is shown makes it: what
// two commands show has to be the same, also where both only look. Nothing else is kept
// by them.
func (f Folder) Prints(project string) secret.Fingerprinter {
	if f.Absolute() == nil {
		if key, err := f.key(false); err == nil {
			return secret.NewFingerprinter(key)
		}
	}
	own := f.passing()
	prints := secret.NewFingerprinter(own.key)
	if project == "" {
		return prints
	}
	return prints.Shown(sync.OnceValue(func() []byte {
		key, err := f.keep(project)
		own.mu.Lock()
		defer own.mu.Unlock()
		if own.trouble = err; err != nil {
			return own.key
		}
		return key
	}))
}

// keep makes the key of the folder where there is none.
func (f Folder) keep(project string) ([]byte, error) {
	if err := f.placed(project); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, f.cannotKeep(err)
	}
	if err := ours(string(f), true); err != nil {
		return nil, err
	}
	key, err := f.key(true)
	if err != nil {
		return nil, f.full(keyTrouble(string(f), err))
	}
	return key, nil
}

// Passing says why fingerprints that were shown hold for this process alone, nil where
// they do not.
func (f Folder) Passing() error {
	own := f.passing()
	own.mu.Lock()
	defer own.mu.Unlock()
	return own.trouble
}

// passing is the key that a state folder without one gets from this process.
func (f Folder) passing() *ownKey {
	fresh := &ownKey{key: make([]byte, 32)}
	_, _ = rand.Read(fresh.key)
	own, _ := ownKeys.LoadOrStore(f, fresh)
	return own.(*ownKey)
}

type ownKey struct {
	key     []byte
	mu      sync.Mutex
	trouble error // why it could not be kept
}

var ownKeys sync.Map // by Folder

// Prints makes the fingerprints that this journal keeps. They are those of the folder,
// but for a journal of an earlier release.
func (j *Journal) Prints() secret.Fingerprinter { return j.prints }

package envfile

import "path/filepath"

// Fits reports why a new content of so many bytes cannot be written beside the file, which
// is how Replace writes it: a *RefusedError, or nil. It refuses only where the system says
// that there is no room, and not what it does not know.
func (s *Snapshot) Fits(size int) error { return Room(s.Path, filepath.Dir(s.Target), size) }

// Room reports why a folder cannot take one more file of so many bytes: a *RefusedError of
// the path, or nil where it can, or nobody knows.
func Room(path, folder string, size int) error {
	if free, known := freeIn(folder); known && free < uint64(max(size, 1)) { // #nosec G115 -- at least 1
		return &RefusedError{Path: path, Reason: ReasonNoRoom}
	}
	return nil
}

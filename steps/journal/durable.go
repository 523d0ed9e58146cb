package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
)

// appendDurably adds data to the end of a file, syncs it, and reads it back:
// some disks and network file systems report success for what they did not
// write, and a backup must be known to be good before it is needed.
func appendDurably(f *os.File, data []byte) error {
	before, err := f.Stat()
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return err
	}
	// Another run may have added a line of its own in between.
	held, err := io.ReadAll(io.NewSectionReader(f, before.Size(), math.MaxInt64-before.Size()))
	if err == nil && !bytes.Contains(held, data) {
		err = errors.New("the disk returned other bytes than were written")
	}
	return err
}

// writeDurably makes a new file of mode 0600 and syncs it and its folder.
func writeDurably(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = appendDurably(f, data)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// publish makes a file of mode 0600 that is there whole or not at all, unless
// there is one already, which stays as it is.
func publish(path string, data []byte) error {
	draft := path + "-" + randomHex(8)
	if err := writeDurably(draft, data); err != nil {
		return err
	}
	defer os.Remove(draft)
	err := os.Link(draft, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(draft, path) // a file system without hard links
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a new name in a folder durable. Where folders cannot be synced
// (Windows) there is nothing to do.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

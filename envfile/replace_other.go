//go:build unix && !linux

package envfile

import "os"

// exchange renames from over to: only Linux swaps two names in the way that is needed here.
func exchange(from, to string) (exchanged bool, err error) { return false, os.Rename(from, to) }

// renameNew renames from to to.
func renameNew(from, to string) error { return os.Rename(from, to) }

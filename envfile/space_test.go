//go:build linux || darwin || windows

package envfile

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// The room of a folder is known; that of one that is not there is not, and refuses nothing.
func TestRoom(t *testing.T) {
	t.Parallel()
	here := t.TempDir()
	gone := filepath.Join(here, "gone")
	if free, known := freeIn(here); !known || free == 0 || free == math.MaxUint64 {
		t.Errorf("%d bytes are free in %s, known: %t", free, os.TempDir(), known)
	}
	if Room("f", here, 1) != nil || Room("f", gone, math.MaxInt) != nil {
		t.Error("a file is refused for which there may be room")
	}
	if Room("f", here, math.MaxInt) == nil {
		t.Error("there is room for more than any disk has")
	}
}

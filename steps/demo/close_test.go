package demo

import (
	"os"
	"path/filepath"
	"testing"
)

// A demo that cannot be removed is not said to be gone.
func TestADemoThatCannotBeRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := &Sandbox{folder: dir + "/."} // which RemoveAll refuses
	s.once.Do(func() {})              // there is no guardian
	if err := s.Close(); err == nil {
		t.Error("no error")
	}
	s.folder = dir
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("it is still there")
	}
}

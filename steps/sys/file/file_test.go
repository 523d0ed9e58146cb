package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadSmall(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, []byte(strings.Repeat("x", MaxRead+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSmall(big); err == nil {
		t.Error("a file over the limit was read")
	}
	if err := os.Truncate(big, MaxRead); err != nil {
		t.Fatal(err)
	}
	if data, err := ReadSmall(big); err != nil || len(data) != MaxRead {
		t.Errorf("a file at the limit: %d bytes, %v", len(data), err)
	}
	if _, err := ReadSmall(dir); err == nil {
		t.Error("a folder was read")
	}
}

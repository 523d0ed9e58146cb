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

// Where a path of a file that systems share leads, on Windows too.
func TestFrom(t *testing.T) {
	folder := t.TempDir()
	drive := filepath.VolumeName(folder)
	for path, want := range map[string]string{
		"a/.env":                 filepath.Join(folder, "a", ".env"),
		"../.env":                filepath.Join(filepath.Dir(folder), ".env"),
		"/etc/shop.env":          drive + "/etc/shop.env",
		folder:                   folder,
		filepath.ToSlash(folder): filepath.ToSlash(folder),
	} {
		if got := From(folder, path); got != want {
			t.Errorf("%s leads to %s, want %s", path, got, want)
		}
	}
}

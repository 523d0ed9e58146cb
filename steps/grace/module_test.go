package grace

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dj/keysplit/steps"
)

// A version that is not in the list could not be replaced by the next one.
func TestThisVersionOfTheModuleIsKnown(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256(Module)
	if got := hex.EncodeToString(sum[:]); !slices.Contains(versions, got) {
		t.Errorf("add %s to the versions, and keep the earlier ones", got)
	}
}

func TestOnlyItsOwnModuleIsReplaced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(path, elsewhere string) error
		ours bool
	}{
		"none":         {func(string, string) error { return nil }, true},
		"this version": {func(path, _ string) error { return os.WriteFile(path, Module, 0o600) }, true},
		"with Windows ends": {func(path, _ string) error {
			return os.WriteFile(path, bytes.ReplaceAll(Module, []byte("\n"), []byte("\r\n")), 0o600)
		}, true},
		"edited":            {func(path, _ string) error { return os.WriteFile(path, append(bytes.Clone(Module), '#'), 0o600) }, false},
		"another's":         {func(path, _ string) error { return os.WriteFile(path, []byte("# Written by keysplit.\n"), 0o600) }, false},
		"empty":             {func(path, _ string) error { return os.WriteFile(path, nil, 0o600) }, false},
		"a folder":          {func(path, _ string) error { return os.Mkdir(path, 0o700) }, false},
		"a link to another": {func(path, elsewhere string) error { return os.Symlink(elsewhere, path) }, false},
		"a link to a module": {func(path, elsewhere string) error {
			return errors.Join(os.WriteFile(elsewhere, Module, 0o600), os.Symlink(elsewhere, path))
		}, false},
		"a link to nothing": {func(path, elsewhere string) error {
			return errors.Join(os.Remove(elsewhere), os.Symlink(elsewhere, path))
		}, false},
		"a hard link": {func(path, elsewhere string) error { return os.Link(elsewhere, path) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			root, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), ".profile")
			if err := os.WriteFile(elsewhere, []byte("umask 077\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(root, FileName)
			if err := c.make(path, elsewhere); err != nil {
				t.Fatal(err)
			}
			run := &steps.Run{Found: steps.Found{Project: &steps.Project{Root: root, TopLevel: root}}}
			at, err := openModule(run, path)
			var failure *steps.Failure
			if c.ours != (err == nil) || !c.ours && (!errors.As(err, &failure) || failure.Findings[0].Code != "grace-module-not-ours" || failure.Findings[0].File != FileName) {
				t.Errorf("%+v, %v", at, err)
			}
		})
	}
}

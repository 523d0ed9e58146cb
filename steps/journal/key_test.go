package journal

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"dj/keysplit/steps/secret"
)

// One key has one fingerprint in every project and environment of a state folder, and
// another one in another folder.
func TestOneFingerprintForTheFolder(t *testing.T) {
	t.Parallel()
	state, other := Folder(filepath.Join(t.TempDir(), "state")), Folder(filepath.Join(t.TempDir(), "state"))
	key := secret.NewFingerprinter(nil).Secret(randomHex(40))
	first, second := state.Prints(""), state.Prints("")
	if first.Of(key) != second.Of(key) {
		t.Error("one key has two fingerprints in a process whose folder has no key yet")
	}
	prints := map[string]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, environment := range []string{"development", "staging"} {
		for _, project := range []string{"/one", "/another"} {
			all.Go(func() { // the first runs of all begin at once
				j, err := state.Open(project, environment)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				prints[j.Prints().Of(key)], prints[state.Prints("").Of(key)] = true, true
			})
		}
	}
	all.Wait()
	if len(prints) != 1 {
		t.Errorf("one key has %d fingerprints in one folder", len(prints))
	}
	if prints[openIn(t, other, "/one").Prints().Of(key)] {
		t.Error("another folder makes the same fingerprints")
	}
}

// The first fingerprint that is shown makes the folder's key, which the next process
// takes; a sum that is only compared makes nothing. Where no key can be kept, that is said.
func TestAShownFingerprintHoldsForTheNextProcess(t *testing.T) {
	t.Parallel()
	state, project := Folder(filepath.Join(t.TempDir(), "state")), t.TempDir()
	value := randomHex(40)
	another := func(f Folder) { ownKeys.Delete(f) }
	prints := state.Prints(project)
	_ = prints.Of(prints.Secret(value))
	if _, err := os.Stat(string(state)); err == nil {
		t.Error("a sum that nobody sees made the state folder")
	}
	first := prints.Secret(value).Fingerprint()
	another(state)
	if got := state.Prints(project).Secret(value).Fingerprint(); got != first {
		t.Errorf("the next process shows %s, the first one %s", got, first)
	}
	if got := openIn(t, state, project).Prints().Secret(value).Fingerprint(); got != first || state.Passing() != nil {
		t.Errorf("the journal has %s, and %s was shown (%v)", got, first, state.Passing())
	}
	for name, f := range map[string]Folder{"in the project": Folder(filepath.Join(project, "state")), "relative": "state", "none": ""} {
		one := f.Prints(project).Secret(value).Fingerprint()
		if again := f.Prints(project).Secret(value).Fingerprint(); one != again || f.Passing() == nil {
			t.Errorf("%s: %s and %s in one process (%v)", name, one, again, f.Passing())
		}
		if _, err := os.Stat(string(f)); err == nil {
			t.Errorf("%s: it was made", name)
		}
	}
}

// Of two processes that show their first fingerprint at once, both show the same.
func TestTwoProcessesShowTheirFirstFingerprint(t *testing.T) {
	t.Parallel()
	state, project := Folder(filepath.Join(t.TempDir(), "state")), t.TempDir()
	value := randomHex(40)
	one := state.Prints(project).Secret(value)
	ownKeys.Delete(state)
	two := state.Prints(project).Secret(value)
	if two.Fingerprint() != one.Fingerprint() {
		t.Error("two processes show different fingerprints of one key")
	}
}

// A journal of an earlier release, which has a key of its own, is read and goes on: what
// it noted of keys still says so, and what is shown is as everywhere.
func TestAJournalWithAKeyOfItsOwnGoesOn(t *testing.T) {
	t.Parallel()
	state := Folder(filepath.Join(t.TempDir(), "state"))
	key := secret.NewFingerprinter(nil).Secret(randomHex(40))
	dir := state.Of("/some/project", "development")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	own := make([]byte, 32)
	_, _ = rand.Read(own)
	if err := os.WriteFile(filepath.Join(dir, "key"), own, 0o600); err != nil {
		t.Fatal(err)
	}
	j := openIn(t, state, "/some/project")
	if err := j.SetKey(key); err != nil {
		t.Fatal(err)
	}
	if err := j.SetProved(key); err != nil {
		t.Fatal(err)
	}
	if j = openIn(t, state, "/some/project"); len(j.Proved()) != 1 || j.Proved()[0] != j.Prints().Of(key) {
		t.Errorf("the proof of the key is lost: %v", j.Entries())
	}
	if _, known := j.KeySince(key); !known {
		t.Error("the key's age is lost")
	}
	if _, known := j.KeySince(secret.NewFingerprinter(nil).Secret(randomHex(40))); known {
		t.Error("another key has its age")
	}
	if kept, err := os.ReadFile(filepath.Join(dir, "key")); err != nil || !bytes.Equal(kept, own) {
		t.Errorf("its own key changed: %v", err)
	}
	fresh := openIn(t, state, "/another")
	if fresh.Prints().Of(key) != state.Prints("").Of(key) || j.Prints().Of(key) == state.Prints("").Of(key) {
		t.Error("what is shown is not of the folder's key")
	}
}

// A project's folder may have the longest name that there is.
func TestTheLongestNameOfAFolder(t *testing.T) {
	t.Parallel()
	state := Folder(filepath.Join(t.TempDir(), "state"))
	for _, name := range []string{"shop", strings.Repeat("n", 242), strings.Repeat("n", 255), strings.Repeat("é", 127)} {
		j := openIn(t, state, "/projects/"+name)
		if base := filepath.Base(j.Dir()); len(base) > 255 || !utf8.ValidString(base) || len(name) <= 242 && !strings.HasPrefix(base, name+"-") {
			t.Errorf("%s: %s", name, base)
		}
	}
}

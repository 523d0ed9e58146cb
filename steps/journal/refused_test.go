package journal

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/secret"
)

// Where nothing can be written to the folder, whoever asks is told what to do.
func TestAFolderThatCannotBeMadeSaysWhatToDo(t *testing.T) {
	t.Parallel()
	project := t.TempDir()
	in := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(in, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	locked := stateFolder(t)
	if err := os.MkdirAll(filepath.Join(locked.Of(project, "development"), "run.lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	below := Folder(filepath.Join(in, "state"))
	for name, try := range map[string]func() error{
		"open":                func() error { _, err := below.Open(project, "development"); return err },
		"hold":                func() error { _, err := below.Hold(t.Context(), project, "development", "x", nil); return err },
		"a folder for a lock": func() error { _, err := locked.Hold(t.Context(), project, "development", "x", nil); return err },
		"inside": func() error {
			_, err := Folder(filepath.Join(project, "s")).Hold(t.Context(), project, "development", "x", nil)
			return err
		},
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), "KEYSPLIT_STATE_DIR") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A journal that Open would refuse is not usable, and a fingerprint without a key of the
// folder holds for this process alone.
func TestADamagedFolderIsNotUsable(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "A=1\n")
	project := filepath.Dir(env)
	if err := os.WriteFile(j.path(), []byte("nothing\nof ours\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := j.state.Usable(project, "development"); err == nil {
		t.Error("a damaged journal is usable")
	}
	if err := os.WriteFile(filepath.Join(string(j.state), "key"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	prints := j.state.Prints(project)
	if print := prints.Secret(canary.New()).Fingerprint(); print == "" || j.state.Passing() == nil {
		t.Errorf("with a damaged key: %q, %v", print, j.state.Passing())
	}
	if err := os.Remove(j.path()); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(j.path(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := j.load(); err == nil {
		t.Error("a folder was read as a journal")
	}
}

// What a full disk does not take is noted and kept nowhere.
func TestAFullDiskIsAnError(t *testing.T) {
	t.Parallel()
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil || runtime.GOOS != "linux" {
		t.Skip("SKIPPED, NOT TESTED: this system has no /dev/full")
	}
	if writeDurably(full, []byte("x")) == nil {
		t.Error("a full disk took a file")
	}
	j, _ := journalFor(t, "")
	if err := os.Remove(j.path()); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mknod", j.path(), "c", "1", "7").CombinedOutput(); err != nil { // another full disk
		t.Skipf("SKIPPED, NOT TESTED: mknod: %v %s", err, out)
	}
	known := len(j.entries)
	if err := j.SetStatus("write", "done"); !errors.Is(err, syscall.ENOSPC) || len(j.entries) != known || j.torn == "" {
		t.Errorf("a line on a full disk: %v, %d entries, cut off %q", err, len(j.entries)-known, j.torn)
	}
}

// shut takes from everyone to make files in a folder; those that are there can be written.
func shut(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
		return
	}
	if out, err := exec.Command("chattr", "+i", dir).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: chattr: %v %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("chattr", "-i", dir).Run() })
}

// A folder that takes no file is said to be of no use before anything is written.
func TestAShutFolderIsNotUsable(t *testing.T) {
	t.Parallel()
	state := Folder(t.TempDir())
	shut(t, string(state))
	if err := state.Usable(t.TempDir(), "development"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("it is usable: %v", err)
	}
}

// What was there before is kept before anything says that it is replaced.
func TestWhatCannotBeKeptIsNotBegun(t *testing.T) {
	t.Parallel()
	key := func() secret.Secret { return secret.Fingerprinter{}.Secret(canary.New()) }
	for name, try := range map[string]func(j *Journal) error{
		"a delivery": func(j *Journal) error { _, err := j.Deliver(Delivery{Target: "x"}, key()); return err },
		"one of two keys": func(j *Journal) error {
			_, err := j.DeliverPair(Delivery{Target: "x"}, secret.Secret{}, Pair{})
			return err
		},
		"a key for its places": func(j *Journal) error { return j.Choose(key(), []string{"x", "y"}) },
		"a rotation":           func(j *Journal) error { return j.BeginRotation(key(), key()) },
	} {
		j, _ := journalFor(t, "")
		shut(t, j.dir)
		if err := try(j); !errors.Is(err, fs.ErrPermission) || j.entries[len(j.entries)-1].Kind != "backup" {
			t.Errorf("%s: %v, and the last line is %q", name, err, j.entries[len(j.entries)-1].Kind)
		}
	}
}

// A deed whose note is only a part of another one is not gone on with.
func TestANoteThatFailsEndsWhatItBelongsTo(t *testing.T) {
	t.Parallel()
	key := func() secret.Secret { return secret.Fingerprinter{}.Secret(canary.New()) }
	j, _ := journalFor(t, "")
	if err := j.StartEmergency(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Error("a deadline was noted that no line can hold")
	}
	if err := j.Choose(key(), nil); err != nil {
		t.Fatal(err)
	}
	kept := j.ChosenFile()
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(kept, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := j.Choose(key(), nil); err == nil || j.ChosenFile() != kept {
		t.Errorf("a key was chosen beside one that could not be forgotten: %v", err)
	}
}

// A plan that goes on has to note what it brings, also where it has one file alone.
func TestAPlanThatCannotBeNotedDoesNotGoOn(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	other := filepath.Join(filepath.Dir(env), "other")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := j.BeginPlan([]string{env, other}); err != nil {
		t.Fatal(err)
	}
	change(t, j, env, "K=2\n")
	next := reopen(t, j, filepath.Dir(env))
	if err := next.Bring(secret.Fingerprinter{}.Secret(canary.New())); err != nil {
		t.Fatal(err)
	}
	next.readOnly = true
	if err := next.BeginPlan([]string{other}); err == nil {
		t.Error("a plan goes on without a note of what it brings")
	}
}

// What several runs make at once is what the first one made.
func TestAFileThatIsThereStays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	for _, data := range []string{"first", "second"} {
		if err := publish(path, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if got := content(t, path); got != "first" {
		t.Errorf("it holds %q", got)
	}
}

// Package stepstest gives the tests of the steps a run to work on: a project in
// a temporary folder, a journal in a state folder of its own, an environment
// that holds nothing, and a Django that answers as it is told.
package stepstest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
)

// Key makes a fresh good key of 86 characters.
func Key() string {
	b := make([]byte, 64)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// State is a state folder of the test's own.
func State(t testing.TB) journal.Folder {
	t.Helper()
	return journal.Folder(filepath.Join(t.TempDir(), "state"))
}

// NewRun makes a run over a project whose .env holds content, read by the given
// readers (decouple when none is named). environ is keysplit's environment (LookupEnv).
func NewRun(t testing.TB, content string, environ map[string]string, readers ...envfile.Dialect) *steps.Run {
	t.Helper()
	state := State(t)
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, ".env")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(readers) == 0 {
		readers = []envfile.Dialect{envfile.Decouple}
	}
	j, err := state.Open(root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	run := &steps.Run{
		Found: steps.Found{Journal: j}, Prints: j.Prints(),
		Environ: LookupEnv(t, environ),
		Options: steps.Options{Environment: steps.DefaultEnvironment, State: state, Unattended: true},
	}
	run.Project = &steps.Project{
		Root: root, TopLevel: root, ManagePy: filepath.Join(root, "manage.py"), SettingsModule: "config.settings",
		EnvFile: steps.EnvFile{Path: path, Exists: true, Readers: readers},
	}
	Look(t, run)
	return run
}

// LookupEnv is the Environ of a run: these variables, and a PATH with the test's stand-ins
// where they have none.
func LookupEnv(t testing.TB, environ map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if v, ok := environ[name]; ok || name != "PATH" {
			return v, ok
		}
		return searched(t.Name()), true
	}
}

// Look takes the .env as it is now for what preflight saw.
func Look(t testing.TB, run *steps.Run) {
	t.Helper()
	at, err := envfile.Open(run.Project.EnvFile.Path)
	if err != nil {
		t.Fatal(err)
	}
	run.Project.EnvFile.At, run.Project.EnvFile.Exists = at, at.Exists
}

// Content is the .env as it is now.
func Content(t testing.TB, run *steps.Run) string {
	t.Helper()
	b, err := os.ReadFile(run.Project.EnvFile.Path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Events collects what a step emits.
type Events []steps.Event

// Emit is to be handed to a step.
func (e *Events) Emit(ev steps.Event) { *e = append(*e, ev) }

// Django answers with fixed facts.
type Django struct {
	steps.Django
	Now *steps.Facts
	Err error
}

// Recheck gives the facts.
func (d *Django) Recheck(context.Context) (*steps.Facts, error) { return d.Now, d.Err }

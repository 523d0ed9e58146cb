package steps

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// Target is one place that can hold the key: a .env file, or a secret manager.
//
// Look, Plan and Verify change nothing. Apply is safe to repeat, and keeps every
// other value of the place. What it changes stands in the journal before it is
// done: a file as an intent, anything else as a Delivery.
type Target interface {
	// Spec is the target as --target has it, e.g. "kubernetes:shop/backend#jwt-secret-key".
	Spec() string
	// Local reports whether it is a file on this machine, which the project's own
	// Django may read. The local .env says nothing about a target that is not.
	Local() bool
	// File is that file, absolute, once preflight has found it; "" for none.
	File(run *Run) string
	// Look tells what the place holds now. What keeps it from looking (no such
	// program, no login, no such place) is a *Failure.
	Look(ctx context.Context, run *Run) (Held, error)
	Plan(ctx context.Context, run *Run) (Plan, error)
	Apply(ctx context.Context, run *Run, emit Emit) error
	Verify(ctx context.Context, run *Run, emit Emit) error
}

// Held is what a place holds.
type Held struct {
	Where     string            // in words, with the account, context, cluster or app: what a person checks before anything happens
	Readable  bool              // the values can be read back; false for places that only take them
	There     bool              // the key is there, also when its value cannot be read
	Unknown   bool              // whether it is there cannot be told
	Key       secret.Secret     // its value; unset when it is not there or cannot be read
	SecretKey secret.Secret     // SECRET_KEY, when the same place holds it readably
	Second    secret.Secret     // the key of a grace period, when the same place holds it readably
	Until     string            // and its deadline, as it is there
	Others    []Other           // the variables of Options.DistinctFrom, as far as the same place holds them
	Version   string            // what the place calls this state of it; "" where it has no such thing
	Changed   time.Time         // when the key was last changed, where the place tells
	Findings  []finding.Finding // what is worth knowing about the place
}

// Saw notes what the places of a run hold, in the order of its targets, where they were
// looked at one by one.
func (r *Run) Saw(held []Held) { r.Held = held }

// Rivals are the secrets of the place that its key must differ from.
func (h Held) Rivals() []secret.Secret {
	return Keys{SecretKey: Setting{Secret: h.SecretKey}, Others: h.Others}.Rivals()
}

// SameFile reports whether two paths lead to one file, also through a link.
func SameFile(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

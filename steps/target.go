package steps

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"dj/keysplit/envfile"
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
	// Local tells that it is a file on this machine, which the project's own
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
	Others    []Other           // the variables of Options.DistinctFrom, as far as the same place holds them
	Version   string            // what the place calls this state of it; "" where it has no such thing
	Changed   time.Time         // when the key was last changed, where the place tells
	Findings  []finding.Finding // what is worth knowing about the place
}

// Rivals are the secrets of the place that its key must differ from.
func (h Held) Rivals() []secret.Secret {
	return Keys{SecretKey: Setting{Secret: h.SecretKey}, Others: h.Others}.Rivals()
}

// productionName finds a part of a name that says production.
var productionName = regexp.MustCompile(`(?i)(^|[^a-z])(prod|production|prd|live)([^a-z]|$)`)

// NamesProduction tells whether a name (of an environment, a context, an app)
// says that it is production.
func NamesProduction(name string) bool { return productionName.MatchString(name) }

// Remote tells that no target is the .env that the project's own Django reads
// here: all are secret managers, or files that are read elsewhere, such as a
// .env.prod that only a compose file names. What the .env here holds is then
// another environment's. It says nothing, and its key must never be delivered.
func (r *Run) Remote() bool {
	for _, t := range r.Targets {
		// Before the project is known, any file here may be that .env.
		if t.Local() && (r.Project == nil || SameFile(t.File(r), r.Project.EnvFile.Path)) {
			return false
		}
	}
	return len(r.Targets) > 0
}

// SameFile tells whether two paths lead to one file, also through a link.
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

// LookAround asks every target what it holds, in order, and keeps the answers in
// run.Held. It stops at the first one that cannot be looked at.
func (r *Run) LookAround(ctx context.Context) error {
	held := make([]Held, 0, len(r.Targets))
	for _, t := range r.Targets {
		h, err := t.Look(ctx, r)
		if err != nil {
			return err
		}
		r.Redactor.Add(h.Key)
		r.Redactor.Add(h.SecretKey)
		for _, o := range h.Others {
			r.Redactor.Add(o.Secret)
		}
		held = append(held, h)
	}
	r.Held = held
	return nil
}

// Sealed tells that every place has a key and none of them shows it.
func (r *Run) Sealed() bool {
	return r.Remote() && len(r.Held) > 0 && !slices.ContainsFunc(r.Held, func(h Held) bool { return h.Readable || !h.There })
}

// CurrentKeys reads both keys as they are in force where this run's backend gets
// them: from the .env, as its reader does, or from what the targets held when
// they were last looked at. Where several hold a key, the first one counts.
func (r *Run) CurrentKeys() (Keys, error) {
	if r.Remote() {
		var k Keys
		for _, h := range r.Held {
			if !k.Key.Secret.Set() && h.Key.Set() {
				k.Key = Setting{Secret: h.Key, Source: "place"}
			}
			if !k.SecretKey.Secret.Set() && h.SecretKey.Set() {
				k.SecretKey = Setting{Secret: h.SecretKey, Source: "place"}
			}
			k.Others = append(k.Others, h.Others...)
		}
		k.InFile = k.Key
		return k, nil
	}
	env := r.Project.EnvFile
	if len(env.Readers) == 0 {
		return Keys{}, fmt.Errorf("read %s: its reader is not known", env.Path)
	}
	at, err := envfile.Open(env.Path)
	if err != nil {
		return Keys{}, err
	}
	return ReadKeys(r, env.Readers[0], at.Data)
}

// JudgePlaces applies the rules to what every target held when it was last looked
// at, and adds what is worth knowing about the place. A key that cannot be read
// back is not judged.
func (r *Run) JudgePlaces() []finding.Finding {
	var found []finding.Finding
	for i, h := range r.Held {
		spec := r.Targets[i].Spec()
		found = append(found, h.Findings...)
		switch {
		case h.Unknown:
			found = append(found, finding.New("jwt-key-missing", "Whether "+h.Where+" has a JWT_SECRET_KEY cannot be seen from here.").WithSeverity(finding.Warning).
				At(spec, 0).WithFix("Look there yourself. To set one: "+r.Command("upgrade")))
			continue
		case !h.Readable && h.There:
			continue
		}
		for _, code := range r.Judge(h.Key, h.Rivals()...) {
			message := ""
			switch code {
			case "jwt-key-missing":
				message = h.Where + " holds no JWT_SECRET_KEY."
			case "jwt-key-too-short":
				message = fmt.Sprintf("JWT_SECRET_KEY in %s has %d characters; %d are needed.", h.Where, h.Key.Len(), r.MinLength())
			}
			found = append(found, finding.New(code, message).At(spec, 0))
		}
	}
	return found
}

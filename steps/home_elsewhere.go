package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// elsewhere are one or more places of which none is the .env that the project's own
// Django reads here: secret managers, or files that are read elsewhere, such as a
// .env.prod that only a compose file names. What the .env here holds is then another
// environment's. It says nothing, and its key must never be delivered.
type elsewhere struct{ run *Run }

func (elsewhere) Here() bool { return false }

// Look asks every target what it holds, in order, and keeps the answers in run.Held.
// It stops at the first one that cannot be looked at.
func (e elsewhere) Look(ctx context.Context) error {
	r := e.run
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

// Keys are those of what the targets held. Where several hold a key, the first one
// counts.
func (e elsewhere) Keys() (Keys, error) {
	var k Keys
	for _, h := range e.run.Held {
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

func (e elsewhere) Found() (Keys, error) { return e.Keys() }

// Sealed reports whether every place has a key and none of them shows it.
func (e elsewhere) Sealed() bool {
	return len(e.run.Held) > 0 && !slices.ContainsFunc(e.run.Held, func(h Held) bool { return h.Readable || !h.There })
}

// Compares needs SECRET_KEY in one of the places.
func (elsewhere) Compares(k Keys) bool { return k.SecretKey.Secret.Set() }

func (e elsewhere) Files() []string {
	var out []string
	for _, t := range e.run.Targets {
		if path := t.File(e.run); path != "" {
			out = append(out, path)
		}
	}
	return out
}

func (e elsewhere) File() string {
	if files := e.Files(); len(files) == 1 {
		return files[0]
	}
	return ""
}

func (elsewhere) Brings(secret.Secret) (string, bool) { return "", false }
func (elsewhere) ReadBy(envfile.Dialect) string       { return "what the places hold" }

func (elsewhere) Kept() prose.Text {
	return prose.Say("Your key is good, so it stays. keysplit adds it wherever it is missing.")
}

func (e elsewhere) Witnesses() []prose.Text {
	var lines []prose.Text
	for _, t := range e.run.Targets {
		lines = append(lines, prose.Say("What %s holds now", t.Spec()))
	}
	if e.run.Django != nil {
		lines = append(lines, djangoWitness)
	}
	return lines
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
			found = append(found, finding.New(finding.JWTKeyMissing, "keysplit cannot read from here whether "+h.Where+" has a JWT_SECRET_KEY.").WithSeverity(finding.Warning).
				At(spec, 0).WithFix(finding.Do("Look there yourself. To set one: %s", finding.Command(r.Command("upgrade")))))
			continue
		case !h.Readable && h.There:
			continue
		}
		for _, code := range r.Judge(h.Key, h.Rivals()...) {
			message := "" // the place itself is said beside it
			if code == finding.JWTKeyTooShort {
				message = fmt.Sprintf("JWT_SECRET_KEY has %d characters; %d are needed.", h.Key.Len(), r.MinLength())
			}
			found = append(found, finding.New(code, message).At(spec, 0))
		}
	}
	return found
}

// Takes is a *Failure where no key of the settings signs tokens.
func (e elsewhere) Takes(Keys) error {
	if s := e.run.Project.Source; s.SplitsNothing() {
		return Fail(e.run.Untaken(s).WithSeverity(finding.Error))
	}
	return nil
}

// InFiles names the files that the backend of this environment gets its key from.
func (r *Run) InFiles() string {
	var names []string
	for _, path := range r.Home().Files() {
		names = append(names, r.Project.Rel(path))
	}
	return strings.Join(names, " and ")
}

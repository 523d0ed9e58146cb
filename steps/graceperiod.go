package steps

import (
	"strings"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/secret"
)

// The settings of a grace period, which are the guide's names of its variables: the
// second key that is accepted, and until when.
const (
	GraceKeyName   = "JWT_PREVIOUS_SECRET_KEY"
	GraceUntilName = "JWT_PREVIOUS_SECRET_KEY_UNTIL"
	GraceApp       = "jwt_grace.GraceConfig" // the entry in INSTALLED_APPS
)

// MaxGrace is the longest grace period. The module itself refuses a longer one.
const MaxGrace = 30 * 24 * time.Hour

// graceForm is a time in UTC without a character that any reader of variables could
// quote, cut or keep quotes for: `docker run --env-file` keeps them.
const graceForm = "20060102T150405Z"

// GraceUntil is a deadline as the variable has it.
func GraceUntil(t time.Time) string { return t.UTC().Format(graceForm) }

// readUntil reads a deadline. Earlier releases wrote RFC 3339.
func readUntil(text string) (time.Time, error) {
	if t, err := time.Parse(graceForm, text); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, text)
}

var (
	ofKey   = lazyregexp.New(`(?i)(?:SECRET_|SIGNING_)?KEY$`)
	inHumps = lazyregexp.New(`^[a-z0-9]+(?:[A-Z][a-z0-9]*)*?((?:Secret|Signing)?Key)$`)
)

// Grace are the variables of a grace period, in the manner of the key's own name.
func (n Names) Grace() (key, until string) { return GraceNames(n.Or(GuideNames).Key) }

// GraceNames are the names for a grace period beside a key of the given name, a variable
// or an entry of a place: with its prefix, in its case, and with its hyphens.
func GraceNames(name string) (key, until string) {
	if strings.Contains(name, "-") && !strings.Contains(name, "_") {
		key, until = GraceNames(strings.ReplaceAll(name, "-", "_"))
		return strings.ReplaceAll(key, "_", "-"), strings.ReplaceAll(until, "_", "-")
	}
	if m := inHumps.FindStringSubmatchIndex(name); m != nil {
		key = name[:m[2]] + "Previous" + name[m[2]:]
		return key, key + "Until"
	}
	word := "PREVIOUS_"
	if name == strings.ToLower(name) {
		word = "previous_"
	}
	if at := ofKey.FindStringIndex(name); at != nil {
		key = name[:at[0]] + word + name[at[0]:]
	} else {
		key = name + "_" + strings.TrimSuffix(word, "_")
	}
	if word == "previous_" {
		return key, key + "_until"
	}
	return key, key + "_UNTIL"
}

// Grace reads the grace period from the files that this run's backend gets its key
// from, as they are now, and from what its other places held at the last look: the key
// that is accepted beside the one in force, unset where there is no such period, and its
// deadline. under tells that it is not over.
func (r *Run) Grace(now time.Time) (key secret.Secret, until time.Time, under bool) {
	var files []string
	if r.Project != nil && len(r.Project.EnvFile.Readers) > 0 && !(r.Options.Committed && !r.Project.EnvFile.Exists) {
		files = r.Home().Files()
	}
	keyName, untilName := r.Names().Grace()
	for _, path := range files {
		at, err := envfile.Open(path)
		if err != nil {
			continue
		}
		vars, err := envfile.Read(r.Project.EnvFile.Readers[0], at.Data, r.LookupEnv)
		if err != nil {
			continue
		}
		value, _ := vars.Says(keyName)
		text, _ := vars.Says(untilName)
		if end, err := readUntil(text); err == nil && value != "" {
			return r.Secret(value), end, now.Before(end)
		}
	}
	for _, h := range r.Held {
		if end, err := readUntil(h.Until); err == nil && h.Second.Set() {
			return h.Second, end, now.Before(end)
		}
	}
	return key, until, false
}

// GraceOver is the finding of a grace period that is over and has left its two variables;
// ok is false where there is none. In the file of development an edit takes them out.
func (r *Run) GraceOver(now time.Time) (f finding.Finding, ok bool) {
	key, until, under := r.Grace(now)
	if !key.Set() || under || r.Project == nil {
		return f, false
	}
	f = finding.New(finding.GraceOver, "The grace period ended at "+until.UTC().Format("2006-01-02 15:04 MST")+".")
	if path := r.Home().File(); path != "" {
		f = f.At(r.Project.Rel(path), 0)
		if path == r.Project.EnvFile.Path {
			return f, true
		}
	}
	return f.NotFixable(), true
}

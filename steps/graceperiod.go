package steps

import (
	"strings"
	"time"

	"dj/keysplit/envfile"
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

var ofKey = lazyregexp.New(`(?i)(?:SECRET_|SIGNING_)?KEY$`)

// Grace are the variables of a grace period, in the manner of the key's own name: with
// its prefix, and in its case.
func (n Names) Grace() (key, until string) {
	name := n.Or(GuideNames).Key
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
// from, as they are now: the key that is accepted beside the one in force, unset
// where there is no such period, and its deadline. under tells that it is not over.
// What a secret manager holds is not asked.
func (r *Run) Grace(now time.Time) (key secret.Secret, until time.Time, under bool) {
	if r.Project == nil || len(r.Project.EnvFile.Readers) == 0 || r.Options.Committed && !r.Project.EnvFile.Exists {
		return key, until, false
	}
	keyName, untilName := r.Names().Grace()
	for _, path := range r.Home().Files() {
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
	return key, until, false
}

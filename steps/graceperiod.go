package steps

import (
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/secret"
)

// The variables of a grace period after a rotation: the key before, and until
// when it is accepted (RFC 3339).
const (
	GraceKeyName   = "JWT_PREVIOUS_SECRET_KEY"
	GraceUntilName = "JWT_PREVIOUS_SECRET_KEY_UNTIL"
	GraceApp       = "jwt_grace.GraceConfig" // the entry in INSTALLED_APPS
)

// Grace reads the grace period from the files that this run's backend gets its key
// from, as they are now: the key that is accepted beside the one in force, unset
// where there is no such period, and its deadline. under tells that it is not over.
// What a secret manager holds is not asked.
func (r *Run) Grace(now time.Time) (key secret.Secret, until time.Time, under bool) {
	if r.Project == nil || len(r.Project.EnvFile.Readers) == 0 || r.Options.Committed && !r.Project.EnvFile.Exists {
		return key, until, false
	}
	for _, path := range r.Home().Files() {
		at, err := envfile.Open(path)
		if err != nil {
			continue
		}
		vars, err := envfile.Read(r.Project.EnvFile.Readers[0], at.Data, r.LookupEnv)
		if err != nil {
			continue
		}
		value, _ := vars.Says(GraceKeyName)
		text, _ := vars.Says(GraceUntilName)
		if end, err := time.Parse(time.RFC3339, text); err == nil && value != "" {
			return r.Secret(value), end, now.Before(end)
		}
	}
	return key, until, false
}

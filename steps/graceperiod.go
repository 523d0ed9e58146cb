package steps

import (
	"time"

	"dj/keysplit/envfile"
)

// The variables of a grace period after a rotation: the key before, and until
// when it is accepted (RFC 3339).
const (
	GraceKeyName   = "JWT_PREVIOUS_SECRET_KEY"
	GraceUntilName = "JWT_PREVIOUS_SECRET_KEY_UNTIL"
)

// Grace reads the grace period from the backend's .env as it is now: the key that
// is accepted beside the one in force, unset where there is no such period, and
// its deadline. under tells that it is not over.
func (r *Run) Grace(now time.Time) (key Secret, until time.Time, under bool) {
	if r.Project == nil || len(r.Project.EnvFile.Readers) == 0 || r.Remote() {
		return key, until, false
	}
	at, err := envfile.Open(r.Project.EnvFile.Path)
	if err != nil {
		return key, until, false
	}
	vars, err := envfile.Read(r.Project.EnvFile.Readers[0], at.Data, r.LookupEnv)
	if err != nil {
		return key, until, false
	}
	value, ok := vars.Get(GraceKeyName)
	text, _ := vars.Get(GraceUntilName)
	until, err = time.Parse(time.RFC3339, text)
	if !ok || value == "" || err != nil {
		return key, until, false
	}
	return r.Secret(value), until, now.Before(until)
}

package steps

import (
	"errors"
	"fmt"
	"time"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// Stage is how far a rotation is that logs nobody out. It goes through the steps twice.
type Stage string

// The stages.
const (
	NoStage   Stage = ""       // no such rotation
	Accepting Stage = "accept" // the old key signs, and every process is to accept the new one too
	Signing   Stage = "sign"   // every process is to sign with the new key, and accepts the old one too
	Closing   Stage = "end"    // the grace period ends before its deadline
)

// Both reports whether the backend is to accept two keys.
func (s Stage) Both() bool { return s == Accepting || s == Signing }

// endStage records that a stage was proved.
func (r *Run) endStage() error {
	switch r.Stage {
	case Accepting:
		rotation, _, err := r.Journal.Rotation()
		if err != nil {
			return err
		}
		return r.Journal.SetAccepted(rotation)
	case Signing:
		return r.Journal.EndRotation()
	}
	return nil
}

// NotAccepted reports whether the first stage of a rotation ended with the proof that the
// running server does not accept two keys: nothing of it is to stay written.
func (r *Run) NotAccepted(err error) bool {
	var failure *Failure
	return r.Stage == Accepting && errors.As(err, &failure) && finding.Has(failure.Findings, finding.GraceNotInForce)
}

// longestToken is how long the longest-lived token lasts that users hold, 0 where that
// is not known.
func (r *Run) longestToken() time.Duration {
	if r.Project == nil || r.Project.Facts == nil {
		return 0
	}
	t := r.Project.Facts.Tokens
	return max(t.AccessLifetime(), t.RefreshLifetime())
}

// GraceLength is how long the grace period of this run is: as asked for, else as long as
// the longest-lived token, MaxGrace at most.
func (r *Run) GraceLength() time.Duration {
	switch longest := r.longestToken(); {
	case r.Answers.GraceFor > 0:
		return r.Answers.GraceFor
	case longest > 0:
		return min(longest, MaxGrace)
	}
	return MaxGrace
}

// LogsNobodyOut reports whether this run's grace period is known to outlast every token.
func (r *Run) LogsNobodyOut() bool {
	longest := r.longestToken()
	return longest > 0 && r.GraceLength() >= longest
}

// GraceNote says in a few words what a rotation with a grace period means for people.
func (r *Run) GraceNote() string {
	if r.LogsNobodyOut() {
		return "nobody is logged out"
	}
	return "both keys are accepted for " + Span(r.GraceLength())
}

// WhoPays says who has to log in again at the deadline of this run's grace period.
func (r *Run) WhoPays() prose.Text {
	longest, length := r.longestToken(), r.GraceLength()
	switch {
	case longest == 0:
		return prose.Say("How long tokens last is not known here, so it is not known whether someone has to log in again after %s.", Span(length))
	case r.LogsNobodyOut():
		return prose.Say("Nobody is logged out: tokens of the previous key are accepted for %s, which is as long as any of them lasts.", Span(length))
	}
	kind := "Refresh tokens"
	if r.Project.Facts.Tokens.Type == "sliding" {
		kind = "Sliding tokens"
	}
	if r.Project.Facts.Tokens.Rotates {
		return prose.Say("%s last %s: whoever does not refresh one within %s of the rotation logs in again at the deadline.", kind, Span(longest), Span(length))
	}
	return prose.Say("%s last %s and are not rotated: everyone who logged in before the rotation logs in again at the deadline.", kind, Span(longest))
}

// Span is a length of time in words.
func Span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%.0f hours", d.Hours())
	case d >= 2*time.Minute:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	}
	return fmt.Sprintf("%.0f seconds", d.Seconds())
}

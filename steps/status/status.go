// Package status is the operator's view of one environment: which key is in which
// place, which key its server signs with, what is unfinished, how old the key is, and
// what the latest runs did. It changes nothing, and says what it did not look at.
package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// Status is how one environment stands. Its names are part of the JSON that `status
// --json` prints, and stable. A fingerprint is six hexadecimal digits, the same for the
// same key in every environment of this user.
type Status struct {
	Environment string       `json:"environment"`
	Places      []Place      `json:"places"`
	Servers     []Server     `json:"servers"` // none where they were not asked
	Grace       *Grace       `json:"grace"`   // null where there is none
	Since       *time.Time   `json:"since"`   // when keysplit brought the key; null where it did not
	Days        *int         `json:"days"`    // its age; null where that is not known
	Unfinished  []prose.Text `json:"unfinished"`
	Runs        []Ran        `json:"runs"` // the latest first
	Unseen      []prose.Text `json:"not_looked_at"`
}

// Place is one place of the key.
type Place struct {
	Target  string     `json:"target"` // as --target has it
	Where   string     `json:"where"`
	Key     string     `json:"key"`               // fingerprint, "" where there is none or it cannot be read
	State   State      `json:"state"`             // what is known
	Why     prose.Text `json:"why,omitzero"`      // it was not looked at
	Changed *time.Time `json:"changed,omitempty"` // as the place has it
}

// State is what is known of a place.
type State string

// The states of a place.
const (
	HasKey    State = "key"        // it has one, and shows it
	Sealed    State = "sealed"     // it has one, and does not show it
	NoKey     State = "none"       // it has none
	Unknown   State = "unknown"    // it does not tell whether it has one
	NotLooked State = "not-looked" // nobody asked it
)

// Server is one server that was asked.
type Server struct {
	URL   string     `json:"url"`
	Key   string     `json:"key"` // fingerprint of the key that it signs with, "" where that was not told
	Says  prose.Text `json:"says"`
	Agree bool       `json:"agrees"` // it signs with the key of the places
}

// Grace is a grace period.
type Grace struct {
	Key   string    `json:"key"` // fingerprint of the other key that is accepted
	Until time.Time `json:"until"`
	Over  bool      `json:"over"`
}

// Ran is one run that changed something.
type Ran struct {
	Time     time.Time `json:"time"` // of its first change
	Changed  []string  `json:"changed"`
	Key      string    `json:"key"` // fingerprint of the key that it brought, "" for none
	Undone   bool      `json:"undone"`
	Finished bool      `json:"finished"` // it came to the end of its restart
}

// latest is how many runs are listed.
const latest = 5

// Of looks at the environment of a run whose project is found, as it is at the given
// time. Its error is that of ctx; what could not be looked at is part of the result.
func Of(ctx context.Context, run *steps.Run, now time.Time) (Status, error) {
	s := Status{Environment: run.Options.Environment, Places: []Place{}, Servers: []Server{}, Unfinished: []prose.Text{}, Runs: []Ran{}, Unseen: []prose.Text{}}
	key, err := s.places(ctx, run)
	if err != nil {
		return s, err
	}
	if other, until, under := run.Grace(now); other.Set() {
		s.Grace = &Grace{Key: other.Fingerprint(), Until: until.UTC(), Over: !under}
	}
	shows := func(h steps.Held) bool { return h.Readable }
	if !run.Home().Here() && len(run.Home().Files()) == 0 && !slices.ContainsFunc(run.Held, shows) {
		s.Unseen = append(s.Unseen, prose.Say("A grace period: %s does not show one.", run.Targets[0].Spec()))
	}
	if run.Journal == nil {
		s.Unseen = append(s.Unseen, prose.Say("Earlier runs: keysplit has not changed this environment from this machine."))
		return s, nil
	}
	if since, known := Since(run, key); known {
		days := int(now.Sub(since).Hours() / 24)
		s.Since, s.Days = &since, &days
	}
	s.unfinished(run, key)
	for _, r := range slices.Backward(run.Journal.Ran(steps.Passed(steps.Restart))) {
		if len(s.Runs) == latest {
			break
		}
		ran := Ran{Time: r.From.UTC(), Changed: slices.Clone(r.Targets), Key: short(r.Key), Undone: r.Undone, Finished: r.Finished}
		for _, path := range r.Files {
			ran.Changed = append(ran.Changed, run.Redactor.Clean(run.Project.Rel(path)))
		}
		s.Runs = append(s.Runs, ran)
	}
	return s, nil
}

// short is the part of a fingerprint that is shown.
func short(print string) string { return print[:min(len(print), 6)] }

// places asks each place of the environment, and returns the key that is in force.
func (s *Status) places(ctx context.Context, run *steps.Run) (key secret.Secret, err error) {
	if run.Home().Here() {
		keys, err := run.Home().Keys()
		p := Place{Target: run.Targets[0].Spec(), Where: run.Redactor.Clean(run.Project.Rel(run.Project.EnvFile.Path)), State: NoKey}
		switch key = keys.Key.Secret; {
		case err != nil:
			p.State, p.Why = NotLooked, prose.Of(run.Redactor.Show(secret.Said(err.Error())))
		case run.Home().Sealed():
			p.State = Sealed
		case key.Len() > 0:
			p.State, p.Key = HasKey, key.Fingerprint()
		}
		if from, ok := run.Home().Brings(key); ok && err == nil {
			p.Where = from
		}
		s.Places = append(s.Places, p)
		s.Unseen = append(s.Unseen, prose.Say("The environment of the server's own process, which may hold another key."))
		return key, nil
	}
	var all []steps.Held
	for _, t := range run.Targets {
		p, held := look(ctx, run, t)
		if ctx.Err() != nil {
			return key, ctx.Err()
		}
		if all = append(all, held); !key.Set() {
			key = held.Key
		}
		s.Places = append(s.Places, p)
	}
	run.Saw(all)
	return key, nil
}

// look asks one place. One that nobody has agreed to is not asked.
func look(ctx context.Context, run *steps.Run, t steps.Target) (Place, steps.Held) {
	p := Place{Target: t.Spec(), State: NotLooked}
	if !t.Local() && len(run.Options.Untrusted) > 0 {
		p.Why = prose.Say("nobody has agreed to what keysplit.toml says; to agree: `keysplit status --trust-config`")
		return p, steps.Held{}
	}
	h, err := t.Look(ctx, run)
	var failure *steps.Failure
	switch {
	case errors.As(err, &failure) && len(failure.Findings) > 0:
		p.Why = run.Fit(failure.Findings[0].Message)
		return p, steps.Held{}
	case err != nil:
		p.Why = prose.Of(run.Redactor.Show(secret.Said(err.Error())))
		return p, steps.Held{}
	}
	p.Where, p.State = h.Where, NoKey
	if !h.Changed.IsZero() {
		changed := h.Changed.UTC()
		p.Changed = &changed
	}
	switch {
	case h.Unknown:
		p.State = Unknown
	case h.Key.Len() > 0:
		p.State, p.Key = HasKey, run.Prints.Reprint(h.Key).Fingerprint()
	case h.There && !h.Readable:
		p.State = Sealed
	}
	return p, h
}

// unfinished says which upgrade did not come to its end, and how it does.
func (s *Status) unfinished(run *steps.Run, key secret.Secret) {
	j := run.Journal
	finish, undo := prose.Command(run.Command("upgrade")), prose.Command(run.Command("rollback"))
	rotation, under, _ := j.Rotation()
	stage, what := "first", "every process accepts the new key"
	if rotation.Accepted {
		stage, what = "second", "every process signs with the new key"
	}
	switch others := j.Unfinished(run.Specs()); {
	case j.OpenRollback(steps.Restarted):
		s.Unfinished = append(s.Unfinished, prose.Say("Everything is restored, but the server was not seen with it. To finish the rollback: %s", undo))
	case under:
		s.Unfinished = append(s.Unfinished, prose.Say("A rotation with a grace period is at its %s stage (%s). To finish it: %s. To undo it: %s",
			stage, what, prose.Command(run.Command("upgrade", "--rotate", "--grace")), undo))
	case len(others) > 0:
		s.Unfinished = append(s.Unfinished, prose.Say("An upgrade of %s has changed a part of its places. To finish it: %s. To undo it: %s",
			secret.Inert(strings.Join(others, ", ")), prose.Command(run.FinishCommand(others)), undo))
	case j.Delivering():
		s.Unfinished = append(s.Unfinished, prose.Say("An upgrade has changed a part of its places. To finish it: %s. To undo it: %s", finish, undo))
	case j.Brought(key, steps.Passed(steps.Restart)):
		s.Unfinished = append(s.Unfinished, prose.Say("The key was written, and no restart came to its end with it. To finish it: %s. To undo it: %s", finish, undo))
	}
}

// Age is the key's age in words.
func (s Status) Age() string {
	if s.Days == nil {
		return "not known: keysplit did not bring this key"
	}
	return fmt.Sprintf("%s, since %s", steps.Plural(*s.Days, "day"), s.Since.Format("2006-01-02"))
}

// Since is when the key came to its places: as the journal has it, else as a place
// tells that was looked at. known is false where neither does.
func Since(run *steps.Run, key secret.Secret) (since time.Time, known bool) {
	if run.Journal != nil {
		if since, known = run.Journal.KeySince(key); known {
			return since.UTC(), true
		}
	}
	for _, h := range run.Held {
		if !h.Changed.IsZero() {
			return h.Changed.UTC(), true
		}
	}
	return since, false
}

// Begun reports whether an upgrade has begun to bring this key and did not come to its end.
func Begun(run *steps.Run, key secret.Secret) bool {
	j := run.Journal
	if j == nil {
		return false
	}
	_, under, _ := j.Rotation()
	return under || j.Delivering() || j.Brought(key, steps.Passed(steps.Restart))
}

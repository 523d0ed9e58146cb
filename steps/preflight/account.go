package preflight

import (
	"context"
	"errors"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
)

// CreateUser makes a throwaway account. The journal has its name before it is made: a
// run that is killed with all of its children leaves it to the next one.
func (s *session) CreateUser(ctx context.Context) (steps.Account, error) {
	named, err := s.ask(ctx, "name-user", nil)
	if err != nil {
		return steps.Account{}, err
	}
	s.made = journal.Account{Field: named.Field, Name: named.Username}
	if s.notes != nil {
		if err := s.notes.NoteAccount(s.made); err != nil {
			return steps.Account{}, err
		}
	}
	r, err := s.ask(ctx, "create-user", nil)
	if err != nil {
		// What the project does after it has saved an account may fail too. Where the
		// removal fails, the note stays.
		_ = s.DeleteUser(ctx)
		return steps.Account{}, err
	}
	return steps.Account{Field: r.LoginField, Username: r.LoginName, Password: s.secret(r.Password)}, nil
}

func (s *session) DeleteUser(ctx context.Context) error {
	if _, err := s.ask(ctx, "delete-user", nil); err != nil || s.notes == nil {
		return err
	}
	return s.notes.AccountGone(s.made)
}

// removeLeft removes the throwaway accounts of runs that were killed, each by its name.
// Where Django cannot, the note stays for the next start.
func (s *session) removeLeft(ctx context.Context, emit steps.Emit) error {
	if s.notes == nil {
		return nil
	}
	for _, a := range s.notes.Accounts() {
		r, err := s.ask(ctx, "remove-user", map[string]any{"field": a.Field, "username": a.Name})
		var failure *steps.Failure
		switch {
		case errors.As(err, &failure):
			emit.CheckWith("account", steps.MarkWarn, "throwaway account "+a.Name, prose.Say("was left by a run that was killed, and could not be removed: %s", failure.Findings[0].Message))
			continue
		case err != nil:
			return err
		case r.Removed > 0:
			emit.Check("account", steps.MarkOK, "throwaway account "+a.Name, "was left by a run that was killed, and is removed")
		}
		if err := s.notes.AccountGone(a); err != nil {
			return err
		}
	}
	return nil
}

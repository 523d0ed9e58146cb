//go:build unix

package preflight

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// A run that is killed with all of its children leaves its throwaway account. The next
// start removes that one, and no other.
func TestAnAccountOfAKilledRunIsRemovedAtTheNextStart(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	run := newRun(t)
	open := func() *session {
		t.Helper()
		j, err := run.Options.State.Open(p.Root, "development")
		if err != nil {
			t.Fatal(err)
		}
		run.Journal, run.Prints = j, j.Prints()
		s, _, err := startRun(t, p, run)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	kill := func(s *session) {
		if err := syscall.Kill(-s.proc.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-s.proc.Done()
	}
	s := open()
	other, err := s.CreateUser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// An account of the same kind that is not in this journal: another machine's.
	if err := run.Journal.AccountGone(s.made); err != nil {
		t.Fatal(err)
	}
	kill(s)
	s = open()
	mine, err := s.CreateUser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kill(s)
	if got := p.Users(t); !slices.Contains(got, mine.Username) || !slices.Contains(got, other.Username) {
		t.Fatalf("the control: the killed runs left %q", got)
	}

	// A start that may change nothing leaves it.
	var events stepstest.Events
	run.Journal = nil
	s, _, err = startRun(t, p, run)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.removeLeft(t.Context(), events.Emit); err != nil || len(events) != 0 {
		t.Errorf("%v, %v", events, err)
	}

	s = open()
	if err := s.removeLeft(t.Context(), events.Emit); err != nil {
		t.Fatal(err)
	}
	if got := p.Users(t); !slices.Equal(got, []string{other.Username}) {
		t.Errorf("left are %q, want only %s", got, other.Username)
	}
	if len(events) != 1 || !strings.Contains(events[0].Text.Rendered(), mine.Username) || len(run.Journal.Accounts()) != 0 {
		t.Errorf("said %+v, noted %v", events, run.Journal.Accounts())
	}

	// Those that were noted and never made are no news.
	for _, name := range []string{"keysplit-000000000000", "keysplit-000000000001"} {
		if err := run.Journal.NoteAccount(journal.Account{Field: "username", Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.removeLeft(t.Context(), events.Emit); err != nil || len(events) != 1 || len(run.Journal.Accounts()) != 0 {
		t.Errorf("%v, %v, %v", err, events, run.Journal.Accounts())
	}

	// Where Django cannot remove it, the note stays and a person hears of it.
	if err := run.Journal.NoteAccount(journal.Account{Field: "no_such_field", Name: "keysplit-000000000000"}); err != nil {
		t.Fatal(err)
	}
	if err := s.removeLeft(t.Context(), events.Emit); err != nil || len(events) != 2 || events[1].Mark != "warn" || len(run.Journal.Accounts()) != 1 {
		t.Errorf("%v, %v, %v", err, events, run.Journal.Accounts())
	}

	// One that cannot be noted is not made.
	if err := os.RemoveAll(run.Journal.Dir()); err != nil {
		t.Fatal(err)
	}
	if a, err := s.CreateUser(t.Context()); err == nil {
		t.Errorf("%s was made without a note", a.Username)
	}
	if got := p.Users(t); !slices.Equal(got, []string{other.Username}) {
		t.Errorf("without a note there are %q", got)
	}
}

// A deleted account is not looked for again.
func TestADeletedAccountIsForgotten(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	run := newRun(t)
	j, err := run.Options.State.Open(p.Root, "development")
	if err != nil {
		t.Fatal(err)
	}
	run.Journal, run.Prints = j, j.Prints()
	s, _, err := startRun(t, p, run)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.CreateUser(t.Context())
	if err != nil || len(j.Accounts()) != 1 || j.Accounts()[0].Name != a.Username {
		t.Fatalf("%v: %v", err, j.Accounts())
	}
	if err := s.DeleteUser(t.Context()); err != nil || len(j.Accounts()) != 0 || len(p.Users(t)) > 0 {
		t.Errorf("%v: %v", err, j.Accounts())
	}
	// Nothing is made that is not noted: a journal that is only read takes no note.
	if s.notes, err = run.Options.State.Read(p.Root, "development"); err != nil || s.notes == nil {
		t.Fatal(err)
	}
	if _, err := s.CreateUser(t.Context()); err == nil || len(p.Users(t)) > 0 {
		t.Errorf("an account that could not be noted was made: %v", err)
	}

	// The step does so by itself.
	if err := j.NoteAccount(journal.Account{Field: "username", Name: a.Username}); err != nil {
		t.Fatal(err)
	}
	if out, err := p.Manage(t, nil, "shell", "-c", "from django.contrib.auth import get_user_model; get_user_model().objects.create_user('"+a.Username+"')"); err != nil {
		t.Fatal(err, out)
	}
	run.Options.Folder, run.Options.Python = p.Root, p.Python
	defer run.Close()
	if err := (&Step{}).Apply(t.Context(), run, func(steps.Event) {}); err != nil || len(p.Users(t)) > 0 {
		t.Errorf("after a start: %v, accounts %q", err, p.Users(t))
	}
}

package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestJournalSurvivesATornLine(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	change(t, j, env, "K=2\n")
	entries := len(j.Entries())
	f, err := os.OpenFile(j.path(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"time":"2025-01-01T00:00:00Z","kind":"beg`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	j = reopen(t, j, filepath.Dir(env))
	if got := len(j.Entries()); got != entries {
		t.Errorf("%d entries after a torn line, want %d", got, entries)
	}
	if err := j.SetStatus("write", "done"); err != nil {
		t.Fatal(err)
	}
	if got := len(reopen(t, j, filepath.Dir(env)).Entries()); got != entries+1 {
		t.Errorf("%d entries after the next write, want %d", got, entries+1)
	}
}

// A first line that was damaged when it was written records no deed.
func TestJournalBeginsAnewAfterADamagedFirstLine(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"{", "\"time\":1}\n", "\n"} {
		j, env := journalFor(t, "K=1\n")
		if err := os.WriteFile(j.path(), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		again := reopen(t, j, filepath.Dir(env))
		if err := again.SetStatus("write", "done"); err != nil {
			t.Fatal(err)
		}
		if got := len(reopen(t, j, filepath.Dir(env)).Entries()); got != 2 {
			t.Errorf("%q: %d entries, want 2", line, got)
		}
		if again.Doubtful() || reopen(t, j, filepath.Dir(env)).Doubtful() {
			t.Errorf("%q: there is doubt, and nothing was lost", line)
		}
	}
}

func TestJournalRefusesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	damage := map[string]func(j *Journal) error{
		"another project": func(j *Journal) error {
			line, err := j.seal(Entry{Kind: KindOpened, Project: "/elsewhere", Environment: "development"})
			if err != nil {
				return err
			}
			return os.WriteFile(j.path(), append(line, '\n'), 0o600)
		},
		"rubbish": func(j *Journal) error { return os.WriteFile(j.path(), []byte("rubbish\nrubbish\n"), 0o600) },
		"changed": func(j *Journal) error {
			return os.WriteFile(j.path(), bytes.Repeat([]byte(`{"time":"2025-01-01T00:00:00Z","kind":"opened","project":"/elsewhere","environment":"development","seal":"00"}`+"\n"), 2), 0o600)
		},
		"short key": func(j *Journal) error {
			return errors.Join(os.Remove(j.path()), os.WriteFile(filepath.Join(j.Dir(), "key"), []byte("short"), 0o600))
		},
		"lost key": func(j *Journal) error { return os.Remove(filepath.Join(string(j.state), "key")) },
		"damaged key": func(j *Journal) error {
			return os.WriteFile(filepath.Join(string(j.state), "key"), []byte("short"), 0o600)
		},
	}
	for name, spoil := range damage {
		t.Run(name, func(t *testing.T) {
			j, env := journalFor(t, "K=1\n")
			if err := spoil(j); err != nil {
				t.Fatal(err)
			}
			if _, err := j.state.Open(filepath.Dir(env), "development"); !errors.Is(err, ErrUnusable) {
				t.Errorf("opened with %v", err)
			}
		})
	}
}

// What a later version adds is under the seal too: its lines count, and only a form
// that this version would misread is refused.
func TestJournalOfALaterVersion(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	add := func(line string) {
		t.Helper()
		line = strings.TrimSuffix(line, "}") + `,"seal":"`
		line += j.prints.Sum([]byte(line+`"}`)) + `"}` + "\n"
		f, err := os.OpenFile(j.path(), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(line); err != nil {
			t.Fatal(err)
		}
	}
	add(`{"time":"2030-01-01T00:00:00Z","kind":"emergency","until":"2030-01-02T00:00:00Z","reason":"new"}`)
	add(`{"time":"2030-01-01T00:00:00Z","kind":"new","what":{"a":[1,2]}}`)
	j = reopen(t, j, filepath.Dir(env))
	if _, ok := j.Emergency(); !ok || j.Doubtful() || len(j.Entries()) != 3 {
		t.Errorf("emergency %v, doubtful %v, %d entries", ok, j.Doubtful(), len(j.Entries()))
	}
	add(`{"time":"2030-01-01T00:00:00Z","schema":2,"kind":"opened","project":"/p","environment":"development"}`)
	if _, err := j.state.Open(filepath.Dir(env), "development"); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "a newer keysplit wrote it") {
		t.Errorf("opened with %v", err)
	}
}

// A line that lacks what its kind is about is passed over, whoever sealed it: those
// who read the entries count on it.
func TestJournalPassesOverLinesThatLackTheirSubject(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{KindBegin, KindEnd, KindEmergency, KindDeliver, KindDelivered, KindEvidence, KindAccount, KindAccountGone} {
		j, env := journalFor(t, "K=1\n")
		if err := j.append(Entry{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		if j = reopen(t, j, filepath.Dir(env)); len(j.Entries()) != 1 || !j.Doubtful() {
			t.Errorf("%s: %d entries, doubtful %v", kind, len(j.Entries()), j.Doubtful())
		}
	}
}

// Journals that were written before there was a number are read as before.
func TestJournalWithoutANumber(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	line, err := j.seal(Entry{Kind: KindOpened, Project: filepath.Dir(env), Environment: "development"})
	if err != nil || bytes.Contains(line, []byte("schema")) {
		t.Fatalf("%s %v", line, err)
	}
	if err := os.WriteFile(j.path(), append(line, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := len(reopen(t, j, filepath.Dir(env)).Entries()); n != 1 {
		t.Errorf("%d entries", n)
	}
}

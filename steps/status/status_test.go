package status_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/status"
	"dj/keysplit/steps/stepstest/djangotest"
)

// place is a target that is no file of the backend here.
type place struct {
	steps.Target
	spec string
	held steps.Held
	err  error
}

func (p place) Spec() string                                         { return p.spec }
func (place) Local() bool                                            { return false }
func (place) File(*steps.Run) string                                 { return "" }
func (p place) Look(context.Context, *steps.Run) (steps.Held, error) { return p.held, p.err }

func newRun(t *testing.T, targets ...steps.Target) *steps.Run {
	t.Helper()
	root := t.TempDir()
	j, err := journal.Folder(filepath.Join(t.TempDir(), "state")).Open(root, "staging")
	if err != nil {
		t.Fatal(err)
	}
	project := &steps.Project{Root: root, TopLevel: root, EnvFile: steps.EnvFile{Path: filepath.Join(root, ".env"), Readers: []envfile.Dialect{envfile.Decouple}}}
	return &steps.Run{
		Options: steps.Options{Environment: "staging"}, Targets: targets, Prints: j.Prints(), Found: steps.Found{Project: project, Journal: j},
		Environ: func(string) (string, bool) { return "", false },
	}
}

// What each place tells is said of it, and no more.
func TestWhatIsKnownOfEachPlace(t *testing.T) {
	t.Parallel()
	key := djangotest.NewKey()
	run := newRun(t)
	run.Targets = []steps.Target{
		place{spec: "vault:a/b", held: steps.Held{Where: "a", Readable: true, There: true, Key: run.Secret(key)}},
		place{spec: "fly:shop", held: steps.Held{Where: "b", There: true, Changed: time.Now()}},
		place{spec: "aws:c", held: steps.Held{Where: "c", Readable: true}},
		place{spec: "manual", held: steps.Held{Where: "d", Unknown: true}},
		place{spec: "heroku:e", err: steps.Fail(finding.New(finding.PlaceNotFound, "There is no such app."))},
		place{spec: "heroku:f", err: errors.New("the token is " + key)},
	}
	s, err := status.Of(t.Context(), run, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []status.State{status.HasKey, status.Sealed, status.NoKey, status.Unknown, status.NotLooked, status.NotLooked} {
		p := s.Places[i]
		if p.State != want || (p.Key != "") != (want == status.HasKey) || p.Why.Empty() != (want != status.NotLooked) {
			t.Errorf("%s: %+v", p.Target, p)
		}
		if (p.Changed != nil) != (want == status.Sealed) {
			t.Errorf("%s was changed at %v", p.Target, p.Changed)
		}
		if strings.Contains(p.Why.Rendered(), key) {
			t.Errorf("%s shows the key", p.Target)
		}
	}
	run.Options.Untrusted = []finding.Finding{{}}
	if s, err = status.Of(t.Context(), run, time.Now()); err != nil || s.Places[0].State != status.NotLooked {
		t.Errorf("a place was asked that nobody agreed to: %v, %+v", err, s.Places[0])
	}
}

// An upgrade that did not come to its end is named, until its restart does.
func TestWhatIsUnfinished(t *testing.T) {
	t.Parallel()
	run := newRun(t)
	key := run.Secret(djangotest.NewKey())
	run.Targets = []steps.Target{place{spec: "vault:a/b", held: steps.Held{Where: "a", Readable: true, There: true, Key: key}}}
	unfinished := func() int {
		t.Helper()
		s, err := status.Of(t.Context(), run, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return len(s.Unfinished)
	}
	if unfinished() != 0 {
		t.Error("nothing was begun")
	}
	if err := run.Journal.Bring(key); err != nil {
		t.Fatal(err)
	}
	if unfinished() != 1 {
		t.Error("a key that was brought and never restarted with is not named")
	}
	if err := run.Journal.SetStatus(string(steps.Restart), string(steps.Done)); err != nil {
		t.Fatal(err)
	}
	if unfinished() != 0 {
		t.Error("what came to its end is named as unfinished")
	}
	if err := errors.Join(run.Journal.Choose(key, []string{"vault:a/b", "fly:x"}), deliver(run)); err != nil {
		t.Fatal(err)
	}
	if unfinished() != 1 {
		t.Error("an upgrade that changed one of two places is not named")
	}
	if err := run.Journal.BeginRollback("x"); err != nil {
		t.Fatal(err)
	}
	if s, err := status.Of(t.Context(), run, time.Now()); err != nil || len(s.Unfinished) != 1 || !strings.HasPrefix(s.Unfinished[0].Rendered(), "Everything is restored") {
		t.Errorf("a rollback whose server was not seen is not named: %v, %d", err, len(s.Unfinished))
	}
}

func deliver(run *steps.Run) error {
	_, err := run.Journal.Deliver(journal.Delivery{Target: "vault:a/b"}, run.Secret("x"))
	return err
}

// The age is that of the key in force, from the journal or from the place.
func TestTheAgeOfTheKey(t *testing.T) {
	t.Parallel()
	run := newRun(t)
	key := run.Secret(djangotest.NewKey())
	run.Targets = []steps.Target{place{spec: "vault:a/b", held: steps.Held{Where: "a", Readable: true, There: true, Key: key}}}
	now := time.Now()
	if s, err := status.Of(t.Context(), run, now); err != nil || s.Days != nil || !strings.Contains(s.Age(), "not known") {
		t.Errorf("%v, %q", err, s.Age())
	}
	if err := run.Journal.SetKey(key); err != nil {
		t.Fatal(err)
	}
	if s, err := status.Of(t.Context(), run, now.Add(100*24*time.Hour)); err != nil || s.Days == nil || *s.Days != 100 && *s.Days != 99 {
		t.Errorf("%v, %q", err, s.Age())
	}
}

// A grace period in a file of the environment is shown with its deadline.
func TestTheGracePeriodIsShown(t *testing.T) {
	t.Parallel()
	run := newRun(t)
	path := filepath.Join(t.TempDir(), "staging.env")
	run.Targets = []steps.Target{filed{place{spec: "dotenv:" + path, held: steps.Held{Where: path, Readable: true}}, path}}
	now := time.Now().UTC().Truncate(time.Second)
	for name, c := range map[string]struct {
		until time.Time
		over  bool
	}{"in force": {now.Add(time.Hour), false}, "over": {now.Add(-time.Hour), true}} {
		text := steps.GraceKeyName + "=" + djangotest.NewKey() + "\n" + steps.GraceUntilName + "=" + c.until.Format(time.RFC3339) + "\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := status.Of(t.Context(), run, now)
		if err != nil || s.Grace == nil || s.Grace.Over != c.over || !s.Grace.Until.Equal(c.until) || len(s.Grace.Key) != 6 {
			t.Errorf("%s: %v, %+v", name, err, s.Grace)
		}
	}
}

// own is the .env of the project.
type own struct{ filed }

func (own) Local() bool { return true }

// Of a key that the environment sets it is said, and of one in the file which file that is.
func TestWhereTheKeyIsHere(t *testing.T) {
	t.Parallel()
	for want, env := range map[string]string{"the environment": djangotest.NewKey(), ".env": ""} {
		run := newRun(t)
		path := run.Project.EnvFile.Path
		run.Targets = []steps.Target{own{filed{place{spec: "dotenv:" + path}, path}}}
		run.Environ = func(name string) (string, bool) { return env, env != "" && name == "JWT_SECRET_KEY" }
		if env == "" {
			if err := os.WriteFile(path, []byte("JWT_SECRET_KEY="+djangotest.NewKey()+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := status.Of(t.Context(), run, time.Now())
		if err != nil || len(s.Places) != 1 || s.Places[0].State != status.HasKey || s.Places[0].Where != want {
			t.Errorf("%v: %+v, want %s", err, s.Places, want)
		}
	}
}

// Likewise one in a place that holds it beside the key. Of a place that shows no value it
// is said that none is seen there.
func TestTheGracePeriodOfAPlaceIsShown(t *testing.T) {
	t.Parallel()
	run := newRun(t)
	now := time.Now().UTC().Truncate(time.Second)
	held := steps.Held{Where: "a", Readable: true, There: true, Key: run.Secret(djangotest.NewKey()), Second: run.Secret(djangotest.NewKey()), Until: steps.GraceUntil(now.Add(time.Hour))}
	run.Targets = []steps.Target{place{spec: "vault:a/b", held: held}}
	s, err := status.Of(t.Context(), run, now)
	if err != nil || s.Grace == nil || s.Grace.Over || s.Grace.Key != held.Second.Fingerprint() || len(s.Unseen) != 0 {
		t.Errorf("%v, %+v, not looked at %d", err, s.Grace, len(s.Unseen))
	}
	run.Targets = []steps.Target{place{spec: "github:a/b", held: steps.Held{Where: "a", There: true}}}
	if s, err = status.Of(t.Context(), run, now); err != nil || s.Grace != nil || len(s.Unseen) != 1 || !strings.Contains(s.Unseen[0].Rendered(), "grace period") {
		t.Errorf("%v, %+v, not looked at %d", err, s.Grace, len(s.Unseen))
	}
}

type filed struct {
	place
	path string
}

func (f filed) File(*steps.Run) string { return f.path }

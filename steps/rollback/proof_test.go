package rollback

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// asked is a smoke test that can only be asked after a rollback.
type asked struct {
	steps.Step
	err    error
	times  *int
	undone *secret.Secret
}

func (asked) Name() steps.Name { return steps.SmokeTest }
func (a asked) Restored(_ context.Context, _ *steps.Run, undone secret.Secret, _ steps.Emit) error {
	*a.times++
	if a.undone != nil {
		*a.undone = undone
	}
	return a.err
}

// warns is an engine's restart that says of itself that the server is not up.
type warns struct{ undone }

func (w warns) Undo(_ context.Context, run *steps.Run, emit steps.Emit) error {
	emit.Find(finding.New(finding.ServerUnreachable, "").WithSeverity(finding.Warning))
	return w.undo(run)
}

// A rollback has come to its end when a server was seen with the restored key, or when
// there is nothing to see; nothing else is success.
func TestARollbackIsProved(t *testing.T) {
	t.Parallel()
	listens := func(run *steps.Run) error { run.URL = "http://127.0.0.1:1"; return nil }
	stale := steps.Fail(finding.New(finding.ServerStaleKey, ""))
	key := "JWT_SECRET_KEY=" + stepstest.Key() + "\n"
	for name, c := range map[string]struct {
		before  string
		restart func(*steps.Run) error
		warns   bool
		verify  error
		options func(*steps.Options)
		asked   int
		ok      bool
		next    string
	}{
		"it is seen":                      {key, listens, false, nil, nil, 1, true, ""},
		"another key is in force":         {key, listens, false, stale, nil, 1, false, "To finish the rollback"},
		"it cannot be told":               {key, listens, false, steps.Fail(finding.New(finding.ProofInconclusive, "")), nil, 1, false, "Everything is restored, but which key the server uses was not verified."},
		"no key before, and no address":   {"A=1\n", func(run *steps.Run) error { run.Servers = []steps.Server{{Reloader: 1}}; return nil }, false, stale, nil, 0, true, "There was no key before"},
		"no server":                       {key, fine, false, stale, nil, 0, true, "found no server"},
		"no server, and an address":       {key, fine, false, stale, func(o *steps.Options) { o.URL = "http://127.0.0.1:1" }, 1, false, "To finish the rollback"},
		"no key before":                   {"A=1\n", listens, false, nil, nil, 1, true, "There was no key before"},
		"no key before, and it is down":   {"A=1\n", listens, true, nil, nil, 1, true, "There was no key before"},
		"so, and the undone one is used":  {"A=1\n", listens, false, stale, nil, 1, false, "To finish the rollback"},
		"no key before, nobody is to ask": {"A=1\n", listens, false, stale, func(o *steps.Options) { o.NoVerify = true }, 0, true, "There was no key before"},
		"it is down":                      {key, listens, true, nil, nil, 0, false, "To finish the rollback"},
		"nobody is to ask":                {key, listens, false, stale, func(o *steps.Options) { o.NoVerify = true }, 0, true, "Nobody asked a server"},
		"it is down, and nobody asks it":  {key, listens, true, stale, func(o *steps.Options) { o.NoVerify = true }, 0, false, "To finish the rollback"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := after(t, c.before, revert, c.restart, []string{".env", "JWT_SECRET_KEY=" + stepstest.Key() + "\n"})
			times, about := 0, secret.Secret{}
			now, _ := Of(e).keys(t.Context())
			restart := undone{name: steps.Restart, undo: c.restart}
			e = steps.NewEngine(e.Run, undone{name: steps.Write, undo: revert}, restart, asked{err: c.verify, times: &times, undone: &about})
			if c.warns {
				e = steps.NewEngine(e.Run, undone{name: steps.Write, undo: revert}, warns{restart}, asked{err: c.verify, times: &times})
			}
			if c.options != nil {
				c.options(&e.Run.Options)
			}
			v := Of(e).Run(t.Context(), nil)
			if (v.Err == nil) != c.ok || times != c.asked || c.next != "" && !strings.Contains(v.Summary.Rendered()+" "+stepstest.Rendered(v.Next, " "), c.next) {
				t.Errorf("asked %d times, %+v", times, v)
			}
			if !c.warns && times > 0 && !about.Equal(now.InForce()) {
				t.Errorf("it is not asked about the key that was undone")
			}
			if Of(e).open == c.ok {
				t.Errorf("it is open: %t", !c.ok)
			}
		})
	}
}

// A restart that failed is no end of a rollback, whichever key was there before, and an
// earlier change is no matter until there is one.
func TestARestartThatFailedIsNoEnd(t *testing.T) {
	t.Parallel()
	same := "JWT_SECRET_KEY=" + stepstest.Key() + "\n"
	for name, files := range map[string][]string{
		"another key before": {".env", "JWT_SECRET_KEY=" + stepstest.Key() + "\n"},
		"no key before":      {".env", "A=2\n"},
		"no key, an address": {".env", "JWT_SECRET_KEY=" + stepstest.Key() + "\n"},
		"the same key":       {".env", same + "A=2\n"},
	} {
		before := same
		if strings.HasPrefix(name, "no key") {
			before = "A=1\n"
		}
		e := after(t, before, revert, fine, files)
		if name == "no key, an address" {
			e.Run.Options.URL = "http://127.0.0.1:1"
		}
		e = steps.NewEngine(e.Run, undone{name: steps.Write, undo: revert}, fails{undone{name: steps.Restart}})
		r := Of(e)
		r.before = []journal.Upgrade{{Run: "an earlier one"}}
		v := r.Run(t.Context(), nil)
		if v.Err == nil || v.Proved || !Of(e).open || strings.Contains(stepstest.Rendered(v.Next, " "), "earlier change") {
			t.Errorf("%s: %+v", name, v)
		}
		if found := e.Findings(); len(found) != 1 || found[0].Fix.Command() != "keysplit rollback --timeout 10m" {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// fails is a restart whose command fails, which it says of itself.
type fails struct{ undone }

func (fails) Undo(_ context.Context, _ *steps.Run, emit steps.Emit) error {
	emit.Find(finding.New(finding.RestartFailed, "").WithSeverity(finding.Warning).WithFix(finding.Do("Give it more time: `keysplit --timeout 10m`.")))
	return nil
}

// What is left of a rollback is finished by the next one, which undoes nothing more.
func TestARollbackIsFinished(t *testing.T) {
	t.Parallel()
	fails, restarts, times := true, 0, 0
	restart := func(run *steps.Run) error {
		if restarts++; fails {
			return steps.Fail(finding.New(finding.RestartFailed, ""))
		}
		run.URL = "http://127.0.0.1:1"
		return nil
	}
	e := after(t, "JWT_SECRET_KEY="+stepstest.Key()+"\n", fine, fine, []string{".env", "JWT_SECRET_KEY=" + stepstest.Key() + "\n"})
	next := func() {
		j, err := e.Run.Options.State.Open(e.Run.Project.Root, steps.DefaultEnvironment)
		if err != nil {
			t.Fatal(err)
		}
		e.Run.Journal = j
		e = steps.NewEngine(e.Run, undone{name: steps.Write, undo: revert}, undone{name: steps.Restart, undo: restart}, asked{times: &times})
	}
	next()
	middle := "JWT_SECRET_KEY=" + stepstest.Key() + "\n"
	change(t, e.Run, ".env", middle)
	next()
	change(t, e.Run, ".env", "JWT_SECRET_KEY="+stepstest.Key()+"\n")
	if v := Of(e).Run(t.Context(), nil); v.Err == nil || !v.Changed || stepstest.Content(t, e.Run) != middle {
		t.Fatalf("%+v", v)
	}
	for range 2 { // it can fail again
		next()
		back := Of(e)
		if _, nothing := back.Nothing(); nothing || !strings.Contains(back.Plan(t.Context()).Summary.Rendered(), "Finish the rollback") {
			t.Fatalf("%+v", back.Plan(t.Context()))
		}
		v := back.Run(t.Context(), nil)
		if (v.Err == nil) == fails || v.Changed || stepstest.Content(t, e.Run) != middle {
			t.Errorf("fails %t: %+v", fails, v)
		}
		fails = false
	}
	if restarts != 3 || times != 1 {
		t.Errorf("%d restarts, asked %d times", restarts, times)
	}
	next()
	if back := Of(e); back.open || len(back.last.Files) != 1 || !slices.Equal(e.Run.Journal.Proved(), nil) {
		t.Errorf("the earlier change is not next: %+v", back.last)
	}
}

// A look at the keys that fails after all is back is said with its reason.
func TestKeysThatCannotBeReadAfterARollback(t *testing.T) {
	t.Parallel()
	spoil := func(run *steps.Run) error {
		if err := revert(run); err != nil {
			return err
		}
		return os.WriteFile(run.Project.EnvFile.Path, []byte("A=1\xff\n"), 0o600)
	}
	e := after(t, "JWT_SECRET_KEY="+stepstest.Key()+"\n", spoil, fine, []string{".env", "JWT_SECRET_KEY=" + stepstest.Key() + "\n"})
	var events stepstest.Events
	v := Of(e).Run(t.Context(), events.Emit)
	said := slices.IndexFunc(events, func(e steps.Event) bool { return e.Kind == steps.EventFailed && !e.Text.Empty() })
	if v.Err == nil || said < 0 || !strings.Contains(v.Summary.Rendered(), "could not read which key is in force") {
		t.Errorf("said at %d of %d, %+v", said, len(events), v)
	}
}

package restart

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/process"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/stepstest"
)

func TestOwnServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := backend(t)
	stopped := 0
	w.step.Start = func(context.Context, *steps.Run) (string, func(), error) { return url, func() { stopped++ }, nil }
	if p, err := w.step.Plan(context.Background(), w.run); err != nil || !strings.Contains(p.Summary.Rendered(), "Start the backend") {
		t.Errorf("plan = %+v, %v", p, err)
	}
	texts, _, err := do(w.step.Apply, w.run)
	if err != nil || w.run.URL != url || !w.run.Restarted || w.run.Serves() || !hasText(texts, "keysplit started a server of its own on 127.0.0.1:") {
		t.Fatalf("URL %q, said %q, error %v", w.run.URL, texts, err)
	}
	left := ""
	for _, l := range w.run.Left {
		left += l.Rendered()
	}
	if !strings.Contains(left, "Start your server: ") || !strings.Contains(left, "manage.py runserver") || strings.Contains(left, "--settings") {
		t.Errorf("left to do: %q", left)
	}
	if texts, _, err := do(w.step.Verify, w.run); err != nil || !hasText(texts, "a server of keysplit's own answers") {
		t.Errorf("verify: %q, %v", texts, err)
	}
	if seen, err := w.step.Seen(t.Context(), w.run); seen || err != nil {
		t.Errorf("the server that keysplit started is taken for the project's: %v", err)
	}
	w.set(w.server(7, 0, time.Now().Add(time.Minute), backend(t)))
	if seen, err := w.step.Seen(t.Context(), w.run); !seen || err != nil {
		t.Errorf("the project's server is not seen: %v", err)
	}
	// Once that is there, the other one is in its way.
	if _, _, err := do(w.step.Apply, w.run); err != nil || stopped != 1 || w.run.OwnServer || w.run.URL == url || len(w.run.Left) != 0 {
		t.Errorf("%v; stopped %d times, address %s, left %q", err, stopped, w.run.URL, w.run.Left)
	}
	w.run.Close()
	w.run.Close()
	if stopped != 1 {
		t.Errorf("stopped %d times", stopped)
	}
}

// In development a server that keysplit starts is enough; elsewhere it is not what
// people use.
func TestNoServerElsewhereThanInDevelopment(t *testing.T) {
	t.Parallel()
	for environment, want := range map[string]int{"development": 0, "staging": 1} {
		w := newWorld(t)
		w.run.Options.Environment = environment
		url := backend(t)
		w.step.Start = func(context.Context, *steps.Run) (string, func(), error) { return url, func() {}, nil }
		p, _ := w.step.Plan(t.Context(), w.run)
		if len(p.Ends) != want {
			t.Errorf("%s: the plan ends with %v", environment, codesOf(p.Ends))
		}
		_, found, err := do(w.step.Apply, w.run)
		if err != nil || len(found) != want || want > 0 && (found[0].Code != "server-not-found" || found[0].Severity != finding.Error) {
			t.Errorf("%s: %v, %+v", environment, err, found)
		}
	}
}

func codesOf(found []finding.Finding) (codes []finding.Code) {
	for _, f := range found {
		codes = append(codes, f.Code)
	}
	return codes
}

// A server that nothing restarts goes on with the key that it has: the plan says so, where
// that is another one, and nothing but a file tells it the new one.
func TestAPlanThatRestartsNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   func(w *world)
		ends []finding.Code
	}{
		"a new key":     {func(w *world) { w.run.Key = w.run.Secret(newKey()) }, []finding.Code{"server-stale-key"}},
		"the key stays": {func(*world) {}, nil},
		"nobody asks": {func(w *world) {
			w.run.Key, w.run.Options.Skip = w.run.Secret(newKey()), map[steps.Name]bool{steps.SmokeTest: true}
		}, nil},
		"a platform's own": {func(w *world) { w.run.Targets = []steps.Target{&stepstest.Place{Name: "fly:a"}} }, nil},
		"a command restarts it": {func(w *world) {
			other, _ := Parse("command:true")
			w.run.Key, w.run.Options.Restart = w.run.Secret(newKey()), other
		}, nil},
	} {
		w := newWorld(t)
		w.run.Options.Restart, w.run.Options.URL = nothing, "http://127.0.0.1:1"
		c.in(w)
		if p, err := w.step.Plan(t.Context(), w.run); err != nil || !slices.Equal(codesOf(p.Ends), c.ends) {
			t.Errorf("%s: %v, %v", name, codesOf(p.Ends), err)
		}
	}
}

// Whether a server comes up with a restart is not known beforehand: where none is seen, the
// plan says what the run then ends with.
func TestAPlanSaysThatNoServerIsSeen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   func(w *world)
		says bool
	}{
		"none":           {func(*world) {}, true},
		"none elsewhere": {func(w *world) { w.run.Targets = []steps.Target{&stepstest.Place{Name: "a"}} }, true},
		"one is seen":    {func(w *world) { w.set(w.server(7, 0, w.old, backend(t))) }, false},
		"its address":    {func(w *world) { w.run.Options.URL = "http://127.0.0.1:1" }, false},
		"nobody asks":    {func(w *world) { w.run.Options.Skip = map[steps.Name]bool{steps.SmokeTest: true} }, false},
		"a real run":     {func(w *world) { w.run.Options.ReadOnly = false }, false},
	} {
		w := newWorld(t)
		w.run.Options.Restart, w.run.Options.ReadOnly = by(t, "command:true"), true
		c.in(w)
		p, err := w.step.Plan(t.Context(), w.run)
		if said := strings.Contains(stepstest.Rendered(p.Details, " "), notFound+" Unless one answers after the restart, the run ends with 1."); err != nil || said != c.says {
			t.Errorf("%s: %q, %v", name, stepstest.Rendered(p.Details, " "), err)
		}
	}
}

// servicesFile is a file that gives all its variables to the backend of an environment.
type servicesFile struct{ *stepstest.Place }

func (servicesFile) Variables(*steps.Run) (map[string]string, bool) {
	return map[string]string{"SHOP": "open"}, true
}

// Where the project's Django starts with the variables of an environment's own file, and no
// server that has them is found, keysplit starts one with them; not where the restart or the
// address is named, or nothing is to be asked.
func TestTheOwnServerHasTheVariablesOfTheServicesFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in    func(run *steps.Run)
		fails bool
		own   bool
		found []finding.Code
		ends  []finding.Code // what the plan says that the run ends with
	}{
		"elsewhere":       {func(run *steps.Run) { run.Options.Environment = "staging" }, false, true, []finding.Code{"server-not-found"}, []finding.Code{"server-not-found"}},
		"in development":  {func(*steps.Run) {}, false, true, nil, nil},
		"does not start":  {func(*steps.Run) {}, true, false, []finding.Code{"server-unreachable"}, nil},
		"nothing, named":  {func(run *steps.Run) { run.Options.Restart = nothing }, false, false, nil, []finding.Code{"server-unreachable"}},
		"no login":        {func(run *steps.Run) { run.Options.Skip = map[steps.Name]bool{steps.SmokeTest: true} }, false, false, nil, nil},
		"no Django":       {func(run *steps.Run) { run.Django = nil }, false, false, nil, []finding.Code{"server-unreachable"}},
		"another's place": {func(run *steps.Run) { run.Targets = []steps.Target{&stepstest.Place{Name: "a"}} }, false, false, nil, []finding.Code{"server-unreachable"}},
	} {
		w := newWorld(t)
		w.run.Targets = []steps.Target{servicesFile{&stepstest.Place{Name: "dotenv:shop.env", Path: "/etc/shop.env"}}}
		w.run.Django = struct{ steps.Django }{}
		c.in(w.run)
		url, ended := backend(t), 0
		w.step.Start = func(_ context.Context, run *steps.Run) (string, func(), error) {
			if c.fails {
				return "", nil, steps.Fail(finding.New(finding.ServerUnreachable, ""))
			}
			if !slices.Contains(ownEnvironment(run), "SHOP=open") {
				t.Errorf("%s: the server does not get the file's variables", name)
			}
			return url, func() { ended++ }, nil
		}
		p, err := w.step.Plan(t.Context(), w.run)
		if planned := slices.ContainsFunc(p.Details, func(line prose.Text) bool { return strings.Contains(line.Rendered(), "starts one for the test") }); err != nil || planned != (c.own || c.fails) {
			t.Errorf("%s: planned %t, %v", name, planned, err)
		}
		_, found, err := do(w.step.Apply, w.run)
		codes := codesOf(found)
		if got := codesOf(p.Ends); !slices.Equal(got, c.ends) {
			t.Errorf("%s: the plan ends with %v", name, got)
		}
		if err != nil || w.run.OwnServer != c.own || (w.run.URL == url) != c.own || !slices.Equal(codes, c.found) {
			t.Errorf("%s: own %t at %q, found %v, %v", name, w.run.OwnServer, w.run.URL, codes, err)
		}
		if c.own { // again, and then the real one is there: it is the one that has the file's key
			w.set(w.server(7, 0, time.Now().Add(time.Minute), url))
			if seen, err := w.step.Seen(t.Context(), w.run); seen || err != nil {
				t.Errorf("%s: a server with other variables is taken for the service's: %v", name, err)
			}
			if _, _, err := do(w.step.Apply, w.run); err != nil || !w.run.OwnServer || ended != 1 {
				t.Errorf("%s: again: own %t, ended %d times, %v", name, w.run.OwnServer, ended, err)
			}
		}
	}
}

func TestNamedAddressWithoutAProcessIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run.Options.URL = backend(t)
	if _, _, err := do(w.step.Apply, w.run); err != nil || w.run.Restarted {
		t.Errorf("error %v, restarted %v", err, w.run.Restarted)
	}
}

func TestVerifyFailsWhenNothingAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run.URL = "http://127.0.0.1:1"
	if err := w.step.Verify(context.Background(), w.run, func(steps.Event) {}); err == nil {
		t.Error("a closed port answers")
	}
}

func TestFoundAddressElsewhereIsNotCalled(t *testing.T) {
	t.Parallel()
	run := &steps.Run{}
	for base, want := range map[string]bool{
		"http://127.0.0.1:8000": true, "http://[::1]:8000": true, "http://localhost:8000": true,
		"http://192.0.2.7:8000": false, "http://example.org": false, "::": false,
	} {
		if got := mayAsk(t.Context(), run, base); got != want {
			t.Errorf("mayAsk(%q) = %v", base, got)
		}
	}
	run.Options.URL = "http://example.org/"
	if !mayAsk(t.Context(), run, "http://example.org") {
		t.Error("the address that the user named is not called")
	}
}

func TestUndo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, _, err := do(w.step.Undo, w.run); err != nil {
		t.Errorf("undo without a server: %v", err)
	}
	url := backend(t)
	w.set(w.server(2, 1, time.Now().Add(time.Minute), url)) // a person restarted it since the file is as it was
	if texts, findings, err := do(w.step.Undo, w.run); err != nil || w.touched() || len(findings) != 0 || w.run.URL != url {
		t.Errorf("undo beside a newer server: %v, touched %v, findings %+v, said %q", err, w.touched(), findings, texts)
	}
	w.set(w.server(2, 1, time.Now().Add(-time.Second), url)) // newer than the file, and older than the undo
	w.onTouch = func(w *world) { w.servers = []steps.Server{w.server(3, 1, time.Now().Add(2*time.Minute), url)} }
	texts, findings, err := do(w.step.Undo, w.run)
	if err != nil || !w.touched() || len(findings) != 0 || !hasText(texts, "restored value") {
		t.Errorf("undo: %v, touched %v, findings %+v, said %q", err, w.touched(), findings, texts)
	}
	// A backend that does not start with the old value does not fail the rollback.
	_ = os.Chtimes(w.run.Project.SettingsFile, w.old, w.old)
	w.set(w.server(3, 1, w.old, url))
	w.onTouch = func(w *world) { w.servers = nil }
	_, findings, err = do(w.step.Undo, w.run)
	if err != nil || !finding.Has(findings, "server-unreachable") || findings[0].Severity != finding.Warning {
		t.Errorf("undo with a backend that ends: %v, %+v", err, findings)
	}
	// Where there is no key again, that is no fault of it.
	if err := os.WriteFile(w.run.Project.EnvFile.Path, []byte("A=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = os.Chtimes(w.run.Project.SettingsFile, w.old, w.old)
	w.set(w.server(4, 1, w.old, url))
	texts, findings, err = do(w.step.Undo, w.run)
	if err != nil || len(findings) > 0 || !hasText(texts, "it has no key, as before") {
		t.Errorf("undo to no key: %v, %+v, said %q", err, findings, texts)
	}
}

// With nobody there, a rollback does not wait for a restart by hand.
func TestUndoUnattended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run.Options.Unattended, w.run.Options.Timeout = true, time.Minute
	w.set(w.server(2, 0, w.old, "http://127.0.0.1:1"))
	_, findings, err := do(w.step.Undo, w.run)
	if err != nil || len(findings) != 1 || findings[0].Code != "server-stale-key" || findings[0].Severity != finding.Warning {
		t.Errorf("error %v, findings %+v", err, findings)
	}
}

func TestWithoutProcesses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.step.Find = func(context.Context, string) ([]steps.Server, error) { return nil, process.ErrUnsupported }
	w.run.Options.URL = backend(t)
	texts, _, err := do(w.step.Apply, w.run)
	if err != nil || !w.touched() || w.run.Restarted || !hasText(texts, "cannot see the running servers") || !hasText(texts, "Marked ") {
		t.Errorf("error %v, touched %v, restarted %v, said %q", err, w.touched(), w.run.Restarted, texts)
	}
	if _, err := w.step.Plan(context.Background(), w.run); err != nil {
		t.Error(err)
	}
}

func TestUnknownWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, spec := range []string{"upstart:gunicorn", "command", "command: ", "none:x", "runserver:8000", "reboot"} {
		_, err := Parse(spec)
		if !errors.Is(err, steps.ErrUsage) || !strings.Contains(err.Error(), "command:CMD") || !strings.Contains(err.Error(), "none") {
			t.Errorf("%q: %v", spec, err)
		}
	}
	w.run.Options.Restart = by(t, "none")
	if _, err := w.step.Plan(context.Background(), w.run); err != nil {
		t.Error(err)
	}
}

func TestNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run.Options.Restart = by(t, "none")
	url := backend(t)
	w.set(w.server(2, 1, w.old, url))
	if _, _, err := do(w.step.Apply, w.run); err != nil || w.run.Restarted || w.touched() || w.run.URL != url {
		t.Errorf("error %v, restarted %v, URL %q", err, w.run.Restarted, w.run.URL)
	}
	if _, _, err := do(w.step.Undo, w.run); err != nil || w.touched() {
		t.Errorf("undo: %v", err)
	}
}

// A server of development says nothing about another environment, and is not asked.
func TestALocalServerIsNoOtherEnvironments(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"none", "command:true"} {
		w := newWorld(t)
		w.run.Options.Restart = by(t, spec)
		w.run.Targets = []steps.Target{&stepstest.Place{Name: "fly:x"}}
		w.set(w.server(2, 1, w.old, backend(t)))
		texts, _, err := do(w.step.Apply, w.run)
		if err != nil || w.run.URL != "" || !hasText(texts, "No address of the server is known") {
			t.Errorf("%s: error %v, URL %q, said %q", spec, err, w.run.URL, texts)
		}
	}
}

// A name that is this machine's by its look may lead elsewhere: over plain http
// nothing is sent there, not even the question whether somebody answers.
func TestAnAddressElsewhereIsNotAskedOverPlainHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run.Options.URL = "http://192.0.2.7:8000"
	began := time.Now()
	err := answers(context.Background(), w.run.Options.URL, time.Minute)
	if !errors.Is(err, steps.ErrElsewhere) || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	// Nor is it said that it answers, or that it does not: the smoke test says why.
	texts, _, err := do(w.step.Apply, w.run)
	if err == nil {
		err = w.step.Verify(context.Background(), w.run, func(ev steps.Event) { texts = append(texts, ev.Text.Rendered()) })
	}
	if err != nil || hasText(texts, "answers") {
		t.Errorf("%v, %q", err, texts)
	}
}

// by reads a --restart value, "" for one that was not given.
func by(t *testing.T, spec string) steps.Way {
	t.Helper()
	if spec == "" {
		return nil
	}
	w, err := Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

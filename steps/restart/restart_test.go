package restart

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/vendor"
)

func newKey() string {
	b := make([]byte, 64)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// world is a project on disk and the servers that Find sees.
type world struct {
	t       *testing.T
	run     *steps.Run
	step    *Step
	mu      sync.Mutex
	servers []steps.Server
	onTouch func(w *world) // called once, by the first Find after settings.py was touched
	inherit map[int]string
	old     time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	root := t.TempDir()
	w := &world{t: t, inherit: map[int]string{}, old: time.Now().Add(-time.Hour)}
	prints := secret.NewFingerprinter(nil)
	key := newKey()
	write := func(name, text string) string {
		path := filepath.Join(root, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	env := write(".env", "JWT_SECRET_KEY="+key+"\n")
	settings := write("settings.py", "DEBUG = True\n")
	if err := os.Chtimes(settings, w.old, w.old); err != nil {
		t.Fatal(err)
	}
	w.run = &steps.Run{
		Options: steps.Options{Timeout: 400 * time.Millisecond},
		Found: steps.Found{Project: &steps.Project{
			Root: root, ManagePy: write("manage.py", ""), SettingsFile: settings, Python: "/usr/bin/python3",
			EnvFile: steps.EnvFile{Path: env, Exists: true, Readers: []envfile.Dialect{envfile.Decouple}},
		}},
		Prints:  prints,
		Environ: stepstest.LookupEnv(t, nil),
	}
	w.run.Key = w.run.Secret(key)
	w.step = &Step{
		Find:         w.find,
		KeyOf:        w.keyOf,
		Start:        func(context.Context, *steps.Run) (string, func(), error) { return "", nil, errors.New("started") },
		ReloadWithin: 100 * time.Millisecond,
		Pace:         vendor.Pace{Every: 2 * time.Millisecond},
	}
	t.Cleanup(w.run.Close)
	return w
}

func (w *world) find(context.Context, string) ([]steps.Server, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.onTouch != nil && w.touched() {
		f := w.onTouch
		w.onTouch = nil
		f(w)
	}
	return append([]steps.Server(nil), w.servers...), nil
}

func (w *world) touched() bool {
	info, err := os.Stat(w.run.Project.SettingsFile)
	return err == nil && info.ModTime().After(w.old.Add(time.Minute))
}

func (w *world) keyOf(pid int, _ string, f secret.Fingerprinter) (string, bool, error) {
	v, ok := w.inherit[pid]
	return f.Sum([]byte(v)), ok, nil
}

func (w *world) set(servers ...steps.Server) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.servers = servers
}

// backend answers with a status that is as good as any.
func backend(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNotFound) }))
	t.Cleanup(s.Close)
	return s.URL
}

func (w *world) server(pid, reloader int, started time.Time, url string) steps.Server {
	return steps.Server{PID: pid, Reloader: reloader, Started: started, URL: url, Folder: w.run.Project.Root, Command: "python manage.py runserver"}
}

// text is what an event says, as the engine has it shown.
func text(run *steps.Run, e steps.Event) string {
	if e.Said.Empty() {
		return e.Text.Rendered()
	}
	return run.Redactor.Show(e.Said)
}

// do applies the step and returns the events and the findings.
func do(act func(context.Context, *steps.Run, steps.Emit) error, run *steps.Run) (texts []string, findings []finding.Finding, err error) {
	err = act(context.Background(), run, func(e steps.Event) {
		texts = append(texts, text(run, e))
		if e.Finding != nil {
			findings = append(findings, *e.Finding)
		}
	})
	var failure *steps.Failure
	if errors.As(err, &failure) {
		findings = append(findings, failure.Findings...)
	}
	return texts, findings, err
}

func hasText(texts []string, part string) bool {
	return strings.Contains(strings.Join(texts, "\n"), part)
}

func TestFreshServerIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := backend(t)
	w.set(w.server(2, 1, time.Now().Add(time.Second), url))
	p, err := w.step.Plan(context.Background(), w.run)
	if err != nil || !p.Nothing {
		t.Fatalf("plan = %+v, %v, want nothing to do", p, err)
	}
	if _, _, err := do(w.step.Apply, w.run); err != nil {
		t.Fatal(err)
	}
	if w.touched() || w.run.Restarted || w.run.URL != url {
		t.Errorf("touched %v, restarted %v, URL %q", w.touched(), w.run.Restarted, w.run.URL)
	}
	// The control: the same server, older than the file.
	w.set(w.server(2, 1, w.old, url))
	if p, err := w.step.Plan(context.Background(), w.run); err != nil || p.Nothing {
		t.Errorf("plan for an old server = %+v, %v", p, err)
	}
	// A write that is still to come makes the fresh one stale as well.
	w.set(w.server(2, 1, time.Now().Add(time.Second), url))
	w.run.Key = w.run.Secret(newKey())
	if p, err := w.step.Plan(context.Background(), w.run); err != nil || p.Nothing {
		t.Errorf("plan before a write = %+v, %v", p, err)
	}
}

// The smoke test asks all the servers that were found, and not the one alone whose
// address stands for the run.
func TestEveryServerIsHandedOn(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]string{"runserver": "", "none": "none"} {
		w := newWorld(t)
		w.run.Options.Restart = by(t, way)
		w.set(w.server(2, 1, time.Now().Add(time.Second), backend(t)), w.server(4, 3, time.Now().Add(time.Second), backend(t)))
		if _, _, err := do(w.step.Apply, w.run); err != nil {
			t.Fatal(name, err)
		}
		if got := w.run.Servers; len(got) != 2 || got[0].URL == got[1].URL || got[0].URL == "" || got[1].URL == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestReloadByTouch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, oldURL string }{{"running", "http://127.0.0.1:1"}, {"crashed and waiting", ""}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			url := backend(t)
			w.set(w.server(2, 1, w.old, c.oldURL))
			w.onTouch = func(w *world) {
				w.servers = []steps.Server{w.server(1, 1, w.old, "")} // between two children
				go func() {
					time.Sleep(10 * time.Millisecond)
					w.set(w.server(3, 1, time.Now(), ""))
					time.Sleep(10 * time.Millisecond)
					w.set(w.server(3, 1, time.Now(), url))
				}()
			}
			before, _ := os.ReadFile(w.run.Project.SettingsFile)
			texts, _, err := do(w.step.Apply, w.run)
			if err != nil {
				t.Fatal(err)
			}
			after, _ := os.ReadFile(w.run.Project.SettingsFile)
			if w.run.URL != url || !w.run.Restarted || string(before) != string(after) {
				t.Errorf("URL %q, restarted %v, content kept %v", w.run.URL, w.run.Restarted, string(before) == string(after))
			}
			if hasText(texts, "ctrl+c") {
				t.Error("it asked for ctrl+c although the reload worked")
			}
		})
	}
}

// A reloader that has only just started takes the first touch for the old state.
func TestSecondTouch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := backend(t)
	w.set(w.server(2, 1, w.old, url))
	w.onTouch = func(w *world) {
		_ = os.Chtimes(w.run.Project.SettingsFile, w.old, w.old)
		w.onTouch = func(w *world) { w.servers = []steps.Server{w.server(3, 1, time.Now(), url)} }
	}
	texts, _, err := do(w.step.Apply, w.run)
	if err != nil || hasText(texts, "ctrl+c") {
		t.Errorf("error %v, said %q", err, texts)
	}
}

func TestReloaderThatEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(w.server(2, 1, w.old, "http://127.0.0.1:1"))
	w.onTouch = func(w *world) { w.servers = nil }
	_, findings, err := do(w.step.Apply, w.run)
	if err == nil || !finding.Has(findings, "server-unreachable") || !strings.Contains(findings[0].Message.Rendered(), "ended") {
		t.Errorf("error %v, findings %+v", err, findings)
	}
	if w.run.Restarted {
		t.Error("it counts as restarted")
	}
}

func TestReloadedChildThatDoesNotListen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(w.server(2, 1, w.old, "http://127.0.0.1:1"))
	w.onTouch = func(w *world) { w.servers = []steps.Server{w.server(3, 1, time.Now(), "")} }
	_, findings, err := do(w.step.Apply, w.run)
	if err == nil || !finding.Has(findings, "server-unreachable") || !strings.Contains(findings[0].Message.Rendered(), "does not listen") {
		t.Errorf("error %v, findings %+v", err, findings)
	}
}

// Servers that a reload cannot help are asked for at once, or after the reload
// did not come.
func TestAskForRestart(t *testing.T) {
	t.Parallel()
	other := newKey()
	for _, c := range []struct {
		name     string
		reloader int
		inherits bool
		touches  bool
		words    string
	}{
		{"no autoreload", 0, false, false, "without the autoreloader"},
		{"inherited environment", 1, true, false, "a reload would inherit"},
		{"reload does not come", 1, false, true, "did not reload"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			url := backend(t)
			if c.inherits {
				w.inherit[2] = other
			}
			w.set(w.server(2, c.reloader, w.old, url))

			_, findings, err := do(w.step.Apply, w.run) // nobody acts
			if err == nil || !finding.Has(findings, "server-stale-key") || w.run.Restarted {
				t.Fatalf("without an answer: %v, %+v", err, findings)
			}
			pid := 2
			if c.reloader != 0 {
				pid = c.reloader
			}
			for _, part := range []string{fmt.Sprintf("process %d", pid), w.run.Project.Root, "python manage.py runserver", "ctrl+c"} {
				if !strings.Contains(findings[0].Fix.Rendered(), part) {
					t.Errorf("the fix %q does not name %q", findings[0].Fix.Rendered(), part)
				}
			}
			if w.touched() != c.touches {
				t.Errorf("touched = %v", w.touched())
			}

			asked := make(chan string, 8)
			go func() {
				<-asked
				w.set()
				time.Sleep(10 * time.Millisecond)
				w.set(w.server(5, c.reloader*4, time.Now(), url))
			}()
			w.run.Options.Timeout = 5 * time.Second
			var said []string
			err = w.step.Apply(context.Background(), w.run, func(e steps.Event) {
				if strings.Contains(e.Text.Rendered(), "ctrl+c") {
					said = append(said, e.Text.Rendered())
					asked <- e.Text.Rendered()
				}
			})
			if err != nil {
				t.Fatalf("after the restart: %v", err)
			}
			if !w.run.Restarted || w.run.URL != url || len(said) != 1 || !strings.Contains(said[0], c.words) {
				t.Errorf("restarted %v, URL %q, said %q", w.run.Restarted, w.run.URL, said)
			}
			if strings.Contains(strings.Join(said, ""), other) {
				t.Error("the inherited key is on the screen")
			}
		})
	}
}

func TestStoppedAndNotStarted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(w.server(2, 0, w.old, "http://127.0.0.1:1"))
	_, findings, err := do(func(ctx context.Context, run *steps.Run, emit steps.Emit) error {
		return w.step.Apply(ctx, run, func(e steps.Event) {
			emit(e)
			if strings.Contains(e.Text.Rendered(), "ctrl+c") {
				w.set()
			}
		})
	}, w.run)
	if err == nil || !finding.Has(findings, "server-unreachable") {
		t.Errorf("error %v, findings %+v", err, findings)
	}
}

func TestStopsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run.Options.Timeout = time.Minute
	w.set(w.server(2, 0, w.old, "http://127.0.0.1:1"))
	ctx, cancel := context.WithCancel(context.Background())
	err := w.step.Apply(ctx, w.run, func(e steps.Event) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestSeveralServers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := backend(t), backend(t)
	fresh := time.Now().Add(time.Second)
	w.set(w.server(2, 1, fresh, a), w.server(4, 0, fresh, b))
	if _, _, err := do(w.step.Apply, w.run); err != nil || w.run.URL != a {
		t.Errorf("URL %q, %v; want the first", w.run.URL, err)
	}
	if got := choose(w.run, []string{a, "http://127.0.0.1:8000"}); got != "http://127.0.0.1:8000" {
		t.Errorf("choose = %q, want the one on port 8000", got)
	}
	w.run.Options.URL = b + "/"
	if _, _, err := do(w.step.Apply, w.run); err != nil || w.run.URL != b {
		t.Errorf("URL %q, %v; want the one that was named", w.run.URL, err)
	}
	w.run.Options.URL = "http://127.0.0.1:1"
	if _, findings, err := do(w.step.Apply, w.run); err == nil || !finding.Has(findings, "server-unreachable") {
		t.Errorf("the named address does not answer: %v, %+v", err, findings)
	}
}

package steps

import (
	"context"
	"slices"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/secret"
)

// witnesses is a step that can tell which key is in force.
type witnesses struct {
	*fake
	seen *[]Name
}

func (w witnesses) Witness(_ context.Context, run *Run) error {
	*w.seen = append(*w.seen, w.name)
	if w.name == SmokeTest {
		return run.Journal.SetProved(run.Previous)
	}
	return nil
}

// The server is asked for the previous key once, before the first write that replaces a
// key, and not where nobody wants to know.
func TestWhoIsAskedBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	asked := []Name{Restart, SmokeTest, Generate}
	for name, c := range map[string]struct {
		prepare func(e *Engine)
		want    []Name
	}{
		"a rotation":            {func(*Engine) {}, asked},
		"no key before":         {func(e *Engine) { e.Run.Previous = secret.Secret{} }, nil},
		"it is written":         {func(e *Engine) { e.Run.Wrote = true }, nil},
		"the login is skipped":  {func(e *Engine) { e.Run.Options.Skip = map[Name]bool{SmokeTest: true} }, nil},
		"it was proved already": {func(e *Engine) { _ = e.Run.Journal.SetProved(e.Run.Previous) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old := canary.New()
			j, env := withJournal(t, "JWT_SECRET_KEY="+old+"\n")
			var seen []Name
			var all []Step
			for _, n := range Order() {
				all = append(all, witnesses{&fake{name: n}, &seen})
			}
			e := NewEngine(&Run{Prints: j.Prints(), Environ: func(string) (string, bool) { return "", false }}, all...)
			e.Run.Journal = j
			e.Run.Project = &Project{EnvFile: EnvFile{Path: env, Readers: []envfile.Dialect{envfile.Decouple}}}
			e.Run.Key, e.Run.Previous = e.Run.Secret(canary.New()), e.Run.Secret(old)
			c.prepare(e)
			for _, n := range []Name{Preflight, Generate, Write, Write, Distinct} {
				pass(t, e, n)
			}
			if !slices.Equal(seen, c.want) {
				t.Errorf("asked %v, want %v", seen, c.want)
			}
		})
	}
}

// A key that no place shows again is kept until the backend was restarted with it.
func TestAChosenKeyIsForgottenAfterTheRestart(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]func(e *Engine) error{
		"done":    func(e *Engine) error { return e.Apply(context.Background(), Restart, nil) },
		"skipped": func(e *Engine) error { return e.Skip(Restart, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, _ := withJournal(t, "")
			var all []*fake
			for _, n := range Order() {
				all = append(all, &fake{name: n})
			}
			e, run := engineOf(all...)
			run.Journal = j
			if err := j.Choose(run.Secret(canary.New()), []string{"fly:a"}); err != nil {
				t.Fatal(err)
			}
			for _, n := range []Name{Preflight, Generate, Write, Distinct} {
				pass(t, e, n)
			}
			if _, err := e.Plan(context.Background(), Restart, nil); err != nil || j.ChosenFile() == "" {
				t.Fatalf("%v, the key is kept: %t", err, j.ChosenFile() != "")
			}
			if err := restart(e); err != nil || j.ChosenFile() != "" {
				t.Errorf("%v, the key is kept: %t", err, j.ChosenFile() != "")
			}
		})
	}
}

// The servers are looked for again where a person may have restarted them since.
func TestServersAreLookedForAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		by    func(e *Engine) error
		known bool
		want  int
	}{
		"restarted":         {func(e *Engine) error { return e.Apply(t.Context(), Restart, nil) }, true, 0},
		"left to a person":  {func(e *Engine) error { return e.Skip(Restart, nil) }, true, 1},
		"and none was seen": {func(e *Engine) error { return e.Skip(Restart, nil) }, false, 0},
		"asked a second time": {func(e *Engine) error {
			if err := e.Apply(t.Context(), Restart, nil); err != nil {
				return err
			}
			pass(t, e, SmokeTest)
			return nil
		}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen []Name
			var all []Step
			for _, n := range Order() {
				all = append(all, witnesses{&fake{name: n}, &seen})
			}
			e := NewEngine(&Run{Prints: secret.NewFingerprinter(nil), Environ: func(string) (string, bool) { return "", false }}, all...)
			for _, n := range []Name{Preflight, Generate, Write, Distinct} {
				pass(t, e, n)
			}
			if c.known {
				e.Run.Servers = []Server{{PID: 1}}
			}
			if _, err := e.Plan(t.Context(), Restart, nil); err != nil {
				t.Fatal(err)
			}
			if err := c.by(e); err != nil {
				t.Fatal(err)
			}
			pass(t, e, SmokeTest)
			if len(seen) != c.want {
				t.Errorf("looked %d times, want %d: %v", len(seen), c.want, seen)
			}
		})
	}
}

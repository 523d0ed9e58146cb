package smoketest

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/journal"
)

// witnessed is a bench whose journal has one change of the key: from the one that
// the bench calls previous to the one that the file has now.
func witnessed(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	path := b.run.Project.EnvFile.Path
	j, err := journal.Folder(filepath.Join(t.TempDir(), "state")).Open(filepath.Dir(path), "development")
	if err != nil {
		t.Fatal(err)
	}
	b.run.Journal, b.run.Prints = j, j.Prints()
	if err := os.WriteFile(path, []byte("JWT_SECRET_KEY="+b.previous+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := envfile.Open(path)
	if err == nil {
		_, err = j.Replace(t.Context(), at, []byte("JWT_SECRET_KEY="+b.key+"\n"))
	}
	if err != nil {
		t.Fatal(err)
	}
	b.run.Key = b.run.Secret(newKey()) // of the rotation that is about to be written
	return b
}

// Before anything is written the server says which key is in force: that of the place,
// or one that was never replaced there by a restart.
func TestTheServerIsAskedBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signs  func(b *bench) string
		proved func(b *bench) string
	}{
		"the key of the place":  {func(b *bench) string { return b.key }, func(b *bench) string { return b.key }},
		"the one before it":     {func(b *bench) string { return b.previous }, func(b *bench) string { return b.previous }},
		"SECRET_KEY":            {func(b *bench) string { return b.secret }, func(*bench) string { return "" }},
		"nobody knows that key": {func(*bench) string { return newKey() }, func(*bench) string { return "" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := witnessed(t)
			b.signs = c.signs(b)
			if err := b.step.Witness(context.Background(), b.run); err != nil {
				t.Fatal(err)
			}
			got, want := b.run.Journal.Proved(), c.proved(b)
			if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || got[0] != b.run.Prints.Of(b.run.Secret(want))) {
				t.Errorf("proved: %d keys, or another one", len(got))
			}
			if p := b.run.PreviousTo(b.run.Key); p.Proved != (want != "") || want != "" && p.Key.Reveal() != want {
				t.Errorf("the previous key is another one, proved %t", p.Proved)
			}
		})
	}
	t.Run("no server", func(t *testing.T) {
		t.Parallel()
		b := witnessed(t)
		b.server.Close()
		if err := b.step.Witness(context.Background(), b.run); err != nil || len(b.run.Journal.Proved()) > 0 {
			t.Errorf("%v, %d proved", err, len(b.run.Journal.Proved()))
		}
	})
	t.Run("an address that takes any token", func(t *testing.T) {
		t.Parallel()
		b := witnessed(t)
		b.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })
		if err := b.step.Witness(context.Background(), b.run); err != nil || len(b.run.Journal.Proved()) > 0 {
			t.Errorf("%v, %d proved", err, len(b.run.Journal.Proved()))
		}
	})
}

// The proof is kept for the next rotation, whatever else is wrong with the server; that
// of a server of keysplit's own proves no service.
func TestTheProofNamesTheKeyInForce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(b *bench)
		proved bool
	}{
		"it signs":                       {func(*bench) {}, true},
		"the login is rejected":          {func(b *bench) { b.account(); b.run.Answers.Password = b.run.Secret(newKey()) }, true},
		"it signs with another key":      {func(b *bench) { b.signs = b.previous }, false},
		"a server of keysplit's own":     {func(b *bench) { b.run.OwnServer = true }, false},
		"it does not answer at all":      {func(b *bench) { b.server.Close() }, false},
		"another address does not do so": {func(b *bench) { b.run.Options.URLs = []string{b.server.URL, "http://127.0.0.1:1"} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := witnessed(t)
			b.run.Key = b.run.Secret(b.key)
			c.change(b)
			_, _ = b.apply()
			if got := b.run.Journal.Proved(); (len(got) == 1 && got[0] == b.run.Prints.Of(b.run.Key)) != c.proved || !c.proved && len(got) > 0 {
				t.Errorf("%d proved, want %t", len(got), c.proved)
			}
		})
	}
}

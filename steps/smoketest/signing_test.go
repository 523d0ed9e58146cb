package smoketest

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/journal"
)

// What a server signs with is told for every key that keysplit knows, and no other.
// A server that goes away is said not to answer, wherever it does so: of its key nothing is known.
func TestAServerThatGoesAwayIsAskedNoFurther(t *testing.T) {
	t.Parallel()
	ask := func(dies int64) (string, int64) {
		b := witnessed(t)
		b.run.Key, b.signs = b.run.Secret(b.key), newKey()
		asked := b.dies(dies, func() {})
		all, err := b.step.Signing(t.Context(), b.run)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d servers, %v", len(all), err)
		}
		return all[0].Says.Rendered(), asked.Load()
	}
	says, n := ask(0)
	if !strings.Contains(says, "does not know") {
		t.Errorf("it %s", says)
	}
	for n -= 10; n > 0; n -= 12 { // with the last questions alone it is told all the same
		if says, _ := ask(n); !strings.Contains(says, "does not answer") {
			t.Errorf("from request %d on: %s", n, says)
		}
	}
}

func TestWhichKeyAServerSignsWith(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(b *bench)
		key    func(b *bench) string
		says   string
	}{
		"the key of the place": {func(*bench) {}, func(b *bench) string { return b.key }, "signs with the key of its places"},
		"the one before it":    {func(b *bench) { b.signs = b.previous }, func(b *bench) string { return b.previous }, "signs with the previous key"},
		"SECRET_KEY": {func(b *bench) {
			b.signs = b.secret
			path := b.run.Project.EnvFile.Path
			if err := os.WriteFile(path, []byte("SECRET_KEY="+b.secret+"\nJWT_SECRET_KEY="+b.key+"\n"), 0o600); err != nil {
				b.t.Fatal(err)
			}
			var err error // and no key was there before
			if b.run.Journal, err = journal.Folder(b.t.TempDir()).Open(filepath.Dir(path), "development"); err != nil {
				b.t.Fatal(err)
			}
		}, nil, "signs with SECRET_KEY"},
		"another one":    {func(b *bench) { b.signs = newKey() }, nil, "does not know"},
		"nobody answers": {func(b *bench) { b.server.Close() }, nil, "does not answer"},
		"it goes away":   {func(b *bench) { b.dies(4, func() {}) }, nil, "does not answer"},
		"any token is taken": {func(b *bench) {
			b.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })
		}, nil, "nothing is known"},
		"a proxy without its backend": {func(b *bench) {
			b.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		}, nil, "answers test tokens with 502: it seems to be a proxy"},
		"every answer is the same": {func(b *bench) {
			b.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
		}, nil, "the same answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := witnessed(t)
			b.run.Key = b.run.Secret(b.key)
			c.change(b)
			all, err := b.step.Signing(t.Context(), b.run)
			if err != nil || len(all) != 1 {
				t.Fatalf("%d servers, %v", len(all), err)
			}
			want := ""
			if c.key != nil {
				want = c.key(b)
			}
			if got := all[0]; got.Key.Reveal() != want || !strings.Contains(got.Says.Rendered(), c.says) {
				t.Errorf("%q, and the key is %s", got.Says.Rendered(), got.Key)
			}
			if len(b.run.Journal.Proved()) > 0 {
				t.Error("a question was recorded as a proof")
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := b.step.Signing(ctx, b.run); !errors.Is(err, context.Canceled) {
				t.Errorf("a question that was stopped counts as answered: %v", err)
			}
		})
	}
}

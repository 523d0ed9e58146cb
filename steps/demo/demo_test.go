package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
)

// TestMain plays the parts of the program itself: its hidden subcommand, and a
// keysplit that makes a demo and waits to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Command {
		os.Exit(RunBackend(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	if os.Getenv("KEYSPLIT_TEST_DEMO") == "1" {
		s, err := Make(Missing)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		servers, err := s.Servers(context.Background(), s.Root)
		fmt.Println(s.folder, s.guardian.PID(), servers[0].URL, err)
		select {}
	}
	os.Exit(m.Run())
}

func ownTemp(t *testing.T) string {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	return dir
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRun() *steps.Run {
	return &steps.Run{Prints: secret.NewFingerprinter(nil), Environ: LookupEnv}
}

func newSandbox(t *testing.T, state State) *Sandbox {
	t.Helper()
	s, err := Make(state)
	check(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *Sandbox) server(t *testing.T) steps.Server {
	t.Helper()
	all, err := s.Servers(t.Context(), s.Root)
	check(t, err)
	if len(all) != 1 {
		t.Fatalf("%d servers", len(all))
	}
	return all[0]
}

// keys reads the sandbox's .env as the backend would.
func (s *Sandbox) keys(t *testing.T) (secretKey, key string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.Root, ".env"))
	check(t, err)
	vars, err := envfile.Read(envfile.Decouple, data, nil)
	check(t, err)
	secretKey, _ = vars.Get(steps.GuideNames.SecretKey)
	key, _ = vars.Get(steps.GuideNames.Key)
	return secretKey, key
}

func (s *Sandbox) setKey(t *testing.T, key string) {
	t.Helper()
	secretKey, _ := s.keys(t)
	text := "DEBUG=True\nSECRET_KEY=" + secretKey + "\n"
	if key != "" {
		text += "JWT_SECRET_KEY=" + key + "\n"
	}
	check(t, os.WriteFile(filepath.Join(s.Root, ".env"), []byte(text), 0o600))
}

func (s *Sandbox) touch(t *testing.T) {
	t.Helper()
	now := time.Now()
	check(t, os.Chtimes(filepath.Join(s.Root, "plants", "settings.py"), now, now))
}

func until(f func() bool) bool {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if f() {
			return true
		}
	}
	return false
}

// accepts tells what the protected route says to a token that is signed with
// the key, for a user that does not exist.
func accepts(t *testing.T, url, key string) string {
	t.Helper()
	token := tokens{[]byte(key)}.issue(access, 999999)
	req, err := http.NewRequest("GET", url+routes.Protected, nil)
	check(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	status, body, _ := do(t, req)
	var got struct{ Code string }
	check(t, json.Unmarshal([]byte(body), &got))
	if status != 401 {
		t.Fatalf("status %d", status)
	}
	return got.Code
}

func do(t *testing.T, req *http.Request) (int, string, *http.Response) {
	t.Helper()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	check(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	check(t, err)
	return res.StatusCode, string(body), res
}

func TestStates(t *testing.T) {
	ownTemp(t)
	wants := map[State]struct {
		facts  string // what the new settings say of .env
		signs  string // which key the server signs with: "secret", "key", or "other"
		length int
	}{
		Missing:     {"key-missing", "secret", 0},
		Equal:       {"key-equal", "secret", 86},
		Short:       {"key-short", "key", 32},
		Placeholder: {"ok", "key", 66},
		Glued:       {"key-missing", "secret", 0},
		Stale:       {"ok", "other", 86},
	}
	for _, state := range States() {
		t.Run(string(state), func(t *testing.T) {
			s := newSandbox(t, state)
			want := wants[state]
			secretKey, key := s.keys(t)
			if len(key) != want.length {
				t.Errorf("the key has %d characters", len(key))
			}
			d, err := s.OpenDjango(t.Context(), newRun(), nil)
			check(t, err)
			if got := d.Facts().State; got != want.facts {
				t.Errorf("state %q", got)
			}
			changed, err := os.Stat(filepath.Join(s.Root, ".env"))
			check(t, err)
			url := s.server(t).URL
			if s.server(t).Started.After(changed.ModTime()) == (state == Stale) {
				t.Errorf("the server started at %v, .env changed at %v", s.server(t).Started, changed.ModTime())
			}
			got := "other"
			if accepts(t, url, secretKey) == "user_not_found" {
				got = "secret"
			} else if key != "" && accepts(t, url, key) == "user_not_found" {
				got = "key"
			}
			if got != want.signs {
				t.Errorf("the server signs with %q", got)
			}
			if code := accepts(t, url, newKey()); code != "token_not_valid" {
				t.Errorf("a random key: %s", code)
			}
		})
	}
}

func TestReload(t *testing.T) {
	ownTemp(t)
	s := newSandbox(t, Missing)
	first := s.server(t)
	key := newKey()
	s.setKey(t, key)
	time.Sleep(4 * pollEvery)
	if now := s.server(t); now.PID != first.PID || accepts(t, now.URL, key) != "token_not_valid" {
		t.Fatal("a changed .env alone made the server reload")
	}
	s.touch(t)
	if !until(func() bool { return s.server(t).PID != first.PID }) {
		t.Fatal("no reload")
	}
	now := s.server(t)
	if now.URL != first.URL || !now.Started.After(first.Started) || now.Reloader != first.Reloader {
		t.Errorf("before %+v, after %+v", first, now)
	}
	if code := accepts(t, now.URL, key); code != "user_not_found" {
		t.Errorf("the new key after a reload: %s", code)
	}
	secretKey, _ := s.keys(t)
	if code := accepts(t, now.URL, secretKey); code != "token_not_valid" {
		t.Errorf("SECRET_KEY after a reload: %s", code)
	}
}

func TestRefusals(t *testing.T) {
	ownTemp(t)
	s := newSandbox(t, Stale)
	secretKey, _ := s.keys(t)
	for key, want := range map[string]string{
		"":            "JWT_SECRET_KEY environment variable is required.",
		secretKey:     "JWT_SECRET_KEY must be different from SECRET_KEY.",
		newKey()[:49]: "JWT_SECRET_KEY must be at least 50 characters.",
	} {
		s.setKey(t, newKey())
		_, _, err := s.Start(t.Context(), newRun())
		check(t, err)
		s.setKey(t, key)
		s.touch(t)
		if !until(func() bool { all, _ := s.Servers(t.Context(), s.Root); return len(all) == 0 }) {
			t.Fatal("the server reloads with settings that refuse")
		}
		_, _, err = s.Start(t.Context(), newRun())
		var failure *steps.Failure
		if !errors.As(err, &failure) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	s.setKey(t, newKey()[:50])
	url, stop, err := s.Start(t.Context(), newRun())
	check(t, err)
	if got := s.server(t).URL; got != url {
		t.Errorf("started at %s, found at %s", url, got)
	}
	stop()
	if all, _ := s.Servers(t.Context(), s.Root); len(all) != 0 {
		t.Error("still there after stop")
	}
}

func TestTraceback(t *testing.T) {
	dir := t.TempDir()
	check(t, layProject(dir))
	root := filepath.Join(dir, "backend")
	settings, err := os.ReadFile(filepath.Join(root, "plants", "settings.py"))
	check(t, err)
	key := newKey()
	check(t, os.WriteFile(filepath.Join(root, ".env"), []byte("SECRET_KEY="+key+"\nJWT_SECRET_KEY="+key+"\n"), 0o600))
	_, refused := evaluate(root)
	text := refused.traceback(root)
	var line int
	for _, l := range strings.Split(text, "\n") {
		if _, after, ok := strings.Cut(l, `settings.py", line `); ok {
			_, err := fmt.Sscan(after, &line)
			check(t, err)
		}
	}
	lines := strings.Split(string(settings), "\n")
	if line < 1 || !strings.Contains(lines[line], "must be different") || strings.Contains(text, key) {
		t.Errorf("line %d in %s", line, text)
	}
}

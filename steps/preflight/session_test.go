package preflight

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// TestMain takes the variables away that the project's settings read.
func TestMain(m *testing.M) {
	for _, name := range []string{steps.GuideNames.Key, steps.GuideNames.SecretKey, "DEBUG", "DJANGO_SETTINGS_MODULE", "VIRTUAL_ENV", "PYTHONPATH"} {
		_ = os.Unsetenv(name)
	}
	stepstest.Waiting()
	os.Exit(m.Run())
}

// shown is foreign text as a run that knows no secret shows it.
func shown(lines []secret.Foreign) string {
	var r secret.Redactor
	var out []string
	for _, l := range lines {
		out = append(out, r.Show(l))
	}
	return strings.Join(out, "\n")
}

func newRun(t *testing.T) *steps.Run {
	t.Helper()
	return &steps.Run{Prints: secret.NewFingerprinter(nil), Options: steps.Options{State: stepstest.State(t), Timeout: time.Minute}}
}

func projectOf(p *djangotest.Project) *steps.Project {
	return &steps.Project{
		Root: p.Root, TopLevel: p.Dir, ManagePy: filepath.Join(p.Root, "manage.py"), SettingsModule: "config.settings",
		SettingsFile: p.Settings, Python: p.Python, PythonFrom: "--python", EnvFile: steps.EnvFile{Path: p.EnvPath, Exists: true},
	}
}

// start opens a session and, at the end of the test, looks for the project's
// secrets in every byte that the probe wrote.
func start(t *testing.T, p *djangotest.Project) (*session, *steps.Run, error) {
	t.Helper()
	run := newRun(t)
	return startRun(t, p, run)
}

func startRun(t *testing.T, p *djangotest.Project, run *steps.Run) (*session, *steps.Run, error) {
	t.Helper()
	var tap bytes.Buffer
	s, err := openSession(t.Context(), run, projectOf(p), &tap)
	t.Cleanup(func() {
		if s != nil {
			_ = s.Close()
		}
		for what, value := range map[string]string{"SECRET_KEY": p.SecretKey, "JWT_SECRET_KEY": p.Key} {
			if strings.Contains(tap.String(), value) {
				t.Errorf("the probe wrote %s", what)
			}
		}
	})
	return s, run, err
}

func TestFactsOfAHealthyProject(t *testing.T) {
	t.Parallel()
	for n, generation := range djangotest.Generations() {
		for m, flavour := range djangotest.Flavours() {
			if n != m && !stepstest.Long() {
				continue // the short form tries each of them once
			}
			t.Run(string(generation)+" "+string(flavour), func(t *testing.T) {
				p := djangotest.New(t, djangotest.Options{Generation: generation, Flavour: flavour})
				before := files(t, p.Dir)
				s, run, err := start(t, p)
				if err != nil {
					t.Fatal(err)
				}
				f := s.Facts()
				if f.State != "ok" || f.Candidate || !f.Enforced || !f.Debug || f.Reader != "decouple" ||
					f.SettingsModule != "config.settings" || f.SettingsFile != p.Settings || f.UserModel == "" || f.LoginField != "username" {
					t.Errorf("facts: %+v", f)
				}
				if len(f.ReaderFiles) != 1 || f.ReaderFiles[0] != p.EnvPath {
					t.Errorf("the reader opened %v", f.ReaderFiles)
				}
				key := steps.KeyFacts{Set: true, Length: 86, Source: "file", Sum: run.Prints.Sum([]byte(p.Key))}
				if f.Key != key {
					t.Errorf("key: %+v, want %+v", f.Key, key)
				}
				if f.SecretKey.Sum != run.Prints.Sum([]byte(p.SecretKey)) || f.SecretKey.Source != "file" {
					t.Errorf("SECRET_KEY: %+v", f.SecretKey)
				}
				if f.SigningEqualsSecretKey || !f.SigningEqualsKey {
					t.Error("the signing key is not the key")
				}
				for _, c := range f.Checks {
					if c.Level >= 40 {
						t.Errorf("check %s: %s", c.ID, c.Message)
					}
				}
				want := steps.Routes{Login: "/api/v1/auth/login/", Refresh: "/api/v1/auth/token/refresh/",
					Protected: "/api/v1/auth/user/", CSRF: "/api/v1/auth/csrf/"}
				if flavour == djangotest.Tokens {
					want.Verify = "/api/v1/auth/token/verify/"
				}
				got := f.Routes
				got.Health = ""
				if got != want {
					t.Errorf("routes %+v, want %+v", f.Routes, want)
				}
				if len(f.OwnRoutes) != 2 || !slices.Contains(f.OwnRoutes, "/api/v1/auth/user/") || slices.Contains(f.OwnRoutes, want.Login) || slices.Contains(f.Hosts, "*") {
					t.Errorf("own routes %q, hosts %q", f.OwnRoutes, f.Hosts)
				}
				if f.Tokens.Algorithm != "HS256" || f.Tokens.AccessLifetime() != 15*time.Minute ||
					f.Tokens.RefreshLifetime() != 7*24*time.Hour || f.Tokens.UserIDClaim != "user_id" || f.Tokens.UserIDText {
					t.Errorf("tokens: %+v", f.Tokens)
				}
				// Evaluated more than once, they print it more than once.
				if n := strings.Count(shown(f.Output), "[SETTINGS]"); flavour == djangotest.Cookies && n != 1 {
					t.Errorf("%d times what the settings printed", n)
				}
				if after := files(t, p.Dir); after != before {
					t.Errorf("the probe left files:\n%s\nbefore:\n%s", after, before)
				}
			})
		}
	}
}

// files lists a folder, byte code included.
func files(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, "\n")
}

func TestStates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, env, state string
		candidate        bool
	}{
		{"missing", "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n", "key-missing", true},
		{"empty", "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY=\n", "key-missing", true},
		{"equal", "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={SECRET_KEY}\n", "key-equal", true},
		{"short", "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY=Zk3-9Qm_x1Lw7\n", "key-short", true},
		{"good", "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n", "ok", false},
	}
	for _, reader := range []string{"decouple", "dotenv", "environ"} {
		for _, tt := range tests {
			if reader != "decouple" && (tt.name == "empty" || tt.name == "good") || !stepstest.Long() && (reader != "decouple" || tt.name == "empty" || tt.name == "short") {
				continue
			}
			t.Run(reader+" "+tt.name, func(t *testing.T) {
				p := djangotest.New(t, djangotest.Options{Reader: reader, Env: tt.env})
				s, run, err := start(t, p)
				if err != nil {
					t.Fatal(err)
				}
				f := s.Facts()
				if f.State != tt.state || f.Candidate != tt.candidate || !f.Enforced {
					t.Fatalf("state %s, candidate %v, enforced %v: %s", f.State, f.Candidate, f.Enforced, f.StateError)
				}
				if want := map[string]string{"dotenv": "python-dotenv", "environ": "django-environ"}[reader]; want != "" && f.Reader != want {
					t.Errorf("reader %q", f.Reader)
				}
				if f.Routes.Login == "" || f.Tokens.Algorithm != "HS256" {
					t.Error("the rest of the facts is missing")
				}
				if tt.name == "equal" && f.Key.Sum != f.SecretKey.Sum || tt.name == "short" && f.Key.Length != 13 {
					t.Errorf("key: %+v", f.Key)
				}
				// The file is fixed: a second evaluation in the same process sees it.
				p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n")
				f, err = s.Recheck(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if f.State != "ok" || f.Candidate || f.Key.Sum != run.Prints.Sum([]byte(p.Key)) || f.Key.Source != "file" ||
					!f.SigningEqualsKey || f.SigningEqualsSecretKey || f.Routes.Login == "" || len(f.ReaderFiles) != 1 {
					t.Errorf("after the change: %+v", f)
				}
				// And broken again.
				p.WriteEnv(t, strings.ReplaceAll(tt.env, "{KEY}", "{SECRET_KEY}"))
				f, err = s.Recheck(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if f.State == "ok" || f.State == "error" || f.StateError == "" {
					t.Errorf("broken again: %s, %s", f.State, f.StateError)
				}
			})
		}
	}
}

func TestSettingsFromBefore(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Before: true, Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
	s, _, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	f := s.Facts()
	if f.State != "ok" || f.Enforced || !f.SigningEqualsSecretKey || f.Key.Set || !s.fallback {
		t.Errorf("without a key: fallback %v, %+v", s.fallback, f)
	}
	p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n")
	f, err = s.Recheck(t.Context())
	if err != nil || !f.Key.Set || !f.SigningEqualsKey || f.Enforced {
		t.Errorf("with a key: %+v, %v", f, err)
	}
}

func TestKeyOfTheEnvironment(t *testing.T) {
	p := djangotest.New(t, djangotest.Options{})
	other := djangotest.NewKey()
	t.Setenv(steps.GuideNames.Key, other)
	s, run, err := startRun(t, p, newRun(t))
	if err != nil {
		t.Fatal(err)
	}
	if f := s.Facts(); f.Key.Source != "environment" || f.Key.Sum != run.Prints.Sum([]byte(other)) || !f.Enforced {
		t.Errorf("key: %+v", f.Key)
	}
	if f, err := s.Recheck(t.Context()); err != nil || f.Key.Source != "environment" {
		t.Errorf("second look: %+v, %v", f, err)
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	s, _, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	input := []byte("header.payload")
	for which, key := range map[string]string{"SECRET_KEY": p.SecretKey, "SIGNING_KEY": p.Key} {
		got, err := s.Sign(t.Context(), which, "HS256", input)
		m := hmac.New(sha256.New, []byte(key))
		m.Write(input)
		if err != nil || !hmac.Equal(got, m.Sum(nil)) {
			t.Errorf("%s: wrong signature, %v", which, err)
		}
	}
	if _, err := s.Sign(t.Context(), "SECRET_KEY", "RS256", input); err == nil {
		t.Error("an algorithm without a shared key was accepted")
	}
	p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n")
	if _, err := s.Recheck(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sign(t.Context(), "SIGNING_KEY", "HS256", input); err == nil {
		t.Error("signed with a key that is gone")
	}
	if _, err := s.Sign(t.Context(), "SECRET_KEY", "HS256", input); err != nil {
		t.Errorf("SECRET_KEY: %v", err)
	}
}

func TestThrowawayKeyNeverSigns(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
	s, _, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sign(t.Context(), "SIGNING_KEY", "HS256", []byte("x")); err == nil {
		t.Error("the throwaway key signed")
	}
}

func TestThrowawayAccount(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Flavour: djangotest.Cookies})
	has := func(n int) {
		t.Helper()
		if users := p.Users(t); len(users) != n {
			t.Errorf("want %d accounts, got %q", n, users)
		}
	}
	s, _, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.CreateUser(t.Context())
	if err != nil || a.Field != "username" || !strings.HasPrefix(a.Username, "keysplit-") || a.Password.Len() < 20 {
		t.Fatalf("%+v, %v", a, err)
	}
	has(1)
	if err := s.DeleteUser(t.Context()); err != nil {
		t.Fatal(err)
	}
	has(0)
	for name, end := range map[string]func(){
		"close": func() { _ = s.Close() },
		"TERM":  s.proc.Terminate,
	} {
		if s, _, err = start(t, p); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateUser(t.Context()); err != nil {
			t.Fatal(name, err)
		}
		end()
		s.proc.Stop()
		has(0)
	}
}

func TestNoDatabase(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	if err := os.Remove(filepath.Join(p.Root, "db.sqlite3")); err != nil {
		t.Fatal(err)
	}
	s, _, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.CreateUser(t.Context())
	var failure *steps.Failure
	if !errors.As(err, &failure) || !strings.Contains(failure.Findings[0].Fix.Rendered(), "migrate") {
		t.Errorf("error: %v", err)
	}
}

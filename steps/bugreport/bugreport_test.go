package bugreport

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

func TestMake(t *testing.T) {
	root := t.TempDir()
	t.Setenv("HOME", "/home/alice")
	t.Setenv("USERPROFILE", "/home/alice") // Windows' name of it
	t.Setenv("TERM", "xterm\x1b[31m")
	env := filepath.Join(root, ".env")
	if err := os.WriteFile(env, []byte("\xef\xbb\xbfA=1\nB=2"), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := envfile.Open(env)
	if err != nil {
		t.Fatal(err)
	}
	j, err := stepstest.State(t).Open(root, "development")
	if err != nil {
		t.Fatal(err)
	}
	for range maxLog {
		if err := j.SetStatus("write", "done"); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.SetKey(secret.NewFingerprinter(nil).Secret("k")); err != nil {
		t.Fatal(err)
	}
	run := &steps.Run{Found: steps.Found{Project: &steps.Project{
		Root: root, TopLevel: filepath.Dir(root), PythonFrom: "virtualenv acme-env", EnvFile: steps.EnvFile{Path: env, Exists: true, At: at, Readers: []envfile.Dialect{envfile.Decouple}},
		Facts: &steps.Facts{
			Django: "5.2", State: "ok", SigningEqualsKey: true, Apps: []string{"rest_framework", "acme.warehouse", "rest_framework_simplejwt.token_blacklist"},
			Routes: steps.Routes{Login: "/acme/login/"}, Key: steps.KeyFacts{Set: true, Length: 86, Source: "file", Sum: "f00d"}, UserModel: "acme.Person",
		},
	}}}
	found := []finding.Finding{
		finding.New("jwt-key-empty", "In acme.").At("backend/acme/.env", 3),
		finding.New("place-not-found", "").At("heroku:acme-app", 0),
	}
	r := Make("b", run, found, errors.New("open /home/alice/x and "+strings.ReplaceAll(root, `\`, `\\`)+"/y: permission denied"), j)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"acme", "alice", root, "f00d", "\x1b"} {
		if strings.Contains(string(text), private) {
			t.Errorf("%q is in %s", private, text)
		}
	}
	p := r.Project
	if p.Signs != "key" || !p.Key.Long || p.Depth != 1 || len(p.Packages) != 2 || len(p.Routes) != 1 || p.PythonFrom != "virtualenv" {
		t.Errorf("%+v", p)
	}
	if e := p.EnvFile; !e.BOM || e.FinalLine || e.CRLF || e.Lines != 1 {
		t.Errorf("%+v", e)
	}
	if len(r.Findings) != 2 || r.Findings[0].File != ".env" || r.Findings[0].Line != 3 || r.Findings[1].File != "heroku" {
		t.Errorf("%+v", r.Findings)
	}
	if len(r.Log) != maxLog || r.Log[0].Step != "write" || r.Log[maxLog-1].Kind != "key" {
		t.Errorf("%d lines, %+v", len(r.Log), r.Log[max(0, len(r.Log)-2):])
	}
	if !strings.Contains(r.Failed, "~/x and PROJECT/y: permission denied") {
		t.Errorf("%q", r.Failed)
	}
}

// A failure is its findings: its text may name places.
func TestAFailureIsNotRepeated(t *testing.T) {
	r := Make("b", &steps.Run{}, nil, steps.Fail(finding.New("place-not-found", "There is no acme.")), nil)
	if r.Failed != "" || r.Project != nil || r.System.OS == "" {
		t.Errorf("%+v", r)
	}
}

// What the report says of a place and of the settings' form is so.
func TestTheFormOfAProject(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"": "", "backend/.env": ".env", ".env": ".env", "heroku:shop": "heroku", "vault:kv/a#b": "vault"} {
		if got := lastPart(path); got != want {
			t.Errorf("%q: %q", path, got)
		}
	}
	top := t.TempDir()
	for _, dir := range []string{".git", "a/b", "c"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"settings.py", "a/base.py"} {
		if err := os.WriteFile(filepath.Join(top, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		root, settings string
		depth          int
		kind           string
	}{
		"at the top":           {"", "settings.py", 0, "module"},
		"below":                {"a/b", "c/__init__.py", 2, "package"},
		"one of several":       {"a", "a/production.py", 1, "package"},
		"no settings are seen": {"c", "", 1, ""},
	} {
		p := &steps.Project{Root: filepath.Join(top, c.root), TopLevel: top}
		if c.settings != "" {
			p.SettingsFile = filepath.Join(top, c.settings)
		}
		if got := project(&steps.Run{Found: steps.Found{Project: p}}); got.Depth != c.depth || got.SettingsKind != c.kind || !got.Git {
			t.Errorf("%s: depth %d, %q, git %t", name, got.Depth, got.SettingsKind, got.Git)
		}
	}
	run := &steps.Run{Found: steps.Found{Project: &steps.Project{Root: filepath.Join(top, "a"), TopLevel: top}}}
	if got := homeless(run, "open "+filepath.Join(top, "a", "x")+" and "+filepath.Join(top, "y")); got != "open "+filepath.Join("PROJECT", "x")+" and "+filepath.Join("TOP", "y") {
		t.Errorf("%q", got)
	}
	run = &steps.Run{Environ: func(name string) (string, bool) {
		v, ok := map[string]string{"LC_CTYPE": "b", "LANG": "c", "CI": "1"}[name]
		return v, ok
	}}
	if s := system(run); s.Locale != "b" || !s.CI {
		t.Errorf("%+v", s)
	}
}

//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest/djangotest"
)

// Bad input of every kind gives one clear error and the right exit code.
func TestWrongUsage(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		stdin string
		code  int
		says  string
	}{
		"unknown command":            {[]string{"upgarde"}, "", 2, "unknown command"},
		"a command nearly right":     {[]string{"upgrad"}, "", 2, `unknown command "upgrad"; did you mean upgrade?`},
		"a flag nearly right":        {[]string{"upgrade", "--yess"}, "", 2, "unknown flag: --yess; did you mean --yes?"},
		"a shared flag nearly right": {[]string{"check", "--projct=x"}, "", 2, "did you mean --project?"},
		"a word too many":            {[]string{"upgrade", "extra"}, "", 2, `unexpected argument "extra": keysplit upgrade takes none`},
		"unknown flag":               {[]string{"upgrade", "--force"}, "", 2, "unknown flag"},
		"unknown target":             {[]string{"upgrade", "--yes", "--target", "papyrus:x"}, "", 2, "papyrus"},
		"unknown restart":            {[]string{"upgrade", "--yes", "--restart", "kick"}, "", 2, "kick"},
		"an address that is none":    {[]string{"upgrade", "--yes", "--url", "ftp://example.com"}, "", 2, "https://host:port"},
		"an address with a password": {[]string{"upgrade", "--yes", "--url", "https://a:b@example.com"}, "", 2, "no user, password"},
		"where another one keeps it": {[]string{"upgrade", "--yes", "--env", "staging"}, "", 2, "no target for staging"},
		"what another one reports":   {[]string{"report", "--env", "prodcution"}, "", 2, "no target for prodcution"},
		"unknown step":               {[]string{"upgrade", "--yes", "--skip", "lunch"}, "", 2, "lunch"},
		"preflight skipped":          {[]string{"upgrade", "--yes", "--skip", "preflight"}, "", 2, "--skip"},
		"no time":                    {[]string{"check", "--timeout", "0s"}, "", 2, "--timeout"},
		"not a time":                 {[]string{"check", "--timeout", "soon"}, "", 2, "soon"},
		"no environment":             {[]string{"check", "--env", ""}, "", 2, "--env"},
		"two accounts":               {[]string{"upgrade", "--yes", "--temp-user", "--username", "u"}, "", 2, "cannot be used together"},
		"throwaway on staging":       {[]string{"upgrade", "--yes", "--temp-user", "--env", "staging"}, "", 2, "development only"},
		"rotate and keep":            {[]string{"upgrade", "--yes", "--rotate", "--skip", "generate"}, "", 2, "cannot be used together"},
		"key without a line":         {[]string{"upgrade", "--yes", "--key-stdin"}, "", 2, "nothing came"},
		"a file as the key":          {[]string{"upgrade", "--yes", "--key-stdin"}, strings.Repeat("x", 40<<10) + "\n", 2, "it is no key"},
		"key with an empty line":     {[]string{"upgrade", "--yes", "--key-stdin"}, "\n", 2, "empty"},
		"password without name":      {[]string{"upgrade", "--yes", "--password-stdin"}, "p\n", 2, "--username"},
		"json that would ask":        {[]string{"upgrade", "--json"}, "", 2, "--yes"},
		"wizard as json":             {[]string{"--json"}, "", 2, "json"},
		"unknown finding":            {[]string{"explain", "nonsense"}, "", 2, "nonsense"},
		"unknown demo":               {[]string{"demo", "--start", "nonsense"}, "", 2, "nonsense"},
		"no project":                 {[]string{"check", "--static"}, "", 3, "manage.py"},
		"no project to upgrade":      {[]string{"upgrade", "--yes"}, "", 3, "manage.py"},
		"no project to roll back":    {[]string{"rollback", "--yes"}, "", 3, "project"},
		"a folder that is not there": {[]string{"check", "--project", "/nonexistent/folder"}, "", 3, "project"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := invocation{args: c.args, dir: t.TempDir(), stdin: c.stdin}.run(t, filepath.Join(t.TempDir(), "state"))
			if r.code != c.code {
				t.Errorf("exit %d, want %d\n%s%s", r.code, c.code, r.out, r.errOut)
			}
			if !strings.Contains(r.out+r.errOut, c.says) {
				t.Errorf("nothing says %q:\n%s%s", c.says, r.out, r.errOut)
			}
			if strings.HasPrefix(r.errOut, "keysplit: usage") || strings.HasPrefix(r.errOut, "keysplit: could not look") {
				t.Errorf("it begins with the kind of the error:\n%s", r.errOut)
			}
			if strings.Contains(r.errOut, "goroutine") || strings.Count(r.errOut, "\n") > 6 {
				t.Errorf("not one clear error:\n%s", r.errOut)
			}
		})
	}
}

// staticProject is a project that can be read without Python.
// A secret that was given in a wrong place is not said again.
func TestWrongUsageDoesNotQuoteASecret(t *testing.T) {
	value := djangotest.NewKey()
	for _, args := range []string{
		"%", "upgrade|%", "upgrade|--key-stdin=%", "upgrade|--password-stdin=%", "upgrade|--yes|--target|%", "upgrade|--yes|--target|JWT_SECRET_KEY=%",
		"upgrade|--yes|--target|vault:%", "upgrade|--yes|--target|aws:%#", "upgrade|--yes|--restart|%", "upgrade|--yes|--restart|kubernetes:a b/%",
		"upgrade|--yes|--url|https://bob:%@host", "upgrade|--yes|--url|https://bob:%/x@host", "upgrade|--yes|--url|https://bob:%@host:port/", "check|--format|%",
		"check|--timeout|%", "upgrade|--yes|--skip|%", "explain|%", "explain|JWT_SECRET_KEY=%", "demo|--start|%", "report|--format|%",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			r := invocation{args: strings.Split(strings.ReplaceAll(args, "%", value), "|"), dir: t.TempDir()}.run(t, filepath.Join(t.TempDir(), "state"))
			if said := r.out + r.errOut; r.code != 2 || leaks(said, value) {
				t.Errorf("exit %d: %s", r.code, said)
			}
		})
	}
}

func staticProject(t *testing.T, env string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"manage.py":          "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')\nfrom django.core.management import execute_from_command_line\n",
		"config/__init__.py": "",
		"config/settings.py": "from decouple import config\nSECRET_KEY = config('SECRET_KEY')\nJWT_SECRET_KEY = config('JWT_SECRET_KEY', default=None)\nif not JWT_SECRET_KEY:\n    raise ValueError('JWT_SECRET_KEY environment variable is required.')\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n",
		".env":               env,
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// A .env that cannot be used: the check says so, ends, and changes nothing.
func TestUnusableFiles(t *testing.T) {
	key := djangotest.NewKey()
	for name, c := range map[string]struct {
		make func(path string) error
		says string
	}{
		"a pipe":          {func(p string) error { return syscall.Mkfifo(p, 0o600) }, "env-file-not-regular"},
		"a folder":        {func(p string) error { return os.Mkdir(p, 0o700) }, "env-file"},
		"a dangling link": {func(p string) error { return os.Symlink(p+".gone", p) }, "env-file"},
		"a looping link":  {func(p string) error { return os.Symlink(p, p) }, "env-file"},
		"Latin-1":         {func(p string) error { return os.WriteFile(p, []byte("NAME=Jos\xe9\nJWT_SECRET_KEY="+key+"\n"), 0o600) }, "encoding-invalid"},
		"a BOM":           {func(p string) error { return os.WriteFile(p, []byte("\ufeffJWT_SECRET_KEY="+key+"\n"), 0o600) }, "encoding-bom"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := staticProject(t, "")
			path := filepath.Join(root, ".env")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			state := filepath.Join(t.TempDir(), "state")
			r := invocation{args: []string{"check", "--static"}, dir: root}.run(t, state)
			if r.code != 1 && r.code != 3 || !strings.Contains(r.out, c.says) {
				t.Errorf("exit %d, want 1 or 3 and %s\n%s%s", r.code, c.says, r.out, r.errOut)
			}
			noneOf(t, r.out+r.errOut, key)
			if _, err := os.Stat(state); err == nil {
				t.Error("a check made a state folder")
			}
			if name == "a pipe" {
				// A start of Django would wait for the program at its other end.
				start := time.Now()
				r := invocation{args: []string{"upgrade", "--yes", "--timeout", "1m"}, dir: root}.run(t, state)
				if r.code != 1 || time.Since(start) > 20*time.Second || strings.Contains(r.out, "does not exist") || strings.Contains(r.out, "next steps mend") {
					t.Errorf("exit %d after %v\n%s%s", r.code, time.Since(start), r.out, r.errOut)
				}
			}
		})
	}
}

func TestStaticCheckRunsNothing(t *testing.T) {
	root := staticProject(t, "SECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+djangotest.NewKey()+"\n")
	r := invocation{args: []string{"check", "--static"}, dir: root, env: []string{"PATH=" + t.TempDir()}}.run(t, filepath.Join(t.TempDir(), "state"))
	if r.code != 0 {
		t.Errorf("exit %d without anything on PATH\n%s%s", r.code, r.out, r.errOut)
	}
}

// A state folder that cannot be used is told of once, by every command; nothing is
// made. What turns out wrong on the way says how to go on and back, as every end does.
func TestTheStateFolderIsRefusedOnce(t *testing.T) {
	root := staticProject(t, "SECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+djangotest.NewKey()+"\n")
	for _, args := range [][]string{{"check", "--static"}, {"check", "--static", "--json"}, {"report"}, {"upgrade", "--yes"}, {"rollback", "--yes"}, {"grace"}} {
		r := invocation{args: args, dir: root}.run(t, "rel")
		if n := strings.Count(r.out+r.errOut, "KEYSPLIT_STATE_DIR"); n != 1 || r.code != 2 || !strings.Contains(r.errOut, "absolute path") {
			t.Errorf("%v: exit %d, told of %d times\n%s%s", args, r.code, n, r.out, r.errOut)
		}
	}
	inside := filepath.Join(root, "rel")
	r := invocation{args: []string{"upgrade", "--yes"}, dir: root}.run(t, inside)
	if n := strings.Count(r.out+r.errOut, "work tree"); n != 1 || r.code != 2 || !strings.Contains(r.out, "To go on, with that corrected: keysplit upgrade") {
		t.Errorf("inside of the project: exit %d, told of %d times\n%s%s", r.code, n, r.out, r.errOut)
	}
	if _, err := os.Stat(inside); err == nil {
		t.Error("the folder was made")
	}
}

// leaks reports whether a text holds any 8 characters of a value in a row.
func leaks(text, value string) bool {
	for i := 0; i+8 <= len(value); i++ {
		if strings.Contains(text, value[i:i+8]) {
			return true
		}
	}
	return false
}

package preflight

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// apply runs the whole step on a project with its real Django.
func apply(t *testing.T, p *djangotest.Project, change func(*steps.Run)) (*steps.Run, []steps.Event, error) {
	t.Helper()
	run := newRun(t)
	run.Options.Folder, run.Options.Python = p.Dir, p.Python
	if change != nil {
		change(run)
	}
	t.Cleanup(run.Close)
	var events []steps.Event
	err := (&Step{}).Apply(t.Context(), run, func(e steps.Event) { events = append(events, e) })
	return run, events, err
}

func TestApplyHealthy(t *testing.T) {
	t.Parallel()
	for _, reader := range stepstest.Every(2, []string{"decouple", "dotenv", "environ"}) {
		t.Run(reader, func(t *testing.T) {
			p := djangotest.New(t, djangotest.Options{Reader: reader, Git: true, Flavour: djangotest.Cookies})
			run, events, err := apply(t, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(run.Project.Findings); got != "" {
				t.Errorf("findings: %s", got)
			}
			if run.Django == nil || run.Project.Facts == nil || run.Journal == nil || run.Prints.Sum(nil) != run.Journal.Prints().Sum(nil) {
				t.Error("something that the next steps need is missing")
			}
			if run.Project.EnvFile.Path != p.EnvPath || !run.Project.EnvFile.Exists || run.Project.EnvFile.At == nil {
				t.Errorf("env file: %+v", run.Project.EnvFile)
			}
			printed := false
			for _, e := range events {
				printed = printed || e.Kind == steps.EventPrinted
			}
			if !printed {
				t.Error("what the settings printed is not passed on")
			}
			// A second time, as after a retry.
			first := run.Django
			if err := (&Step{}).Apply(t.Context(), run, func(steps.Event) {}); err != nil || run.Django == first {
				t.Errorf("again: %v", err)
			}
		})
	}
}

func TestApplyStates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		o      djangotest.Options
		want   string
		errors string
	}{
		{"missing", djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"}, "jwt-key-missing", ""},
		{"equal", djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={SECRET_KEY}\n"}, "jwt-key-equals-secret-key:3", ""},
		{"export", djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nexport JWT_SECRET_KEY={KEY}\n"}, "key-unread:3", ""},
		{"export for a reader that knows it", djangotest.Options{Reader: "dotenv", Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nexport JWT_SECRET_KEY={KEY}\n"}, "", ""},
		{"before, without a key", djangotest.Options{Before: true, Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"}, "jwt-key-missing settings-not-upgraded:57", ""},
		{"before, with a key", djangotest.Options{Before: true}, "settings-not-upgraded:57", ""},
		{"glued", djangotest.Options{Env: "SECRET_KEY={SECRET_KEY}\nLANG=deJWT_SECRET_KEY={KEY}\n"}, "line-glued:2", ""},
		{"comment behind a switch", djangotest.Options{Env: "SECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\nDEBUG=True # on\n"}, "value-inline-comment:3", ""},
	}
	for _, tt := range stepstest.Every(3, tests) {
		t.Run(tt.name, func(t *testing.T) {
			p := djangotest.New(t, tt.o)
			run, _, err := apply(t, p, nil)
			got := codes(run.Project.Findings)
			// Where the fallback stands depends on the test project's own text.
			if place, _, ok := strings.Cut(tt.want, "settings-not-upgraded:57"); ok {
				tt.want = place + "settings-not-upgraded"
				got, _, _ = strings.Cut(got, "settings-not-upgraded:")
				got += "settings-not-upgraded"
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var failure *steps.Failure
			if errors.As(err, &failure) != (tt.errors != "") || tt.errors != "" && !finding.Has(failure.Findings, finding.Code(tt.errors)) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestApplyFollowsDjango(t *testing.T) {
	t.Parallel()
	// The text of these settings says nothing about the place of the file.
	p := djangotest.New(t, djangotest.Options{Reader: "dotenv"})
	edit(t, p, "load_dotenv(BASE_DIR / '.env')", "load_dotenv(chr(46) + 'secrets')")
	elsewhere := filepath.Join(p.Root, ".secrets")
	if err := os.Rename(p.EnvPath, elsewhere); err != nil {
		t.Fatal(err)
	}
	run, _, err := apply(t, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	env := run.Project.EnvFile
	if env.Path != elsewhere || !env.Exists || env.Readers[0] != envfile.PythonDotenv || codes(run.Project.Findings) != "" {
		t.Errorf("%+v, %s", env, codes(run.Project.Findings))
	}
}

// edit replaces one piece of the test project's settings.
func edit(t *testing.T, p *djangotest.Project, old, new string) {
	t.Helper()
	text, err := os.ReadFile(p.Settings)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, new, 1)
	if changed == string(text) {
		t.Fatal("the test project's settings have changed")
	}
	if err := os.WriteFile(p.Settings, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestApplyFileThatWins(t *testing.T) {
	for env, want := range map[string]string{
		"DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n":        "ok",
		"DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={SECRET_KEY}\n": "key-equal",
	} {
		p := djangotest.New(t, djangotest.Options{Reader: "dotenv", Env: env})
		edit(t, p, "load_dotenv(BASE_DIR / '.env')", "load_dotenv(BASE_DIR / '.env', override=True)")
		run, _, err := apply(t, p, func(*steps.Run) { t.Setenv(steps.GuideNames.Key, stepstest.Key()) })
		if err != nil {
			t.Fatal(err)
		}
		if f := run.Project.Facts; f.State != want || f.Key.Source != "file" || !f.Enforced || f.Candidate != (want != "ok") {
			t.Errorf("%s: %+v", want, f)
		}
	}
}

func TestApplyKeyFromElsewhere(t *testing.T) {
	t.Parallel()
	for name, tt := range stepstest.Part(2, map[string]struct{ code, want string }{
		"a manager": {"JWT_SECRET_KEY = str(__import__('secrets').token_urlsafe(64))", ""},
		"the code":  {"JWT_SECRET_KEY = '" + stepstest.Key() + "'", "signing-key-in-code:64"},
		"too short": {"JWT_SECRET_KEY = str(range(1000000000)) * 2", "jwt-key-too-short"},
	}) {
		t.Run(name, func(t *testing.T) {
			p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
			edit(t, p, "JWT_SECRET_KEY = config('JWT_SECRET_KEY', default=None)", tt.code)
			edit(t, p, "if len(JWT_SECRET_KEY) < 50", "if False")
			run, _, err := apply(t, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(run.Project.Findings); got != tt.want {
				t.Errorf("got %q, want %q; %+v", got, tt.want, run.Project.Facts)
			}
		})
	}
}

func TestPasswordStaysAway(t *testing.T) {
	p := djangotest.New(t, djangotest.Options{})
	edit(t, p, "SECRET_KEY = config('SECRET_KEY')", "SECRET_KEY = config('SECRET_KEY')\nimport os\nprint('password', os.environ.get('KEYSPLIT_PASSWORD'), os.environ.get('HOME'))")
	run, _, err := apply(t, p, func(*steps.Run) { t.Setenv("KEYSPLIT_PASSWORD", "wonderland") })
	if err != nil {
		t.Fatal(err)
	}
	if out := shown(run.Project.Facts.Output); !strings.Contains(out, "password None /") {
		t.Errorf("output %q", out)
	}
}

func TestApplyRefusesAShadow(t *testing.T) {
	p := djangotest.New(t, djangotest.Options{})
	run := newRun(t)
	run.Options.Folder, run.Options.Python = p.Dir, p.Python
	t.Cleanup(run.Close)
	t.Setenv(steps.GuideNames.Key, "")
	err := (&Step{}).Apply(t.Context(), run, func(steps.Event) {})
	var failure *steps.Failure
	if !errors.As(err, &failure) || !finding.Has(failure.Findings, "jwt-key-shadowed") || errors.Is(err, steps.ErrCannotLook) {
		t.Errorf("error %v", err)
	}
}

func TestApplyBrokenProject(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
	urls := filepath.Join(p.Root, "config", "urls.py")
	if err := os.WriteFile(urls, []byte("from nowhere import nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run, _, err := apply(t, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := codes(run.Project.Findings); got != "django-check-failed jwt-key-missing" {
		t.Errorf("findings %s", got)
	}
}

func TestApplyCannotLook(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	_, _, err := apply(t, p, func(r *steps.Run) { r.Options.Python = filepath.Join(p.Root, "no-python") })
	if !errors.Is(err, steps.ErrCannotLook) || !strings.Contains(err.Error(), "no-python") {
		t.Errorf("no interpreter: %v", err)
	}
	_, _, err = apply(t, p, func(r *steps.Run) { r.Options.Settings = "config.nothing" })
	if !errors.Is(err, steps.ErrCannotLook) || !strings.Contains(err.Error(), "config.nothing is not there") {
		t.Errorf("no settings: %v", err)
	}
	_, _, err = apply(t, p, func(r *steps.Run) { r.Options.Folder = t.TempDir() })
	if !errors.Is(err, steps.ErrCannotLook) {
		t.Errorf("no project: %v", err)
	}
	if err := os.Remove(p.EnvPath); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", p.EnvPath); err != nil {
		t.Fatal(err)
	}
	run, _, err := apply(t, p, func(r *steps.Run) { r.Options.Static = true })
	var failure *steps.Failure
	if !errors.Is(err, steps.ErrCannotLook) || !errors.As(err, &failure) || failure.Findings[0].Code != "env-file-unreadable" || run.Django != nil {
		t.Errorf("a broken link: %v", err)
	}
}

func TestExposure(t *testing.T) {
	git := func(dir string, args ...string) {
		c := exec.Command("git", args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git: %v: %s", err, out)
		}
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is not installed")
	}
	good := "SECRET_KEY=" + stepstest.Key() + "\nJWT_SECRET_KEY=" + stepstest.Key() + "\n"
	tests := []struct {
		name   string
		ignore string
		track  bool
		mode   os.FileMode
		folder os.FileMode
		want   string
	}{
		{"ignored", ".env\n", false, 0o600, 0o755, ""},
		{"group", ".env\n", false, 0o640, 0o755, ""},
		{"not ignored", "*.pyc\n", false, 0o600, 0o755, "env-file-not-ignored"},
		{"tracked", ".env\n", true, 0o600, 0o755, "env-file-tracked-by-git"},
		{"everyone", ".env\n", false, 0o644, 0o755, "env-file-permissions"},
		{"everyone, behind a closed folder", ".env\n", false, 0o644, 0o700, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := lay(t, tree(good, map[string]string{".git/HEAD": "-", ".gitignore": tt.ignore}))
			git(dir, "init", "-q")
			if tt.track {
				git(dir, "add", "-f", "backend/.env")
			}
			env := filepath.Join(dir, "backend", ".env")
			err := errors.Join(os.Chmod(env, tt.mode), os.Chmod(dir, tt.folder), os.Chmod(filepath.Join(dir, "backend"), 0o755), os.Chmod(filepath.Dir(dir), 0o755))
			if err != nil {
				t.Fatal(err)
			}
			run, _, err := lookStatic(t, dir, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(run.Project.Findings); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("no git", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		dir := lay(t, tree(good, map[string]string{".gitignore": ""}))
		if run, _, err := lookStatic(t, dir, nil, nil); err != nil || codes(run.Project.Findings) != "" {
			t.Errorf("%s, %v", codes(run.Project.Findings), err)
		}
	})
}

func TestFindPython(t *testing.T) {
	here := func(path string) string { // as the system lays it out
		if runtime.GOOS == "windows" && path != "" {
			path = strings.TrimSuffix(strings.Replace(path, "bin/", "Scripts/", 1), "3") + ".exe"
		}
		return path
	}
	fake := func(dir string, names ...string) {
		for _, n := range names {
			path := filepath.Join(dir, here(n))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), stepstest.WriteProgram(path, "#!/bin/sh\n")); err != nil {
				t.Fatal(err)
			}
		}
	}
	dir := lay(t, map[string]string{
		"a/backend/x": "", "b/backend/x": "", "c/x": "", "d/poetry.lock": "", "e/Pipfile": "", "path/": "", "managed/": "", "outside/": "",
	})
	fake(dir, "a/backend/.venv/bin/python", "a/venv/bin/python", "b/venv/bin/python", "f/.env/x", "f/env/bin/python", "outside/bin/python", "managed/bin/python", "path/python3")
	for _, tool := range []string{"poetry", "pipenv"} {
		script := "#!/bin/sh\necho noise\necho " + filepath.Join(dir, "managed") + "\n"
		if err := stepstest.WriteProgram(filepath.Join(dir, "path", tool), script); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", filepath.Join(dir, "path"))
	tests := []struct {
		root, top, active, flag string
		static                  bool
		want, from              string
	}{
		{"a/backend", "a", "", "", false, "a/backend/.venv/bin/python", "virtualenv .venv"},
		{"a/backend", "a", "a/venv", "", false, "a/venv/bin/python", "active virtualenv venv"},
		{"a/backend", "a", "outside", "", false, "a/backend/.venv/bin/python", "virtualenv .venv"},
		{"a/backend", "a", "", "outside/bin/python", false, "outside/bin/python", "--python"},
		{"b/backend", "b", "", "", false, "b/venv/bin/python", "virtualenv venv"},
		{"c", "c", "outside", "", false, "outside/bin/python", "active virtualenv outside"},
		{"c", "c", "", "", false, "path/python3", "PATH"},
		{"d", "d", "", "", false, "managed/bin/python", "poetry"},
		{"d", "d", "", "", true, "path/python3", "PATH"},
		{"e", "e", "", "", false, "managed/bin/python", "pipenv"},
		{"f", "f", "", "", false, "f/env/bin/python", "virtualenv env"},
	}
	for _, tt := range tests {
		if runtime.GOOS == "windows" && strings.HasPrefix(tt.want, "managed/") {
			continue // the stand-ins of poetry and pipenv are shell scripts
		}
		tt.flag, tt.want = here(tt.flag), here(tt.want)
		run := &steps.Run{Environ: func(name string) (string, bool) {
			return filepath.Join(dir, tt.active), name == "VIRTUAL_ENV" && tt.active != ""
		}}
		run.Options.Static = tt.static
		if tt.flag != "" {
			run.Options.Python = filepath.Join(dir, tt.flag)
		}
		p := newProject(filepath.Join(dir, tt.root), filepath.Join(dir, tt.top))
		if err := findPython(context.Background(), run, p); err != nil || p.Python != filepath.Join(dir, tt.want) || p.PythonFrom != tt.from {
			t.Errorf("%+v: %s from %s, %v", tt, p.Python, p.PythonFrom, err)
		}
	}
}

package djangotest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

//go:embed all:testdata
var testdata embed.FS

// Flavour is the way the project hands out its tokens.
type Flavour string

// The flavours. Tokens has simplejwt's own views: tokens in the body, a verify
// route, the blacklist app. Cookies wants a CSRF cookie and header for the
// login, gives the tokens as httpOnly cookies, answers alike to every bad
// cookie, has no verify route, moves error codes to error.type, and its
// settings print a line.
//
// Guide is Cookies as the upgrade guide's own project is: the settings cast what they
// read, check the environment and print, an app sets defaults on the live settings, and
// .env.example has comments behind its values.
const (
	Tokens  Flavour = "tokens"
	Cookies Flavour = "cookies"
	Guide   Flavour = "guide"
)

// layers are the flavours that one is laid from, and the parts of its settings.
func (f Flavour) layers() []Flavour {
	if f == Guide {
		return []Flavour{Cookies, Guide}
	}
	return []Flavour{f}
}

// Flavours returns the two that hand out tokens in different ways.
func Flavours() []Flavour { return []Flavour{Tokens, Cookies} }

// Options choose a project. The zero value is a healthy Tokens project of the
// Modern generation, read by decouple.
type Options struct {
	Flavour    Flavour
	Generation Generation
	Reader     string // "decouple" (default), "dotenv" or "environ"
	// Env is the text of backend/.env. "" writes DEBUG, SECRET_KEY and a good
	// JWT_SECRET_KEY. {SECRET_KEY} in it stands for Project.SecretKey, {KEY} for
	// Project.Key.
	Env    string
	NoEnv  bool // write no .env
	Before bool // the settings from before the change, with the fallback
	Git    bool // a git repository with everything but .env committed
	Venv   bool // link the virtual environment as backend/.venv
}

// Project is a copy of the test project in a temporary folder.
type Project struct {
	Dir       string // top level, links resolved
	Root      string // folder of manage.py
	EnvPath   string // Root/.env
	Settings  string // the settings file
	Python    string // the interpreter; it lies outside of the project unless Options.Venv
	SecretKey string // SECRET_KEY of the default .env
	Key       string // JWT_SECRET_KEY of the default .env
	Options   Options
}

// New copies the project and gives it a migrated database.
func New(t testing.TB, o Options) *Project {
	t.Helper()
	if o.Flavour == "" {
		o.Flavour = Tokens
	}
	if o.Generation == "" {
		o.Generation = Modern
	}
	if o.Reader == "" {
		o.Reader = "decouple"
	}
	python := Python(t, o.Generation)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	p := &Project{
		Dir: dir, Root: filepath.Join(dir, "backend"), Python: python,
		SecretKey: NewKey(), Key: NewKey(), Options: o,
	}
	p.EnvPath = filepath.Join(p.Root, ".env")
	p.Settings = filepath.Join(p.Root, "config", "settings.py")
	must(t, lay(p))
	must(t, addDatabase(p))
	if !o.NoEnv {
		text := o.Env
		if text == "" {
			text = "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n"
		}
		p.WriteEnv(t, text)
	}
	if o.Venv {
		link := filepath.Join(p.Root, ".venv")
		must(t, os.Symlink(filepath.Dir(filepath.Dir(python)), link))
		p.Python = filepath.Join(link, filepath.Base(filepath.Dir(python)), filepath.Base(python))
	}
	if o.Git {
		p.git(t, "init", "-q")
		p.git(t, "add", "-A")
		p.git(t, "-c", "user.name=Test", "-c", "user.email=test@localhost", "commit", "-q", "-m", "Begin")
	}
	return p
}

// NewKey returns a fresh key in the form of Python's secrets.token_urlsafe(64):
// 86 characters.
func NewKey() string {
	b := make([]byte, 64)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// KeyIn is the JWT_SECRET_KEY of an env file without quotes, "" for none.
func KeyIn(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if key, ok := strings.CutPrefix(line, "JWT_SECRET_KEY="); ok {
			return strings.TrimSpace(key)
		}
	}
	return ""
}

// WriteEnv writes the .env, mode 0600. {SECRET_KEY} and {KEY} are filled in as
// for Options.Env.
func (p *Project) WriteEnv(t testing.TB, text string) {
	t.Helper()
	text = strings.NewReplacer("{SECRET_KEY}", p.SecretKey, "{KEY}", p.Key).Replace(text)
	must(t, os.WriteFile(p.EnvPath, []byte(text), 0o600))
}

// Manage runs manage.py with the arguments and returns what it printed on both
// streams. env adds variables (NAME=value) to a clean environment.
func (p *Project) Manage(t testing.TB, env []string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := p.command(ctx, env, args...)
	out, err := c.CombinedOutput()
	return string(out), err
}

// CreateUser makes an account and returns its name and password. It works in
// every state of the .env that has a SECRET_KEY.
func (p *Project) CreateUser(t testing.TB) (name, password string) {
	t.Helper()
	name, password = "user-"+NewKey()[:8], NewKey()[:20]
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := p.command(ctx, []string{"JWT_SECRET_KEY=" + NewKey()}, "shell")
	c.Stdin = strings.NewReader("from django.contrib.auth import get_user_model\n" +
		"get_user_model().objects.create_user('" + name + "', password='" + password + "')\n")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("create a user: %v: %s", err, tail(string(out), 1000))
	}
	return name, password
}

// Users are the names of the accounts in the database, in the order in which they were
// made. Django is not started for it.
func (p *Project) Users(t testing.TB) []string {
	t.Helper()
	c := exec.CommandContext(t.Context(), p.Python, "-c", "import sqlite3\nfor row in sqlite3.connect('db.sqlite3').execute('SELECT username FROM auth_user ORDER BY id'): print(*row)")
	c.Dir = p.Root
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("read the accounts: %v: %s", err, tail(string(out), 1000))
	}
	return strings.Fields(string(out))
}

// command prepares manage.py in an environment without the variables that the
// settings read, so that the shell of whoever runs the tests does not matter.
func (p *Project) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, p.Python, append([]string{"manage.py"}, args...)...)
	c.Dir = p.Root
	c.Env = CleanEnviron(env...)
	return c
}

// CleanEnviron is this process's environment without the variables that the
// project's settings read, and with the given ones (NAME=value).
func CleanEnviron(add ...string) []string {
	env := []string{}
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "SECRET_KEY", "JWT_SECRET_KEY", "DEBUG", "DJANGO_SETTINGS_MODULE", "RUN_MAIN", "VIRTUAL_ENV", "PYTHONPATH":
		default:
			env = append(env, v)
		}
	}
	// Without byte code the project's folder holds what the test put there, and
	// settings that are edited twice within a second are read twice.
	return append(append(env, "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"), add...)
}

func (p *Project) git(t testing.TB, args ...string) {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir = p.Dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v: %s", args[0], err, tail(string(out), 600))
	}
}

// lay copies the common files, then those of the flavour, and puts the settings
// together from their parts.
func lay(p *Project) error {
	layers := [][2]string{{"testdata/project", p.Dir}}
	for _, f := range p.Options.Flavour.layers() {
		layers = append(layers, [2]string{"testdata/flavours/" + string(f), p.Root})
	}
	for _, layer := range layers {
		from, to := layer[0], layer[1]
		sub, err := fs.Sub(testdata, from)
		if err != nil {
			return err
		}
		err = fs.WalkDir(sub, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			target := filepath.Join(to, filepath.FromSlash(name))
			if d.IsDir() {
				return os.MkdirAll(target, 0o755)
			}
			data, err := fs.ReadFile(sub, name)
			if err != nil {
				return err
			}
			return os.WriteFile(target, data, 0o644)
		})
		if err != nil {
			return fmt.Errorf("copy the test project: %w", err)
		}
	}
	settings, err := settingsText(p.Options)
	if err != nil {
		return err
	}
	return os.WriteFile(p.Settings, settings, 0o644)
}

func settingsText(o Options) ([]byte, error) {
	rules := "rules_after"
	if o.Before {
		rules = "rules_before"
	}
	var text []byte
	parts := []string{"reader_" + o.Reader, "base"}
	for _, f := range o.Flavour.layers() {
		parts = append(parts, string(f))
	}
	for _, part := range append(parts, rules) {
		data, err := testdata.ReadFile("testdata/settings/" + part + ".py")
		if err != nil {
			return nil, err
		}
		text = append(text, data...)
	}
	return text, nil
}

// addDatabase puts a migrated sqlite file into the project. It is made once per
// generation and flavour, since migrating costs seconds.
func addDatabase(p *Project) error {
	o := Options{Flavour: p.Options.Flavour, Reader: "decouple"}
	settings, err := settingsText(o)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(p.Python + "\n" + string(settings)))
	cached := filepath.Join(cacheFolder, "test-database-"+hex.EncodeToString(sum[:8])+".sqlite3")
	if !exists(cached) {
		if err := makeDatabase(p, cached); err != nil {
			return fmt.Errorf("migrate the test project: %w", err)
		}
	}
	data, err := os.ReadFile(cached)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.Root, "db.sqlite3"), data, 0o600)
}

func makeDatabase(p *Project, cached string) error {
	unlock, err := lock(cached + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if exists(cached) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := p.command(ctx, []string{"SECRET_KEY=" + NewKey(), "JWT_SECRET_KEY=" + NewKey()}, "migrate", "-v", "0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, tail(string(out), 1000))
	}
	made := filepath.Join(p.Root, "db.sqlite3")
	data, err := os.ReadFile(made)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(data, []byte("SQLite format 3")) {
		return fmt.Errorf("%s is not a database", made)
	}
	beside := cached + ".new"
	if err := os.WriteFile(beside, data, 0o600); err != nil {
		return err
	}
	return os.Rename(beside, cached)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

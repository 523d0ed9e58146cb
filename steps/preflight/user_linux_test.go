package preflight

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/steps/sys/child"
)

// nobody is a real other user of this machine, with a project of its own and a Python
// that it can run. Only root can have a test as another user.
func nobody(t *testing.T, o djangotest.Options) (*child.Account, *djangotest.Project) {
	t.Helper()
	system := "/usr/bin/python3" // a virtual environment in root's home is closed to others
	a, err := child.FindAccount("nobody")
	if os.Geteuid() != 0 || err != nil || exec.Command(system, "-c", "import sqlite3").Run() != nil {
		t.Log("SKIPPED: this needs root, a user nobody and /usr/bin/python3")
		t.Skip("SKIPPED: this needs root, a user nobody and /usr/bin/python3")
	}
	p := djangotest.New(t, o)
	p.GiveTo(t, a.UID)
	return a, p
}

// tells has the settings write down who evaluates them, as a log of the project would.
const tells = `
import json, os
with open(BASE_DIR / 'who.json', 'w') as f:
    json.dump({'uid': os.geteuid(), 'groups': os.getgroups(), 'home': os.environ.get('HOME'), 'user': os.environ.get('USER')}, f)
`

// Where root runs keysplit, the project's code runs as the user that the backend runs
// as: no file of root's is left in its way.
func TestRootRunsTheProjectsCodeAsItsOwner(t *testing.T) {
	t.Parallel()
	a, p := nobody(t, djangotest.Options{})
	put(t, p, tells, nil)
	for _, tt := range []struct {
		name, from string
		env, code  uint32 // owners
	}{
		{"the env file's", "the owner of .env", a.UID, a.UID},
		{"manage.py's", "the owner of manage.py", 0, a.UID},
	} {
		p.Give(t, tt.code)
		if err := os.Chown(p.EnvPath, int(tt.env), 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p.EnvPath, 0o644); err != nil {
			t.Fatal(err)
		}
		run := newRun(t)
		run.Options.Folder, run.Options.Python = p.Root, p.Python
		var events stepstest.Events
		err := (&Step{}).Apply(t.Context(), run, events.Emit)
		run.Close()
		if err != nil {
			t.Fatal(tt.name, err)
		}
		data, err := os.ReadFile(filepath.Join(p.Root, "who.json"))
		var who struct {
			UID    uint32
			Groups []uint32
			Home   string
			User   string
		}
		if err == nil {
			err = json.Unmarshal(data, &who)
		}
		if err != nil || who.UID != a.UID || len(who.Groups) != 1 || who.Groups[0] != a.GID || who.Home != a.Home || who.User != "nobody" {
			t.Errorf("%s: %+v, %v", tt.name, who, err)
		}
		said := ""
		for _, ev := range events {
			said += ev.Text.Rendered() + " (" + ev.Detail.Rendered() + ")\n"
		}
		if !strings.Contains(said, "runs as nobody ("+tt.from) {
			t.Errorf("%s: not named: %s", tt.name, said)
		}
		for _, path := range p.Of(t, 0) {
			if path != p.EnvPath {
				t.Errorf("%s: %s belongs to root", tt.name, path)
			}
		}
	}
}

// What only root can read is handed in, now and when it has changed.
func TestVariablesOfRootsFileAreHandedIn(t *testing.T) {
	t.Parallel()
	a, p := nobody(t, djangotest.Options{NoEnv: true})
	run, project := newRun(t), projectOf(p)
	project.User, project.EnvFile.Path = a, filepath.Join(t.TempDir(), "shop.env")
	project.EnvFile.Readers = append(project.EnvFile.Readers, "systemd")
	write := func(key string) {
		t.Helper()
		if err := os.WriteFile(project.EnvFile.Path, []byte("DEBUG=True\nSECRET_KEY="+p.SecretKey+"\n"+key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	s, err := openSession(t.Context(), run, project, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if f := s.Facts(); f.State != "key-missing" || f.SecretKey.Sum != run.Prints.Sum([]byte(p.SecretKey)) || f.SecretKey.Source != "file" {
		t.Errorf("%+v", f)
	}
	write("JWT_SECRET_KEY=" + p.Key + "\n")
	if f, err := s.Recheck(t.Context()); err != nil || f.State != "ok" || f.Key.Sum != run.Prints.Sum([]byte(p.Key)) || f.Key.Source != "file" {
		t.Errorf("%+v, %v", f, err)
	}
	// The control: what the user can read himself is not.
	if err := os.Chmod(project.EnvFile.Path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(filepath.Dir(project.EnvFile.Path)), 0o755); err != nil {
		t.Fatal(err)
	}
	if given := run.HandedIn(project); len(given) != 0 {
		t.Error("a file that everyone can read was handed in")
	}
}

func TestTheUserOfTheProjectsCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := &steps.Project{Root: dir, TopLevel: dir, ManagePy: filepath.Join(dir, "manage.py"), EnvFile: steps.EnvFile{Path: filepath.Join(dir, ".env")}}
	if err := os.WriteFile(p.ManagePy, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	none := func(steps.Event) {}
	as := func(user string) error {
		return findUser(t.Context(), &steps.Run{Options: steps.Options{As: user}}, p, none)
	}
	if err := as("no-such-user-here"); !errors.Is(err, steps.ErrUsage) {
		t.Errorf("unknown: %v", err)
	}
	if err := as(""); err != nil || p.User != nil {
		t.Errorf("our own files: %+v, %v", p.User, err)
	}
	if os.Geteuid() != 0 {
		if err := as("root"); !errors.Is(err, steps.ErrUsage) {
			t.Errorf("not root: %v", err)
		}
		return
	}
	if err := as("daemon"); err != nil || p.User == nil || p.User.Name != "daemon" || p.UserFrom != "--as" {
		t.Errorf("--as: %+v, %v", p.User, err)
	}
	// A number without a name, as in a container.
	if err := os.Chown(p.ManagePy, 54321, 54322); err != nil {
		t.Fatal(err)
	}
	if err := as(""); err != nil || p.User == nil || p.User.UID != 54321 || p.User.GID != 54322 || p.User.Name != "54321" {
		t.Errorf("a number: %+v, %v", p.User, err)
	}
	if err := as("root"); err != nil || p.User != nil {
		t.Errorf("--as root: %+v, %v", p.User, err)
	}
	if err := findUser(t.Context(), &steps.Run{Options: steps.Options{Static: true, As: "daemon"}}, p, none); err != nil || p.User != nil {
		t.Errorf("a static look: %+v, %v", p.User, err)
	}
}

// The project's code runs as the unit's User=, before any owner of files; a unit of
// root's says nothing, and neither does one that runs as somebody who does not exist.
func TestTheUserOfTheUnit(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root runs code as another user")
	}
	stepstest.NewTool(t, "systemctl", `for unit; do :; done
printf 'LoadState=loaded\nActiveState=active\nEnvironmentFiles=/etc/%s.env (ignore_errors=no)\n' "$unit"
case "$unit" in
web) echo User=daemon ;;
old) echo User=root ;;
gone) echo User=no-such-user-here ;;
*) echo User= ;;
esac`)
	dir := t.TempDir()
	manage := filepath.Join(dir, "manage.py")
	if err := os.WriteFile(manage, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(manage, 54321, 54322); err != nil {
		t.Fatal(err)
	}
	for restart, want := range map[string]struct{ user, from, file string }{
		"systemd:web":         {"daemon", "the user of the unit", "/etc/web.env"},
		"systemd:old,web":     {"daemon", "the user of the unit", "/etc/web.env"},
		"systemd:web,nginx":   {"daemon", "the user of the unit", "/etc/web.env"},
		"systemd:old":         {"54321", "the owner of manage.py", ""},
		"systemd:none":        {"54321", "the owner of manage.py", ""},
		"systemd:gone":        {"54321", "the owner of manage.py", "/etc/gone.env"},
		"command:systemd:web": {"54321", "the owner of manage.py", ""},
	} {
		p := &steps.Project{Root: dir, TopLevel: dir, ManagePy: manage, EnvFile: steps.EnvFile{Path: filepath.Join(dir, ".env")}}
		said := ""
		run := stepstest.NewRun(t, "", nil)
		run.Options.Restart = namedWay(restart)
		err := findUser(t.Context(), run, p, func(ev steps.Event) { said += ev.Text.Rendered() })
		if err != nil || p.User == nil || p.User.Name != want.user || p.UserFrom != want.from || !strings.Contains(said, want.user) {
			t.Errorf("%s: %+v (%s), %v; said %q", restart, p.User, p.UserFrom, err, said)
		}
		if got := strings.Join(p.UnitFiles, " "); got != want.file {
			t.Errorf("%s: files %q, want %q", restart, got, want.file)
		}
	}
}

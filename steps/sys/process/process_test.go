package process

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want kind
	}{
		{[]string{"python", "manage.py", "runserver"}, runserver},
		{[]string{"/venv/bin/python3.12", "-Wd", "/app/manage.py", "runserver", "0:8000"}, runserver},
		{[]string{"Python", "./manage.py", "--verbosity=1", "runserver_plus"}, runserver},
		{[]string{"python", "manage.py", "runserver", "8000", "--noreload"}, noReload},
		{[]string{"python3", "/venv/bin/gunicorn", "app.wsgi"}, other},
		{[]string{"python3", "-m", "uvicorn", "app.asgi:application"}, other},
		{[]string{"gunicorn:", "master", "[app.wsgi]"}, other},
		{[]string{"python", "manage.py", "migrate"}, notAServer},
		{[]string{"python", "manage.py"}, notAServer},
		{[]string{"python", "manage.py", "shell", "runserver"}, notAServer},
		{[]string{"uv", "run", "manage.py", "runserver"}, notAServer},
		{[]string{"vim", "manage.py", "runserver"}, notAServer},
		{[]string{"sh", "-c", "python manage.py runserver"}, notAServer},
		{[]string{"python", "train.py", "--with", "gunicorn"}, notAServer},
		{nil, notAServer},
	} {
		if got, _ := classify(c.args); got != c.want {
			t.Errorf("classify(%q) = %v, want %v", c.args, got, c.want)
		}
	}
}

func TestServers(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	run := []string{"python", "manage.py", "runserver"}
	at := netip.MustParseAddrPort
	now := time.Now()
	all := []running{
		{pid: 30, parent: 20, args: run, folder: root, started: now, listens: []netip.AddrPort{at("127.0.0.1:8000")}},
		{pid: 20, parent: 1, args: run, folder: root},
		{pid: 40, parent: 1, args: run, folder: filepath.Dir(root), listens: []netip.AddrPort{at("127.0.0.1:9000")}},
		{pid: 50, parent: 1, args: []string{"python", filepath.Join(root, "manage.py"), "runserver", "--noreload"}, folder: "/",
			listens: []netip.AddrPort{at("0.0.0.0:8001")}},
		{pid: 60, parent: 1, args: []string{"gunicorn", "app"}, folder: root, listens: []netip.AddrPort{at("[::]:8002")}},
		{pid: 61, parent: 60, args: []string{"gunicorn", "app"}, folder: root, listens: []netip.AddrPort{at("[::]:8002")}},
		{pid: 71, parent: 70, args: run, folder: root}, // crashed and waiting
		{pid: 70, parent: 1, args: run, folder: root},
		{pid: 80, parent: 1, args: run, folder: root}, // between two children
		{pid: 90, parent: 1, args: run, folder: root + "-other"},
	}
	got := servers(all, root)
	type brief struct {
		pid, reloader int
		url           string
	}
	var have []brief
	for _, s := range got {
		have = append(have, brief{s.PID, s.Reloader, s.URL})
	}
	want := []brief{
		{30, 20, "http://127.0.0.1:8000"},
		{50, 0, "http://127.0.0.1:8001"},
		{60, 0, "http://[::1]:8002"},
		{71, 70, ""},
		{80, 80, ""},
	}
	if !reflect.DeepEqual(have, want) {
		t.Errorf("servers = %+v\nwant %+v", have, want)
	}
	if got[0].Command != "python manage.py runserver" || got[0].Folder != root || !got[0].Started.Equal(now) {
		t.Errorf("the first server is %+v", got[0])
	}
}

func TestBaseURLTakesTheLowestPort(t *testing.T) {
	t.Parallel()
	at := netip.MustParseAddrPort
	if got := baseURL([]netip.AddrPort{at("127.0.0.1:9001"), at("[::1]:8000"), at("127.0.0.1:8000")}); got != "http://127.0.0.1:8000" {
		t.Errorf("baseURL = %s", got)
	}
	if got := baseURL(nil); got != "" {
		t.Errorf("baseURL of nothing = %s", got)
	}
}

func TestCommandIsInert(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	got := servers([]running{{pid: 1, args: []string{"python", "manage.py", "runserver", "\x1b[2J\r8000"}, folder: root}}, root)
	if len(got) != 1 || got[0].Command != secret.Inert(got[0].Command) || got[0].Command != "python manage.py runserver 8000" {
		t.Errorf("servers = %+v", got)
	}
}

// What could not be looked at is "could not look" where nothing else is found, never
// "none".
func TestWhatIsHiddenIsNotNone(t *testing.T) {
	t.Parallel()
	one := []steps.Server{{PID: 1}}
	hidden := &hiddenError{name: "python3", pid: 12, err: os.ErrPermission}
	other := errors.New("the list cannot be had")
	for name, c := range map[string]struct {
		found []steps.Server
		err   error
		want  error
	}{
		"none":              {nil, nil, nil},
		"one":               {one, nil, nil},
		"one, and a hidden": {one, hidden, nil},
		"a hidden alone":    {nil, hidden, ErrUnsupported},
		"no list":           {nil, other, other},
	} {
		found, err := seen(c.found, c.err)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || len(found) != len(c.found) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	if _, err := seen(nil, hidden); !strings.Contains(err.Error(), "process 12 (python3)") {
		t.Errorf("%v does not name the process", err)
	}
}

// On Windows a server with autoreload is four processes, with one command.
func TestLaunchersOfVirtualEnvironments(t *testing.T) {
	t.Parallel()
	args := []string{"python", "manage.py", "runserver"}
	root := filepath.Join(t.TempDir(), "project")
	four := []running{
		{pid: 1, parent: 100, args: args, folder: root, launcher: true},
		{pid: 2, parent: 1, args: args, folder: root},
		{pid: 3, parent: 2, args: args, folder: root, launcher: true},
		{pid: 4, parent: 3, args: args, folder: root, listens: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8000")}},
	}
	kept := withoutLaunchers(four)
	if len(kept) != 2 || kept[0].parent != 100 || kept[1].parent != 2 {
		t.Fatalf("%+v", kept)
	}
	found := servers(kept, root)
	if len(found) != 1 || found[0].PID != 4 || found[0].Reloader != 2 || found[0].URL != "http://127.0.0.1:8000" {
		t.Errorf("%+v", found)
	}
	// Before its child is there a launcher is all that can be seen.
	if kept := withoutLaunchers(four[:1]); len(kept) != 1 {
		t.Errorf("%+v", kept)
	}
	if kept := withoutLaunchers([]running{{pid: 1}, {pid: 2, parent: 1}}); len(kept) != 2 || kept[1].parent != 1 {
		t.Errorf("what is no launcher is left out: %+v", kept)
	}
}

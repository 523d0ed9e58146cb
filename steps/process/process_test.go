package process

import (
	"errors"
	"net/netip"
	"os"
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
		{[]string{"python", "-m", "django", "runserver", "--settings", "shop.settings"}, runserver},
		{[]string{"python", "-X", "dev", "-m", "django", "--pythonpath", ".", "runserver"}, runserver},
		{[]string{"python3", "/venv/bin/django-admin", "--settings", "shop.settings", "runserver"}, runserver},
		{[]string{"manage.py", "runserver"}, runserver},
		{[]string{"python3", "/venv/bin/gunicorn", "app.wsgi"}, otherCommand},
		{[]string{"gunicorn:", "master", "[app.wsgi]"}, otherCommand},
		{[]string{"python", "manage.py", "migrate"}, otherCommand},
		{[]string{"python", "manage.py"}, otherCommand},
		{[]string{"python", "manage.py", "shell", "runserver"}, otherCommand},
		{nil, otherCommand},
	} {
		if got := classify(c.args); got != c.want {
			t.Errorf("classify(%q) = %v, want %v", c.args, got, c.want)
		}
	}
}

// listen is a socket of TCP.
func listen(id, at string) socket { return socket{id: id, at: netip.MustParseAddrPort(at)} }

func TestServers(t *testing.T) {
	t.Parallel()
	run, gunicorn := []string{"python", "manage.py", "runserver"}, []string{"python", "/venv/bin/gunicorn", "app"}
	now := time.Now()
	ago := func(s int) time.Time { return now.Add(-time.Duration(s) * time.Second) }
	granian := []string{"python", "/v/bin/granian", "--interface", "wsgi", "config.wsgi", "--reload"}
	uvicorn := []string{"python", "/v/bin/uvicorn", "app.asgi:application", "--reload"}
	all := []running{
		{pid: 30, parent: 20, args: run, folder: "/p", started: now, bond: ours, sockets: []socket{listen("1", "127.0.0.1:8000")}},
		{pid: 20, parent: 1, args: run, bond: ours},
		{pid: 40, parent: 1, args: run, bond: others, sockets: []socket{listen("2", "127.0.0.1:9000")}},
		{pid: 50, parent: 1, args: append(run, "--noreload"), bond: ours, sockets: []socket{listen("3", "0.0.0.0:8001")}},
		// A master with two workers, of which one is as old as it is.
		{pid: 60, parent: 1, args: gunicorn, started: ago(90), bond: ours, sockets: []socket{listen("4", "[::]:8002")}},
		{pid: 61, parent: 60, args: gunicorn, started: ago(80), bond: ours, sockets: []socket{listen("4", "[::]:8002")}},
		{pid: 62, parent: 60, args: gunicorn, started: ago(5), bond: ours, sockets: []socket{listen("4", "[::]:8002")}},
		{pid: 71, parent: 70, args: run, bond: ours}, // crashed and waiting
		{pid: 70, parent: 1, args: run, bond: ours},
		{pid: 80, parent: 1, args: run, bond: ours}, // between two children
		{pid: 90, parent: 1, args: run},             // shows no project, and listens nowhere
		{pid: 91, parent: 1, args: []string{"python", "x.py"}, sockets: []socket{listen("5", "127.0.0.1:8800")}},
		{pid: 92, parent: 1, args: []string{"celery"}, bond: ours},
		// A script whose child says by its environment that it was reloaded.
		{pid: 94, parent: 93, args: []string{"python", "go.py"}, bond: ours, reloaded: true, sockets: []socket{listen("6", "127.0.0.1:8003")}},
		{pid: 93, parent: 1, args: []string{"python", "go.py"}, bond: ours},
		{pid: 95, parent: 1, args: gunicorn, bond: ours, sockets: []socket{{id: "7", path: "/run/shop.sock"}}},
		{pid: 96, parent: 1, args: gunicorn, bond: ours, sockets: []socket{{id: "8", at: netip.MustParseAddrPort("0.0.0.0:80"), abroad: true}}},
		// A supervisor in the project that listens on nothing of theirs is no part of them.
		{pid: 97, parent: 92, args: gunicorn, bond: ours, sockets: []socket{listen("9", "127.0.0.1:8004")}},
		// uvicorn --reload: the child has the parent's socket. Between two children there is only the parent.
		{pid: 100, parent: 1, args: uvicorn, bond: ours, started: ago(90), sockets: []socket{listen("10", "127.0.0.1:8005")}},
		{pid: 101, parent: 100, args: []string{"python", "-c", "spawn_main()"}, bond: ours, started: now, sockets: []socket{listen("10", "127.0.0.1:8005")}},
		{pid: 110, parent: 1, args: uvicorn, bond: ours, sockets: []socket{listen("11", "127.0.0.1:8006")}},
		// runserver_plus: the parent holds the socket of its child.
		{pid: 130, parent: 1, args: []string{"python", "manage.py", "runserver_plus"}, bond: ours, sockets: []socket{listen("13", "127.0.0.1:8010")}},
		{pid: 131, parent: 130, args: []string{"python", "manage.py", "runserver_plus"}, bond: ours, reloaded: true, sockets: []socket{listen("13", "127.0.0.1:8010")}},
		// gunicorn --reuse-port: the master listens only to be told what to do.
		{pid: 140, parent: 1, args: gunicorn, bond: ours, sockets: []socket{{id: "14", path: "/run/gunicorn.ctl"}}},
		{pid: 141, parent: 140, args: gunicorn, bond: ours, sockets: []socket{listen("15", "127.0.0.1:8011")}},
		{pid: 142, parent: 140, args: gunicorn, bond: ours, sockets: []socket{listen("15", "127.0.0.1:8011")}},
		// A server with more than one address.
		{pid: 150, parent: 1, args: gunicorn, bond: ours, sockets: []socket{listen("16", "0.0.0.0:9100"), listen("17", "127.0.0.1:8012"), listen("18", "[::]:9100"), {id: "19", path: "/run/a.sock"}}},
		// granian --reload: the child opens the socket. Between two children there is only the parent.
		{pid: 230, parent: 1, args: granian, bond: ours},
		{pid: 231, parent: 230, args: granian, bond: ours, sockets: []socket{listen("23", "127.0.0.1:8008")}},
		{pid: 232, parent: 1, args: granian, bond: ours},
		// gunicorn --reload: each worker ends when a file changes, and the master starts another one.
		{pid: 240, parent: 1, args: append(gunicorn, "--reload"), bond: ours, sockets: []socket{listen("24", "127.0.0.1:8009")}},
		{pid: 241, parent: 240, args: append(gunicorn, "--reload"), bond: ours, sockets: []socket{listen("24", "127.0.0.1:8009")}},
		{pid: 242, parent: 240, args: append(gunicorn, "--reload"), bond: ours, sockets: []socket{listen("24", "127.0.0.1:8009")}},
		{pid: 120, parent: 1, args: uvicorn[:3], bond: ours, sockets: []socket{listen("12", "127.0.0.1:8007")}},
	}
	type brief struct {
		pid, reloader, workers int
		url, inside            string
	}
	var have, unsure []brief
	got, others, more := servers(all)
	for _, s := range got {
		have = append(have, brief{s.PID, s.Reloader, s.Workers, s.URL, s.Inside})
	}
	for _, s := range others {
		unsure = append(unsure, brief{s.PID, s.Reloader, s.Workers, s.URL, s.Inside})
	}
	want := []brief{
		{30, 20, 1, "http://127.0.0.1:8000", ""},
		{50, 0, 1, "http://127.0.0.1:8001", ""},
		{60, 0, 2, "http://[::1]:8002", ""},
		{71, 70, 1, "", ""},
		{80, 80, 1, "", ""},
		{94, 93, 1, "http://127.0.0.1:8003", ""},
		{95, 0, 1, "unix:/run/shop.sock", ""},
		{96, 0, 1, "", "127.0.0.1:80"},
		{97, 0, 1, "http://127.0.0.1:8004", ""},
		{101, 100, 1, "http://127.0.0.1:8005", ""},
		{110, 110, 1, "http://127.0.0.1:8006", ""},
		{120, 0, 1, "http://127.0.0.1:8007", ""},
		{131, 130, 1, "http://127.0.0.1:8010", ""},
		{141, 0, 2, "http://127.0.0.1:8011", ""},
		{150, 0, 1, "http://127.0.0.1:8012", ""},
		{231, 230, 1, "http://127.0.0.1:8008", ""},
		{232, 232, 1, "", ""},
		{240, 240, 2, "http://127.0.0.1:8009", ""},
	}
	if !reflect.DeepEqual(have, want) {
		t.Errorf("servers = %+v\nwant %+v", have, want)
	}
	if want := map[int][]string{150: {"http://127.0.0.1:9100", "unix:/run/a.sock"}}; !reflect.DeepEqual(more, want) {
		t.Errorf("further addresses: %v", more)
	}
	if want := []brief{{91, 0, 1, "http://127.0.0.1:8800", ""}}; !reflect.DeepEqual(unsure, want) {
		t.Errorf("unsure: %+v", unsure)
	}
	if got[0].Command != "python manage.py runserver" || got[0].Folder != "/p" || !got[0].Started.Equal(now) || !got[0].Since().Equal(now) {
		t.Errorf("the first server is %+v", got[0])
	}
	if !got[2].Since().Equal(ago(80)) || !got[2].Started.Equal(ago(90)) {
		t.Errorf("the oldest worker of %+v", got[2])
	}
}

func TestHiddenAreCounted(t *testing.T) {
	t.Parallel()
	for h, want := range map[*Hidden]string{
		{User: "www-data", Processes: 2, Ports: []uint16{8001}}:               "2 Python processes of www-data listen on 8001; keysplit cannot look into them",
		{User: "shop", Processes: 1, Sockets: []string{"/run/shop\x07.sock"}}: "1 Python process of shop listens on unix:/run/shop.sock; keysplit cannot look into it",
		{User: "1000", Processes: 1, Ports: []uint16{8000, 9000}}:             "1 Python process of 1000 listens on 8000, 9000; keysplit cannot look into it",
	} {
		if got := h.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestBaseURLTakesTheLowestPort(t *testing.T) {
	t.Parallel()
	at := netip.MustParseAddrPort
	if got := baseURLs([]netip.AddrPort{at("127.0.0.1:9001"), at("[::1]:8000"), at("127.0.0.1:8000")}); got[0] != "http://127.0.0.1:8000" || len(got) != 2 {
		t.Errorf("baseURLs = %s", got)
	}
}

func TestCommandIsInert(t *testing.T) {
	t.Parallel()
	got, _, _ := servers([]running{{pid: 1, args: []string{"python", "manage.py", "runserver", "\x1b[2J\r8000"}, bond: ours}})
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
		found, err := seen(Sight{Servers: c.found}, c.err)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || len(found.Servers) != len(c.found) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	if _, err := seen(Sight{}, hidden); !strings.Contains(err.Error(), "process 12 (python3)") {
		t.Errorf("%v does not name the process", err)
	}
}

// On Windows a server with autoreload is four processes, with one command.
func TestLaunchersOfVirtualEnvironments(t *testing.T) {
	t.Parallel()
	args := []string{"python", "manage.py", "runserver"}
	four := []running{
		{pid: 1, parent: 100, args: args, bond: ours, launcher: true},
		{pid: 2, parent: 1, args: args, bond: ours},
		{pid: 3, parent: 2, args: args, bond: ours, launcher: true},
		{pid: 4, parent: 3, args: args, bond: ours, sockets: []socket{listen("1", "127.0.0.1:8000")}},
	}
	kept := withoutLaunchers(four)
	if len(kept) != 2 || kept[0].parent != 100 || kept[1].parent != 2 {
		t.Fatalf("%+v", kept)
	}
	found, _, _ := servers(kept)
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

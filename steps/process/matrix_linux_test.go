//go:build linux && !keysplit_gopsutil

package process

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// stub is a project that every kind of server runs, and that costs no start of Django
// but where Django's own server is meant.
var stub = map[string]string{
	"manage.py": "import os, sys\nos.environ['DJANGO_SETTINGS_MODULE'] = 'conf'\nfrom django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n",
	"go.py":     "import os, sys\nos.environ['DJANGO_SETTINGS_MODULE'] = 'conf'\nfrom django.core.management import execute_from_command_line\nexecute_from_command_line(['go.py', 'runserver'] + sys.argv[1:])\n",
	"conf.py":   "SECRET_KEY = 'for this test only'\nDEBUG = True\nROOT_URLCONF = 'conf'\nurlpatterns = []\nUSE_TZ = True\n",
	"app.py": `def application(environ, start_response):
    start_response("404 Not Found", [])
    return [b""]

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})
`,
	"plus.py":  "import sys\nfrom werkzeug.serving import run_simple\nfrom app import application\nrun_simple('127.0.0.1', int(sys.argv[1]), application, use_reloader=True)\n", // what django-extensions calls
	"sock.py":  "import socketserver, sys\nsocketserver.UnixStreamServer(sys.argv[1], socketserver.StreamRequestHandler).serve_forever()\n",
	"serve.py": "import sys\nfrom wsgiref.simple_server import make_server\nfrom app import application\nmake_server('127.0.0.1', int(sys.argv[1]), application).serve_forever()\n",
}

// form is one way to run a server. {PORT}, {LOWER} (another one), {ROOT}, {BIN} and {SOCKET} are filled in.
type form struct {
	command string // for sh, so that a server is started as people start it
	from    string // the folder, the project's by default
	env     string
	want    steps.Server // what of it is compared: URL, Inside, Workers
	reloads bool
	more    bool // it has further addresses: which of them is its own, only an answer tells
	none    bool // not a server of the project
	long    bool // not in the short form

	as     []string // what starts the shell
	before string   // what that does first
	then   []string // what the shell starts the server through
}

const on = "127.0.0.1:{PORT}"

var forms = map[string]form{
	"runserver":                      {command: "{BIN}/python manage.py runserver " + on, reloads: true},
	"runserver, without reload":      {command: "{BIN}/python manage.py runserver --noreload " + on, long: true},
	"runserver from another folder":  {command: "{BIN}/python {ROOT}/manage.py runserver --noreload " + on, from: "/", long: true},
	"python -m django":               {command: "{BIN}/python -m django runserver --settings conf --pythonpath {ROOT} " + on, from: "/", env: "PYTHONPATH={ROOT}", reloads: true},
	"django-admin":                   {command: "{BIN}/django-admin runserver --noreload " + on, env: "PYTHONPATH=. DJANGO_SETTINGS_MODULE=conf", long: true},
	"a script of one's own":          {command: "{BIN}/python go.py " + on, reloads: true},
	"wsgiref":                        {command: "{BIN}/python serve.py {PORT}"},
	"a unix socket":                  {command: "{BIN}/python sock.py {SOCKET}", want: steps.Server{URL: "unix:{SOCKET}"}},
	"gunicorn":                       {command: "{BIN}/gunicorn -w 3 -b " + on + " app", want: steps.Server{Workers: 3}, long: true},
	"gunicorn --chdir":               {command: "{BIN}/gunicorn --chdir {ROOT} -b " + on + " app", from: "/", long: true},
	"gunicorn on a unix socket":      {command: "{BIN}/gunicorn -b unix:{SOCKET} app", want: steps.Server{URL: "unix:{SOCKET}"}, long: true},
	"gunicorn, by other words":       {command: "{BIN}/python -c \"import sys; sys.argv = ['shop', '-b', '" + on + "', 'app']; from gunicorn.app.wsgiapp import run; run()\"", long: true},
	"uvicorn":                        {command: "{BIN}/uvicorn --port {PORT} --workers 2 app:app", want: steps.Server{Workers: 2}, long: true},
	"uvicorn, by PYTHONPATH":         {command: "{BIN}/python -m uvicorn --port {PORT} app:app", from: "/", env: "PYTHONPATH={ROOT}", long: true},
	"waitress":                       {command: "{BIN}/waitress-serve --listen=" + on + " app:application", long: true},
	"hypercorn":                      {command: "{BIN}/hypercorn -b " + on + " app:app", long: true},
	"granian":                        {command: "{BIN}/granian --interface wsgi --workers 2 --port {PORT} app:application", want: steps.Server{Workers: 2}, long: true},
	"daphne":                         {command: "{BIN}/daphne -p {PORT} app:app", long: true},
	"uwsgi":                          {command: "{BIN}/uwsgi --http-socket " + on + " --master --processes 2 --module app", want: steps.Server{Workers: 2}, long: true},
	"uwsgi --chdir":                  {command: "{BIN}/uwsgi --http-socket " + on + " --chdir={ROOT} --module app", from: "/", long: true},
	"uwsgi behind its router":        {command: "{BIN}/uwsgi --http " + on + " --stats 127.0.0.1:{LOWER} --master --processes 2 --module app", want: steps.Server{Workers: 3}, more: true, long: true},
	"gunicorn --reuse-port":          {command: "{BIN}/gunicorn -w 3 --reuse-port -b " + on + " app", want: steps.Server{Workers: 3}, long: true},
	"runserver_plus":                 {command: "{BIN}/python plus.py {PORT}", reloads: true, long: true},
	"another user":                   {command: "PATH=/usr/bin:/bin setpriv --reuid=65534 --regid=65534 --clear-groups /usr/bin/python3 serve.py {PORT}"},
	"a mount namespace":              {command: "unshare -m sh -c 'mount --bind {ROOT} /mnt && cd /mnt && exec {BIN}/python serve.py {PORT}'"},
	"a mount and a pid namespace":    {command: "unshare -mpf --mount-proc sh -c 'mount --bind {ROOT} /mnt && cd /mnt && exec {BIN}/python manage.py runserver " + on + "'", reloads: true, long: true},
	"a network namespace":            {command: "unshare -n sh -c 'exec {BIN}/python serve.py {PORT}'", want: steps.Server{Inside: on}},
	"a socket in a mount namespace":  {command: "unshare -m sh -c 'mount -t tmpfs tmpfs /mnt && exec {BIN}/gunicorn -b unix:/mnt/shop.sock app'", want: steps.Server{URL: "unix:/proc/{PID}/root/mnt/shop.sock"}, long: true},
	"another project":                {command: "{BIN}/python serve.py {PORT}", from: "{OTHER}", none: true},
	"another project's runserver":    {command: "{BIN}/python {OTHER}/manage.py runserver --noreload " + on, none: true, long: true},
	"a tool that listens to nothing": {command: "{BIN}/python -c 'import time; time.sleep(60)'", none: true},
}

// long is the form with the servers that run backends in production.
var long = os.Getenv("KEYSPLIT_LONG") == "1"

// as starts what follows as another user, who may read the files of this one, as those of a
// project that everybody may read.
func as(user string) []string {
	const may = "+dac_override,+dac_read_search"
	return []string{"setpriv", "--securebits=+no_setuid_fixup", "--reuid=" + user, "--regid=" + user, "--clear-groups", "--inh-caps=" + may, "--ambient-caps=" + may}
}

// owner and looker are users: of the servers of another user, and of a look that may not
// see those.
const owner, looker = "65534", "65533"

// everyForm are the forms, and each of this machine's own also where the project is
// mounted elsewhere, of another user, and both.
func everyForm() map[string]form {
	all := maps.Clone(forms)
	for name, f := range forms {
		if f.none || strings.Contains(f.command, "unshare") || strings.Contains(f.command, "setpriv") {
			continue
		}
		f.long = f.long || name != "wsgiref" && name != "a unix socket"
		mine, theirs, both := f, f, f
		mine.as, mine.before = []string{"unshare", "-m"}, "mount --bind {HOME} /mnt && cd {FROM} && "
		theirs.as = as(owner)
		both.as, both.before, both.then, both.long = mine.as, mine.before, theirs.as, true
		all[name+", mounted elsewhere"], all[name+theirsEnd], all[name+", mounted elsewhere"+theirsEnd] = mine, theirs, both
	}
	maps.DeleteFunc(all, func(_ string, f form) bool { return f.long && !long })
	return all
}

// theirsEnd is how the names of those of another user end.
const theirsEnd = ", of another user"

// Every way to run a server is found, all of them at once, each with its address, its
// workers and its reloader; and what is another project's is not. A user who may not look
// into some of them is told of each, beside one that is seen.
func TestEveryFormOfServerIsFound(t *testing.T) {
	if os.Geteuid() != 0 || exec.Command("unshare", "-mn", "true").Run() != nil || exec.Command(as(owner)[0], append(as(owner)[1:], "true")...).Run() != nil {
		t.Skip("SKIPPED: namespaces and other users' processes need root")
	}
	generation := djangotest.Modern
	if long {
		generation = djangotest.Servers
	}
	bin := filepath.Dir(djangotest.Python(t, generation))
	root, other := stubProject(t), stubProject(t)
	tried := everyForm()
	t.Attr("part", "forms of servers")
	t.Attr("figure", fmt.Sprint(len(tried), " forms of servers"))
	started := map[string]*exec.Cmd{}
	at := map[string]*strings.Replacer{}
	taken := map[string]bool{}
	begin := func(name string, f form) {
		port, lower := "", ""
		for port == "" || taken[port] || taken[lower] || lower >= port {
			_, port, _ = net.SplitHostPort(stepstest.FreeAddress(t))
			_, lower, _ = net.SplitHostPort(stepstest.FreeAddress(t))
		}
		taken[port], taken[lower] = true, true
		socket := filepath.Join(root, "run", port)
		seen, from := root, cmp.Or(f.from, root)
		if f.before != "" {
			seen, from = "/mnt", cmp.Or(f.from, "/mnt")
		}
		r := strings.NewReplacer("{PORT}", port, "{LOWER}", lower, "{ROOT}", seen, "{HOME}", root, "{FROM}", from, "{OTHER}", other, "{BIN}", bin, "{SOCKET}", socket)
		started[name], at[name] = startForm(t, f, r, root), r
	}
	for name, f := range tried {
		begin(name, f)
	}
	deadline := time.Now().Add(time.Duration(20+2*len(tried)) * time.Second)
	for wrong := "not looked yet"; wrong != ""; time.Sleep(100 * time.Millisecond) {
		sight, err := Look(context.Background(), root)
		if err != nil {
			t.Fatal(err)
		}
		wrong = ""
		for name, f := range tried {
			if why := f.wrong(sight, started[name].Process.Pid, at[name]); why != "" {
				wrong += "\n" + name + ": " + why
			}
		}
		if wrong != "" && time.Now().After(deadline) {
			t.Fatal(wrong)
		}
	}

	own := forms["wsgiref"]
	own.as = as(looker)
	begin("seen", own)
	var sight Sight
	for len(sight.Servers) == 0 && time.Now().Before(deadline) {
		sight = lookAs(t, looker, root)
	}
	if len(sight.Servers) != 1 || own.wrong(sight, started["seen"].Process.Pid, at["seen"]) != "" {
		t.Errorf("another user sees %+v", sight.Servers)
	}
	hidden := slices.IndexFunc(sight.Hidden, func(h Hidden) bool { return h.User == owner || h.User == "nobody" })
	if hidden < 0 {
		t.Fatalf("nothing of another user is told: %+v", sight.Hidden)
	}
	told := sight.Hidden[hidden].String()
	for name := range tried {
		where := at[name].Replace("{PORT}")
		if strings.Contains(tried[name].command, "{SOCKET}") {
			where = at[name].Replace("unix:{SOCKET}")
		}
		if strings.HasSuffix(name, theirsEnd) && !strings.Contains(told, where) {
			t.Errorf("of what is hidden, %s at %s is not told: %s", name, where, told)
		}
	}
}

// lookAs is what another user sees.
func lookAs(t *testing.T, user, root string) (s Sight) {
	t.Helper()
	c := exec.Command(as(user)[0], append(as(user)[1:], os.Args[0], "-test.run=^TestALookOfAnotherUser$", "-test.v")...)
	c.Env = append(os.Environ(), "KEYSPLIT_TEST_LOOK="+root)
	out, err := c.CombinedOutput()
	_, text, _ := strings.Cut(string(out), "sight: ")
	text, _, _ = strings.Cut(text, "\n")
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return s
}

// TestALookOfAnotherUser is what lookAs starts.
func TestALookOfAnotherUser(t *testing.T) {
	root := os.Getenv("KEYSPLIT_TEST_LOOK")
	if root == "" {
		t.Skip("only as a part of another test")
	}
	sight, err := Look(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(sight)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("sight: %s\n", text)
}

// wrong says what of the servers does not fit the form whose process is pid; "" where
// all does.
func (f form) wrong(sight Sight, pid int, r *strings.Replacer) string {
	var found *steps.Server
	all := sight.Servers
	for i := range all {
		if group, err := syscall.Getpgid(all[i].PID); err == nil && group == pid {
			if found != nil {
				return fmt.Sprintf("found %+v and %+v", *found, all[i])
			}
			found = &all[i]
		}
	}
	switch {
	case f.none && found == nil:
		return ""
	case f.none || found == nil:
		return fmt.Sprintf("found %+v", found)
	}
	want := f.want
	if want.URL == "" && want.Inside == "" {
		want.URL = "http://" + on
	}
	want.Workers = max(1, want.Workers)
	url := strings.ReplaceAll(r.Replace(want.URL), "{PID}", fmt.Sprint(found.PID))
	at := found.URL == url
	if f.more {
		at = !at && slices.Contains(sight.More[found.PID], url)
	}
	if !at || found.Inside != r.Replace(want.Inside) || found.Workers != want.Workers || (found.Reloader != 0) != f.reloads {
		return fmt.Sprintf("%+v, want %+v", *found, want)
	}
	return ""
}

func stubProject(t *testing.T) string {
	t.Helper()
	root := realTemp(t)
	if err := os.Chmod(filepath.Dir(root), 0o755); err != nil { // for another user's server
		t.Fatal(err)
	}
	for name, text := range stub {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// A socket's path has room for some 100 bytes, which this folder's may not leave.
	short, err := os.MkdirTemp("", "ks")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	if err := os.Symlink(short, filepath.Join(root, "run")); err != nil {
		t.Fatal(err)
	}
	return root
}

// startForm starts a server in a process group of its own, which ends with the test.
func startForm(t *testing.T, f form, r *strings.Replacer, root string) *exec.Cmd {
	t.Helper()
	words := append(slices.Clone(f.as), "sh", "-c", r.Replace(f.before)+"exec "+strings.Join(append(slices.Clone(f.then), "env "), " ")+r.Replace(f.env)+" "+r.Replace(f.command))
	c := exec.Command(words[0], words[1:]...)
	if c.Dir = r.Replace(f.from); c.Dir == "" {
		c.Dir = root
	}
	c.Env = djangotest.CleanEnviron()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	c.WaitDelay = time.Second
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		_ = c.Wait()
		if t.Failed() {
			t.Logf("%s\n%s", f.command, out.String())
		}
	})
	return c
}

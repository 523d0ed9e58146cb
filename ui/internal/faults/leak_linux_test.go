package faults

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/ptytest"
)

// watched is a real project with its server, in surroundings that are searched
// for its secrets after every run.
type watched struct {
	project   *djangotest.Project
	url       string
	account   string
	password  string
	imported  string       // a key that is given on standard input
	dir       string       // holds the home, temporary, state and working folders
	elsewhere atomic.Int32 // requests to another host
	children  int          // whose start was seen
	reached   int          // connections that were looked at
	proxy     *httptest.Server
	recorder  *recorder
	shell     map[string]string // keys that the shell's environment holds
	shop      *shop             // a place beside the .env
}

func newWatched(t *testing.T, flavour djangotest.Flavour) *watched {
	t.Helper()
	w := &watched{project: djangotest.New(t, djangotest.Options{Flavour: flavour, Git: true}), imported: djangotest.NewKey(), dir: t.TempDir()}
	w.account, w.password = w.project.CreateUser(t)
	w.url = w.project.Start(t, djangotest.ServerOptions{Reload: true}).URL
	for _, name := range []string{"home", "tmp", "state"} {
		if err := os.Mkdir(filepath.Join(w.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.proxy = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { w.elsewhere.Add(1) }))
	t.Cleanup(w.proxy.Close)
	w.recorder = record(t, w.url)
	w.shop = newShop(t)
	return w
}

func (w *watched) env() []string {
	env := djangotest.CleanEnviron("KEYSPLIT_STATE_DIR="+filepath.Join(w.dir, "state"), "HOME="+filepath.Join(w.dir, "home"),
		"TMPDIR="+filepath.Join(w.dir, "tmp"), "XDG_CONFIG_HOME=", "XDG_STATE_HOME=", "LANG=C.UTF-8", "TERM=xterm-256color",
		"HTTP_PROXY="+w.proxy.URL, "http_proxy="+w.proxy.URL, "HTTPS_PROXY="+w.proxy.URL, "ALL_PROXY="+w.proxy.URL,
		"KEYSPLIT_PASSWORD="+w.password,
		// Bubble Tea's own logs hold what is typed.
		w.shop.environ(), "TEA_TRACE="+filepath.Join(w.dir, "tmp", "tea.log"), "TEA_DEBUG=1")
	for name, value := range w.shell {
		env = append(env, name+"="+value)
	}
	return env
}

// hunt is the hunt for all that this project keeps secret now.
func (w *watched) hunt(t *testing.T) *hunt {
	t.Helper()
	secrets := map[string]string{"SECRET_KEY": w.project.SecretKey, "first key": w.project.Key, "imported key": w.imported, "password": w.password}
	data, err := os.ReadFile(w.project.EnvPath)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range w.shell {
		secrets[name+" of the shell"] = value
	}
	for n, signature := range w.recorder.signatures() {
		secrets[fmt.Sprintf("signature of token %d", n+1)] = signature
	}
	known := slices.Collect(maps.Values(secrets))
	for n, m := range regexp.MustCompile(`[A-Za-z0-9_-]{40,}`).FindAllString(string(data), -1) {
		if !slices.Contains(known, m) {
			secrets[fmt.Sprintf("long value %d of the file", n+1)] = m
		}
	}
	return newHunt(secrets)
}

// execLine is a child's start as strace shows it: its program, and the rest.
var execLine = regexp.MustCompile(`^\d+ +execve\("([^"]*)", (\[.*?\]), (\[.*\])`)

// address is where a call goes to on the network, as strace shows it. Calls without
// one go to where the connection goes.
var address = regexp.MustCompile(`sin6?_port=htons\((\d+)\).*?inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"`)

// may reports whether an address is that of the backend.
func (w *watched) may(host, port string) bool {
	for _, base := range []string{w.url, w.recorder.url} {
		if u, err := url.Parse(base); err == nil && u.Port() == port && net.ParseIP(host).IsLoopback() {
			return true
		}
	}
	return false
}

// run runs keysplit to its end, and gives its exit code, what it printed, and how it and
// its children were started.
func (w *watched) run(t *testing.T, stdin string, args ...string) (code int, out, starts string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	log := filepath.Join(w.dir, "starts")
	c := exec.CommandContext(ctx, "strace", w.traced(t, log, args)...)
	c.Dir, c.Env, c.Stdin, c.WaitDelay = w.project.Root, w.env(), strings.NewReader(stdin), 5*time.Second
	printed, err := c.CombinedOutput()
	if c.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("keysplit %v: %v", args, err)
	}
	w.shop.rest(t)
	return c.ProcessState.ExitCode(), string(printed), w.starts(t, log)
}

// traced are the arguments of strace for a run of keysplit.
func (w *watched) traced(t *testing.T, log string, args []string) []string {
	return append([]string{"-f", "--seccomp-bpf", "-qq", "-v", "-s", "100000", "-e", "trace=execve,connect,sendto,sendmsg,sendmmsg", "-e", "signal=none", "-o", log, keysplit.Path(t)}, args...)
}

// starts is what strace wrote of a run.
func (w *watched) starts(t *testing.T, log string) string {
	t.Helper()
	data, err := os.ReadFile(log)
	if err != nil || !execLine.Match(data) {
		t.Fatalf("not even keysplit's own start was seen (%v)", err)
	}
	w.children += strings.Count(string(data), "execve(") - 1
	return string(data)
}

// asked runs keysplit on a terminal, answers its question, and gives what the
// terminal was sent.
func (w *watched) asked(t *testing.T, answer string, args ...string) (code int, out, starts string) {
	t.Helper()
	log := filepath.Join(w.dir, "starts")
	tm := ptytest.Start(t, ptytest.Options{
		Program: "strace", Args: w.traced(t, log, args), Dir: w.project.Root, Env: w.env(), Cols: 100, Rows: 34,
	})
	tm.WaitFor(`Undo this\?`, soon)
	tm.Type(answer + "\r")
	code = tm.Exit(soon)
	return code, tm.Raw(), w.starts(t, log)
}

// search looks at all that a run could have left or shown.
func (w *watched) search(t *testing.T, h *hunt, what, out, starts string) {
	t.Helper()
	h.text(what+": the output", out)
	for n, line := range strings.Split(strings.TrimSpace(starts), "\n") {
		m := execLine.FindStringSubmatch(line)
		switch {
		case m == nil:
			if strings.Contains(line, "execve(") && !strings.Contains(line, "ENOENT") {
				h.found = append(h.found, fmt.Sprintf("%s: a start that cannot be read", what))
			}
			if to := address.FindStringSubmatch(line); to != nil {
				w.reached++
				// The demo has a backend of its own, on a port that it chooses.
				demo := strings.HasPrefix(what, "demo") && net.ParseIP(to[2]).IsLoopback()
				if !demo && !w.may(to[2], to[1]) {
					h.found = append(h.found, fmt.Sprintf("%s: another host was reached: %s port %s", what, to[2], to[1]))
				}
			}
		case n == 0: // keysplit itself, which is given the password so
			h.text(what+": its own arguments", m[2])
		case strings.Contains(filepath.Base(m[1]), "python"):
			h.text(what+": the arguments of the backend", m[2])
			if strings.Contains(m[3], "KEYSPLIT_PASSWORD") {
				h.found = append(h.found, fmt.Sprintf("%s: the backend is given the password", what))
			}
		default:
			h.text(what+": how "+m[1]+" was started", m[2]+m[3])
		}
	}
	h.folder(t, what+": the temporary folder", filepath.Join(w.dir, "tmp"), nil)
	h.folder(t, what+": the home folder", filepath.Join(w.dir, "home"), nil)
	h.folder(t, what+": the state folder", filepath.Join(w.dir, "state"), func(name string) bool { return strings.HasPrefix(name, "backup-") })
	h.folder(t, what+": the project", w.project.Dir, func(name string) bool {
		return name == ".env" || name == "db.sqlite3" || name == ".git" || name == "__pycache__"
	})
	if n := w.elsewhere.Swap(0); n != 0 {
		h.found = append(h.found, fmt.Sprintf("%s: %d requests went to another host", what, n))
	}
	c := exec.Command("git", "status", "--porcelain", "--untracked-files=all")
	c.Dir = w.project.Dir
	status, err := c.CombinedOutput()
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(string(status)) {
		if !strings.Contains(line, "__pycache__") && !strings.Contains(line, "jwt_grace.py") {
			h.found = append(h.found, fmt.Sprintf("%s: git would pick up %s", what, line))
		}
	}
}

// files are states of the .env. {SECRET_KEY} and {KEY} stand for the project's.
var files = map[string]string{
	"good":      "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n",
	"missing":   "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n",
	"equal":     "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={SECRET_KEY}\n",
	"bare":      "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n{KEY}\n",
	"glued":     "SECRET_KEY={SECRET_KEY}\nDEBUG=TrueJWT_SECRET_KEY={KEY}\n",
	"duplicate": "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\nJWT_SECRET_KEY={SECRET_KEY}x\n",
	"export":    "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nexport JWT_SECRET_KEY={KEY}\n",
	"comment":   "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}  # of {KEY}\n",
	"quotes":    "DEBUG=True\nSECRET_KEY='{SECRET_KEY}\nJWT_SECRET_KEY=\"{KEY}\n",
	"no debug":  "DEBUG={KEY}\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n",
	"latin-1":   "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n# \xe9\n",
	"colon":     "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY: {KEY}\n",
}

func TestNothingIsLeaked(t *testing.T) {
	t.Parallel()
	needStrace(t)
	for _, flavour := range djangotest.Flavours() {
		if flavour == djangotest.Cookies && !long {
			continue // what it adds is in the exchange with the server alone
		}
		t.Run(string(flavour), func(t *testing.T) {
			w := newWatched(t, flavour)
			py := []string{"--python", w.project.Python, "--no-color"}
			account := []string{"--username", w.account, "--url", w.url}
			recorded := []string{"--username", w.account, "--url", w.recorder.url, "--restart", "none"}
			commands := map[string][]string{
				"check":             {"check"},
				"check as JSON":     {"check", "--json"},
				"check as SARIF":    {"check", "--format", "sarif"},
				"check as JUnit":    {"check", "--format", "junit"},
				"check, static":     {"check", "--static", "--format", "github"},
				"plan":              {"upgrade", "--dry-run", "--url", w.url},
				"plan as JSON":      {"upgrade", "--dry-run", "--json", "--url", w.url},
				"check all":         {"check", "--all"},
				"check and fix":     {"check", "--fix"},
				"through a witness": append([]string{"upgrade", "--yes", "--rotate"}, recorded...),
				"accessible":        append([]string{"upgrade", "--yes", "--accessible"}, recorded...),
				"demo":              {"demo", "--yes"},
				"explain a code":    {"explain", "jwt-key-missing"},
				"report as text":    {"report", "--format", "text"},
				"upgrade":           append([]string{"upgrade", "--yes", "--restart", "runserver"}, account...),
				"upgrade as JSON":   append([]string{"upgrade", "--yes", "--json", "--rotate", "--restart", "runserver"}, account...),
				"rotate":            append([]string{"upgrade", "--yes", "--rotate", "--restart", "none"}, account...),
				"report":            {"report", "--team"},
				"bug report":        {"bug-report"},
				"report as JSON":    {"report", "--format", "json"},
				"import":            {"upgrade", "--yes", "--rotate", "--key-stdin", "--skip", "restart,smoke-test"},
				"import of rubbish": {"upgrade", "--yes", "--rotate", "--key-stdin", "--skip", "restart,smoke-test"},
				"grace":             {"grace", "--hours", "48"},
				"status":            {"status", "--live", "--url", w.url},
				"status as JSON":    {"status", "--all", "--json"},
				"without a logout":  {"upgrade", "--rotate", "--grace", "--dry-run", "--url", w.url},
				"a wrong password":  append([]string{"upgrade", "--yes", "--password-stdin", "--restart", "none"}, account...),
				"emergency":         {"rollback", "--emergency"},
				"explain":           {"explain", "--no-color"},
				"rollback":          {"rollback", "--yes", "--restart", "none"},
			}
			order := []string{"check", "check as JSON", "check as SARIF", "check as JUnit", "check, static", "check all", "check and fix", "plan", "plan as JSON", "upgrade", "upgrade as JSON",
				"rotate", "through a witness", "accessible", "demo", "grace", "status", "status as JSON", "without a logout", "bug report", "report", "report as JSON", "report as text",
				"check" + inShell, "check, static" + inShell, "plan as JSON" + inShell, "report" + inShell, "bug report" + inShell, "explain a code" + inShell, "import", "import of rubbish", "a wrong password", "emergency", "explain", "rollback", "rollback" + inShell}
			// One command of each kind; the others show the same in another format.
			short := []string{"check, static" + inShell, "upgrade", "plan as JSON", "through a witness", "grace", "bug report", "report" + inShell, "import", "explain", "rollback"}
			searched, texts, runs, leaks := 0, 0, 0, 0
			codes := map[int]int{}
			for file, text := range stepstest.Part(3, files) {
				for _, what := range order {
					// The long form runs all commands with one file, and the short ones with all.
					of := []bool{file == "missing", slices.Contains(short, what)}
					if what != "check" && (long && !slices.Contains(of, true) || !long && slices.Contains(of, false)) {
						continue
					}
					if what == "check" || what == "upgrade" {
						w.project.WriteEnv(t, text)
					}
					before := w.hunt(t)
					stdin := map[string]string{
						"import": w.imported + "\n", "import of rubbish": w.imported[:40] + "\n", "a wrong password": w.imported[:20] + "\n",
						"explain": "ImproperlyConfigured: JWT_SECRET_KEY must differ: '" + w.project.Key + "'\n",
					}[what]
					name, shell := strings.CutSuffix(what, inShell)
					if w.shell = nil; shell {
						w.shell = map[string]string{"JWT_SECRET_KEY": djangotest.NewKey(), "SECRET_KEY": djangotest.NewKey()}
					}
					args := append([]string{}, commands[name]...)
					if !strings.HasPrefix(name, "explain") && !strings.HasPrefix(name, "report") && name != "rollback" && name != "emergency" && name != "demo" {
						args = append(args, py...)
					}
					code, out, starts := w.run(t, stdin, args...)
					if code == 2 {
						t.Errorf("%s, file %s: wrong usage, so this looked at nothing:\n%s", what, file, out)
					}
					codes[code]++
					for _, h := range []*hunt{before, w.hunt(t)} { // the run may have replaced the key
						w.search(t, h, what+", file "+file, out, starts)
						for _, leak := range h.found {
							t.Error(leak)
						}
						leaks += len(h.found)
						searched, texts = searched+h.searched, texts+h.texts
					}
					runs++
				}
			}
			t.Logf("exit codes: %v", codes)
			figures(t, figure{runs, "runs searched for leaks"}, figure{w.children, "starts of children seen"}, figure{w.reached, "connections seen"},
				figure{len(w.recorder.signatures()), "tokens known"}, figure{texts, "texts searched"}, figure{searched, "bytes searched"}, figure{leaks, "violations"})
			if w.reached == 0 || len(w.recorder.signatures()) == 0 {
				t.Errorf("%d connections and %d tokens were seen", w.reached, len(w.recorder.signatures()))
			}
			if codes[0] < 7 || codes[1] < 7 || w.children < runs {
				t.Errorf("the runs ended with %v: this looked at little", codes)
			}
		})
	}
}

// inShell marks a run whose shell holds keys, other ones than the file's.
const inShell = ", keys in the shell"

// The control: a program that leaks in every way is found out.
func TestALeakyProgramIsFoundOut(t *testing.T) {
	t.Attr("part", "controls that a fault is found")
	w := newWatched(t, djangotest.Tokens)
	w.shell = map[string]string{"JWT_SECRET_KEY": djangotest.NewKey()}
	issued := w.login(t)
	key := w.project.Key
	const own = "1 execve(\"/ks\", [\"ks\"], [\"KEYSPLIT_PASSWORD=x\"]) = 0\n"
	put := func(parts ...string) func() (string, string) {
		return func() (string, string) {
			path := filepath.Join(parts...)
			if err := os.WriteFile(path, []byte("x"+key), 0o600); err != nil {
				t.Error(err)
			}
			t.Cleanup(func() { _ = os.Remove(path) })
			return "", own
		}
	}
	says := func(out, starts string) func() (string, string) {
		return func() (string, string) { return out, starts }
	}
	for what, leak := range map[string]func() (out, starts string){
		"the output: holds a part of the first key":          says("key "+key[3:20], own),
		"the output: holds a part of the tokens":             says("eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDB9.x", own),
		"the output: holds a part of the signature of token": says("... "+issued[len(issued)-40:], own),
		"another host was reached: 93.184.216.34":            says("", own+"2 connect(5, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr(\"93.184.216.34\")}, 16) = -1 EINPROGRESS\n"),
		"another host was reached: 127.0.0.1 port 9":         says("", own+"2 connect(5, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n"),
		"another host was reached: 2001:db8::1":              says("", own+"2 sendto(5, \"x\", 1, 0, {sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, \"2001:db8::1\", &sin6_addr), sin6_scope_id=0}, 28) = 1\n"),
		"holds a part of the JWT_SECRET_KEY of the shell":    says("", own+"2 execve(\"/usr/bin/git\", [\"git\"], [\"JWT_SECRET_KEY="+w.shell["JWT_SECRET_KEY"]+"\"]) = 0\n"),
		"its own arguments":                                  says("", "1 execve(\"/ks\", [\"ks\", \""+key+"\"], []) = 0"),
		"how /bin/echo was started":                          says("", own+"2 execve(\"/bin/echo\", [\"echo\"], [\"A="+key+"\"]) = 0"),
		"the arguments of the backend":                       says("", own+"2 execve(\"/bin/python3\", [\"python3\", \""+key+"\"], []) = 0"),
		"the backend is given the password":                  says("", own+"2 execve(\"/bin/python3\", [\"python3\"], [\"KEYSPLIT_PASSWORD=x\"]) = 0"),
		"a start that cannot be read":                        says("", own+"2 execve(0x1234, 0x5678) = 0"),
		"the temporary folder":                               put(w.dir, "tmp", "x"),
		"the home folder":                                    put(w.dir, "home", "x"),
		"the state folder":                                   put(w.dir, "state", "x"),
		"the project":                                        put(w.project.Root, "db.sqlite3-journal"),
		"git would pick up":                                  put(w.project.Root, "notes"),
		"requests went to another host": func() (string, string) {
			res, err := http.Get(w.proxy.URL)
			if err == nil {
				res.Body.Close()
			}
			return "", own
		},
	} {
		out, starts := leak()
		h := w.hunt(t)
		w.search(t, h, "control", out, starts)
		if found := strings.Join(h.found, "\n"); !strings.Contains(found, what) {
			t.Errorf("%s: not found out: %q", what, found)
		}
	}
}

//go:build unix

package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// shape is how long a rotation under load is.
type shape struct {
	clients         int
	workers         string        // of each instance
	every           time.Duration // of one client's requests
	access, refresh time.Duration // lifetimes of tokens
	renew           time.Duration // a client refreshes its access token so often
	before, after   time.Duration // load before the rotation, and beyond the deadline
}

// lengthy holds a minute of load before the rotation, two stages of it, and what is beyond the deadline.
var lengthy = shape{clients: 20, workers: "4", every: 200 * time.Millisecond, access: 15 * time.Second, refresh: 75 * time.Second, renew: 6 * time.Second, before: 40 * time.Second, after: 60 * time.Second}

// reload reloads one instance after the other, and waits for the end of each one's
// workers, which finish what they have begun.
const reload = `for master in "$@"; do
	workers=$(pgrep -P "$master")
	kill -HUP "$master"
	for worker in $workers; do
		while kill -0 "$worker" 2>/dev/null; do sleep 0.1; done
	done
done
`

// fleet is two instances of gunicorn with four workers each, behind a proxy.
type fleet struct {
	project  *djangotest.Project
	proxy    *httptest.Server
	restart  string // a --restart that reloads them one after the other
	user     string
	password string
	state    string
}

func newFleet(t *testing.T, s shape, rotates bool) *fleet {
	t.Helper()
	p := djangotest.New(t, djangotest.Options{Generation: djangotest.Servers})
	f := &fleet{project: p, state: filepath.Join(t.TempDir(), "state")}
	f.user, f.password = p.CreateUser(t)
	if r := (invocation{args: []string{"grace", "--prepare"}, dir: p.Root}).run(t, f.state); r.code != 0 || !strings.Contains(r.out, "INSTALLED_APPS += ['jwt_grace.GraceConfig']") {
		t.Fatalf("prepare: exit %d\n%s%s", r.code, r.out, r.errOut)
	} else {
		lines := ""
		for line := range strings.Lines(r.out) {
			if strings.HasPrefix(line, "    ") {
				lines += strings.TrimSpace(line) + "\n"
			}
		}
		more := fmt.Sprintf("SIMPLE_JWT.update(ACCESS_TOKEN_LIFETIME=timedelta(seconds=%d), REFRESH_TOKEN_LIFETIME=timedelta(seconds=%d), ROTATE_REFRESH_TOKENS=%s, BLACKLIST_AFTER_ROTATION=False)\n"+
			"DATABASES['default']['OPTIONS'] = {'timeout': 30}\n", int(s.access.Seconds()), int(s.refresh.Seconds()), map[bool]string{true: "True", false: "False"}[rotates])
		if err := os.WriteFile(p.Settings, []byte(read(t, p.Settings)+"\n"+lines+more), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var pids []string
	var backends []*url.URL
	for range 2 {
		addr := djangotest.FreeAddr(t)
		c := exec.Command(filepath.Join(filepath.Dir(p.Python), "gunicorn"), "-w", s.workers, "-b", addr, "--graceful-timeout", "20", "config.wsgi")
		c.Dir, c.Env = p.Root, djangotest.CleanEnviron()
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL); _ = c.Wait() })
		pids = append(pids, strconv.Itoa(c.Process.Pid))
		u, _ := url.Parse("http://" + addr)
		backends = append(backends, u)
		answers(t, u.String())
	}
	script := filepath.Join(t.TempDir(), "reload")
	if err := stepstest.WriteProgram(script, reload); err != nil {
		t.Fatal(err)
	}
	f.restart = "command:sh " + script + " " + strings.Join(pids, " ")
	var n atomic.Int64
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(backends[int(n.Add(1))%2]) },
		ErrorLog: log.New(io.Discard, "", 0),
	}
	f.proxy = httptest.NewServer(proxy)
	t.Cleanup(f.proxy.Close)
	return f
}

func answers(t *testing.T, base string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if res, err := http.Get(base + "/api/v1/auth/user/"); err == nil {
			res.Body.Close()
			return
		}
	}
	t.Fatal("gunicorn does not answer")
}

// load is what the clients saw, by stage.
type load struct {
	mu     sync.Mutex
	stage  string
	order  []string
	counts map[string]map[string]int
}

func (l *load) enter(stage string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stage, l.order, l.counts[stage] = stage, append(l.order, stage), map[string]int{}
}

func (l *load) saw(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[l.stage][what]++
}

func (l *load) all(what string) (n int) {
	for _, c := range l.counts {
		n += c[what]
	}
	return n
}

// figures are the counts by stage, a line each.
func (l *load) figures() string {
	var b strings.Builder
	for _, stage := range l.order {
		c := l.counts[stage]
		fmt.Fprintf(&b, "%-24s %6d access, %5d refresh, %4d login, %3d of 401, %3d refused connections, %3d others, %d expired\n",
			stage, c["access"], c["refresh"], c["login"], c["401"], c["refused"], c["other"], c["expired"])
	}
	return b.String()
}

// client is one user's device: it uses its access token, refreshes it before it ends,
// and logs in again in the middle of its refresh token's life. fresh opens a connection for each request.
func (f *fleet) client(ctx context.Context, l *load, s shape, fresh bool) {
	web := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: fresh}}
	defer web.CloseIdleConnections()
	var access, refresh string
	var accessAt, refreshAt time.Time
	send := func(kind, method, path string, body any) map[string]string {
		data, _ := json.Marshal(body)
		req, _ := http.NewRequestWithContext(ctx, method, f.proxy.URL+path, bytes.NewReader(data))
		req.Header.Set("Content-Type", "application/json")
		if kind == "access" {
			req.Header.Set("Authorization", "Bearer "+access)
		}
		res, err := web.Do(req)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil || res.StatusCode == http.StatusBadGateway {
			l.saw("refused")
			return nil
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		switch res.StatusCode {
		case http.StatusOK:
			l.saw(kind)
			got := map[string]string{}
			_ = json.Unmarshal(text, &got)
			return got
		case http.StatusUnauthorized:
			lasted, at := s.access, accessAt
			if kind == "refresh" {
				lasted, at = s.refresh, refreshAt
			}
			if kind != "login" && time.Since(at) >= lasted-time.Second { // the claim counts whole seconds
				l.saw("expired") // by itself, on a machine that is too busy for these lifetimes
			} else {
				l.saw("401")
			}
			access, refresh = "", "" // as an app does: back to the login
		default:
			l.saw("other")
		}
		return nil
	}
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for ctx.Err() == nil {
		switch now := time.Now(); {
		case refresh == "" || now.Sub(refreshAt) > s.refresh/2:
			if got := send("login", http.MethodPost, "/api/v1/auth/login/", map[string]string{"username": f.user, "password": f.password}); got["refresh"] != "" {
				access, refresh, accessAt, refreshAt = got["access"], got["refresh"], now, now
			}
		case now.Sub(accessAt) > s.renew:
			if got := send("refresh", http.MethodPost, "/api/v1/auth/token/refresh/", map[string]string{"refresh": refresh}); got["access"] != "" {
				access, accessAt = got["access"], now
				if got["refresh"] != "" {
					refresh, refreshAt = got["refresh"], now
				}
			}
		default:
			send("access", http.MethodGet, "/api/v1/auth/user/", nil)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// underLoad rotates the key while clients work, with further flags, and returns what they
// saw.
func (f *fleet) underLoad(t *testing.T, s shape, flags ...string) *load {
	t.Helper()
	l := &load{counts: map[string]map[string]int{}}
	l.enter("before")
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range s.clients {
		all.Add(1)
		go func() { defer all.Done(); f.client(ctx, l, s, i%2 == 0) }()
	}
	defer func() { stop(); all.Wait() }()
	time.Sleep(s.before)
	i := invocation{args: append([]string{"upgrade", "--rotate", "--yes", "--json", "--python", f.project.Python, "--restart", f.restart, "--url", f.proxy.URL}, flags...), dir: f.project.Root}
	c := i.command(ctx, t, f.state)
	var errOut bytes.Buffer
	c.Stderr = &errOut
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	l.enter("accept")
	said := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "From here on they sign with it") {
			l.enter("sign")
		}
	}
	// The control may end badly, where a worker takes long to end: it has done its harm.
	if err := c.Wait(); err != nil && len(flags) > 0 {
		t.Fatalf("%v\n%s%s", err, said, errOut.String())
	}
	l.enter("until the deadline")
	if _, text, found := strings.Cut(read(t, f.project.EnvPath), "JWT_PREVIOUS_SECRET_KEY_UNTIL="); found {
		until, err := time.Parse("20060102T150405Z", strings.TrimSpace(text))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(until))
	}
	l.enter("beyond the deadline")
	time.Sleep(s.after)
	return l
}

// Nobody is logged out by a rotation of a running fleet: no answer of 401 and no refused
// connection in any stage, nor beyond the deadline. The control is one without --grace.
func TestARotationOfARunningFleetLogsNobodyOut(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	s := lengthy
	for name, rotates := range map[string]bool{"refresh tokens are not rotated": false, "refresh tokens are rotated": true} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, s, rotates)
			old := keyIn(read(t, f.project.EnvPath))
			l := f.underLoad(t, s, "--grace")
			t.Logf("%s\n%s", name, l.figures())
			if l.all("401")+l.all("refused")+l.all("other") != 0 || l.all("access") == 0 || l.all("refresh") == 0 {
				t.Errorf("somebody was logged out:\n%s", l.figures())
			}
			if !slices.Contains(l.order, "sign") || keyIn(read(t, f.project.EnvPath)) == old {
				t.Errorf("the key was not rotated in stages: %q", l.order)
			}
			if r := (invocation{args: []string{"grace", "--end", "--yes", "--python", f.project.Python, "--restart", f.restart, "--url", f.proxy.URL}, dir: f.project.Root}).run(t, f.state); r.code != 0 || strings.Contains(read(t, f.project.EnvPath), "PREVIOUS") {
				t.Errorf("the end: exit %d\n%s%s", r.code, r.out, r.errOut)
			}
			control := f.underLoad(t, s)
			t.Logf("control, without --grace\n%s", control.figures())
			if control.all("401") == 0 {
				t.Errorf("a rotation without --grace logged nobody out, so that the test shows nothing:\n%s", control.figures())
			}
		})
	}
}

package restart

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/process"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// routesRun is a run over a project with two routes of its own.
func routesRun(t *testing.T, hosts ...string) *steps.Run {
	run := stepstest.NewRun(t, "", nil)
	run.Project.Facts = &steps.Facts{OwnRoutes: []string{"/api/shop/orders/", "/api/me/"}, Hosts: hosts}
	run.Options.Timeout = 2 * time.Second
	return run
}

// routes is a server with the given routes; every other path is not there.
func routes(paths ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(paths, r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func TestAnAddressIsKnownByTheProjectsRoutes(t *testing.T) {
	t.Parallel()
	both := routes("/api/shop/orders/", "/api/me/")
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		hosts   []string
		want    verdict
	}{
		"it has both":             {both, nil, mine},
		"it has one":              {routes("/api/me/"), nil, untold},
		"it has none":             {routes("/"), nil, another},
		"all answers alike":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, nil, alike},
		"it fails":                {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, nil, untold},
		"every path is sent on":   {http.RedirectHandler("/login", http.StatusFound).ServeHTTP, nil, alike},
		"a page for every path":   {func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("<p>" + r.URL.Path)) }, nil, alike},
		"another Host is refused": {hosted("shop.example.com", both), []string{"other.example.com", ".shop.example.com"}, mine},
		"no Host fits":            {hosted("shop.example.com", both), []string{"other.example.com"}, alike},
		"it takes no OPTIONS": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNotImplemented)
				return
			}
			http.NotFound(w, r)
		}, nil, another},
		"it takes no OPTIONS, and has both": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			both(w, r)
		}, nil, mine},
		"it wants https": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Forwarded-Proto") != "https" {
				http.Redirect(w, r, "https://"+r.Host+r.URL.Path, http.StatusMovedPermanently)
				return
			}
			both(w, r)
		}, nil, mine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var asked []string
			byGet := strings.Contains(name, "OPTIONS") || name == "no Host fits"
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				asked = append(asked, r.Method)
				if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" {
					asked = append(asked, "a token")
				}
				mu.Unlock()
				c.handler(w, r)
			}))
			defer server.Close()
			if got := recognise(t.Context(), routesRun(t, c.hosts...), server.URL); got != c.want {
				t.Errorf("%d, want %d", got, c.want)
			}
			if i := slices.IndexFunc(asked, func(m string) bool { return m != http.MethodOptions && (m != http.MethodGet || !byGet) }); i >= 0 {
				t.Errorf("it was asked by %v", asked)
			}
		})
	}
	run := routesRun(t)
	run.Project.Facts.OwnRoutes = nil
	if got := recognise(t.Context(), run, httptest.NewServer(both).URL); got != untold {
		t.Errorf("without routes of its own: %d", got)
	}
}

// closing is an address at which something listens that answers nobody.
func closing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestWhatSpeaksNoHTTPIsSaid(t *testing.T) {
	t.Parallel()
	mute := closing(t)
	var failure *steps.Failure
	err := silent(mute, answers(t.Context(), mute, time.Second))
	if !errors.As(err, &failure) || !strings.Contains(failure.Findings[0].Message.Rendered(), "does not speak plain HTTP") {
		t.Errorf("%v", err)
	}
	nobody := "http://" + stepstest.FreeAddress(t)
	if err := silent(nobody, answers(t.Context(), nobody, time.Second)); !errors.As(err, &failure) || !strings.Contains(failure.Findings[0].Message.Rendered(), "does not answer") {
		t.Errorf("%v", err)
	}
}

func hosted(name string, then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Host != name {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		then(w, r)
	}
}

func TestAUnixSocketIsAsked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("no unix sockets here: " + err.Error())
	}
	server := &http.Server{Handler: routes("/api/shop/orders/", "/api/me/"), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	if got := recognise(t.Context(), routesRun(t), steps.SocketURL(path)); got != mine {
		t.Errorf("%d", got)
	}
	if err := answers(t.Context(), steps.SocketURL(path), time.Second); err != nil {
		t.Error(err)
	}
}

func TestWhatProcessesLeaveOpenIsAsked(t *testing.T) {
	t.Parallel()
	yes := stepstest.Serve(t, routes("/api/shop/orders/", "/api/me/"))
	no := stepstest.Serve(t, routes("/"))
	silent, mute := "http://"+stepstest.FreeAddress(t), closing(t)
	same := stepstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	port := portOf(yes)
	hidden := []process.Hidden{{User: "www-data", Processes: 2, Ports: []uint16{portOf(no), portOf(silent), port}}}
	holders := map[uint16]string{port: "", portOf(no): "", portOf(silent): ""}
	for name, c := range map[string]struct {
		sight process.Sight
		want  []steps.Server
		says  string // what cannot be looked into
	}{
		"of the project, by its process": {process.Sight{Servers: []steps.Server{{PID: 1, URL: silent}}}, []steps.Server{{PID: 1, URL: silent}}, ""},
		"a tool in its folder":           {process.Sight{Servers: []steps.Server{{PID: 1, URL: no}}}, nil, ""},
		"a reloader is not doubted":      {process.Sight{Servers: []steps.Server{{PID: 1, Reloader: 2, URL: no}}}, []steps.Server{{PID: 1, Reloader: 2, URL: no}}, ""},
		"nobody's, with its routes":      {process.Sight{Others: []steps.Server{{PID: 2, URL: yes}}}, []steps.Server{{PID: 2, URL: yes}}, ""},
		"nobody's, without":              {process.Sight{Others: []steps.Server{{PID: 2, URL: no}, {PID: 3, URL: silent}}}, nil, ""},
		"another user's": {process.Sight{Hidden: hidden, Holders: holders}, []steps.Server{{URL: yes}},
			"2 Python processes of www-data listen on " + strconv.Itoa(int(portOf(silent))) + "; keysplit cannot look into them."},
		"another user's, by a socket": {process.Sight{Hidden: []process.Hidden{{User: "shop", Processes: 1, Sockets: []string{"/no/such.sock"}}}}, nil,
			"1 Python process of shop listens on unix:/no/such.sock; keysplit cannot look into it."},
		"it speaks no HTTP, beside one that does": {process.Sight{Servers: []steps.Server{{PID: 1, URL: mute}, {PID: 2, URL: yes}}}, []steps.Server{{PID: 2, URL: yes}}, ""},
		"every path alike, beside one that shows": {process.Sight{Servers: []steps.Server{{PID: 1, URL: same}, {PID: 2, URL: yes}}}, []steps.Server{{PID: 2, URL: yes}}, ""},
		"every path alike, alone":                 {process.Sight{Servers: []steps.Server{{PID: 1, URL: same}}}, []steps.Server{{PID: 1, URL: same}}, ""},
		"it speaks no HTTP, alone":                {process.Sight{Servers: []steps.Server{{PID: 1, URL: mute}}}, []steps.Server{{PID: 1, URL: mute}}, ""},
		"it speaks no HTTP, behind a proxy":       {process.Sight{Servers: []steps.Server{{PID: 1, URL: mute, Workers: 2}}, Hidden: hidden[:1], Holders: map[uint16]string{port: ""}}, []steps.Server{{PID: 1, URL: yes, Workers: 2}}, "www-data"},
		"two of them behind a proxy":              {process.Sight{Servers: []steps.Server{{PID: 1, URL: mute}, {PID: 2, URL: mute}}, Hidden: []process.Hidden{{Ports: []uint16{port}}}, Holders: holders}, []steps.Server{{URL: yes}}, "(process 1) gives no answer of HTTP at " + mute},
		"at its second address":                   {process.Sight{Servers: []steps.Server{{PID: 1, URL: no}}, More: map[int][]string{1: {silent, yes}}}, []steps.Server{{PID: 1, URL: yes}}, ""},
		"one that may be begun":                   {process.Sight{Servers: []steps.Server{{PID: 1, URL: mute}}, More: map[int][]string{1: {silent}}}, []steps.Server{{PID: 1, URL: silent}}, ""},
		"a reloader with two":                     {process.Sight{Servers: []steps.Server{{PID: 1, Reloader: 2, URL: mute}}, More: map[int][]string{1: {yes}}}, []steps.Server{{PID: 1, Reloader: 2, URL: yes}}, ""},
		"a tunnel":                                {process.Sight{Hidden: hidden[:1], Holders: map[uint16]string{port: "ssh"}}, nil, "www-data"},
		"in a container, with one address": {process.Sight{Servers: []steps.Server{{PID: 4, Inside: "127.0.0.1:80"}}, Hidden: []process.Hidden{{Ports: []uint16{port}}}, Holders: holders},
			[]steps.Server{{PID: 4, Inside: "127.0.0.1:80", URL: yes}}, ""},
		"in a container, without": {process.Sight{Servers: []steps.Server{{PID: 4, Inside: "127.0.0.1:80"}}, Holders: map[uint16]string{}}, nil, "A server of this project (process 4) listens on 127.0.0.1:80 in a network of its own"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.sight.Holders == nil {
				c.sight.Holders = map[uint16]string{}
			}
			s := &Step{}
			got := s.sift(t.Context(), routesRun(t), c.sight)
			if !slices.Equal(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			if says := strings.Join(s.unseen, " "); !strings.Contains(says, c.says) || c.says == "" && says != "" {
				t.Errorf("it says %q, want %q", says, c.says)
			}
			if says := s.noneFound(); secret.Inert(says) != says || !strings.HasPrefix(says, notFound) {
				t.Errorf("%q", says)
			}
		})
	}
}

// A server that reloads by itself when a file changes is not there for a moment: it is no
// server that ended.
func TestAServerBetweenTwoProcessesIsWaitedFor(t *testing.T) {
	for _, restart := range []string{"", "none"} {
		w := newWorld(t)
		url := backend(t)
		w.run.Options.Restart = by(t, restart)
		w.set(w.server(2, 0, w.old, url))
		if err := w.step.Witness(t.Context(), w.run); err != nil {
			t.Fatal(err)
		}
		w.run.MarkWritten()
		w.set()
		looks := 0
		find := w.step.Find
		w.step.Find = func(ctx context.Context, root string) ([]steps.Server, error) {
			if looks++; looks == 3 {
				w.set(w.server(3, 0, time.Now().Add(time.Second), url))
			}
			return find(ctx, root)
		}
		said, _, err := do(w.step.Apply, w.run)
		if err != nil || w.run.URL != url || w.run.OwnServer || looks < 3 {
			t.Errorf("%q: error %v, %q, %d looks\n%s", restart, err, w.run.URL, looks, said)
		}
	}
}

// A wait that is stopped is no server that is silent.
func TestAWaitThatIsStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&Step{}).await(ctx, routesRun(t), func(steps.Event) {}, "http://127.0.0.1:9"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

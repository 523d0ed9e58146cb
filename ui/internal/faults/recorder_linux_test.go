package faults

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// recorder stands between keysplit and the backend and remembers every token that
// goes by, in either direction.
type recorder struct {
	url string

	mu   sync.Mutex
	seen map[string]bool // signatures
}

var wholeToken = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.([A-Za-z0-9_-]{20,})`)

func record(t *testing.T, backend string) *recorder {
	t.Helper()
	to, err := url.Parse(backend)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{seen: map[string]bool{}}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.Host = p.In.Host
			body, err := io.ReadAll(p.In.Body)
			if err == nil {
				p.Out.Body = io.NopCloser(bytes.NewReader(body))
			}
			r.take(string(body), p.In.Header)
		},
		ModifyResponse: func(res *http.Response) error {
			body, err := io.ReadAll(res.Body)
			res.Body = io.NopCloser(bytes.NewReader(body))
			r.take(string(body), res.Header)
			return err
		},
	})
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *recorder) take(body string, header http.Header) {
	for _, values := range header {
		body += "\n" + strings.Join(values, "\n")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range wholeToken.FindAllStringSubmatch(body, -1) {
		r.seen[m[1]] = true
	}
}

// signatures are those of all tokens so far.
func (r *recorder) signatures() (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.seen {
		all = append(all, s)
	}
	return all
}

// login gets a real token from the backend.
func (w *watched) login(t *testing.T) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"username": w.account, "password": w.password})
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(w.recorder.url+"/api/v1/auth/login/", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	m := wholeToken.Find(answer)
	if err != nil || m == nil {
		t.Fatalf("no token: %d, %v, %s", res.StatusCode, err, answer)
	}
	return string(m)
}

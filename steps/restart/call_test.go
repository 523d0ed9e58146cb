package restart

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// What is compared of an answer: its status, and of a description the body without the
// path that was asked for. Only where a proxy ends https is that said.
func TestWhatIsComparedOfAnAnswer(t *testing.T) {
	t.Parallel()
	proto := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proto = r.Header.Get("X-Forwarded-Proto")
		if r.URL.Path == "/gone/" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, "here is "+r.URL.Path)
	}))
	t.Cleanup(s.Close)
	for name, c := range map[string]struct {
		method, path string
		https        bool
		status       int
		body         bool
	}{
		"a description":       {http.MethodOptions, "/a/", false, 200, true},
		"behind a proxy":      {http.MethodOptions, "/a/", true, 200, true},
		"none":                {http.MethodOptions, "/gone/", false, 404, false},
		"no description":      {http.MethodGet, "/a/", false, 200, false},
		"neither, and no GET": {http.MethodPost, "/gone/", false, 404, false},
	} {
		by := newCaller(s.URL, 5*time.Second)
		by.https = c.https
		got, err := by.call(t.Context(), c.method, c.path)
		if err != nil || got.status != c.status || (got.body != "") != c.body || (proto == "https") != c.https {
			t.Errorf("%s: %d, a body %t, %q, %v", name, got.status, got.body != "", proto, err)
		}
	}
	by := newCaller(s.URL, 5*time.Second)
	a, err := by.call(t.Context(), http.MethodOptions, "/a/")
	b, other := by.call(t.Context(), http.MethodOptions, "/b/")
	if err != nil || other != nil || a != b {
		t.Errorf("two paths of one view: %v, %v", err, other)
	}
}

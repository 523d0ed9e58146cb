package smoketest

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// The version that an API wants to be asked for goes into the Accept header of each request.
func TestTheVersionOfAnAPI(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Header.Get("Accept") }))
	defer s.Close()
	base, err := parseBase(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{"": "application/json, */*;q=0.5", "version=1.0": "application/json; version=1.0"} {
		c := newClient(base, nil, 5*time.Second)
		c.version = version
		if _, err := c.do(t.Context(), request{method: http.MethodGet, path: "/"}); err != nil {
			t.Fatal(err)
		}
		if got := <-asked; got != want {
			t.Errorf("%q asks for %q", version, got)
		}
	}
}

package smoketest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A server that reloads may listen nowhere for a moment; any other one is not waited for.
func TestAServerThatReloadsIsWaitedFor(t *testing.T) {
	t.Parallel()
	place, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := place.Addr().String()
	_ = place.Close()
	base, _ := parseBase("http://" + at)
	c := newClient(base, nil, 5*time.Second)
	if _, err := c.do(context.Background(), request{method: http.MethodGet, path: "/"}); err == nil {
		t.Fatal("somebody answered")
	}
	c.patience = 30 * time.Second
	done := make(chan error, 1)
	go func() {
		_, err := c.do(context.Background(), request{method: http.MethodGet, path: "/"})
		done <- err
	}()
	place, err = net.Listen("tcp", at)
	if err != nil {
		t.Skip("the port was taken by another program")
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	_ = server.Listener.Close()
	server.Listener = place
	server.Start()
	defer server.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.do(stopped, request{method: http.MethodGet, path: "/"}); err == nil {
		t.Error("it went on after it was stopped")
	}
}

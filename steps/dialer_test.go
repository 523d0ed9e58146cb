package steps

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"
)

func TestPlainHTTPStaysOnThisMachine(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"127.0.0.1:80": true, "127.8.9.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true,
		"10.0.0.1:80": false, "[::]:80": false, "0.0.0.0:80": false, "[::ffff:10.0.0.1]:80": false, "junk": false,
	} {
		if got := loopbackOnly("tcp", address, nil) == nil; got != want {
			t.Errorf("loopbackOnly(%q) = %v", address, got)
		}
	}
	for base, want := range map[string]error{"https://192.0.2.1:1": context.DeadlineExceeded, "HTTPS://192.0.2.1:1": context.DeadlineExceeded, "http://192.0.2.1:1": ErrElsewhere} {
		ctx, cancel := context.WithTimeout(t.Context(), 0)
		_, dial := Reach(base, time.Second)
		if _, err := dial(ctx, "tcp", "192.0.2.1:1"); !errors.Is(err, want) && !(want != ErrElsewhere && err != nil && !errors.Is(err, ErrElsewhere)) {
			t.Errorf("%s: %v", base, err)
		}
		cancel()
	}
}

func TestAServerOnAUnixSocketIsReached(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("no unix sockets here: " + err.Error())
	}
	defer l.Close()
	url, dial := Reach(SocketURL(path), time.Second)
	c, err := dial(t.Context(), "tcp", "localhost:80")
	if err != nil || url != "http://localhost" {
		t.Fatalf("%q, %v", url, err)
	}
	c.Close()
}

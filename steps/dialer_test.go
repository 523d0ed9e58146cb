package steps

import (
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
	for base, stays := range map[string]bool{"https://192.0.2.1:1": false, "HTTPS://192.0.2.1:1": false, "http://192.0.2.1:1": true} {
		_, dial := Reach(base, 20*time.Millisecond)
		if _, err := dial(t.Context(), "tcp", "192.0.2.1:1"); errors.Is(err, ErrElsewhere) != stays {
			t.Errorf("%s: %v", base, err)
		}
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

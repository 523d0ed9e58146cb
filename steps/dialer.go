package steps

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// ErrElsewhere is why a connection was not made: plain http stays on this machine.
var ErrElsewhere = errors.New("plain http to another machine")

// socketScheme marks the base URL of a server on a unix socket.
const socketScheme = "unix:"

// SocketURL is the base URL of a server on the unix socket of that path.
func SocketURL(path string) string { return socketScheme + path }

// Dial is how a connection is made, as http.Transport has it.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Reach says how to come to the server of a base URL: the URL for HTTP, without a
// slash at its end, and how to connect. Plain http reaches this machine only. limit is
// for one connection.
func Reach(base string, limit time.Duration) (url string, dial Dial) {
	d := &net.Dialer{Timeout: limit}
	if path, ok := strings.CutPrefix(base, socketScheme); ok {
		return "http://localhost", func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) }
	}
	if scheme, _, _ := strings.Cut(base, ":"); !strings.EqualFold(scheme, "https") {
		d.Control = loopbackOnly
	}
	return strings.TrimRight(base, "/"), d.DialContext
}

// loopbackOnly looks at the address after the name was resolved, and before the
// connection is made.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		return ErrElsewhere
	}
	return nil
}

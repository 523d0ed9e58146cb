package steps

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// ErrElsewhere is why a connection was not made: plain http stays on this machine.
var ErrElsewhere = errors.New("plain http to another machine")

// NewDialer makes the dialer for a server's scheme, which for plain http reaches
// this machine only. limit is for one connection.
func NewDialer(scheme string, limit time.Duration) *net.Dialer {
	d := &net.Dialer{Timeout: limit}
	if scheme != "https" {
		d.Control = loopbackOnly
	}
	return d
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

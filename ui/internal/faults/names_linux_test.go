package faults

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/built"
)

// resolving is keysplit as it is, but that it asks the name server at an address
// which the environment names: hosts files and name servers are root's to change.
// What it does with the answers is its own.
var resolving = &built.Program{Extra: map[string]string{"resolver.go": `package main

import (
	"context"
	"net"
	"os"
)

func init() {
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", os.Getenv("TEST_NAME_SERVER"))
	}}
}
`}}

// names is a name server. Each name has a list of answers, one for each time it is
// asked for, of which the last one stays.
type names struct {
	address string

	mu      sync.Mutex
	answers map[string][][]netip.Addr
	asked   map[string]int
}

// serveNames answers questions for IPv4 and IPv6 addresses as RFC 1035 has it.
func serveNames(t *testing.T, answers map[string][][]netip.Addr) *names {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	n := &names{address: c.LocalAddr().String(), answers: answers, asked: map[string]int{}}
	go func() {
		b := make([]byte, 1500)
		for {
			size, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if answer := n.answer(b[:size]); answer != nil {
				_, _ = c.WriteTo(answer, from)
			}
		}
	}()
	return n
}

const typeA, typeAAAA = 1, 28

func (n *names) answer(question []byte) []byte {
	name, end := "", 12
	for end < len(question) && question[end] != 0 && end+1+int(question[end]) < len(question) {
		name += string(question[end+1:end+1+int(question[end])]) + "."
		end += 1 + int(question[end])
	}
	end += 5 // the root, type and class
	if end > len(question) {
		return nil
	}
	kind := binary.BigEndian.Uint16(question[end-4:])
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	n.mu.Lock()
	defer n.mu.Unlock()
	all, known := n.answers[name]
	var addresses []netip.Addr
	if known {
		// Both questions of a look-up get the same answer.
		addresses = all[min(n.asked[name], len(all)-1)]
		if kind == typeA {
			n.asked[name]++
		}
	}
	out := append(bytes.Clone(question[:2]), 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	if !known {
		out[3] = 3 // no such name
	}
	out = append(out, question[12:end]...)
	for _, a := range addresses {
		if a.Is4() != (kind == typeA) || kind != typeA && kind != typeAAAA {
			continue
		}
		out[7]++
		out = append(out, 0xc0, 12)
		out = binary.BigEndian.AppendUint16(out, kind)
		out = append(out, 0, 1, 0, 0, 0, 0)
		out = binary.BigEndian.AppendUint16(out, uint16(a.BitLen()/8))
		out = append(out, a.AsSlice()...)
	}
	return out
}

func (n *names) times(name string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked[name]
}

// ownAddress is an address of this machine that is not the loopback: what listens
// there is for keysplit another machine, and the test sees whether it was reached.
func ownAddress(t *testing.T) netip.Addr {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() {
			return p.Addr()
		}
	}
	t.Skip("SKIPPED, NOT TESTED: this machine has no address but the loopback")
	return netip.Addr{}
}

// A name that leads elsewhere is refused over plain http, once it is known where it
// leads and before a connection is made: also when it led here at first, as the name
// servers of attackers do it.
func TestANameIsRefusedByWhereItLeads(t *testing.T) {
	t.Parallel()
	t.Attr("part", "addresses and names that lead elsewhere")
	here, elsewhere := netip.MustParseAddr("127.0.0.1"), ownAddress(t)
	p := djangotest.New(t, djangotest.Options{})
	const password = "a-password-that-is-told-to-nobody"
	refuse := say("403 Forbidden", "", "{}")
	for name, c := range stepstest.Part(3, map[string]struct {
		answers [][]netip.Addr
		https   bool
		here    bool // the server on this machine is asked
		login   bool // and is told the password
		away    bool // another machine is asked
		says    string
	}{
		"elsewhere.test": {answers: [][]netip.Addr{{elsewhere}}, says: "insecure-url"},
		"mapped.test":    {answers: [][]netip.Addr{{netip.AddrFrom16(elsewhere.As16())}}, says: "insecure-url"},
		"any.test":       {answers: [][]netip.Addr{{netip.IPv4Unspecified()}}, says: "insecure-url"},
		"localhost.test": {answers: [][]netip.Addr{{elsewhere}}, says: "insecure-url"},
		"rebound.test":   {answers: [][]netip.Addr{{here}, {elsewhere}}, here: true, says: "insecure-url"}, // before the write, and without a secret
		"later.test":     {answers: [][]netip.Addr{{here}, {here}, {here}, {here}, {elsewhere}}, here: true, says: "insecure-url"},
		"both.test":      {answers: [][]netip.Addr{{elsewhere, here}}, here: true, login: true, says: "login-rejected"}, // only the one here is asked
		"here.test":      {answers: [][]netip.Addr{{here}}, here: true, login: true, says: "login-rejected"},            // the controls: the name works,
		"https.test":     {answers: [][]netip.Addr{{elsewhere}}, https: true, away: true, says: "server-unreachable"},   // and the other machine can be reached
		"unknown.test":   {answers: nil, says: "server-unreachable"},
	}) {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			counted := hostile(func(w net.Conn, r *http.Request) { asked.Add(1); refuse.atLogin()(w, r) })
			base, told := counted.listen(t, password)
			port := base[strings.LastIndexByte(base, ':')+1:]
			away, err := net.Listen("tcp", net.JoinHostPort(elsewhere.String(), port))
			if err != nil {
				t.Skipf("SKIPPED, NOT TESTED: %v", err)
			}
			defer away.Close()
			var reached atomic.Int32
			go func() {
				for {
					c, err := away.Accept()
					if err != nil {
						return
					}
					reached.Add(1)
					c.Close()
				}
			}()
			table := map[string][][]netip.Addr{}
			if c.answers != nil {
				table[name] = c.answers
			}
			server := serveNames(t, table)
			scheme := "http://"
			if c.https {
				scheme = "https://"
			}
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			run := exec.CommandContext(ctx, resolving.Path(t), "upgrade", "--yes", "--python", p.Python, "--restart", "none", "--timeout", "5s",
				"--url", scheme+name+":"+port, "--username", "someone", "--no-color")
			run.Dir = p.Root
			run.Env = djangotest.CleanEnviron("KEYSPLIT_STATE_DIR="+filepath.Join(t.TempDir(), "state"), "KEYSPLIT_PASSWORD="+password, "LANG=C.UTF-8", "TEST_NAME_SERVER="+server.address)
			out, _ := run.CombinedOutput()
			if code := run.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), c.says) {
				t.Errorf("exit %d\n%s", code, out)
			}
			if n := server.times(name); (n == 0) != (c.answers == nil) {
				t.Errorf("the name was looked up %d times", n)
			}
			if n := asked.Load(); (n > 0) != c.here {
				t.Errorf("the server here was asked %d times\n%s", n, out)
			}
			if n := told.Load(); (n > 0) != c.login {
				t.Errorf("the server here was told the password %d times\n%s", n, out)
			}
			if n := reached.Load(); (n > 0) != c.away {
				t.Errorf("the other machine was reached %d times\n%s", n, out)
			}
			if strings.Contains(string(out), password) {
				t.Error("the password is shown")
			}
		})
	}
}

package faults

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode"

	"dj/keysplit/steps/sandbox/djangotest"
)

// hostile is how a server answers each request. The connection is closed after it.
type hostile func(w net.Conn, r *http.Request)

// say answers with a status line, headers and a body as they are given.
func say(status string, headers string, body string) hostile {
	return func(w net.Conn, _ *http.Request) {
		fmt.Fprintf(w, "HTTP/1.1 %s\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, headers, len(body), body)
	}
}

// endless writes the first text, then the other one again and again until the
// client has gone.
func endless(first, again string, pause time.Duration) hostile {
	return func(w net.Conn, _ *http.Request) {
		_, err := io.WriteString(w, first)
		for err == nil {
			time.Sleep(pause)
			_, err = io.WriteString(w, again)
		}
	}
}

const begin = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

// evil is text that a terminal would obey: a title, the clipboard, colours, a
// bell, direction marks, an 8-bit control character, bytes that are no UTF-8.
const evil = "\x1b]0;title\x07\x1b]52;c;aGk=\x07\x1b[31mred\x07\u202e\u2066abc\u009b31m\xff\xfe\rover\b\b"

func bomb() string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range 512 {
		_, _ = z.Write(zeros)
	}
	_ = z.Close()
	return b.String()
}

func hostileServers() map[string]hostile {
	return map[string]hostile{
		"says nothing":          func(w net.Conn, _ *http.Request) { _, _ = io.Copy(io.Discard, w) },
		"slow headers":          endless("HTTP/1.1 200 OK\r\n", "X", 50*time.Millisecond),
		"endless headers":       endless(begin, "X-A: "+strings.Repeat("a", 4000)+"\r\n", 0),
		"endless early answers": endless("", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0),
		"a trickled body":       endless(begin+"Content-Length: 100000\r\n\r\n", " ", 50*time.Millisecond),
		"an endless body":       endless(begin+"\r\n", strings.Repeat("[", 1<<16), 0),
		"endless chunks":        endless(begin+"Transfer-Encoding: chunked\r\n\r\n", "1;"+strings.Repeat("x", 3000)+"\r\n{\r\n", 0),
		"a bomb":                say("200 OK", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", bomb()),
		"many cookies":          say("403 Forbidden", strings.Repeat("Set-Cookie: csrftoken="+strings.Repeat("c", 4000)+"; Path=/\r\n", 200), "{}"),
		"escape codes":          say("403 "+evil, "X-Reason: "+strings.ReplaceAll(evil, "\r", "")+"\r\n", `{"detail":"`+evil+`","code":"`+evil+`"}`),
		"a page":                say("500 Internal Server Error", "Content-Type: text/html\r\n", "<html>"+evil+strings.Repeat("<p>DisallowedHost</p>", 1000)),
		"a redirect loop":       say("307 Temporary Redirect", "Location: /api/v1/auth/login/\r\n", ""),
		"deep JSON":             say("200 OK", "Content-Type: application/json\r\n", strings.Repeat(`{"access":`, 100000)),
		"throttled":             say("429 Too Many Requests", "Retry-After: 99999999\r\n", `{"detail":"slow down"}`),
		"not HTTP":              func(w net.Conn, _ *http.Request) { _, _ = io.WriteString(w, "SSH-2.0-"+evil+"\r\n") },
		"hangs up":              func(net.Conn, *http.Request) {},
	}
}

// atLogin is a server that is hostile only to who logs in.
func (answer hostile) atLogin() hostile {
	return func(w net.Conn, r *http.Request) {
		if r.Method == http.MethodPost {
			answer(w, r)
			return
		}
		say("200 OK", "Set-Cookie: csrftoken=0123456789abcdef; Path=/\r\n", "{}")(w, r)
	}
}

// listen runs a hostile server, and counts the passwords that it is told.
func (answer hostile) listen(t *testing.T, password string) (url string, told *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	told = &atomic.Int32{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				if body, _ := io.ReadAll(r.Body); bytes.Contains(body, []byte(password)) {
					told.Add(1)
				}
				answer(c, r)
			}()
		}
	}()
	return "http://" + l.Addr().String(), told
}

var finding = regexp.MustCompile(`✗ (server|login)-[a-z-]+`)

// Whatever a server does, the smoke test ends soon, in little memory, tells the
// password once at most, passes nothing, and writes nothing that the terminal
// would obey.
func TestHostileServers(t *testing.T) {
	p := djangotest.New(t, djangotest.Options{Flavour: djangotest.Cookies})
	password := djangotest.NewKey()
	state := t.TempDir()
	servers := hostileServers()
	for name, answer := range hostileServers() {
		servers[name+", at the login"] = answer.atLogin()
	}
	for name, answer := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, told := answer.listen(t, password)
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			c := exec.CommandContext(ctx, keysplit.Path(t), "upgrade", "--yes", "--python", p.Python, "--restart", "none", "--timeout", "4s",
				"--url", url, "--username", "someone", "--no-color")
			c.Dir = p.Root
			c.Env = djangotest.CleanEnviron("KEYSPLIT_STATE_DIR="+state, "KEYSPLIT_PASSWORD="+password, "LANG=C.UTF-8")
			out, err := c.CombinedOutput()
			if c.ProcessState == nil || ctx.Err() != nil {
				t.Fatalf("it did not end: %v\n%s", err, out)
			}
			if code := c.ProcessState.ExitCode(); code != 1 || !finding.Match(out) {
				t.Errorf("exit %d\n%s", code, out)
			}
			if kib := c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; kib > 120<<10 {
				t.Errorf("it took %d KiB of memory", kib)
			}
			if n := told.Load(); n > 1 || n == 0 && strings.HasSuffix(name, "login") {
				t.Errorf("the password was told %d times", n)
			}
			if i := bytes.IndexFunc(out, func(r rune) bool {
				return r != '\n' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar)
			}); i >= 0 {
				t.Errorf("the output has %q", out[max(0, i-20):min(len(out), i+20)])
			}
			if strings.Contains(string(out), "panic") {
				t.Errorf("%s", out)
			}
			h := newHunt(map[string]string{"password": password, "SECRET_KEY": p.SecretKey, "key": p.Key})
			h.text("the output", string(out))
			for _, leak := range h.found {
				t.Error(leak)
			}
		})
	}
}

package faults

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode"

	"dj/keysplit/steps/stepstest/djangotest"
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

// crafted is a token with a header of its own, for nobody.
func crafted(header string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(header)) + "." + b64([]byte(`{"token_type":"access","user_id":1}`)) + "." + b64(make([]byte, 32))
}

func asJSON(text string) string {
	b, _ := json.Marshal(text) // a string can always be written
	return string(b)
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
		"words to obey":         say("401 Unauthorized", "Content-Type: application/json\r\n", `{"detail":`+asJSON(evil)+`,"code":`+asJSON(evil)+`}`),
		"an algorithm to obey":  say("200 OK", "Content-Type: application/json\r\n", `{"access":"`+crafted(`{"alg":`+asJSON("HS\x1b[31m\u202e")+`}`)+`"}`),
		"a page":                say("500 Internal Server Error", "Content-Type: text/html\r\n", "<html>"+evil+strings.Repeat("<p>DisallowedHost</p>", 1000)),
		"a redirect loop":       say("307 Temporary Redirect", "Location: /api/v1/auth/login/\r\n", ""),
		"deep JSON":             say("200 OK", "Content-Type: application/json\r\n", strings.Repeat(`{"access":`, 100000)),
		"throttled":             say("429 Too Many Requests", "Retry-After: 99999999\r\n", `{"detail":"slow down"}`),
		"not HTTP":              func(w net.Conn, _ *http.Request) { _, _ = io.WriteString(w, "SSH-2.0-"+evil+"\r\n") },
		"hangs up":              func(net.Conn, *http.Request) {},
	}
}

// atLogin is a server that is hostile only to who logs in. It takes no token: to one
// that takes any, nobody logs in.
func (answer hostile) atLogin() hostile {
	return func(w net.Conn, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			say("401 Unauthorized", "", "{}")(w, r)
			return
		}
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

var finding = regexp.MustCompile(`✗ (server|login|token)-[a-z-]+`)

// Whatever a server does, the smoke test ends soon, in little memory, tells the
// password once at most, passes nothing, and writes nothing that the terminal
// would obey.
func TestHostileServers(t *testing.T) {
	t.Attr("part", "hostile answers of a server")
	p := djangotest.New(t, djangotest.Options{Flavour: djangotest.Cookies})
	password := djangotest.NewKey()
	servers := hostileServers()
	for name, answer := range hostileServers() {
		servers[name+", at the login"] = answer.atLogin()
	}
	for _, name := range every(12, slices.Sorted(maps.Keys(servers))) {
		answer := servers[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, told := answer.listen(t, password)
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			c := exec.CommandContext(ctx, keysplit.Path(t), "upgrade", "--yes", "--python", p.Python, "--restart", "none", "--timeout", "4s",
				"--url", url, "--username", "someone", "--no-color")
			c.Dir = p.Root
			c.Env = djangotest.CleanEnviron("KEYSPLIT_STATE_DIR="+filepath.Join(t.TempDir(), "state"), "KEYSPLIT_PASSWORD="+password, "LANG=C.UTF-8")
			out, err := c.CombinedOutput()
			if c.ProcessState == nil || ctx.Err() != nil {
				t.Fatalf("it did not end: %v\n%s", err, out)
			}
			r := answered{
				code: c.ProcessState.ExitCode(), out: string(out), kib: c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss,
				told: int(told.Load()), login: strings.HasSuffix(name, "login"),
			}
			for _, wrong := range r.wrong(map[string]string{"password": password, "SECRET_KEY": p.SecretKey, "key": p.Key}) {
				t.Errorf("%s\n%s", wrong, out)
			}
		})
	}
}

// answered is how a run ended whose server is hostile.
type answered struct {
	code  int
	out   string
	kib   int64 // of memory
	told  int   // how often the server was told the password
	login bool  // the server is hostile at the login alone, so that it is told once
}

func (r answered) wrong(secrets map[string]string) (all []string) {
	if r.code != 1 || !finding.MatchString(r.out) {
		all = append(all, fmt.Sprintf("it ended with %d, or without a finding", r.code))
	}
	if r.kib > 120<<10 {
		all = append(all, fmt.Sprintf("it took %d KiB of memory", r.kib))
	}
	if r.told > 1 || r.told == 0 && r.login {
		all = append(all, fmt.Sprintf("the password was told %d times", r.told))
	}
	if i := strings.IndexFunc(r.out, func(r rune) bool {
		return r != '\n' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar)
	}); i >= 0 {
		all = append(all, fmt.Sprintf("the terminal would obey %q", r.out[max(0, i-20):min(len(r.out), i+20)]))
	}
	if strings.Contains(r.out, "panic") {
		all = append(all, "a panic")
	}
	h := newHunt(secrets)
	h.text("the output", r.out)
	return append(all, h.found...)
}

// The control: a run that a server does harm to is found out.
func TestAHarmedRunIsFoundOut(t *testing.T) {
	t.Attr("part", "controls that a fault is found")
	good := answered{code: 1, out: "✗ login-rejected", kib: 50 << 10, told: 1, login: true}
	if wrong := good.wrong(nil); len(wrong) > 0 {
		t.Errorf("a good run: %v", wrong)
	}
	secrets := map[string]string{"password": djangotest.NewKey()}
	for want, harm := range map[string]func(r *answered){
		"it ended with 0":         func(r *answered) { r.code = 0 },
		"without a finding":       func(r *answered) { r.out = "✓ all is well" },
		"KiB of memory":           func(r *answered) { r.kib = 600 << 10 },
		"told 2 times":            func(r *answered) { r.told = 2 },
		"told 0 times":            func(r *answered) { r.told = 0 },
		"the terminal would obey": func(r *answered) { r.out += "\x1b]0;title\x07" },
		`rejected\u202e`:          func(r *answered) { r.out += "\u202e" },
		`rejected\xff`:            func(r *answered) { r.out += "\xff" },
		"a panic":                 func(r *answered) { r.out += "\npanic: x" },
		"a part of the password":  func(r *answered) { r.out += secrets["password"][4:20] },
	} {
		r := good
		harm(&r)
		if found := strings.Join(r.wrong(secrets), "\n"); !strings.Contains(found, want) {
			t.Errorf("%s: not found in %q", want, found)
		}
	}
}

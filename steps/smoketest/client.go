package smoketest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// Limits of one request. They bound what a broken or hostile server can cost.
const (
	maxBody    = 1 << 20  // bytes of a body that are read; the rest is left
	maxHeader  = 64 << 10 // bytes of the header
	maxRequest = 10 * time.Second
)

// wsaeConnRefused is ECONNREFUSED as Windows says it (WSAECONNREFUSED), which Go
// does not take for the same.
const wsaeConnRefused = syscall.Errno(10061)

// trouble is why a request got no answer. Its text is ours: the errors of
// net/http quote what the server sent, which may be a token.
type trouble struct {
	code   finding.Code
	text   string
	nobody bool        // nothing listens there
	stays  bool        // a restart of the backend changes nothing about it
	fix    finding.Fix // empty for that of the code
}

func (t *trouble) Error() string { return t.text }

// client talks to one server, each request over a new connection. It follows
// no redirect, uses no proxy and keeps no cookie by itself.
type client struct {
	address   string // the base URL, as a person knows it
	name      string // the part of it that tells servers apart
	base      *url.URL
	http      *http.Client
	limit     time.Duration
	patience  time.Duration // how long it may be that nothing listens
	host      string        // Host header instead of the address's, "" for none
	forwarded bool          // say that the request came in over https
	version   string        // what the Accept header says of the API's version, "" for nothing
	offset    time.Duration // the server's clock less ours
}

// answer is what the server sent, with the body cut at maxBody.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	cookies []*http.Cookie
	took    time.Duration
}

// parseBase checks a base URL. The error does not quote it: it may hold a
// password.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	switch {
	case err == nil && u.Scheme == "unix" && path.IsAbs(u.Path) && u.RawQuery == "" && u.Fragment == "":
		return u, nil
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, steps.Usage("the server's address must look like https://host:port")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, steps.Usage("the server's address must hold no user, password, query or fragment")
	}
	return u, nil
}

// CheckURL reports whether a server can be asked at a base URL, before anything is
// done. Its error wraps steps.ErrUsage and does not quote it.
func CheckURL(base string) error {
	_, err := parseBase(base)
	return err
}

func newClient(base *url.URL, roots *x509.CertPool, wait time.Duration) *client {
	at, dial := steps.Reach(base.String(), min(maxRequest, wait))
	address, name := base.String(), secret.Inert(base.Host)
	if u, err := url.Parse(at); err == nil && base.Host == "" {
		name, base = secret.Inert(address), u
	}
	return &client{
		address: address, name: name,
		base:  base,
		limit: min(maxRequest, wait),
		http: &http.Client{
			Transport: &http.Transport{
				Proxy:                  nil,
				DialContext:            dial,
				TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout:    min(maxRequest, wait),
				ResponseHeaderTimeout:  min(maxRequest, wait),
				MaxResponseHeaderBytes: maxHeader,
				DisableKeepAlives:      true,
				// A small body that unpacks to gigabytes stays small.
				DisableCompression: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// request is one request. Its header and body may hold secrets and are never
// shown.
type request struct {
	method string
	path   string // absolute path of a route
	header map[string]string
	body   []byte // JSON, nil for none
	jar    *jar   // nil for no cookies
}

// do sends a request and reads the answer. The error is ctx.Err() when the user
// has stopped, else a *trouble. Where nothing listens for a moment, as while a server reloads,
// nothing was sent: then it waits, as far as it has patience.
func (c *client) do(ctx context.Context, r request) (answer, error) {
	for end := time.Now().Add(c.patience); ; {
		a, err := c.once(ctx, r)
		var t *trouble
		if !errors.As(err, &t) || !t.nobody || !time.Now().Before(end) {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *client) once(ctx context.Context, r request) (answer, error) {
	limited, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, r.method, c.base.String()+r.path, bytes.NewReader(r.body))
	// What a route adds to the address must not change whose address it is.
	if err != nil || req.URL.Scheme != c.base.Scheme || req.URL.Host != c.base.Host || req.URL.User != nil {
		return answer{}, &trouble{code: finding.ServerUnreachable, text: "The address of a route cannot be used."}
	}
	req.Header.Set("User-Agent", "keysplit")
	req.Header.Set("Accept", "application/json, */*;q=0.5")
	if c.version != "" {
		req.Header.Set("Accept", "application/json; "+c.version)
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.forwarded {
		req.Header.Set("X-Forwarded-Proto", "https")
	}
	if c.base.Scheme == "https" || c.forwarded {
		// Django's CSRF check wants to know where a secure request came from.
		origin := "https://" + c.hostHeader()
		req.Header.Set("Origin", origin)
		req.Header.Set("Referer", origin+"/")
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	if r.jar != nil && len(r.jar.values) > 0 {
		req.Header.Set("Cookie", r.jar.header())
	}
	req.Host = c.host
	start := time.Now()
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, c.explain(ctx, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return answer{}, c.explain(ctx, err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: body, cookies: res.Cookies(), took: time.Since(start)}
	if r.jar != nil {
		r.jar.add(a.cookies)
	}
	return a, nil
}

func (c *client) hostHeader() string {
	if c.host != "" {
		return c.host
	}
	return c.base.Host
}

// explain turns an error of net/http into words of our own.
func (c *client) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var (
		untrusted *tls.CertificateVerificationError
		plain     tls.RecordHeaderError
		name      *net.DNSError
		timeout   interface{ Timeout() bool }
	)
	at := c.name
	switch {
	case errors.Is(err, steps.ErrElsewhere):
		return &trouble{code: finding.InsecureURL, text: "Tokens and credentials do not leave this machine over plain http, and " + at + " is another machine. Nothing was sent.", stays: true}
	case errors.As(err, &untrusted):
		why, fix := distrust(err)
		return &trouble{code: finding.TLSUntrusted, text: "The certificate of " + at + " " + why + ". Nothing was sent.", stays: true, fix: fix}
	case errors.As(err, &plain):
		return &trouble{code: finding.ServerUnreachable, text: "What answers at " + at + " does not speak https."}
	case errors.As(err, &name):
		return &trouble{code: finding.ServerUnreachable, text: "The name " + at + " is not known on this network.", stays: true, fix: finding.Do("Correct the name: `keysplit --url https://NAME`, or url in keysplit.toml. Or connect to the network that knows it.")}
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, wsaeConnRefused):
		return &trouble{code: finding.ServerUnreachable, text: "Nothing listens at " + at + ".", nobody: true}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &trouble{code: finding.ServerUnreachable, text: fmt.Sprintf("The server at %s did not answer within %v.", at, c.limit)}
	}
	return &trouble{code: finding.ServerUnreachable, text: "The connection to " + at + " failed."}
}

// distrust says why a certificate is not trusted, and what to do about it where that is
// not what the catalogue says. What is in it is not quoted: it is anyone's text.
func distrust(err error) (why string, fix finding.Fix) {
	var (
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &name):
		return "is for another name", finding.Do("Use the name that is in the certificate: `keysplit --url https://NAME`.")
	case errors.As(err, &unknown):
		return "comes from an authority that this machine does not know", finding.Do("If the authority is your own, name its file: `keysplit --ca-file FILE`.")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "has expired, or is not valid yet", finding.Do("Renew the certificate, or set this machine's clock right.")
	}
	return "is not trusted", finding.Fix{}
}

// finding is the finding that a *trouble is about.
func (t *trouble) finding() finding.Finding {
	f := finding.New(t.code, t.text)
	if !t.fix.Empty() {
		f = f.WithFix(t.fix)
	}
	return f
}

// jar holds the cookies of one login. It belongs to one host, is bounded, and
// ignores paths and the Secure mark: on the loopback address, which is the only
// one without TLS, browsers send secure cookies too.
type jar struct {
	values map[string]string
	order  []string
}

// Bounds of the jar.
const (
	maxCookies = 50
	maxCookie  = 8 << 10 // bytes of a name and value
)

func newJar() *jar { return &jar{values: map[string]string{}} }

func (j *jar) add(cookies []*http.Cookie) {
	for _, c := range cookies {
		if c.MaxAge < 0 {
			c.Value = ""
		}
		j.set(c.Name, c.Value)
	}
}

// set keeps one cookie, within the bounds; an empty value takes it out.
func (j *jar) set(name, value string) {
	_, known := j.values[name]
	switch {
	case len(name)+len(value) > maxCookie:
	case value == "":
		delete(j.values, name)
		j.order = slices.DeleteFunc(j.order, func(n string) bool { return n == name })
	case known:
		j.values[name] = value
	case len(j.order) < maxCookies:
		j.values[name] = value
		j.order = append(j.order, name)
	}
}

func (j *jar) header() string {
	var pairs []string
	for _, name := range j.order {
		pairs = append(pairs, name+"="+j.values[name])
	}
	return strings.Join(pairs, "; ")
}

// with is a copy in which one cookie has another value.
func (j *jar) with(name, value string) *jar {
	c := newJar()
	for _, n := range j.order {
		c.set(n, j.values[n])
	}
	c.set(name, value)
	return c
}

// csrf is the value of the cookie whose name says that it is Django's.
func (j *jar) csrf() string {
	for _, name := range j.order {
		if strings.Contains(strings.ToLower(name), "csrf") {
			return j.values[name]
		}
	}
	return ""
}

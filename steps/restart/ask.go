package restart

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
)

// verdict is what the answers of an address tell of whose it is, what tells more behind what
// tells less.
type verdict int

const (
	deaf    verdict = iota - 3 // it listens, and gives no answer of HTTP
	another                    // it has none of the project's routes
	alike                      // it answers every path in the same way
	untold                     // nothing answers, or the answers tell nothing
	mine                       // it has the project's routes
)

// connected reports whether the error of a request came after something had taken the
// connection.
func connected(err error) bool {
	var dial *net.OpError
	return err != nil && !errors.Is(err, context.Canceled) && !(errors.As(err, &dial) && dial.Op == "dial")
}

// speaksElse reports whether the error of a request is that of something that speaks no plain
// HTTP: it did not wait for more.
func speaksElse(err error) bool {
	var late net.Error
	return connected(err) && !(errors.As(err, &late) && late.Timeout())
}

// askWithin is how long one answer may take. A server that has just been started loads
// its routes with the first one.
const askWithin = 5 * time.Second

// recognise asks an address, without a token, for two routes that only this project
// has, and for one beside them that nobody has. OPTIONS runs no view's code, and the
// login, which servers count, is not among them. A server that takes no OPTIONS, as those of
// Python's own library, is asked by GET.
func recognise(ctx context.Context, run *steps.Run, base string) verdict {
	facts := run.Project.Facts
	if facts == nil || len(facts.OwnRoutes) < 2 {
		return untold
	}
	c := newCaller(base, min(askWithin, run.Options.Wait()))
	b := make([]byte, 8)
	_, _ = rand.Read(b)
	first := facts.OwnRoutes[0]
	none := first[:strings.LastIndex(strings.TrimRight(first, "/"), "/")+1] + "keysplit-" + hex.EncodeToString(b) + "/"
	method := http.MethodOptions
	control, err := c.settle(ctx, none, facts.Hosts)
	if err == nil && slices.Contains([]int{http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotImplemented}, control.status) {
		method = http.MethodGet
		control, err = c.call(ctx, method, none)
	}
	switch {
	case connected(err):
		return deaf
	case err != nil:
		return untold
	}
	missing, odd := 0, false
	for _, route := range facts.OwnRoutes {
		a, err := c.call(ctx, method, route)
		switch {
		case err != nil, a.status >= 500:
			return untold
		case a == control:
			missing++
		case a.status == http.StatusBadRequest, a.status >= 300 && a.status < 400:
			odd = true
		}
	}
	all := missing == len(facts.OwnRoutes)
	switch there := control.status != http.StatusNotFound; {
	case there && all:
		return alike
	case odd, there && missing > 0:
		return untold
	case missing == 0:
		return mine
	case all:
		return another
	}
	return untold
}

// reply is as much of an answer as is compared.
type reply struct {
	status int
	body   string // the sum of the body of an answer that is not 404, which may quote the path
}

// caller asks one server, each time over a new connection.
type caller struct {
	url    string
	client http.Client
	host   string // in place of the address's
	https  bool   // what a proxy would say that ends https
}

func newCaller(base string, limit time.Duration) *caller {
	at, dial := steps.Reach(base, limit)
	return &caller{url: at, client: http.Client{
		Timeout: limit,
		Transport: &http.Transport{
			DisableKeepAlives:      true,
			DisableCompression:     true,
			DialContext:            dial,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// call sends one request without a token. Its answer's body is not kept.
func (c *caller) call(ctx context.Context, method, path string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, http.NoBody)
	if err != nil {
		return reply{}, fmt.Errorf("make a request for the server: %w", err)
	}
	req.Host = c.host
	req.Header.Set("User-Agent", "keysplit")
	if c.https {
		req.Header.Set("X-Forwarded-Proto", "https")
	}
	res, err := c.client.Do(req)
	if err != nil {
		return reply{}, fmt.Errorf("ask the server: %w", err)
	}
	defer res.Body.Close()
	r := reply{status: res.StatusCode}
	if method != http.MethodOptions || r.status == http.StatusNotFound {
		return r, nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return reply{}, fmt.Errorf("read the server's answer: %w", err)
	}
	sum := sha256.Sum256(bytes.ReplaceAll(body, []byte(path), nil))
	r.body = string(sum[:])
	return r, nil
}

// settle finds out how the server wants to be spoken to, by a path that it does not
// have: Django refuses a Host that is none of its own, and may send http on to https.
func (c *caller) settle(ctx context.Context, path string, hosts []string) (reply, error) {
	a, err := c.call(ctx, http.MethodOptions, path)
	for _, host := range append([]string{"localhost"}, hosts...) {
		if err != nil || a.status != http.StatusBadRequest {
			break
		}
		c.host = strings.TrimPrefix(host, ".")
		a, err = c.call(ctx, http.MethodOptions, path)
	}
	if err == nil && a.status >= 300 && a.status < 400 {
		c.https = true
		a, err = c.call(ctx, http.MethodOptions, path)
	}
	return a, err
}

package smoketest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// reach asks for the front page: any answer will do. It learns the server's
// clock, and how to talk to a development server that expects to stand behind
// another one.
func (s *session) reach(ctx context.Context) error {
	s.emit.Check(steps.LineAnswers, steps.MarkRunning, "server answers", secret.Inert(s.client.address))
	a, err := s.client.do(ctx, request{method: http.MethodGet, path: cmp.Or(s.routes.Health, "/")})
	if err == nil && a.status == http.StatusBadRequest && s.loopback() {
		// ALLOWED_HOSTS may know this machine by its name only, or not at all, as where a
		// proxy stands in front.
		for _, host := range s.hosts() {
			s.client.host = host
			if again, e := s.client.do(ctx, request{method: http.MethodGet, path: "/"}); e == nil && again.status != http.StatusBadRequest {
				a = again
				break
			}
			s.client.host = ""
		}
	}
	if err == nil && s.toHTTPS(a) {
		// With DEBUG off, Django sends http on to https. On this machine there
		// may be no https, so say what a proxy in front would say.
		s.client.forwarded = true
		a, err = s.client.do(ctx, request{method: http.MethodGet, path: "/"})
		if err == nil && s.toHTTPS(a) {
			s.emit.Check(steps.LineAnswers, steps.MarkFailed, "server answers", fmt.Sprintf("%d, a redirect to https", a.status))
			return steps.Fail(finding.New(finding.InsecureURL, "The server answers plain http only with a redirect to https. keysplit does not follow it.").
				WithFix(finding.Do("Name the https address: `keysplit --url https://HOST`. For a development server, set SECURE_SSL_REDIRECT to False.")))
		}
	}
	if err != nil {
		s.emit.Check(steps.LineAnswers, steps.MarkFailed, "server answers", "")
		return err
	}
	s.emit.Check(steps.LineAnswers, steps.MarkOK, "server answers", fmt.Sprintf("%d ms", a.took.Milliseconds()))
	s.emit.Logged(fmt.Sprintf("the server's first answer has status %d", a.status))
	if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
		s.client.offset = date.Sub(s.now())
	}
	if skew := s.client.offset; skew.Abs() > maxSkew {
		direction := "ahead of"
		if skew < 0 {
			direction = "behind"
		}
		s.emit.Check(steps.LineClock, steps.MarkWarn, "clocks differ", fmt.Sprintf("the server's is %.0f s %s this machine's", math.Abs(skew.Seconds()), direction))
	}
	return nil
}

// byName is the Host header of an address of this machine, by its name. Django takes
// none that ends in a colon.
func byName(base *url.URL) string {
	if port := base.Port(); port != "" {
		return "localhost:" + port
	}
	return "localhost"
}

// hosts are the names by which a server of this machine may want to be called: by its
// own, then those of ALLOWED_HOSTS.
func (s *session) hosts() []string {
	all := []string{byName(s.client.base)}
	if f := s.run.Project.Facts; f != nil {
		for _, host := range f.Hosts {
			all = append(all, strings.TrimPrefix(host, "."))
		}
	}
	return all
}

func (s *session) loopback() bool {
	addr, err := netip.ParseAddr(s.client.base.Hostname())
	return (s.client.base.Hostname() == "localhost" || err == nil && addr.IsLoopback()) && s.client.host == ""
}

// toHTTPS reports whether the answer sends plain http on to https of the same
// host.
func (s *session) toHTTPS(a answer) bool {
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil || s.client.base.Scheme != "http" || !redirects(a.status) {
		return false
	}
	return to.Scheme == "https" && to.Hostname() == (&url.URL{Host: s.client.hostHeader()}).Hostname()
}

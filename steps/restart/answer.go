package restart

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// firstAnswer is how long one request may take. The first answer of a
// development server may have to import the whole project.
const firstAnswer = 10 * time.Second

// noAddress is said where there is nothing to wait for.
var noAddress = "No address of the server is known, and " + steps.About(steps.SmokeTest).Called() + " needs one."

// answers asks for the front page over a new connection. Any HTTP answer
// counts, of any status. So does a certificate that is not trusted: something
// answers, and the smoke test says what is wrong with it. Nothing secret is
// sent, and over plain http nothing at all to another machine, whatever its name:
// the error is then steps.ErrElsewhere.
func answers(ctx context.Context, base string, limit time.Duration) error {
	_, err := answer(ctx, base, limit)
	return err
}

// answer is answers with the status, 0 where none was seen.
func answer(ctx context.Context, base string, limit time.Duration) (status int, err error) {
	r, err := newCaller(base, limit).call(ctx, http.MethodGet, "/")
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return 0, nil
	}
	return r.status, err
}

// await waits until the server answers, for as long as the run allows; a proxy whose
// backend has not come up yet is waited for as well. Of a name that has come to mean another
// machine since it was looked at, the smoke test speaks, and of a proxy that stays so.
func (s *Step) await(ctx context.Context, run *steps.Run, emit steps.Emit, base string) error {
	if base == "" {
		emit.Progress(noAddress)
		return nil
	}
	if !mayAsk(ctx, run, base) {
		return nil
	}
	emit.Wait(base, run.Options.Wait())
	var last error
	ok, err := s.Until(ctx, run.Options.Wait(), func() (bool, error) {
		status, err := answer(ctx, base, min(firstAnswer, run.Options.Wait()))
		last = err
		return err == nil && status <= http.StatusNotImplemented || errors.Is(err, steps.ErrElsewhere), ctx.Err()
	})
	if err != nil {
		return err
	}
	if !ok && last != nil {
		return silent(base, last)
	}
	return nil
}

// back waits after the restart of a rollback, as await does: a command may end before the
// server has begun. That it stays silent is for the proof that follows to say.
func (s *Step) back(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if err := s.address(ctx, run); err != nil || run.URL == "" {
		return err
	}
	var silence *steps.Failure
	if err := s.await(ctx, run, emit, run.URL); err != nil && !errors.As(err, &silence) {
		return err
	}
	return s.address(ctx, run)
}

// mayAsk reports whether the address is this machine's own loopback, or the one
// that the user named. An address that was only found is not called elsewhere, and
// over plain http none is: the smoke test then says so.
func mayAsk(ctx context.Context, run *steps.Run, base string) bool {
	if run.Options.URL != "" && base == named(run) {
		u, err := url.Parse(base)
		return err == nil && (u.Scheme == "https" || !elsewhere(ctx, u.Hostname()))
	}
	return local(base)
}

// elsewhere reports whether a host is another machine. One that cannot be found is not:
// that it does not answer is then what is wrong with it.
func elsewhere(ctx context.Context, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, firstAnswer)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(found, func(a netip.Addr) bool { return a.Unmap().IsLoopback() })
}

// silent is the failure of a server that does not answer, and of what speaks no plain HTTP.
func silent(base string, why error) error {
	if speaksElse(why) && !strings.HasPrefix(base, "https:") {
		return steps.Fail(finding.New(finding.ServerUnreachable, "What listens at "+base+" does not speak plain HTTP.").
			WithFix(finding.Do("Name the address that leads to it, such as that of the proxy in front: `keysplit --url http://HOST:PORT`.")))
	}
	return steps.Fail(finding.New(finding.ServerUnreachable, "The server at "+base+" does not answer."))
}

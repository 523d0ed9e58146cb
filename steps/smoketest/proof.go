package smoketest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// verdict is what one answer says about the key that signed the token.
type verdict int

const (
	unclear  verdict = iota
	accepted         // the server verified the signature
	refused          // the server did not take the signature
)

// way is one way to let the server judge a token.
type way struct {
	claims func(now time.Time) jwt.MapClaims
	send   func(ctx context.Context, token string) (answer, error)
	judge  func(answer) verdict
	own    bool // its tokens let somebody in
	few    bool // what it shows is a rest: a few connections with each key are enough
}

// verifyWay posts the token to the token-verify route: 200 or 401.
func (s *session) verifyWay() way {
	return way{
		claims: s.nobody,
		send: func(ctx context.Context, token string) (answer, error) {
			body, _ := json.Marshal(map[string]string{"token": token}) // texts always have a form
			return s.client.do(ctx, request{method: http.MethodPost, path: s.routes.Verify, body: body})
		},
		judge: judgeByWord,
	}
}

// headerWay sends the token in the header to the protected route.
func (s *session) headerWay(claims func(time.Time) jwt.MapClaims) way {
	return way{
		claims: claims,
		send: func(ctx context.Context, token string) (answer, error) {
			return s.client.do(ctx, request{method: http.MethodGet, path: s.routes.Protected, header: s.bearer(token)})
		},
		judge: judgeByWord,
	}
}

// judgeByWord looks for the codes of simplejwt anywhere in the body, because a
// project's own error handler may move them to another field, and then at the
// status. A 401 alone says nothing: there are authentication classes that give
// the same one for every token.
func judgeByWord(a answer) verdict {
	if a.status >= 500 || a.status == http.StatusTooManyRequests || redirects(a.status) {
		return unclear
	}
	no := bytes.Contains(a.body, []byte("token_not_valid"))
	yes := bytes.Contains(a.body, []byte("user_not_found")) || bytes.Contains(a.body, []byte("user_inactive"))
	switch {
	case no && yes:
		return unclear
	case no:
		return refused
	case yes, a.status >= 200 && a.status < 300:
		return accepted
	}
	return unclear
}

// judgeOwn judges the answer to claims of the account that has just logged in:
// such a token is let in, or it is not.
func judgeOwn(a answer) verdict {
	if v := judgeByWord(a); v != unclear {
		return v
	}
	if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden {
		return refused
	}
	return unclear
}

func redirects(status int) bool { return status >= 300 && status < 400 }

// label says in a few words what an answer was; nothing in it comes from the
// server but the status.
func label(a answer) string {
	text := strconv.Itoa(a.status)
	for _, word := range []string{"token_not_valid", "user_not_found", "user_inactive"} {
		if bytes.Contains(a.body, []byte(word)) {
			return text + " " + word
		}
	}
	return text
}

// tally counts the answers to tokens of one key.
type tally struct {
	accepted, refused, unclear, failed int
	notFound                           int    // answers with 404, whatever they count as
	status                             int    // of every answer, 0 before the first, -1 where they differ
	label                              string // of the last answer
}

func (t tally) told() int { return t.accepted + t.refused }

// outcome is what one way has shown.
type outcome struct {
	fresh, secret, previous, control tally
	who                              processes     // that answered to the new key
	usable                           bool          // the way tells keys apart
	strange                          bool          // the server knows none of the routes
	open                             bool          // the protected route lets anyone in
	throttled                        bool          // the server began to limit requests
	wait                             time.Duration // that it asked for then, 0 when it did not say
}

// notThere reports whether the server does not know the route: every answer to the
// control was 404.
func (o outcome) notThere() bool {
	return o.control.notFound > 0 && o.control.notFound == o.control.told()+o.control.unclear
}

// controlAccepted reports whether a token of a key that nobody knows was accepted.
func (o outcome) controlAccepted() bool { return o.control.accepted > 0 }

// pass is one run of a way over many connections.
type pass struct {
	s   *session
	w   way
	out outcome
	// baseline is the answer to a wrong key, where it is always the same. An
	// answer that no word explains is compared with it: the random key cannot
	// be right, so an answer that differs comes from a signature that is.
	baseline string
	compared bool
	explicit bool     // an answer to the new key was explained by its words
	trouble  *trouble // of the last connection that failed
}

// maxFailures is how many connections may fail before the proof stops.
const maxFailures = 3

// maxSilent is how many connections are tried with the new key on a way whose
// answers hold none of the codes, before it is given up.
const maxSilent = 3

// refusals is over how many connections the refusal of a key is looked at, when
// all connections take the new key.
const refusals = 5

// proveProtected runs a way over the protected route. A route that lets anyone
// in, without any token, tells nothing.
func (s *session) proveProtected(ctx context.Context, w way) (outcome, error) {
	out, err := s.prove(ctx, w)
	if err != nil || !out.controlAccepted() {
		return out, err
	}
	a, err := s.client.do(ctx, request{method: http.MethodGet, path: s.routes.Protected})
	if err == nil && a.status >= 200 && a.status < 300 {
		out = outcome{throttled: out.throttled, open: true}
	}
	return out, err
}

// prove runs one way. What matters most comes first, so that a server that
// begins to limit requests costs the least: two controls, one token of each
// key, then the other connections. The error is ctx.Err() or a *trouble.
func (s *session) prove(ctx context.Context, w way) (outcome, error) {
	p := &pass{s: s, w: w}
	if told, err := p.controls(ctx); err != nil || !told {
		return p.out, err
	}
	if err := p.keys(ctx); err != nil {
		return p.out, err
	}
	if s.previousIsSecret {
		p.out.previous = p.out.secret
	}
	steady, err := p.steady(ctx)
	p.out.usable = steady && (p.explicit || !p.nothingAccepted())
	return p.out, err
}

// controls sends two tokens of keys that nobody knows. told is false where one is
// accepted, and where their answers are nothing that others can be compared with.
func (p *pass) controls(ctx context.Context) (told bool, err error) {
	first, err := p.ask(ctx, randomSigner(), &p.out.control)
	if err != nil {
		return false, err
	}
	second, err := p.ask(ctx, randomSigner(), &p.out.control)
	switch {
	case err != nil, p.out.controlAccepted():
		return false, err
	case p.out.control.failed == 2:
		return false, p.trouble
	case first == second:
		p.baseline = first
	}
	return p.baseline != "" || p.out.control.refused > 0, nil
}

// keys sends the tokens of the keys in question: one of each, then the others. Where no
// answer has a code, the new key is tried a few times before the way is given up.
func (p *pass) keys(ctx context.Context) error {
	n := p.s.connections
	if p.w.few {
		n = min(n, refusals)
	}
	begin := 1
	if p.out.control.refused == 0 {
		begin = min(n, maxSilent)
	}
	if err := p.put(ctx, p.questions(begin, 1)); err != nil {
		return err
	}
	if p.out.control.refused == 0 && p.nothingAccepted() {
		return nil // no code was seen, and every answer is the control's
	}
	// One after the other: a balancer that takes turns leads them to every process.
	if err := p.put(ctx, p.questions(n-begin, 0)); err != nil {
		return err
	}
	others := min(n, refusals)
	if err := p.mixed(ctx, p.questions(0, others-1)); err != nil {
		return err
	}
	if p.out.fresh.accepted > 0 && p.out.fresh.refused > 0 { // somebody was not restarted: find out what it takes
		return p.put(ctx, p.questions(0, n-others))
	}
	return nil
}

// steady reports whether the server still answers a wrong key as at first, where answers
// were compared.
func (p *pass) steady(ctx context.Context) (bool, error) {
	if !p.compared || p.out.throttled {
		return true, nil
	}
	// Counted apart: after a change of the server's mind it would look accepted.
	last, err := p.ask(ctx, randomSigner(), &tally{})
	return err == nil && last == p.baseline, err
}

func (p *pass) nothingAccepted() bool {
	return p.out.fresh.accepted+p.out.secret.accepted+p.out.previous.accepted == 0
}

// ask sends one token over a new connection and counts the answer. It returns
// a print of the answer, "" when the answer cannot be compared.
func (p *pass) ask(ctx context.Context, s *signer, t *tally) (string, error) {
	token, err := p.token(ctx, s)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		t.unclear++ // the project's Django did not sign; no text of its is shown
		return "", nil
	}
	a, err := p.w.send(ctx, token)
	var trouble *trouble
	if errors.As(err, &trouble) {
		t.failed++
		p.trouble = trouble
		if p.failures() > maxFailures {
			return "", trouble
		}
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if a.status == http.StatusTooManyRequests {
		p.out.throttled, p.out.wait = true, p.s.retryAfter(a)
		return "", nil
	}
	t.label = label(a)
	if a.status == http.StatusNotFound {
		t.notFound++
	}
	if t.status = cmp.Or(t.status, a.status); t.status != a.status {
		t.status = -1
	}
	print := printOf(a)
	v := p.w.judge(a)
	if v != unclear && t == &p.out.fresh {
		p.explicit = true
	}
	if v == unclear && p.baseline != "" && print != "" {
		p.compared = true
		v = accepted
		if print == p.baseline {
			v = refused
		}
	}
	if t == &p.out.fresh && v != unclear {
		p.out.who.saw(&p.s.run.Redactor, a.header, v == accepted)
	}
	switch v {
	case accepted:
		t.accepted++
	case refused:
		t.refused++
	default:
		t.unclear++
	}
	return print, nil
}

// token is one for the route, and noted as sent: a server may give it back as its own.
func (p *pass) token(ctx context.Context, s *signer) (string, error) {
	token, err := mint(ctx, s, p.s.facts.Algorithm, p.w.claims(p.s.serverNow()))
	if err != nil {
		return "", err
	}
	if p.w.own {
		p.s.run.Secret(token)
	}
	if p.s.sent == nil {
		p.s.sent = map[string]bool{}
	}
	p.s.sent[token[strings.LastIndexByte(token, '.')+1:]] = true
	return token, nil
}

func (p *pass) failures() int {
	return p.out.fresh.failed + p.out.secret.failed + p.out.previous.failed + p.out.control.failed
}

// printOf is a print of an answer that may be compared with another: errors of
// the server itself and redirects may not.
func printOf(a answer) string {
	if a.status < 200 || a.status >= 500 || redirects(a.status) {
		return ""
	}
	sum := sha256.Sum256(a.body)
	return strconv.Itoa(a.status) + hex.EncodeToString(sum[:])
}

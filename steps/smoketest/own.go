package smoketest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// ownClaims are those of the account that has just logged in, for a token that is valid
// no longer than the others of the proof.
func (in *loggedIn) ownClaims(now time.Time) jwt.MapClaims {
	c := maps.Clone(in.access.claims)
	c["exp"] = now.Add(tokenLife).Unix()
	if _, there := c["iat"]; there {
		c["iat"] = now.Add(-issuedAgo).Unix()
	}
	return c
}

// ownWay sends the account's own claims in the same way as the login's token.
func (s *session) ownWay(in *loggedIn) way {
	w := s.ownHeaderWay(in)
	if in.access.cookie != "" {
		w.send = func(ctx context.Context, token string) (answer, error) {
			return s.client.do(ctx, request{method: http.MethodGet, path: s.routes.Protected, jar: only(in.access.cookie, token)})
		}
	}
	return w
}

// ownHeaderWay sends them in the header.
func (s *session) ownHeaderWay(in *loggedIn) way {
	w := s.headerWay(in.ownClaims)
	w.judge, w.own = judgeOwn, true
	return w
}

// others asks whether the protected route takes a token of the account that another key
// signed. A token for nobody does not tell: a second authentication class that verifies
// with another key refuses that as well. settled says that the way of the login's token
// was tried with all keys before.
func (s *session) others(ctx context.Context, in *loggedIn, settled bool) error {
	if s.routes.Protected == "" {
		s.emit.Check(steps.LineOthers, steps.MarkSkipped, textOthers, "no protected route is known")
		return nil
	}
	var ways []way
	if !settled {
		ways = append(ways, s.ownWay(in))
	}
	if in.access.cookie != "" {
		ways = append(ways, s.ownHeaderWay(in))
	}
	mark, detail := steps.MarkOK, "with the account's own claims"
	s.emit.Check(steps.LineOthers, steps.MarkRunning, textOthers, detail)
	for i, w := range ways {
		w.few = true
		out, err := s.proveProtected(ctx, w)
		if err != nil {
			s.emit.Check(steps.LineOthers, steps.MarkFailed, textOthers, "")
			return err
		}
		if found := s.taken(out); len(found) > 0 {
			s.emit.Check(steps.LineOthers, steps.MarkFailed, textOthers, "one is accepted")
			return steps.Fail(found...)
		}
		switch {
		case out.open:
			mark, detail = steps.MarkWarn, "the route wants no token"
		case out.throttled:
			mark, detail = steps.MarkWarn, "not known, the server is rate limiting"
		case i == 0 && !settled && out.fresh.accepted == 0:
			mark, detail = steps.MarkWarn, "same answer for every key"
		}
	}
	s.emit.Check(steps.LineOthers, mark, textOthers, detail)
	return nil
}

// taken are the findings of keys by which the protected route takes a token of the
// account, and should not.
func (s *session) taken(o outcome) (found []finding.Finding) {
	if o.controlAccepted() {
		return s.findings(o)
	}
	at := fmt.Sprintf("The protected route %s takes a token of the account that is signed with ", s.routes.Protected)
	if o.secret.accepted > 0 {
		f := finding.New(finding.ServerAcceptsSecretKeyToken, at+"SECRET_KEY."+s.alsoPrevious()).
			WithFix(finding.Do("Look at the authentication classes of that route: one of them verifies with SECRET_KEY. Give it the new key, or take it out."))
		found = append(found, f)
	}
	if o.previous.accepted > 0 && s.previous != nil && !s.previousIsSecret && s.grace.IsZero() {
		found = append(found, finding.New(finding.ServerAcceptsOldToken, at+"the previous key."))
	}
	return found
}

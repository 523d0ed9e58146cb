package smoketest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// session is one Apply.
type session struct {
	run         *steps.Run
	emit        steps.Emit
	client      *client
	now         func() time.Time
	connections int
	counted     bool // that many follow from the number of workers
	facts       steps.TokenFacts
	guessed     bool // facts are defaults
	logsIn      bool // log in, if there is an account
	routes      steps.Routes
	found       steps.Routes // those that the project's Django named
	known       bool         // routes are those that the project's Django named
	astray      bool         // they are not, and none of those of the proof is there
	faulty      int          // the status of the answers to test tokens, or to those of the right key, where it shows nothing of the key; else 0
	sleep       func(context.Context, time.Duration) error
	grace       time.Time // until then the backend accepts the previous key by intent; zero when it does not

	fresh            *signer
	secret           *signer // nil when SECRET_KEY is not known
	previous         *signer // nil when there is none, or it is the new key; in a rotation in stages the second key
	previousIsSecret bool
	stage            steps.Stage // in which the second key must be accepted

	shows string // the text of the line about the key in question
	signs bool   // the new key was shown to be in force

	tokenSigned bool // the new key signs the token of a login

	sent map[string]bool // the test tokens, by their signatures
}

func (s *Step) open(ctx context.Context, run *steps.Run, address string, emit steps.Emit) (*session, error) {
	key := tested(run)
	sealed := run.Django != nil && run.Home().Here() && run.Home().Sealed()
	if !sealed && (!key.Set() || key.Len() == 0) {
		return nil, steps.Fail(finding.New(finding.JWTKeyMissing, ""))
	}
	ses, err := s.with(run, key, address, emit)
	if err != nil {
		return nil, err
	}
	if sealed { // only the settings can read it
		ses.fresh = djangoSigner(run, "SIGNING_KEY")
	}
	ses.secret = secretKeySigner(run)
	if run.Previous.Set() && run.Previous.Len() > 0 && !run.Previous.Equal(key) {
		ses.previous = keySigner(run.Previous)
		ses.previousIsSecret = ses.secret != nil && sameKey(ctx, ses.secret, ses.previous)
		if accepted, until, under := run.Grace(ses.now()); under && accepted.Equal(run.Previous) {
			ses.grace = until
		}
	}
	if run.Stage.Both() {
		ses.inStage(run)
	}
	return ses, nil
}

// tested is the key that is to be in force.
func tested(run *steps.Run) secret.Secret {
	if keys, err := run.Home().Keys(); !run.Key.Set() && err == nil {
		return keys.Key.Secret
	}
	return run.Key
}

// reloadTime is how long a server that reloads may listen nowhere: some do so with each
// file that changes, a database for development among them.
const reloadTime = 10 * time.Second

// with is a session about one key and no other.
func (s *Step) with(run *steps.Run, key secret.Secret, address string, emit steps.Emit) (*session, error) {
	base, err := parseBase(address)
	if err != nil {
		return nil, err
	}
	ses := &session{
		run: run, emit: emit, now: s.Now, sleep: s.Sleep,
		client: newClient(base, run.Options.Roots, run.Options.Wait()), fresh: keySigner(key), shows: textFresh,
		routes: named(run.Options.Routes, routes(run.Project.Facts)),
		known:  run.Project.Facts != nil && (run.Project.Facts.Routes.Verify != "" || run.Project.Facts.Routes.Protected != ""),
	}
	if run.Project.Facts != nil {
		ses.found, ses.client.version = run.Project.Facts.Routes, run.Project.Facts.Routes.Version
	}
	if slices.ContainsFunc(run.Servers, func(s steps.Server) bool { return s.Reloader != 0 }) {
		ses.client.patience = reloadTime
	}
	ses.connections, ses.counted = connections(run, address)
	ses.facts, ses.guessed = tokenFacts(run.Project.Facts)
	if ses.now == nil {
		ses.now = time.Now
	}
	if ses.sleep == nil {
		ses.sleep = sleep
	}
	return ses, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// announce puts every line on the screen before its turn comes.
func (s *session) announce() {
	s.emit.Check(steps.LineAnswers, steps.MarkPending, "server answers", "")
	s.emit.Check(steps.LineFresh, steps.MarkPending, s.shows, "")
	s.emit.Check(steps.LineSecret, steps.MarkPending, s.textSecret(), "")
	if s.previous != nil && !s.previousIsSecret {
		id, text := s.linePrevious()
		s.emit.Check(id, steps.MarkPending, text, "")
	}
	s.emit.Check(steps.LineControl, steps.MarkPending, textControl, "")
	if s.hasAccount() && s.run.Project.Facts.Asks() {
		s.emit.Check(steps.LineLogin, steps.MarkPending, "log in", "")
		s.emit.Check(steps.LineToken, steps.MarkPending, textToken, "")
		s.emit.Check(steps.LineOthers, steps.MarkPending, textOthers, "")
		s.emit.Check(steps.LineProtected, steps.MarkPending, textProtected, "")
		s.emit.Check(steps.LineRefresh, steps.MarkPending, textRefresh, "")
	}
}

func (s *session) serverNow() time.Time { return s.now().Add(s.client.offset) }

func (s *session) nobody(now time.Time) jwt.MapClaims { return claimsFor(s.facts, now) }

// bearer is the header that carries a token, as the project's settings name it.
func (s *session) bearer(token string) map[string]string {
	kind := "Bearer"
	if len(s.facts.HeaderTypes) > 0 {
		kind = s.facts.HeaderTypes[0]
	}
	// WSGI spells "X-Token" as "HTTP_X_TOKEN".
	name := strings.ReplaceAll(strings.TrimPrefix(s.facts.HeaderName, "HTTP_"), "_", "-")
	return map[string]string{cmp.Or(name, "Authorization"): kind + " " + token}
}

// tokenFacts are the project's, or simplejwt's defaults when they are not known.
func tokenFacts(f *steps.Facts) (facts steps.TokenFacts, guessed bool) {
	if f != nil && f.Tokens.Algorithm != "" {
		facts = f.Tokens
		facts.UserIDClaim = cmp.Or(facts.UserIDClaim, "user_id")
		return facts, false
	}
	return steps.TokenFacts{
		Algorithm: "HS256", UserIDClaim: "user_id", TypeClaim: "token_type", IDClaim: "jti",
		HeaderTypes: []string{"Bearer"}, HeaderName: "HTTP_AUTHORIZATION",
	}, true
}

// routes are the project's, or those of the upgrade guide when they are not
// known.
func routes(f *steps.Facts) steps.Routes {
	if f != nil && f.Routes != (steps.Routes{}) {
		return f.Routes
	}
	const auth = "/api/v1/auth/"
	return steps.Routes{
		Login: auth + "login/", Refresh: auth + "token/refresh/", Verify: auth + "token/verify/",
		Protected: auth + "user/", CSRF: auth + "csrf/",
	}
}

// named puts the routes that the configuration names in place of those found.
func named(by, found steps.Routes) steps.Routes {
	return steps.Routes{
		Login: cmp.Or(by.Login, found.Login), Refresh: cmp.Or(by.Refresh, found.Refresh), Verify: cmp.Or(by.Verify, found.Verify),
		Protected: cmp.Or(by.Protected, found.Protected), CSRF: cmp.Or(by.CSRF, found.CSRF), Health: cmp.Or(by.Health, found.Health),
	}
}

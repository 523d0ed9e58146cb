// Package smoketest is the step Login: it proves which key the running server signs
// with, and then logs in once for real.
//
// # The proof that needs no password
//
// keysplit makes short-lived access tokens for a user that cannot exist, signs
// them with the keys in question, and looks at what the server says. A server
// that verifies the signature goes on and finds no such user; one that does not
// stops at the signature. Three keys must be refused: SECRET_KEY, the previous
// key, and a random key. The random one is the control: a server or a test that
// takes it proves nothing.
//
// There are three ways to ask, tried in this order until one of them tells the
// keys apart:
//
//  1. the token-verify route, which says 200 or token_not_valid;
//  2. the protected route with the token in its header, by the code
//     user_not_found or token_not_valid anywhere in the body. Where the
//     codes are missing, an answer is compared with the control's: the random
//     key is never right, so a steady answer that differs from it comes from a
//     signature that is;
//  3. after a login, the account's own claims signed anew with each key.
//
// Every request goes over a fresh connection, because one worker or replica that
// was not restarted answers only its share of them.
//
// # What passes
//
// The step passes when the new key is shown to sign and no other key is
// accepted. Where no way tells the keys apart, the lines say "cannot be told
// apart" and count as warnings, never as passed. The step then passes only if a
// login gave a token whose signature the new key verifies: that is proof of the
// key that signs, though not of what else is accepted. Without either, it fails.
//
// Apply changes nothing on the server but what one login changes, so there is
// nothing for Verify to look at again, and nothing to undo. The throwaway account
// of --temp-user is deleted before Apply returns.
//
// No token, cookie or password is in an event or an error. What the server says
// is never quoted: it is told in words of our own.
package smoketest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// Step asks the running server. Its zero value is ready for use.
type Step struct {
	Now   func() time.Time                                 // nil means time.Now
	Sleep func(ctx context.Context, d time.Duration) error // nil means a real wait

	loggedIn bool // a login gave a token that the new key signs
}

// maxSkew is the difference of the clocks that is worth a word.
const maxSkew = 30 * time.Second

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
}

// Name is the step's name.
func (s *Step) Name() steps.Name { return steps.SmokeTest }

// Plan says what will be asked.
func (s *Step) Plan(_ context.Context, run *steps.Run) (steps.Plan, error) {
	if err := checkAccount(run); err != nil {
		return steps.Plan{}, err
	}
	p := steps.Plan{
		Summary: "Ask the running server which key it signs with.",
		Details: []prose.Text{
			prose.Say("Test tokens for a user that cannot exist, each valid for %.0f seconds, over %d fresh connections.", tokenLife.Seconds(), planned(run)),
			prose.Say("The new key must be accepted; SECRET_KEY, the previous key and a random key must be refused."),
		},
	}
	if run.Stage.Both() {
		p.Details[1] = prose.Say("The new key and the previous one must be accepted on every connection; SECRET_KEY and a random key must be refused.")
	} else if _, until, under := run.Grace(time.Now()); under {
		p.Details = append(p.Details, prose.Say("The previous key may be accepted until %s.", deadline(until)))
	}
	switch {
	case run.Answers.TempUser:
		p.Summary = "Ask the running server which key it signs with, and log in once with a throwaway account."
		p.Details = append(p.Details, prose.Say("The throwaway account is made through the project's own Django and deleted afterwards."))
		p.Effects = []prose.Text{prose.Say("An account named keysplit-... is in the database for a few seconds.")}
	case run.Answers.Username != "" && (run.Answers.Password.Set() || run.Options.ReadOnly):
		p.Summary = "Ask the running server which key it signs with, and log in once as " + run.Redactor.Clean(run.Answers.Username) + "."
		p.Effects = []prose.Text{prose.Say("One login of this account. It is not tried again when it fails.")}
	default:
		p.Details = append(p.Details, prose.Say("No login is tried, since no account was given."))
	}
	return p, nil
}

// Verify has nothing to look at: Apply itself is a look at the real thing.
func (s *Step) Verify(context.Context, *steps.Run, steps.Emit) error { return nil }

// Undo has nothing to take back.
func (s *Step) Undo(context.Context, *steps.Run, steps.Emit) error { return nil }

// Apply runs the proof, and the login where there is an account.
func (s *Step) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if err := checkAccount(run); err != nil {
		return err
	}
	first, others := addresses(run)
	if first == "" {
		return steps.Fail(finding.New(finding.ServerUnreachable, "No address of a running server is known.").
			WithFix(finding.Do("Start the backend and name its address: --url http://127.0.0.1:8000.")))
	}
	run.Asked, s.loggedIn = append([]string{first}, others...), false
	found, young := ages(run, emit)
	all := len(found) == 0
	for i, address := range run.Asked {
		told := emit
		if len(others) > 0 {
			told = at(emit, i, address)
		}
		signs, err := s.ask(ctx, run, address, i == 0 && run.Stage != steps.Accepting, told)
		all = all && signs
		var t *trouble
		ended := errors.As(err, &t) && t.nobody
		err = asFailure(err)
		var failure *steps.Failure
		switch {
		case err == nil:
		case i > 0 && len(run.Options.URLs) == 0 && ended:
			told.Check(steps.LineAnswers, steps.MarkSkipped, "server answers", "it has ended since the project was looked at")
		case errors.As(err, &failure):
			for _, f := range failure.Findings {
				if len(others) > 0 {
					f.Message = prose.Labelled(host(address), "%s", f.Message)
				}
				found = append(found, f)
			}
		default:
			return err
		}
	}
	if len(found) == 0 && run.Stage == steps.Signing && !s.loggedIn && !seenToStart(run, young) {
		found = append(found, unsigned())
	}
	if err := proved(run, all); err != nil || len(found) == 0 {
		return err
	}
	return steps.Fail(found...)
}

// ask runs the proof on one server, and the login where it is asked for: once,
// however many addresses the backend has. signs reports whether the new key was shown
// to be in force there, whatever else is wrong. The error may be a *trouble.
func (s *Step) ask(ctx context.Context, run *steps.Run, address string, login bool, emit steps.Emit) (signs bool, err error) {
	ses, err := s.open(ctx, run, address, emit)
	if err != nil {
		return false, err
	}
	ses.logsIn = login
	ses.announce()
	if err := ses.reach(ctx); err != nil {
		return false, err
	}
	if !run.Project.Facts.Asks() && run.Options.Routes == (steps.Routes{}) {
		ses.unasked()
		return false, nil
	}
	err = ses.all(ctx)
	s.loggedIn = s.loggedIn || ses.tokenSigned
	return ses.signs, err
}

// unasked marks the lines of a proof whose tokens and routes keysplit does not know: it
// guesses none, and sends no password there.
func (s *session) unasked() {
	const why = "not tested: keysplit does not know these tokens"
	for _, line := range []struct{ id, text string }{
		{steps.LineFresh, s.shows}, {steps.LineSecret, s.textSecret()}, {steps.LinePrevious, textPrevious}, {steps.LineControl, textControl}, {steps.LineLogin, "log in"},
	} {
		s.emit.Check(line.id, steps.MarkWarn, line.text, why)
	}
	s.madeElse()
}

// madeElse names what makes the tokens where that is nothing that keysplit knows in full.
func (s *session) madeElse() {
	if f, ok := s.run.Project.MadeBy(); ok {
		s.emit.Find(f)
	}
}

// untold is the end of a run in which nothing showed which key signs. Of tokens that
// keysplit does not know, that is no fault of the backend.
func (s *session) untold(throttled, account bool) error {
	if f := s.run.Project.Facts; f != nil && !throttled && (f.Package == "graphql-jwt" || f.Package == "pyjwt") {
		s.madeElse()
		return nil
	}
	return steps.Fail(s.notTold(throttled, account))
}

// addresses are the base URLs to ask: the ones that were named, else the one
// that was restarted, else one that was found running here.
func addresses(run *steps.Run) (first string, others []string) {
	if len(run.Options.URLs) > 1 {
		return run.Options.URLs[0], run.Options.URLs[1:]
	}
	first = cmp.Or(run.URL, run.Options.URL)
	for _, server := range run.Servers {
		first = cmp.Or(first, server.URL)
	}
	if run.Options.URL != "" {
		return first, nil
	}
	// Every server of the project that runs here must sign with the new key.
	for _, server := range run.Servers {
		if server.URL != "" && server.URL != first && !slices.Contains(others, server.URL) {
			others = append(others, server.URL)
		}
	}
	return first, others
}

// at names the server on every line of its proof. The first one's lines keep
// their IDs, which the checklist knows.
func at(emit steps.Emit, i int, address string) steps.Emit {
	return func(ev steps.Event) {
		if ev.Kind == steps.EventCheck {
			ev.Text = prose.Labelled(host(address), "%s", ev.Text)
			if i > 0 {
				ev.ID = fmt.Sprintf("%s %d", ev.ID, i+1)
			}
		}
		emit(ev)
	}
}

// host is the part of an address that tells servers apart.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return secret.Inert(address)
	}
	return secret.Inert(u.Host + strings.TrimSuffix(u.Path, "/"))
}

// asFailure turns a *trouble into a failure of the step.
func asFailure(err error) error {
	var t *trouble
	if errors.As(err, &t) {
		return steps.Fail(t.finding())
	}
	return err
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
		ses.found = run.Project.Facts.Routes
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
		s.emit.Check(steps.LinePrevious, steps.MarkPending, s.textPrevious(), "")
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

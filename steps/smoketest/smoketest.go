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
//  3. after a login, the account's own claims signed again with each key.
//
// Every request goes over a new connection, because one worker or replica that
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

// Name is the step's name.
func (s *Step) Name() steps.Name { return steps.SmokeTest }

// Plan says what will be asked.
func (s *Step) Plan(_ context.Context, run *steps.Run) (steps.Plan, error) {
	if err := checkAccount(run); err != nil {
		return steps.Plan{}, err
	}
	p := steps.Plan{
		Summary: prose.Say("Test which key the running server signs with."),
		Details: []prose.Text{
			prose.Say("keysplit sends test tokens for a user that does not exist (valid for %.0f seconds) over %d new connections.", tokenLife.Seconds(), planned(run)),
			prose.Say("The new key must be accepted; SECRET_KEY, the previous key and a random key must be refused."),
		},
	}
	if run.Stage.Both() {
		p.Details[1] = prose.Say("The new key and the previous one must be accepted on every connection; SECRET_KEY and a random key must be refused.")
	} else if _, until, under := run.Grace(time.Now()); under {
		p.Details = append(p.Details, prose.Say("The previous key may be accepted until %s.", deadline(until)))
	}
	switch {
	case run.Stage == steps.Accepting:
		p.Details = append(p.Details, prose.Say("The login comes with the second stage."))
	case run.Answers.TempUser:
		p.Summary = prose.Say("Test which key the server signs with, and log in with a throwaway account.")
		p.Effects = []prose.Text{prose.Say("The account, keysplit-..., is made through the project's own Django and deleted after a few seconds.")}
	case run.Answers.Username != "" && (run.Answers.Password.Set() || run.Options.ReadOnly):
		p.Summary = prose.Say("Test which key the running server signs with, and log in once as %s.", run.Redactor.Clean(run.Answers.Username))
		p.Effects = []prose.Text{prose.Say("One login of this account. It is not tried again when it fails.")}
	default:
		p.Details = append(p.Details, prose.Say("No login is tried, since no account was given."))
	}
	return p, nil
}

// Verify has nothing to look at: Apply itself is a look at the real thing.
func (s *Step) Verify(context.Context, *steps.Run, steps.Emit) error { return nil }

// Undo has nothing to undo.
func (s *Step) Undo(context.Context, *steps.Run, steps.Emit) error { return nil }

// Apply runs the proof, and the login where there is an account.
func (s *Step) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if err := checkAccount(run); err != nil {
		return err
	}
	first, others := addresses(run)
	if first == "" {
		return steps.Fail(finding.New(finding.ServerUnreachable, "No address of a running server is known.").
			WithFix(finding.Do("Start the backend and name its address: `keysplit --url http://HOST:PORT`.")))
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
		if i > 0 && len(run.Options.URLs) == 0 && ended(err) {
			told.Check(steps.LineAnswers, steps.MarkSkipped, "server answers", "it has ended since the project was looked at")
			continue
		}
		theirs, err := findingsOf(err)
		if err != nil {
			return err
		}
		for _, f := range theirs {
			if len(others) > 0 {
				f.Message = prose.Labelled(host(address), "%s", f.Message)
			}
			found = append(found, f)
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

// ended reports whether nothing listens at the address that was asked.
func ended(err error) bool {
	var t *trouble
	return errors.As(err, &t) && t.nobody
}

// findingsOf are the findings of what went wrong with one server; an error that is about
// no server stays one.
func findingsOf(err error) ([]finding.Finding, error) {
	var failure *steps.Failure
	if err = asFailure(err); errors.As(err, &failure) {
		return failure.Findings, nil
	}
	return nil, err
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

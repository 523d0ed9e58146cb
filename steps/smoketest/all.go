package smoketest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// checkAccount refuses what cannot work before anything is sent.
func checkAccount(run *steps.Run) error {
	if !run.Answers.TempUser {
		return nil
	}
	if o := run.Options; o.Environment != "" && o.Environment != steps.DefaultEnvironment {
		return steps.Usage("--temp-user is for development only")
	}
	if run.Django == nil && run.Project != nil {
		return steps.Usage("--temp-user needs the project's Django, which does not run; give an account with --username instead")
	}
	return nil
}

// all runs the proof, then the login, and says what both together mean.
func (s *session) all(ctx context.Context) error {
	if _, ok := jwt.GetSigningMethod(s.facts.Algorithm).(*jwt.SigningMethodHMAC); !ok {
		return steps.Fail(algorithm(s.facts.Algorithm))
	}
	out, err := s.passwordless(ctx)
	if err != nil {
		return err
	}
	s.astray = out.strange && !s.known
	s.show(out)
	s.signs = out.inForce()
	found := s.findings(out)
	if out.strange && s.known {
		// Something else answers: least of all does it get a password.
		return steps.Fail(s.stranger())
	}
	account := s.hasAccount()
	if account && (out.controlAccepted() || out.open) && s.run.Answers.LoginAnyway != s.client.address {
		s.emit.Check(steps.LineLogin, steps.MarkFailed, "log in", "no password was sent")
		return steps.Fail(append(found, s.withheld())...)
	}
	if len(found) > 0 && !(account && s.doubtful(out)) {
		return steps.Fail(found...)
	}
	if !account {
		if s.logsIn {
			s.emit.Check(steps.LineLogin, steps.MarkSkipped, "log in", "not tried, no account was given")
		}
		if !out.usable {
			return s.untold(out.throttled, false)
		}
		return nil
	}
	return s.withAccount(ctx, out)
}

// algorithm is the finding of tokens that no shared key signs.
func algorithm(name string) finding.Finding {
	return finding.New(finding.TokenAlgorithm,
		fmt.Sprintf("Tokens are signed with %.20s, not with HS256: it cannot be shown that JWT_SECRET_KEY signs them.", secret.Inert(name))).
		WithSeverity(finding.Error)
}

// passwordless tries the ways that need no account until one tells the keys
// apart.
func (s *session) passwordless(ctx context.Context) (outcome, error) {
	s.emit.Check(steps.LineFresh, steps.MarkRunning, s.shows, "")
	var verify, protected outcome
	var err error
	if s.routes.Verify != "" {
		if verify, err = s.prove(ctx, s.verifyWay()); err != nil || verify.usable {
			return verify, err
		}
	}
	if s.routes.Protected != "" {
		if protected, err = s.proveProtected(ctx, s.headerWay(s.nobody)); err != nil || protected.usable {
			return protected, err
		}
	}
	switch {
	case protected.controlAccepted():
		return protected, nil
	case verify.controlAccepted():
		return verify, nil
	}
	s.faulty = faultOf(verify.control.status, protected.control.status)
	if s.faulty == 0 && protected.fresh.status >= 500 { // to the right key alone, such as where the database is not there
		s.faulty = protected.fresh.status
	}
	return outcome{
		throttled: verify.throttled || protected.throttled, wait: max(verify.wait, protected.wait), open: protected.open,
		strange: (s.routes.Verify == "" || verify.notThere()) && (s.routes.Protected == "" || protected.notThere()) && s.routes.Verify+s.routes.Protected != "",
	}, nil
}

// doubtful reports whether the outcome may come from test tokens or routes that
// do not fit the project, so that a real login has to settle it.
func (s *session) doubtful(o outcome) bool {
	nothing := o.fresh.accepted+o.secret.accepted+o.previous.accepted == 0
	return o.controlAccepted() || s.guessed && nothing
}

func (s *session) hasAccount() bool {
	o := s.run.Answers
	return s.logsIn && (o.TempUser || o.Username != "" && o.Password.Set())
}

// account gives what the login needs, and a function for the end that deletes
// what was made.
func (s *session) account(ctx context.Context) (steps.Account, func(), error) {
	o := s.run.Answers
	if !o.TempUser {
		field := "username"
		if f := s.run.Project.Facts; f != nil {
			field = cmp.Or(f.LoginField, field)
		}
		return steps.Account{Field: field, Username: o.Username, Password: o.Password}, func() {}, nil
	}
	s.emit.Check(steps.LineLogin, steps.MarkRunning, "log in", "making a throwaway account")
	made, err := s.run.Django.CreateUser(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return made, nil, ctx.Err()
		}
		s.emit.Check(steps.LineLogin, steps.MarkFailed, "log in", "no throwaway account")
		return made, nil, steps.Fail(s.noAccount(err))
	}
	return made, func() { s.forget(ctx, made.Username) }, nil
}

// noAccount is the finding of a throwaway account that could not be made.
func (s *session) noAccount(err error) finding.Finding {
	why, fix := prose.Of(s.run.Redactor.Show(secret.Said(err.Error()))), finding.Do("Log in with an account of yours.")
	var failure *steps.Failure
	if errors.As(err, &failure) && len(failure.Findings) > 0 {
		f := failure.Findings[0]
		why = f.Message
		if page, _ := finding.LookUp(f.Code); f.Fix != page.Fix { // it knows what is wrong
			fix = f.Fix
		}
	}
	f := finding.New(finding.LoginRejected, "").WithFix(fix)
	f.Message = prose.Say("The throwaway account could not be made: %s", why)
	f.Why = prose.Say("Django makes it in the project's own database. No login was tried.")
	return f
}

// forgetWithin is how long the deletion of the throwaway account may take.
const forgetWithin = 10 * time.Second

// forget deletes the throwaway account, also when the user has stopped.
func (s *session) forget(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetWithin)
	defer cancel()
	if err := s.run.Django.DeleteUser(ctx); err != nil {
		s.emit.Progress("The throwaway account " + s.run.Redactor.Clean(name) + " could not be deleted. Delete it by hand.")
	}
}

// withAccount logs in and follows the tokens.
func (s *session) withAccount(ctx context.Context, out outcome) error {
	if err := s.pause(ctx, out); err != nil {
		return err
	}
	account, end, err := s.account(ctx)
	if err != nil {
		return err
	}
	defer end()
	in, err := s.login(ctx, account)
	if errors.Is(err, errUnverified) {
		if !out.usable {
			return s.untold(out.throttled, true)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.inspect(ctx, in.access); err != nil {
		return err
	}
	settled := false
	if !out.usable || s.doubtful(out) {
		if out, err = s.settle(ctx, in, out); err != nil {
			return err
		}
		settled = out.usable
	}
	if err := s.others(ctx, in, settled); err != nil {
		return err
	}
	s.signs, s.tokenSigned = true, true
	if err := s.useToken(ctx, in); err != nil {
		return err
	}
	return s.refresh(ctx, in)
}

// longestPause is how long the login waits for a server that limits requests: the
// proof may have used up what one address may ask in a minute.
const longestPause = 90 * time.Second

// pause waits before the login for as long as the server asked for.
func (s *session) pause(ctx context.Context, out outcome) error {
	if !out.throttled || out.wait <= 0 || out.wait > longestPause {
		return nil
	}
	s.emit.Progress(fmt.Sprintf("The server is rate limiting. Waiting %v before the login, as it asks.", out.wait))
	return s.sleep(ctx, out.wait)
}

// settle asks once more with the account's own claims, signed again. The new key
// has signed the login's token by now, so what is left open is which other keys
// the server takes.
func (s *session) settle(ctx context.Context, in *loggedIn, before outcome) (outcome, error) {
	if s.routes.Protected != "" {
		s.emit.Check(steps.LineFresh, steps.MarkRunning, s.shows, "asking with the account's own claims")
		out, err := s.proveProtected(ctx, s.ownWay(in))
		if err != nil {
			return out, err
		}
		if out.usable || out.controlAccepted() {
			s.show(out)
			if found := s.findings(out); len(found) > 0 {
				return out, steps.Fail(found...)
			}
			return out, nil
		}
		before.throttled = before.throttled || out.throttled
	}
	if before.controlAccepted() {
		return before, steps.Fail(s.findings(before)...)
	}
	s.inconclusive(before.throttled)
	return outcome{}, nil
}

// inspect looks at the token of the login: its algorithm and its signature.
func (s *session) inspect(ctx context.Context, t seenToken) error {
	fail := func(detail string, f finding.Finding) error {
		s.emit.Check(steps.LineToken, steps.MarkFailed, textToken, detail)
		return steps.Fail(f)
	}
	if !t.symmetric() {
		return fail("another algorithm", algorithm(s.run.Redactor.Show(secret.Said(t.alg))))
	}
	if t.unsigned {
		return fail("no signature", finding.New(finding.TokenAlgorithm, "The login gave a token without a signature: anyone can make one.").WithSeverity(finding.Error))
	}
	switch {
	case t.signedBy(ctx, s.fresh):
	case t.signedBy(ctx, s.secret):
		return fail("signed with SECRET_KEY", finding.New(finding.ServerSignsWithSecretKey,
			"The login gave a token that is signed with SECRET_KEY, and not with the new key."+s.alsoPrevious()))
	case s.previous != nil && t.signedBy(ctx, s.previous):
		return fail("signed with the previous key", finding.New(finding.ServerStaleKey,
			"The login gave a token that is signed with the previous key: the server was not restarted."))
	default:
		return fail("signed with another key", finding.New(finding.ServerStaleKey,
			"The login gave a token that is signed with a key that keysplit does not know."))
	}
	other := ""
	if !s.guessed && t.alg != s.facts.Algorithm {
		other = ", and the settings say " + secret.Inert(s.facts.Algorithm)
	}
	if s.guessed && t.alg != "HS256" || other != "" {
		s.emit.Find(finding.New(finding.TokenAlgorithm, "Tokens are signed with "+t.alg+other+". The new key does sign them."))
	}
	mark, detail := steps.MarkOK, t.alg+other
	if odd := t.odd(s.facts.TypeClaim); odd != "" {
		mark, detail = steps.MarkWarn, detail+"; "+odd
	} else if s.guessed && t.alg != "HS256" || other != "" {
		mark = steps.MarkWarn
	}
	s.emit.Check(steps.LineToken, mark, textToken, detail)
	return nil
}

package smoketest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

const (
	textFresh    = "signs with the new key"
	textBoth     = "accepts the new key"
	textCurrent  = "signs with the current key"
	textAge      = "no process is older than the key"
	textPrevious = "refuses the previous key"
	textControl  = "refuses a random key"

	textToken     = "its token is signed with the new key" // #nosec G101 -- said about tokens, no token
	textProtected = "protected route takes the token"
	textOthers    = "refuses its tokens signed with other keys"
	textRefresh   = "refresh works"
)

func (s *session) textSecret() string {
	if s.previousIsSecret {
		return "refuses SECRET_KEY, which was the previous key"
	}
	return "refuses SECRET_KEY"
}

// uncounted says that the number of processes is not known.
func (s *session) uncounted() string {
	if s.counted {
		return ""
	}
	return ", process count unknown"
}

// same says why the answers do not tell the keys apart.
func (s *session) same() string {
	if s.astray {
		return "not verified: " + strings.Join(tried(s.routes), " and ") + " not found"
	}
	if s.faulty != 0 {
		return fmt.Sprintf("not verified: the server answers %d", s.faulty)
	}
	return "same answer for every key"
}

// progress shows how many connections were seen so far.
func (s *session) progress(t tally) {
	s.emit.Check(steps.LineFresh, steps.MarkRunning, s.shows, fmt.Sprintf("%d of %d new connections", t.accepted, s.connections))
}

// show puts the outcome on the lines of the proof.
func (s *session) show(o outcome) {
	limited := ""
	if o.throttled {
		limited = ", then the server was rate limiting"
	}
	fresh := o.fresh
	seen := fresh.told() + fresh.unclear
	mark, detail := steps.MarkOK, fmt.Sprintf("%d of %d new connections%s%s", fresh.accepted, s.connections, s.uncounted(), limited)
	switch {
	case fresh.refused > 0:
		mark, detail = steps.MarkFailed, fmt.Sprintf("%d of %d new connections do not%s", fresh.refused, seen, limited)
	case fresh.accepted == 0:
		mark, detail = steps.MarkWarn, s.same()+limited
	case fresh.accepted < s.connections:
		mark = steps.MarkWarn
		if fresh.failed > 0 {
			detail += fmt.Sprintf(", %d failed", fresh.failed)
		}
	}
	s.emit.Check(steps.LineFresh, mark, s.shows, detail)
	s.showRefusal(steps.LineSecret, s.textSecret(), s.secret, o.secret, limited, "SECRET_KEY is not known to keysplit")
	if s.previous != nil && !s.previousIsSecret {
		switch {
		case s.stage.Both():
			s.showSecond(o.previous, limited)
		case o.previous.accepted > 0 && !s.grace.IsZero():
			s.emit.Check(steps.LinePrevious, steps.MarkWarn, textPrevious, "accepted until "+deadline(s.grace))
		default:
			s.showRefusal(steps.LinePrevious, textPrevious, s.previous, o.previous, limited, "")
		}
	}
	switch {
	case o.controlAccepted():
		s.emit.Check(steps.LineControl, steps.MarkFailed, textControl, o.control.label+" (control)")
	case o.control.refused > 0 || o.usable:
		s.emit.Check(steps.LineControl, steps.MarkOK, textControl, o.control.label+" (control)")
	default:
		s.emit.Check(steps.LineControl, steps.MarkWarn, textControl, s.same()+" (control)"+limited)
	}
}

func deadline(grace time.Time) string {
	return grace.UTC().Format("2006-01-02 15:04 MST") + ", the end of the grace period"
}

func (s *session) showRefusal(id, text string, key *signer, t tally, limited, unknown string) {
	switch {
	case key == nil:
		s.emit.Check(id, steps.MarkSkipped, text, unknown)
	case t.accepted > 0:
		s.emit.Check(id, steps.MarkFailed, text, fmt.Sprintf("accepted on %d of %d connections", t.accepted, t.told()))
	case t.refused > 0:
		s.emit.Check(id, steps.MarkOK, text, t.label)
	default:
		s.emit.Check(id, steps.MarkWarn, text, s.same()+limited)
	}
}

// inconclusive puts on the lines that nothing was told apart. That is never
// shown as passed.
func (s *session) inconclusive(throttled bool) { s.show(outcome{throttled: throttled}) }

// findings are what the outcome of a way means, the gravest first.
func (s *session) findings(o outcome) []finding.Finding {
	if o.controlAccepted() {
		f := finding.New(finding.ServerAcceptsSecretKeyToken,
			"The server accepts a token that is signed with a random key. Either it checks no signatures, or this test cannot be trusted: nothing is proved.").
			WithFix(finding.Do("Look at the authentication classes of %s and %s: one of them must want a token.", s.routes.Protected, s.routes.Verify))
		f.Why = prose.Say("A random key is the test's control: nobody knows it, so no server may accept it.")
		return []finding.Finding{f}
	}
	fresh, seen := o.fresh, o.fresh.told()
	previous := o.previous.accepted > 0 && s.previous != nil
	var fs []finding.Finding
	add := func(code finding.Code, format string, args ...any) {
		fs = append(fs, finding.New(code, fmt.Sprintf(format, args...)))
	}
	if s.stage.Both() && fresh.accepted+o.previous.accepted > 0 {
		if refused := fresh.refused + o.previous.refused; refused > 0 {
			fs = append(fs, s.oneSided(o))
		}
		previous = false
	}
	switch {
	case len(fs) > 0:
	case fresh.accepted > 0 && fresh.refused > 0:
		add(finding.ServerStaleKey, "%d of %d new connections met a process that does not sign with the new key: it was not restarted.%s", fresh.refused, seen, o.who.stale())
		if o.secret.accepted > 0 {
			add(finding.ServerSignsWithSecretKey, "%d of %d connections accept a token that is signed with SECRET_KEY.", o.secret.accepted, o.secret.told())
		}
	case fresh.accepted == 0 && o.secret.accepted > 0:
		add(finding.ServerSignsWithSecretKey, "The server signs tokens with SECRET_KEY, and not with the new key.%s", s.alsoPrevious())
	case o.secret.accepted > 0:
		add(finding.ServerAcceptsSecretKeyToken, "The server signs with the new key, and still accepts a token that is signed with SECRET_KEY.%s", s.alsoPrevious())
	case fresh.accepted == 0 && previous:
		add(finding.ServerStaleKey, "The server still signs with the previous key: it was not restarted.")
	case fresh.accepted == 0 && fresh.refused > 0:
		add(finding.ServerStaleKey, "The server does not sign with the new key, nor with any other key that keysplit knows.%s", s.guess())
	case previous && !s.previousIsSecret && s.grace.IsZero():
		add(finding.ServerAcceptsOldToken, "The server signs with the new key, and still accepts a token that is signed with the previous one.")
	}
	return fs
}

func (s *session) alsoPrevious() string {
	if s.previousIsSecret {
		return " SECRET_KEY was also the previous key of tokens."
	}
	return ""
}

// guess says so where the test tokens were made without knowing the settings.
func (s *session) guess() string {
	if s.guessed {
		return " The project's token settings are not known, so the test tokens may not fit them."
	}
	return ""
}

// withheld is the finding of a login that was not tried, since the server takes the
// token of a key that nobody has: it may be anybody's.
func (s *session) withheld() finding.Finding {
	at := secret.Inert(s.client.address)
	f := finding.New(finding.LoginWithheld, "The server at "+at+" accepts a token that is signed with a random key, so no password was sent to it.").At(at, 0)
	return f.Asking("The server at " + at + " accepts any token. It may not be your backend. Send it the password of the login anyway?")
}

// stranger is the finding of an address at which something else answers.
func (s *session) stranger() finding.Finding {
	f := finding.New(finding.ServerUnreachable, "The server at "+host(s.client.address)+" does not seem to be this backend: it has none of its routes ("+
		strings.Join(tried(s.routes), ", ")+").").WithFix(finding.Do("Check the address, or give another one: `keysplit --url https://HOST`. If a proxy adds a prefix to the routes, put it at the end of the address."))
	f.Why = prose.Say("Nothing can be proved about a server that is not asked. No password was sent.")
	return f
}

// tried are the routes of the proof.
func tried(r steps.Routes) []string {
	return slices.DeleteFunc([]string{r.Verify, r.Protected}, func(path string) bool { return path == "" })
}

// faultOf is the status with which the ways were answered that were tried, where it says that
// no token was looked at: an error of the server, a refused host, a redirect. Else it is 0.
func faultOf(verify, protected int) int {
	status := cmp.Or(verify, protected)
	if cmp.Or(protected, status) != status || status < 500 && status != http.StatusBadRequest && !redirects(status) {
		return 0
	}
	return status
}

// fault is the finding of a server whose answers show nothing of the key. then says how to
// ask once more.
func (s *session) fault(then finding.Fix) finding.Finding {
	does, fix, address := s.faults()
	if address {
		then = finding.Fix{}
	}
	f := finding.New(finding.ServerUnreachable, "The server at "+host(s.client.address)+" "+does+".").WithFix(fix.Then(then))
	f.Why = prose.Say("Such an answer shows nothing of the key.")
	return f
}

// faults says what such a server does, and what helps; address reports whether that is
// another address.
func (s *session) faults() (does string, fix finding.Fix, address bool) {
	switch {
	case redirects(s.faulty):
		does, address = "redirects every test token (%d), as to a login page or to another address, and keysplit does not follow it", true
		fix = finding.Do("Give the address at which the backend itself answers: `keysplit --url https://HOST`.")
	case s.faulty == http.StatusBadRequest:
		does, address = "answers every test token with %d, as Django does for a host that ALLOWED_HOSTS lacks", true
		fix = finding.Do("Give the address that people use: `keysplit --url https://HOST`. Or add this one to ALLOWED_HOSTS. Its log says more.")
	case s.faulty > http.StatusNotImplemented:
		does, fix = "answers test tokens with %d: it seems to be a proxy that does not reach the backend", finding.Do("Start the backend. If it ends, its log says why.")
	default:
		does, fix = "answers test tokens with an error (%d)", finding.Do("Its log says why. Fix that.")
	}
	return fmt.Sprintf(does, s.faulty), fix, address
}

// notTold is the finding of a run in which nothing showed which key signs.
func (s *session) notTold(throttled, account bool) finding.Finding {
	f := finding.New(finding.ProofInconclusive, "It could not be shown which key the server signs with: its answers are the same for every key.")
	switch {
	case throttled:
		f.Message = prose.Say("It could not be shown which key the server signs with: it is rate limiting, and the limit is reached.")
		f.Fix = finding.Do("Wait a few minutes, then run `keysplit` again.")
	case s.faulty != 0 && !account:
		return s.fault(finding.Do("Then run `keysplit` again."))
	case s.astray:
		f.Message = prose.Say("Which key the server signs with was not verified: no route that keysplit assumed is there (%s).", strings.Join(tried(s.routes), ", "))
		f.Fix = finding.Do("Name one that wants a token: `keysplit --protected PATH`")
	case account:
		f.Fix = finding.Do("Look at the authentication classes of the protected route: a route that answers every token alike cannot show the key.")
	}
	return f
}

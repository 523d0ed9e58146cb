package smoketest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// loggedIn is what a login gave.
type loggedIn struct {
	access  seenToken
	refresh *seenToken // nil when none came
	jar     *jar
	csrf    string
}

// login fetches a CSRF cookie where the server has one and then logs in, once.
func (s *session) login(ctx context.Context, a steps.Account) (*loggedIn, error) {
	path := cmp.Or(s.routes.Login, routes(nil).Login)
	text := "log in as " + s.run.Redactor.Clean(a.Username)
	s.emit.Check(steps.LineLogin, steps.MarkRunning, text, "POST "+secret.Inert(path)+", one attempt")
	fail := func(detail string, f finding.Finding) (*loggedIn, error) {
		mark := steps.MarkFailed
		if f.Code == finding.LoginThrottled || f.Code == finding.LoginLocked {
			mark = steps.MarkWarn // the password was not judged
		}
		s.emit.Check(steps.LineLogin, mark, text, detail)
		return nil, steps.Fail(f)
	}
	in := &loggedIn{jar: newJar()}
	got, err := s.knock(ctx, path, a, in)
	var t *trouble
	if errors.As(err, &t) {
		return fail("", t.finding())
	}
	if err != nil {
		return nil, err
	}
	if (got.status == http.StatusNotFound || got.status == http.StatusMethodNotAllowed) && s.assumes(s.run.Options.Routes.Login, s.found.Login) {
		return nil, s.unverified(steps.LineLogin, text, got, path, "login")
	}
	if f, bad := s.refusedLogin(got, path); bad {
		return fail(strconv.Itoa(got.status), f)
	}
	tokens := s.tokens(got)
	access, ok := pick(tokens, s.facts.TypeClaim, cmp.Or(s.facts.Type, "access"))
	if !ok {
		message := fmt.Sprintf("The login was answered with %d, but no token came back.", got.status)
		if redirects(got.status) {
			message = fmt.Sprintf("The login was answered with a redirect (%d), which keysplit does not follow with credentials. No token came back.", got.status)
		}
		return fail(strconv.Itoa(got.status), finding.New(finding.LoginNoToken, message))
	}
	in.access = access
	if refresh, ok := pickNamed(tokens, s.facts.TypeClaim, "refresh"); ok {
		in.refresh = &refresh
	} else if s.sliding() {
		in.refresh = &access // it renews itself
	}
	s.emit.Check(steps.LineLogin, steps.MarkOK, text, fmt.Sprintf("%d in %d ms", got.status, got.took.Milliseconds()))
	return in, nil
}

// knock posts the login. It is posted again only where the first was no attempt: where
// the server wanted a CSRF token, or its form has another field for the name.
func (s *session) knock(ctx context.Context, path string, a steps.Account, in *loggedIn) (got answer, err error) {
	if in.csrf, err = s.csrf(ctx, in.jar, s.routes.CSRF); err != nil {
		return got, err
	}
	field := cmp.Or(a.Field, "username")
	for range 2 { // one reason each
		body := s.loginBody(field, a)
		got, err = s.client.do(ctx, request{method: http.MethodPost, path: path, body: body, jar: in.jar, header: csrfHeader(in.csrf)})
		if err != nil {
			return got, err
		}
		other := wanted(got, nameFields, field)
		switch {
		case got.status == http.StatusForbidden && bytes.Contains(bytes.ToLower(got.body), []byte("csrf")) && in.csrf == "":
			// Only now may the login be asked with GET: throttles count that too.
			if in.csrf, err = s.csrf(ctx, in.jar, path, "/", "/admin/login/"); err != nil || in.csrf == "" {
				return got, err
			}
		case other != "":
			field = other
		default:
			return got, nil
		}
	}
	return got, nil
}

// assumes reports whether a route is only the guide's, since neither the configuration
// nor the project's Django named one.
func (s *session) assumes(named, found string) bool { return named == "" && found == "" }

// errUnverified ends a login that could not be tried: a guess was wrong, and the backend
// did nothing wrong.
var errUnverified = errors.New("not verified")

// unverified says that a route which was assumed or named is not there, and how to name the
// right one.
func (s *session) unverified(line, text string, a answer, path, setting string) error {
	whose := "keysplit assumed"
	if s.run.Options.Routes.Protected == path {
		whose = "you named"
	}
	s.emit.Check(line, steps.MarkWarn, text, fmt.Sprintf("not verified: %d at %s, which %s", a.status, secret.Inert(path), whose))
	f := finding.New(finding.RouteUnknown, fmt.Sprintf("The %s route was not verified: %s %s, and it is not there.", setting, whose, secret.Inert(path)))
	s.emit.Find(f.WithFix(finding.Do("Name the path: %s", finding.Command(s.run.Command("upgrade", "--"+setting, "PATH")))))
	return errUnverified
}

// loginBody is what the login is posted with: the fields that it wants, in what it wants
// them in.
func (s *session) loginBody(field string, a steps.Account) (body []byte) {
	secret, inside := "password", ""
	if f := s.run.Project.Facts; f != nil {
		secret, inside = cmp.Or(f.PasswordField, secret), f.LoginInside
	}
	fields := map[string]string{field: a.Username, secret: a.Password.Reveal()}
	body, _ = json.Marshal(fields) // texts always have a form
	if inside != "" {
		body, _ = json.Marshal(map[string]map[string]string{inside: fields})
	}
	return body
}

// refusedLogin finds out why a login did not work. bad is false for one that
// did. What the body says is searched, never quoted.
func (s *session) refusedLogin(a answer, path string) (f finding.Finding, bad bool) {
	body := bytes.ToLower(a.body)
	has := func(word string) bool { return bytes.Contains(body, []byte(word)) }
	switch {
	case a.status < 400:
		return f, false
	case a.status == http.StatusNotFound, a.status == http.StatusMethodNotAllowed:
		f := finding.New(finding.LoginNoToken, fmt.Sprintf("There is no login at %s: the server answered with %d.", secret.Inert(path), a.status)).
			WithFix(finding.Do("Name the path: `keysplit --login PATH`"))
		f.Why = prose.Say("The name and the password were not checked.")
		return f, true
	case a.status == http.StatusServiceUnavailable && s.retryAfter(a) > 0:
		return s.afterWaiting(a, finding.New(finding.LoginRejected, "The server is not available for a login just now (503).")), true
	case a.status >= 500:
		f := finding.New(finding.LoginRejected, fmt.Sprintf("The login ended in an error of the server (%d).", a.status)).
			WithFix(finding.Do("Look into the server's log. In development a missing migration is a common cause: `manage.py migrate`."))
		f.Why = prose.Say("The name and the password were not checked. keysplit tries only once, since accounts lock.")
		return f, true
	case a.status == http.StatusLocked, has("account locked"), has("account is locked"), has("locked out"), has("lockout"):
		return s.afterWaiting(a, finding.New(finding.LoginLocked, "")), true
	case a.status == http.StatusTooManyRequests:
		return s.afterWaiting(a, finding.New(finding.LoginThrottled, "")), true
	case a.status == http.StatusForbidden && has("csrf"):
		return finding.New(finding.LoginCSRF, ""), true
	case a.status == http.StatusForbidden:
		f = finding.New(finding.LoginRejected, "The server forbids this login (403).").
			WithFix(finding.Do("Look into the server's log for the reason: a lock, a limit for this address, or a rule for this account."))
		f.Why = prose.Say("The name and the password may be right. keysplit tries only once, since accounts lock.")
		return s.afterWaiting(a, f), true
	}
	return finding.New(finding.LoginRejected, fmt.Sprintf("The server refused this login (%d).", a.status)), true
}

// afterWaiting says how long to wait, where the server does.
func (s *session) afterWaiting(a answer, f finding.Finding) finding.Finding {
	if wait := s.retryAfter(a); wait > 0 {
		return f.WithFix(finding.Do("Wait for %s, then run `keysplit` again.", wait.String()))
	}
	return f
}

// retryAfter reads the header of that name (RFC 9110, 10.2.3): seconds, or a
// date. 0 means that it says nothing.
func (s *session) retryAfter(a answer) time.Duration {
	value := a.header.Get("Retry-After")
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(s.serverNow()).Round(time.Second))
	}
	return 0
}

// csrf asks routes that may hand out Django's CSRF cookie until one does, and
// returns the value for the header: the cookie's, or where the token is kept in
// the session the one from the body. "" means that none came; many servers want
// none.
func (s *session) csrf(ctx context.Context, j *jar, paths ...string) (string, error) {
	for _, path := range paths {
		if path == "" {
			continue
		}
		a, err := s.client.do(ctx, request{method: http.MethodGet, path: path, jar: j})
		var t *trouble
		if errors.As(err, &t) {
			continue // the login itself will tell
		}
		if err != nil {
			return "", err
		}
		if value := j.csrf(); value != "" {
			return value, nil
		}
		if value := csrfInBody(a.body); path == s.routes.CSRF && value != "" {
			return value, nil
		}
	}
	return "", nil
}

func csrfInBody(body []byte) string {
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		return ""
	}
	for name, value := range fields {
		if text, ok := value.(string); ok && strings.Contains(strings.ToLower(name), "csrf") && headerSafe(text) {
			return text
		}
	}
	return ""
}

// headerSafe keeps a server's text from breaking our header.
func headerSafe(text string) bool {
	return len(text) <= maxCookie && strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

func csrfHeader(value string) map[string]string {
	if value == "" || !headerSafe(value) {
		return nil
	}
	return map[string]string{"X-CSRFToken": value}
}

// Bounds of the search for tokens in a body.
const (
	maxDepth  = 5
	maxTokens = 20
)

// only is a jar with one cookie. A session cookie beside it could open the route
// without the token, and a refresh cookie could renew it.
func only(name, value string) *jar { return newJar().with(name, value) }

// useToken shows the token of the login to the protected route.
func (s *session) useToken(ctx context.Context, in *loggedIn) error {
	if s.routes.Protected == "" {
		s.emit.Check(steps.LineProtected, steps.MarkSkipped, textProtected, "no such route is known")
		return nil
	}
	s.emit.Check(steps.LineProtected, steps.MarkRunning, textProtected, "GET "+secret.Inert(s.routes.Protected))
	r := request{method: http.MethodGet, path: s.routes.Protected}
	if in.access.cookie != "" {
		r.jar = only(in.access.cookie, in.access.text.Reveal())
	} else {
		r.header = s.bearer(in.access.text.Reveal())
	}
	a, err := s.client.do(ctx, r)
	if err != nil {
		s.emit.Check(steps.LineProtected, steps.MarkFailed, textProtected, "")
		return asFailure(err)
	}
	detail := strconv.Itoa(a.status)
	switch {
	case a.status >= 200 && a.status < 300 && judgeByWord(a) != refused:
		s.emit.Check(steps.LineProtected, steps.MarkOK, textProtected, detail)
	case a.status == http.StatusUnauthorized || judgeByWord(a) == refused:
		s.emit.Check(steps.LineProtected, steps.MarkFailed, textProtected, detail)
		return steps.Fail(finding.New(finding.ServerStaleKey,
			fmt.Sprintf("The protected route refuses the token that the login has just given (%d).", a.status)).
			WithFix(finding.Do("Restart every process of the backend, then run `keysplit` again. If it happens again, look at the authentication classes of that route.")))
	case a.status == http.StatusNotFound && (s.run.Options.Routes.Protected != "" || s.found.Protected == ""):
		_ = s.unverified(steps.LineProtected, textProtected, a, s.routes.Protected, "protected")
	default:
		// Not allowed, not there, or limited: that says nothing about the key.
		s.emit.Check(steps.LineProtected, steps.MarkWarn, textProtected, detail+", says nothing about the key")
	}
	return nil
}

// sliding reports whether one token opens routes and renews itself.
func (s *session) sliding() bool { return s.facts.Type == "sliding" }

// refreshField is the field of the token in a request for a new one.
func (s *session) refreshField() string {
	if s.sliding() {
		return "token"
	}
	return "refresh"
}

// trade posts the refresh token in a field of that name, or in its cookie.
func (s *session) trade(ctx context.Context, in *loggedIn, field string) (answer, error) {
	fields := map[string]string{}
	if in.refresh.cookie == "" {
		fields[field] = in.refresh.text.Reveal()
	}
	body, _ := json.Marshal(fields) // texts always have a form
	// A login may hand out a new CSRF cookie; the header follows it.
	return s.client.do(ctx, request{method: http.MethodPost, path: s.routes.Refresh, body: body, jar: in.jar,
		header: csrfHeader(cmp.Or(in.jar.csrf(), in.csrf))})
}

// refresh trades the refresh token for a new access token, once.
func (s *session) refresh(ctx context.Context, in *loggedIn) error {
	if s.routes.Refresh == "" || in.refresh == nil {
		s.emit.Check(steps.LineRefresh, steps.MarkSkipped, textRefresh, "no refresh route or token")
		return nil
	}
	s.emit.Check(steps.LineRefresh, steps.MarkRunning, textRefresh, "POST "+secret.Inert(s.routes.Refresh))
	a, err := s.trade(ctx, in, s.refreshField())
	if other := wanted(a, refreshFields, s.refreshField()); err == nil && in.refresh.cookie == "" && other != "" {
		a, err = s.trade(ctx, in, other) // nothing was traded yet
	}
	if err != nil {
		s.emit.Check(steps.LineRefresh, steps.MarkFailed, textRefresh, "")
		return asFailure(err)
	}
	detail := strconv.Itoa(a.status)
	fresh, ok := pick(s.tokens(a), s.facts.TypeClaim, cmp.Or(s.facts.Type, "access"))
	var f finding.Finding
	switch {
	case a.status == http.StatusTooManyRequests:
		s.emit.Check(steps.LineRefresh, steps.MarkWarn, textRefresh, "the server is rate limiting")
		return nil
	case a.status == http.StatusNotFound && s.assumes(s.run.Options.Routes.Refresh, s.found.Refresh):
		_ = s.unverified(steps.LineRefresh, textRefresh, a, s.routes.Refresh, "refresh")
		return nil
	case a.status == http.StatusForbidden && bytes.Contains(bytes.ToLower(a.body), []byte("csrf")):
		f = finding.New(finding.LoginCSRF, "The refresh was refused for its CSRF token.")
	case a.status >= 300 || !ok:
		f = finding.New(finding.LoginNoToken, fmt.Sprintf("The refresh route gave no new token (%d).", a.status)).
			WithFix(finding.Do("Restart every process of the backend, then run `keysplit` again. If it happens again, look at what the refresh route answers."))
	case !fresh.signedBy(ctx, s.fresh):
		f = finding.New(finding.ServerStaleKey, "The refresh gave a token that the new key did not sign.")
	case fresh.odd(s.facts.TypeClaim) != "":
		s.emit.Check(steps.LineRefresh, steps.MarkWarn, textRefresh, detail+"; of the new token, "+fresh.odd(s.facts.TypeClaim))
		return nil
	default:
		s.emit.Check(steps.LineRefresh, steps.MarkOK, textRefresh, detail)
		return nil
	}
	s.emit.Check(steps.LineRefresh, steps.MarkFailed, textRefresh, detail)
	return steps.Fail(f)
}

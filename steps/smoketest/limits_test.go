package smoketest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// The proof may use up what one address may ask in a minute. The login then waits
// for as long as the server says, and no longer than a person would.
func TestTheLoginWaitsForALimitThatTheProofReached(t *testing.T) {
	for says, want := range map[string]time.Duration{"60": time.Minute, "3600": 0, "": 0} {
		b := newBench(t).account()
		asked := 0
		limited := true
		b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/" || !limited {
				return false
			}
			if asked++; asked <= 3 {
				return false
			}
			if says != "" {
				w.Header().Set("Retry-After", says)
			}
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		var waited time.Duration
		b.step.Sleep = func(_ context.Context, d time.Duration) error {
			waited, limited = d, false
			return nil
		}
		found, err := b.apply()
		if waited != want {
			t.Errorf("Retry-After %q: waited %v, want %v", says, waited, want)
		}
		if want > 0 && (err != nil || b.logins != 1) {
			t.Errorf("after the wait: %v, %v, %d logins", err, found, b.logins)
		}
		if want == 0 && !finding.Has(found, "login-throttled") {
			t.Errorf("without a wait: %v, %v", err, found)
		}
	}
}

// What answers may be another program. It is named as such, and gets no password.
func TestAStrangerGetsNoPassword(t *testing.T) {
	t.Attr("part", "lies and failures of a server")
	b := newBench(t).account()
	posted := 0
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && strings.Contains(r.URL.Path, "login") {
			posted++
		}
		w.WriteHeader(http.StatusNotFound)
		return true
	}
	b.wantFail("server-unreachable", "does not seem to be this backend", "--url")
	if posted > 0 {
		t.Error("it was sent the password")
	}
	// Where the routes are only guessed, a 404 says nothing about the server.
	b.run.Project.Facts = nil
	if found, err := b.apply(); err == nil || finding.Has(found, "server-unreachable") {
		t.Errorf("with guessed routes: %v, %v", err, found)
	}
}

// During a grace period the previous key is accepted by intent, until its end.
func TestTheGracePeriodIsNoFault(t *testing.T) {
	b := newBench(t)
	b.takes = func(int) []string { return []string{b.key, b.previous} }
	b.wantFail("server-accepts-old-token")
	write := func(key string, until time.Time) {
		t.Helper()
		text := "SECRET_KEY=" + b.secret + "\nJWT_SECRET_KEY=" + b.key + "\n" + steps.GraceKeyName + "=" + key + "\n" + steps.GraceUntilName + "=" + until.UTC().Format(time.RFC3339) + "\n"
		if err := os.WriteFile(b.run.Project.EnvFile.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(b.previous, time.Now().Add(time.Hour))
	b.wantPass(steps.LineFresh)
	b.wantLine(steps.LinePrevious, steps.MarkWarn, "grace period")
	if slices.ContainsFunc(b.events, func(e steps.Event) bool { return e.ID == steps.LinePrevious && e.Mark == steps.MarkFailed }) {
		t.Error("a key that is accepted by intent was shown as a fault")
	}
	write(b.previous, time.Now().Add(-time.Minute))
	b.wantFail("server-accepts-old-token")
	write(newKey(), time.Now().Add(time.Hour))
	b.wantFail("server-accepts-old-token")
}

// Why a certificate is not trusted is told apart, and so is what to do.
func TestWhyACertificateIsNotTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		says string
		fix  string
	}{
		"another name": {x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}, "another name", "--url https://NAME"},
		"unknown":      {x509.UnknownAuthorityError{}, "does not know", "--ca-file"},
		"expired":      {x509.CertificateInvalidError{Reason: x509.Expired}, "has expired", "clock"},
		"else":         {x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}, "is not trusted", "--ca-file"},
	} {
		base, err := parseBase("https://api.example.com")
		if err != nil {
			t.Fatal(err)
		}
		c.err = &tls.CertificateVerificationError{Err: c.err}
		got := newClient(base, nil, time.Second).explain(context.Background(), c.err)
		if !strings.Contains(got.Error(), c.says) || !strings.Contains(got.Error(), "Nothing was sent") {
			t.Errorf("%s: %v", name, got)
		}
		var cause *trouble
		if !errors.As(got, &cause) || !strings.Contains(cause.finding().Fix.Rendered(), c.fix) {
			t.Errorf("%s: the fix is not %q: %v", name, c.fix, got)
		}
	}
}

// A throwaway account that cannot be made is no wrong password.
func TestAnAccountThatCannotBeMade(t *testing.T) {
	s := &session{run: &steps.Run{}}
	f := s.noAccount(steps.Fail(finding.New("django-not-runnable", "The database cannot be used: no such table: auth_user").WithFix(finding.Do("Run: `python manage.py migrate`"))))
	if !strings.Contains(f.Fix.Rendered(), "manage.py migrate") || strings.Contains(f.Message.Rendered(), "django-not-runnable") || strings.Contains(f.Why.Rendered(), "password") {
		t.Errorf("%+v", f)
	}
	for _, err := range []error{context.DeadlineExceeded, steps.Fail(finding.New("django-not-runnable", "Django cannot do that."))} {
		if f = s.noAccount(err); !strings.Contains(f.Fix.Rendered(), "account of yours") {
			t.Errorf("%+v", f)
		}
	}
}

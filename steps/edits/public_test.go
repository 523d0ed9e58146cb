package edits

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
)

// shownOf are the lines of the diff of a change of every line of a .env.
func shownOf(t *testing.T, env, sample string) string {
	t.Helper()
	run, _ := ground(t, []byte(env), []byte(sample))
	var out strings.Builder
	for _, l := range Diff(run, []byte(env), nil) {
		fmt.Fprintln(&out, l.Text, l.Note)
	}
	return out.String()
}

// What the example says as well, under a name that is no secret's, is shown: of a comment
// that moves away from it a person sees what stays.
func TestDiffsShowWhatTheExampleShows(t *testing.T) {
	t.Parallel()
	sample := "DEBUG=True\nDJANGO_ENV=development  # or staging\nJWT_ACCESS_TOKEN_LIFETIME=60  # minutes\nLOCK_AFTER=10  # logins\nJWT_ROTATE=True\n"
	if got := shownOf(t, sample, sample); got != strings.ReplaceAll(sample, "\n", " \n") {
		t.Errorf("shown:\n%s", got)
	}
	got := shownOf(t, "JWT_ACCESS_TOKEN_LIFETIME=90  # minutes\nLOCK_AFTER=10  # as it was with jane\n# logins\n", sample)
	for _, hidden := range []string{"90", "jane"} {
		if strings.Contains(got, hidden) {
			t.Errorf("what the example does not say is shown: %s", got)
		}
	}
	for _, shown := range []string{"LOCK_AFTER=10  # •", "# logins"} {
		if !strings.Contains(got, shown) {
			t.Errorf("%q is hidden: %s", shown, got)
		}
	}
}

// No secret is shown, whatever it looks like and although the example has the same value:
// the name says it. Nor is one that the example does not have, under whatever name.
func TestDiffsNeverShowASecret(t *testing.T) {
	t.Parallel()
	number := func(n int) string {
		return fmt.Sprint(1+mathrand.IntN(9)) + strings.Repeat(fmt.Sprint(mathrand.IntN(9)), n-1)
	} // #nosec G404 -- no secret
	values := []string{number(4), number(5), number(6), "true", "correct", "correct-horse", rand.Text(), stepstest.Key(), strings.ToLower(rand.Text()[:8])}
	names := []string{"SECRET_KEY", "JWT_SECRET_KEY", "DJANGO_SECRET_KEY", "ADMIN_PIN", "PIN", "SMS_CODE", "DB_PASSWORD", "POSTGRES_PASSWORD", "PGPASS", "DB_PWD", "MYSQL_PW",
		"API_KEY", "STRIPE_KEY", "ACCESS_TOKEN", "JWT_ACCESS_TOKEN", "TOTP_SEED", "HASHIDS_SALT", "SENTRY_DSN", "DATABASE_URL", "BROKER_URL", "AWS_SECRET_ACCESS_KEY",
		"OTP", "passwd", "secretKey", "TOKEN_SECRET", "KEY_SIZE_SECRET", "SESSION_COOKIE", "BASIC_AUTH", "DB_CREDENTIALS", "REDIS"}
	for _, value := range values {
		for _, v := range []string{value, "'" + value + "'", `"` + value + `"`, value + "  # for jane", "postgres://shop:" + value + "@db/shop"} {
			file := strings.Join(names, "="+v+"\n") + "=" + v + "\n"
			lines := strings.Split(strings.TrimSpace(shownOf(t, file, file)), "\n")
			if len(lines) != len(names) {
				t.Fatalf("%d lines of %d", len(lines), len(names))
			}
			for i, name := range names {
				if strings.Contains(strings.TrimPrefix(lines[i], name), value) {
					t.Errorf("%s is shown, with %d characters", name, len(value))
				}
			}
		}
	}
	for _, name := range []string{"DEBUG", "LOCK_AFTER", "JWT_ACCESS_TOKEN_LIFETIME", "MAIL_FROM"} {
		for _, value := range values {
			if got := shownOf(t, name+"="+value+"\n", name+"=other\n"); strings.Contains(strings.TrimPrefix(got, name), value) {
				t.Errorf("%s is shown with a value that the example does not have", name)
			}
		}
	}
	// A key stays hidden under a name that says nothing, and a long number under one that measures.
	for name, value := range map[string]string{"EXTRA": stepstest.Key(), "TOKEN_AGE": number(9), "KEY_TIMEOUT": rand.Text()} {
		line := name + "=" + value + "\n"
		if got := shownOf(t, line, line); strings.Contains(got, value) {
			t.Errorf("%s is shown", name)
		}
	}
}

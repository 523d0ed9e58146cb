package steps

import "testing"

// A text has the guide's names; a person sees those in force, each once, also where
// one of them is the guide's name of the other.
func TestNamesInForceAreFilledIn(t *testing.T) {
	t.Parallel()
	const text = "JWT_SECRET_KEY equals SECRET_KEY. Not AWS_SECRET_KEY, JWT_SECRET_KEYS or SHOP_JWT_SECRET_KEY. unset JWT_SECRET_KEY </run/secrets/SECRET_KEY"
	for _, c := range []struct {
		names Names
		want  string
	}{
		{Names{}, text},
		{GuideNames, text},
		{Names{Key: "SIGNING"}, "SIGNING equals SECRET_KEY. Not AWS_SECRET_KEY, JWT_SECRET_KEYS or SHOP_JWT_SECRET_KEY. unset SIGNING </run/secrets/SECRET_KEY"},
		{Names{Key: "SECRET_KEY", SecretKey: "DJANGO_SECRET_KEY"}, "SECRET_KEY equals DJANGO_SECRET_KEY. Not AWS_SECRET_KEY, JWT_SECRET_KEYS or SHOP_JWT_SECRET_KEY. unset SECRET_KEY </run/secrets/SECRET_KEY"},
	} {
		if got := c.names.Fill(text); got != c.want {
			t.Errorf("%+v: %s", c.names, got)
		}
	}
}

// The configuration's names go before those that the settings tell.
func TestTheConfigurationNamesTheKeys(t *testing.T) {
	t.Parallel()
	run := &Run{Options: Options{Names: Names{Key: "A"}}, Found: Found{Project: &Project{Names: Names{Key: "B", SecretKey: "C"}}}}
	if got := run.Names(); got != (Names{Key: "A", SecretKey: "C"}) {
		t.Errorf("%+v", got)
	}
	run.Project = nil
	if got := run.Names(); got != (Names{Key: "A", SecretKey: "SECRET_KEY"}) {
		t.Errorf("before the project is known: %+v", got)
	}
}

// The variables of a grace period are named as the key is.
func TestTheNamesOfAGracePeriod(t *testing.T) {
	t.Parallel()
	for key, want := range map[string][2]string{
		"":                    {GraceKeyName, GraceUntilName},
		"JWT_SECRET_KEY":      {GraceKeyName, GraceUntilName},
		"SHOP_JWT_SECRET_KEY": {"SHOP_JWT_PREVIOUS_SECRET_KEY", "SHOP_JWT_PREVIOUS_SECRET_KEY_UNTIL"},
		"jwt_secret_key":      {"jwt_previous_secret_key", "jwt_previous_secret_key_until"},
		"JWT_SIGNING_KEY":     {"JWT_PREVIOUS_SIGNING_KEY", "JWT_PREVIOUS_SIGNING_KEY_UNTIL"},
		"DJANGO_JWT_KEY":      {"DJANGO_JWT_PREVIOUS_KEY", "DJANGO_JWT_PREVIOUS_KEY_UNTIL"},
		"TOKEN_SECRET":        {"TOKEN_SECRET_PREVIOUS", "TOKEN_SECRET_PREVIOUS_UNTIL"},
		"token_secret":        {"token_secret_previous", "token_secret_previous_until"},
		"jwt-secret-key":      {"jwt-previous-secret-key", "jwt-previous-secret-key-until"},
		"jwtSecretKey":        {"jwtPreviousSecretKey", "jwtPreviousSecretKeyUntil"},
		"signingKey":          {"signingPreviousKey", "signingPreviousKeyUntil"},
	} {
		if k, until := (Names{Key: key}).Grace(); k != want[0] || until != want[1] {
			t.Errorf("%s: %s, %s", key, k, until)
		}
	}
}

package demo

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"path/filepath"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

var routes = steps.Routes{
	Login:     "/api/v1/auth/login/",
	Refresh:   "/api/v1/auth/token/refresh/",
	Verify:    "/api/v1/auth/token/verify/",
	Protected: "/api/v1/auth/user/",
	CSRF:      "/api/v1/auth/csrf/",
}

// django answers for the sandbox what the probe asks of a real Django.
type django struct {
	sandbox *Sandbox
	prints  secret.Fingerprinter
	secret  func(string) secret.Secret
	facts   *steps.Facts
	user    *user // the throwaway account, while there is one
}

// OpenDjango has the form of the step preflight's function of that name. It
// fails with a *steps.Failure when the settings do not load for another reason
// than the key.
func (s *Sandbox) OpenDjango(_ context.Context, run *steps.Run, _ *steps.Project) (steps.Django, error) {
	d := &django{sandbox: s, prints: run.Prints, secret: run.Secret}
	d.facts = d.look()
	if d.facts.State == "error" {
		return nil, steps.Fail(finding.New(finding.DjangoNotRunnable, "The settings do not load: "+d.facts.StateError))
	}
	// The rest of the facts does not depend on the key, as if a throwaway one
	// had stood in its place.
	d.facts.Candidate = d.facts.State != "ok"
	return d, nil
}

func (d *django) look() *steps.Facts {
	root := d.sandbox.Root
	s, refused := evaluate(root)
	f := &steps.Facts{
		Django:         "a stand-in of the demo",
		SettingsModule: "plants.settings",
		SettingsFile:   filepath.Join(root, "plants", "settings.py"),
		Debug:          s.debug,
		Reader:         "decouple",
		ReaderFiles:    []string{filepath.Join(root, ".env")},
		Key:            d.describe(s.key, s.keySet),
		SecretKey:      d.describe(s.secretKey, s.secretKey != ""),
		State:          "ok",
		Enforced:       true,
		Tokens: steps.TokenFacts{
			Algorithm: "HS256", UserIDClaim: "user_id", TypeClaim: "token_type", IDClaim: "jti",
			HeaderTypes: []string{"Bearer"}, HeaderName: "HTTP_AUTHORIZATION",
			AccessSeconds: int64(accessLife.Seconds()), RefreshSeconds: int64(refreshLife.Seconds()),
		},
		Routes:     routes,
		UserModel:  "auth.User",
		LoginField: "username",
		Apps:       []string{"django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "rest_framework_simplejwt"},
	}
	if refused != nil {
		f.State, f.StateError = refused.state, refused.text
		return f
	}
	f.SigningEqualsKey = true // and the rules see to it that it is not SECRET_KEY
	return f
}

func (d *django) describe(value string, set bool) steps.KeyFacts {
	if !set {
		return steps.KeyFacts{}
	}
	return steps.KeyFacts{Set: true, Length: len([]rune(value)), Source: "file", Sum: d.prints.Sum([]byte(value))}
}

func (d *django) Facts() *steps.Facts { return d.facts }

func (d *django) Recheck(context.Context) (*steps.Facts, error) { return d.look(), nil }

func (d *django) Sign(_ context.Context, which, algorithm string, input []byte) ([]byte, error) {
	s, _ := evaluate(d.sandbox.Root)
	key := map[string]string{"SECRET_KEY": s.secretKey, "SIGNING_KEY": s.key}[which]
	if key == "" {
		return nil, fmt.Errorf("the settings have no %s to sign with", which)
	}
	hashes := map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}
	if hashes[algorithm] == nil {
		return nil, fmt.Errorf("unknown algorithm %q", algorithm)
	}
	m := hmac.New(hashes[algorithm], []byte(key))
	m.Write(input)
	return m.Sum(nil), nil
}

func (d *django) CreateUser(ctx context.Context) (steps.Account, error) {
	if d.user != nil {
		return steps.Account{}, errors.New("there is a throwaway account already")
	}
	u := user{Name: "keysplit-" + newKey()[:10], Password: newKey()[:24]}
	if _, err := d.sandbox.call(ctx, request{Do: "add", User: &u}); err != nil {
		return steps.Account{}, fmt.Errorf("make a throwaway account: %w", err)
	}
	d.user = &u
	return steps.Account{Field: "username", Username: u.Name, Password: d.secret(u.Password)}, nil
}

func (d *django) DeleteUser(ctx context.Context) error {
	if d.user == nil {
		return nil
	}
	if _, err := d.sandbox.call(ctx, request{Do: "remove", User: d.user}); err != nil {
		return fmt.Errorf("remove the throwaway account: %w", err)
	}
	d.user = nil
	return nil
}

func (d *django) Close() error { return d.DeleteUser(context.Background()) }

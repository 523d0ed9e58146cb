package smoketest

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
)

// nobody is a user id that cannot exist: the largest 32-bit number, or for ids
// that are no numbers a UUID made of the same digit.
const (
	nobody     = "2147483647"
	nobodyText = "ffffffff-ffff-4fff-bfff-ffffffffffff"
)

// tokenLife is how long a token of the proof is valid. The time at which it was
// issued lies a little in the past, since some servers refuse one from the
// future and clocks are read in whole seconds.
const (
	tokenLife = 60 * time.Second
	issuedAgo = 5 * time.Second
)

// maxToken is the longest text that is looked at as a token, in bytes.
const maxToken = 16 << 10

// signer signs with one of the keys in question.
type signer struct {
	sign func(ctx context.Context, alg string, input []byte) ([]byte, error)
}

func keySigner(key secret.Secret) *signer {
	return &signer{func(_ context.Context, alg string, input []byte) ([]byte, error) {
		return hmacSign(alg, input, []byte(key.Reveal()))
	}}
}

func hmacSign(alg string, input, key []byte) ([]byte, error) {
	method, ok := jwt.GetSigningMethod(alg).(*jwt.SigningMethodHMAC)
	if !ok {
		return nil, fmt.Errorf("sign a token: %s uses no shared key", secret.Inert(alg))
	}
	return method.Sign(string(input), key)
}

// randomSigner signs with a key of its own that nobody knows.
func randomSigner() *signer {
	return &signer{func(_ context.Context, alg string, input []byte) ([]byte, error) {
		return hmacSign(alg, input, randomBytes(64))
	}}
}

// djangoSigner signs inside the project's own Django, with SECRET_KEY or SIGNING_KEY.
func djangoSigner(run *steps.Run, which string) *signer {
	return &signer{func(ctx context.Context, alg string, input []byte) ([]byte, error) {
		return run.Django.Sign(ctx, which, alg, input)
	}}
}

// secretKeySigner signs with SECRET_KEY: inside the project's own Django where
// that reads the same keys as the server, else with the value from where the
// keys are. It is nil when neither knows it.
func secretKeySigner(run *steps.Run) *signer {
	if run.Django != nil {
		return djangoSigner(run, "SECRET_KEY")
	}
	keys, err := run.Home().Keys()
	if err != nil || !keys.SecretKey.Secret.Set() || keys.SecretKey.Empty() {
		return nil
	}
	return keySigner(keys.SecretKey.Secret)
}

// sameKey reports whether two signers hold the same key, without seeing it.
func sameKey(ctx context.Context, a, b *signer) bool {
	probe := randomBytes(32)
	one, errOne := a.sign(ctx, "HS256", probe)
	two, errTwo := b.sign(ctx, "HS256", probe)
	return errOne == nil && errTwo == nil && hmac.Equal(one, two)
}

// claimsFor makes the claims of a token for nobody, as the project's settings
// want them. now is the server's time.
func claimsFor(t steps.TokenFacts, now time.Time) jwt.MapClaims {
	c := jwt.MapClaims{"exp": now.Add(tokenLife).Unix(), "iat": now.Add(-issuedAgo).Unix()}
	if t.TypeClaim != "" {
		c[t.TypeClaim] = cmp.Or(t.Type, "access")
	}
	if t.IDClaim != "" {
		c[t.IDClaim] = hex.EncodeToString(randomBytes(16))
	}
	// Always text: newer libraries want "sub" to be text, and databases take a
	// number in a text as well.
	c[t.UserIDClaim] = nobody
	if t.UserIDText {
		c[t.UserIDClaim] = nobodyText
	}
	if t.Issuer != "" {
		c["iss"] = t.Issuer
	}
	switch len(t.Audience) {
	case 0:
	case 1:
		c["aud"] = t.Audience[0]
	default:
		c["aud"] = t.Audience
	}
	return c
}

// mint signs claims.
func mint(ctx context.Context, s *signer, alg string, claims jwt.MapClaims) (string, error) {
	method := jwt.GetSigningMethod(alg)
	if method == nil {
		return "", fmt.Errorf("sign a token: the algorithm is not known")
	}
	input, err := jwt.NewWithClaims(method, claims).SigningString()
	if err != nil {
		return "", fmt.Errorf("write a token: %w", err)
	}
	signature, err := s.sign(ctx, alg, []byte(input))
	if err != nil {
		return "", err
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// seenToken is a token that the server gave out.
type seenToken struct {
	text   secret.Secret
	cookie string // the cookie it came in, "" for the body
	key    string // the name it had in the body
	alg    string
	typ    any // of the header, nil when there is none
	claims jwt.MapClaims

	signature string // as it stands in the token
	unsigned  bool   // there is none
}

// readToken takes a text apart, without believing it: the signature is looked at
// by signedBy. ok is false when the text is no JWT.
func readToken(run *steps.Run, text string) (seenToken, bool) {
	parts := strings.Split(text, ".")
	// Line ends are for a decoder of base64 nothing; in a token they are wrong.
	if len(text) > maxToken || len(parts) != 3 || strings.ContainsAny(text, "\r\n") {
		return seenToken{}, false
	}
	var header map[string]any // no struct, which would take "ALG" for "alg"
	var claims jwt.MapClaims
	if !decodePart(parts[0], &header) || !decodePart(parts[1], &claims) || claims == nil {
		return seenToken{}, false
	}
	alg, _ := header["alg"].(string)
	return seenToken{text: run.Secret(text), alg: alg, typ: header["typ"], claims: claims, signature: parts[2], unsigned: parts[2] == ""}, alg != ""
}

func decodePart(part string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return false
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber() // claims are signed again later and must not lose digits
	if d.Decode(into) != nil {
		return false
	}
	_, err = d.Token()
	return errors.Is(err, io.EOF)
}

// odd says in a few words what the token calls itself, where that is no access
// token: "" where it is one. The type in the header is that of RFC 7519, 5.1, or
// of RFC 9068, 2.1; the claim is simplejwt's, whose sliding tokens open doors too.
func (t seenToken) odd(typeClaim string) string {
	if t.typ != nil {
		switch text, _ := t.typ.(string); strings.TrimPrefix(strings.ToLower(text), "application/") {
		case "jwt", "at+jwt":
		default:
			return "its header says that it is something else"
		}
	}
	if kind, there := t.claims[typeClaim]; there && typeClaim != "" && kind != "access" && kind != "sliding" {
		return "it says that it is no access token"
	}
	return ""
}

// symmetric reports whether the token's algorithm uses a shared key at all.
func (t seenToken) symmetric() bool {
	_, ok := jwt.GetSigningMethod(t.alg).(*jwt.SigningMethodHMAC)
	return ok
}

// signedBy reports whether the signer's key made the token's signature.
func (t seenToken) signedBy(ctx context.Context, s *signer) bool {
	if s == nil {
		return false
	}
	text := t.text.Reveal()
	end := strings.LastIndexByte(text, '.')
	want, err := s.sign(ctx, t.alg, []byte(text[:end]))
	return err == nil && hmac.Equal([]byte(text[end+1:]), []byte(base64.RawURLEncoding.EncodeToString(want)))
}

// named reports whether the token's own type, or else its name, has the word in
// it: "access" or "refresh".
func (t seenToken) named(typeClaim, word string) bool {
	if kind, ok := t.claims[typeClaim].(string); ok && kind != "" {
		return kind == word
	}
	return strings.Contains(strings.ToLower(t.cookie+t.key), word)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

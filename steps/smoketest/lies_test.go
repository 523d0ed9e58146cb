package smoketest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// crafted is a token that is really signed with the key, by HS256, over whatever
// header and claims are given, so that nothing but the lie is wrong with it.
func crafted(key, header, claims string) string {
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const plainHeader = `{"alg":"HS256","typ":"JWT"}`

// claims of the account, with some in place of the usual ones.
func accountClaims(t *testing.T, kind string, other map[string]any) string {
	t.Helper()
	c := map[string]any{"token_type": kind, "user_id": "7", "jti": "j", "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(c, other)
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A token that lies about itself is refused, or it is reported: it is never said
// without a word that the new key signs it, also when the new key does.
func TestTokensThatLie(t *testing.T) {
	t.Attr("part", "lies and failures of a server")
	signed := func(header string, other map[string]any) func(*bench, string) string {
		return func(b *bench, kind string) string { return crafted(b.key, header, accountClaims(t, kind, other)) }
	}
	changed := func(change func(token string) string) func(*bench, string) string {
		return func(b *bench, kind string) string {
			return change(crafted(b.key, plainHeader, accountClaims(t, kind, nil)))
		}
	}
	for name, c := range map[string]struct {
		token func(b *bench, kind string) string
		code  finding.Code // of the failure, "" when the line is a warning
		says  string       // the line's detail
	}{
		// The header.
		"alg none, no signature":        {changed(func(s string) string { return recoded(s, `{"alg":"none"}`, "") }), "token-algorithm", ""},
		"alg none, the signature stays": {signed(`{"alg":"none"}`, nil), "token-algorithm", ""},
		"alg NONE":                      {signed(`{"alg":"NONE"}`, nil), "token-algorithm", ""},
		"alg hs256":                     {signed(`{"alg":"hs256"}`, nil), "token-algorithm", ""},
		"alg is empty":                  {signed(`{"alg":""}`, nil), "login-no-token", ""},
		"alg is a list":                 {signed(`{"alg":["HS256"]}`, nil), "login-no-token", ""},
		"no alg but an ALG":             {signed(`{"ALG":"HS256"}`, nil), "login-no-token", ""},
		"alg none and an ALG":           {signed(`{"alg":"none","ALG":"HS256"}`, nil), "token-algorithm", ""},
		"alg HS384, signed as HS256":    {signed(`{"alg":"HS384"}`, nil), "server-stale-key", ""},
		"more than a header":            {signed(plainHeader+"{}", nil), "login-no-token", ""},
		"the header is a list":          {signed("["+plainHeader+"]", nil), "login-no-token", ""},
		"typ JWE":                       {signed(`{"alg":"HS256","typ":"JWE"}`, nil), "", "header"},
		"typ of another kind of token":  {signed(`{"alg":"HS256","typ":"logout+jwt"}`, nil), "", "header"},
		"typ is no text":                {signed(`{"alg":"HS256","typ":1}`, nil), "", "header"},
		// The claims.
		"another token_type":             {signed(plainHeader, map[string]any{"token_type": "reset"}), "", "no access token"},
		"a token_type with escape codes": {signed(plainHeader, map[string]any{"token_type": "\x1b[31maccess"}), "", "no access token"},
		"token_type is no text":          {signed(plainHeader, map[string]any{"token_type": []string{"access"}}), "", "no access token"},
		"token_type is empty":            {signed(plainHeader, map[string]any{"token_type": ""}), "", "no access token"},
		"token_type null":                {signed(plainHeader, map[string]any{"token_type": nil}), "", "no access token"},
		"nothing but refresh tokens":     {signed(plainHeader, map[string]any{"token_type": "refresh"}), "login-no-token", ""},
		// The shape.
		"an empty signature":              {changed(func(s string) string { return s[:strings.LastIndexByte(s, '.')+1] }), "token-algorithm", ""},
		"no signature":                    {changed(func(s string) string { return s[:strings.LastIndexByte(s, '.')] }), "login-no-token", ""},
		"a signature of another length":   {changed(func(s string) string { return s + "AAAA" }), "server-stale-key", ""},
		"a signature with a line end":     {changed(func(s string) string { return s + "\r\n" }), "login-no-token", ""},
		"a padded signature":              {changed(func(s string) string { return s + "=" }), "server-stale-key", ""},
		"three dots":                      {changed(func(s string) string { return s + ".e30" }), "login-no-token", ""},
		"three dots, the last part empty": {changed(func(s string) string { return s + "." }), "login-no-token", ""},
		"four dots, as a JWE has":         {changed(func(s string) string { return s + ".e30.e30" }), "login-no-token", ""},
		"four dots, two parts empty":      {changed(func(s string) string { return strings.Replace(s, ".", "..", 1) + "." }), "login-no-token", ""},
		"five dots":                       {changed(func(s string) string { return "e30." + s + ".e30.e30" }), "login-no-token", ""},
		"a token behind a token":          {changed(func(s string) string { return s + "." + s }), "login-no-token", ""},
		"a JWE":                           {signed(`{"alg":"dir","enc":"A256GCM"}`, nil), "token-algorithm", ""},
		"spaces before it":                {changed(func(s string) string { return " " + s }), "login-no-token", ""},
		"the same, as simplejwt gives it": {signed(plainHeader, nil), "", ""}, // the controls
		"a sliding token":                 {signed(plainHeader, map[string]any{"token_type": "sliding"}), "", ""},
		"typ at+jwt":                      {signed(`{"alg":"HS256","typ":"at+jwt"}`, nil), "", ""},
		"no typ":                          {signed(`{"alg":"HS256"}`, nil), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).account()
			// A lie that the server takes too is what would pass unseen.
			b.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
				return b.logins > 0 && r.URL.Path == "/api/v1/auth/user/" && !strings.Contains(payload(bearerOf(r)), nobody)
			}
			b.forge = func(kind string) any {
				if kind == "refresh" {
					return nil
				}
				return c.token(b, kind)
			}
			if c.code != "" {
				b.wantFail(c.code)
				if mark, _ := b.line(steps.LineToken); mark == steps.MarkOK || mark == steps.MarkWarn {
					t.Errorf("the line of the token is %q", mark)
				}
				return
			}
			if _, err := b.apply(); err != nil {
				t.Fatal(err)
			}
			if c.says == "" {
				b.wantLine(steps.LineToken, steps.MarkOK, "HS256")
				return
			}
			b.wantLine(steps.LineToken, steps.MarkWarn, c.says)
		})
	}
}

// recoded is a token with another header and signature.
func recoded(token, header, signature string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + strings.Split(token, ".")[1] + "." + signature
}

func bearerOf(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// An HMAC of another length than the settings say is a warning: the key signs. The one
// that they say is none.
func TestAnotherSharedKeyAlgorithm(t *testing.T) {
	t.Attr("part", "lies and failures of a server")
	hmacs := []*jwt.SigningMethodHMAC{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512}
	for _, method := range hmacs {
		for _, settings := range hmacs {
			t.Run(method.Name+", settings "+settings.Name, func(t *testing.T) {
				b := newBench(t).account()
				b.method, b.run.Project.Facts.Tokens.Algorithm = method, settings.Name
				findings, err := b.apply()
				if err != nil {
					t.Fatal(err)
				}
				if method == settings {
					b.wantLine(steps.LineToken, steps.MarkOK, method.Name)
					if len(findings) != 0 {
						t.Errorf("findings %+v", findings)
					}
					return
				}
				if !slices.ContainsFunc(findings, func(f finding.Finding) bool {
					return f.Code == "token-algorithm" && f.Severity == finding.Warning && strings.Contains(f.Message.Rendered(), method.Name)
				}) {
					t.Errorf("findings %+v", findings)
				}
				b.wantLine(steps.LineToken, steps.MarkWarn, method.Name)
				b.wantLine(steps.LineToken, steps.MarkWarn, "the settings say "+settings.Name)
			})
		}
	}
}

// A server that has no key, and knows how a proof goes, is found out: by the order in which it
// is asked, and by a login whose token is one that it was sent.
func TestAServerThatKnowsTheProof(t *testing.T) {
	t.Attr("part", "lies and failures of a server")
	b := newBench(t)
	asked := 0
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != b.run.Project.Facts.Routes.Verify {
			return false
		}
		if asked++; asked == 3 || asked > 5 && asked <= 5+steps.DefaultConnections-1 { // two of random keys, one of each, the others of the new one
			w.WriteHeader(http.StatusOK)
			return true
		}
		b.deny(w, "token_not_valid")
		return true
	}
	if findings, err := b.apply(); err == nil || !finding.Has(findings, finding.ServerStaleKey) {
		t.Errorf("by the order: %v, %+v", err, findings)
	}
	b = newBench(t).account()
	b.forge = func(string) any {
		for _, text := range b.secrets {
			if claims := (jwt.MapClaims{}); mustParse(text, b.key, claims) {
				return text
			}
		}
		return nil
	}
	b.wantFail("login-no-token", "")
}

// mustParse reports whether a key signed a token.
func mustParse(text, key string, claims jwt.MapClaims) bool {
	_, err := jwt.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return []byte(key), nil })
	return err == nil
}

// What the refresh gives out is held to the same.
func TestRefreshThatLies(t *testing.T) {
	t.Attr("part", "lies and failures of a server")
	for name, c := range map[string]struct {
		header string
		kind   string
		mark   steps.Mark
	}{
		"the control":        {plainHeader, "access", steps.MarkOK},
		"alg none":           {`{"alg":"none"}`, "access", steps.MarkFailed},
		"typ JWE":            {`{"alg":"HS256","typ":"JWE"}`, "access", steps.MarkWarn},
		"another token_type": {plainHeader, "reset", steps.MarkWarn},
		"a refresh token":    {plainHeader, "refresh", steps.MarkFailed},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).account()
			given := 0
			b.forge = func(string) any {
				if given++; given < 3 {
					return nil
				}
				return crafted(b.key, c.header, accountClaims(t, c.kind, nil))
			}
			if _, err := b.apply(); (err != nil) != (c.mark == steps.MarkFailed) {
				t.Error(err)
			}
			b.wantLine(steps.LineRefresh, c.mark, "")
		})
	}
}

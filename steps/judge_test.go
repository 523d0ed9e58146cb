package steps

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/secret"
)

func alphabetKey(chance *rand.ChaCha8, alphabet string, n int) string {
	b := make([]byte, n)
	_, _ = chance.Read(b)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

// dice returns a source of chance whose seed the log of the test names.
func dice(t *testing.T) *rand.ChaCha8 {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.NewChaCha8([32]byte(binary.LittleEndian.AppendUint64(make([]byte, 24), seed)))
}

// goodKeys are the usual ways to make a key.
func goodKeys(chance *rand.ChaCha8) map[string]func() string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	raw := func(n int) []byte { b := make([]byte, n); _, _ = chance.Read(b); return b }
	return map[string]func() string{
		"token_urlsafe(38)": func() string { return base64.RawURLEncoding.EncodeToString(raw(38)) },
		"token_urlsafe(64)": func() string { return base64.RawURLEncoding.EncodeToString(raw(64)) },
		"hex":               func() string { return hex.EncodeToString(raw(25)) },
		"base64":            func() string { return base64.StdEncoding.EncodeToString(raw(40)) },
		"Django's alphabet": func() string { return alphabetKey(chance, letters+"0123456789!@#$%^&*(-_=+)", 50) },
		"alphanumeric":      func() string { return alphabetKey(chance, letters+strings.ToUpper(letters)+"0123456789", 50) },
	}
}

func TestGoodKeysRaiseNoAlarm(t *testing.T) {
	t.Parallel()
	for name, make := range goodKeys(dice(t)) {
		for range 3_000 {
			if codes := JudgeKey(secret.NewFingerprinter([]byte{1}).Secret(make())); len(codes) > 0 {
				t.Errorf("%s: a random key was judged %v", name, codes)
				break
			}
		}
	}
}

// A short word is in one random key of some million by chance. Here it is in each, at a
// place of chance: hardly any of these may be judged, which leaves less than one in a
// hundred million of all keys.
func TestAShortWordInARandomKeyIsNoPlaceholder(t *testing.T) {
	t.Parallel()
	chance := dice(t)
	for name, make := range goodKeys(chance) {
		judged, n := 0, 0
		for _, word := range []string{"-your_", "_TODO-", "_fixme_", "-dummy_", "xxxxxx", "example", "Insert-", "abcdefgh", "98765432"} {
			for range 150 {
				key, at := make(), int(chance.Uint64()%40)
				key = key[:at] + word + key[at+len(word):]
				if n++; len(JudgeKey(secret.NewFingerprinter([]byte{1}).Secret(key))) > 0 {
					judged++
				}
			}
		}
		if judged > n/50 {
			t.Errorf("%s: %d of %d random keys with a short word in them were judged", name, judged, n)
		}
	}
}

func TestBadKeys(t *testing.T) {
	t.Parallel()
	f := secret.NewFingerprinter(nil)
	good := base64.RawURLEncoding.EncodeToString([]byte(alphabetKey(dice(t), "abcdefghijklmnopqrstuvwxyz0123456789", 64)))
	for _, c := range []struct {
		name, value string
		want        finding.Code
	}{
		{"empty", "", "jwt-key-empty"},
		{"blank", "   ", "jwt-key-empty"},
		{"short", good[:49], "jwt-key-too-short"},
		{"equal", good, "jwt-key-equals-secret-key"},
		{"the example file's placeholder", "REQUIRED__GENERATE_WITH__python_-c_import_secrets_token_urlsafe_64", "jwt-key-placeholder"},
		{"change me", "change-me-" + strings.Repeat("aB3", 20), "jwt-key-placeholder"},
		{"your", "your-jwt-secret-key-here-with-more-than-fifty-characters-0", "jwt-key-placeholder"},
		{"your, in sentences", "your_super_long_secret_key_goes_here_1234567890abcdef_0123", "jwt-key-placeholder"},
		{"todo", "TODO-put-a-key-of-fifty-characters-or-more-in-this-file", "jwt-key-placeholder"},
		{"x again and again", "jwt_xxxxxx_xxxxxx_xxxxxx_xxxxxx_xxxxxx_xxxxxx_xxxxxx_xxxxxx", "jwt-key-placeholder"},
		{"an example", "example_jwt_signing_key_0123456789_abcdefghij_0123456789", "jwt-key-placeholder"},
		{"insert", "insert-a-64-byte-random-value-before-going-live-1a2b3c4d5e6f", "jwt-key-placeholder"},
		{"a short one", "-your_" + good[:30], "jwt-key-placeholder"},
		{"brackets", "<your generated key, fifty characters or more, please>", "jwt-key-placeholder"},
		{"a variable", "${JWT_SECRET_KEY_FROM_SOMEWHERE_ELSE_WITH_A_LONG_NAME}", "jwt-key-placeholder"},
		{"a CI throwaway", "throwaway-" + good[:50], "jwt-key-placeholder"},
		{"the guide's sample", "Kj8Vx2Ym_5qN9wLpZ3rTc7Uf1hAs6Dg0iEoWbXvYnMzQlRkUjHtGfCsPaN4rBemI", "jwt-key-weak"},
		{"one letter", strings.Repeat("k", 60), "jwt-key-weak"},
		{"a block again and again", strings.Repeat(good[:20], 3), "jwt-key-weak"},
		{"a sequence", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "jwt-key-weak"},
		{"words", "my-super-secret-django-jwt-signing-key-do-not-share-this-123", "jwt-key-weak"},
	} {
		codes := JudgeKey(f.Secret(c.value), f.Secret(good))
		if !slices.Contains(codes, c.want) {
			t.Errorf("%s: %v, want %s among them", c.name, codes, c.want)
		}
	}
	if codes := JudgeKey(secret.Secret{}); !slices.Equal(codes, []finding.Code{"jwt-key-missing"}) {
		t.Errorf("an unset key is judged %v", codes)
	}
	if codes := JudgeKey(f.Secret(good), secret.Secret{}, f.Secret(good+"x")); len(codes) > 0 {
		t.Errorf("a good key is judged %v", codes)
	}
}

func TestEveryCodeOfTheRulesHasAPage(t *testing.T) {
	t.Parallel()
	for _, c := range finding.Codes() {
		p, _ := finding.LookUp(c)
		if p.Severity == "" || p.Message == "" || p.Why == "" || p.Fix.Empty() {
			t.Errorf("the page of %s is not complete", c)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a finding without a page was made")
		}
	}()
	finding.New("no-such-code", "")
}

// A value as long as a file is judged in no time, also a random one: with the square of
// its length it would take hours, and on a loaded machine it takes seconds.
func TestALongValueIsJudgedAtOnce(t *testing.T) {
	t.Parallel()
	key := secret.NewFingerprinter(nil).Secret(strings.Repeat(canary.New(), 10_000) + "x")
	start := time.Now()
	JudgeKey(key)
	if took := time.Since(start); took > time.Minute {
		t.Errorf("it took %v for %d characters", took, key.Len())
	}
}

// Every rule of JudgeKey has its sentence, which is the page's with the backend's own
// length, and follows the key and the length of the run.
func TestRulesInWords(t *testing.T) {
	t.Parallel()
	run := &Run{}
	longer := &Run{Options: Options{MinLength: 64}}
	for _, code := range []finding.Code{finding.JWTKeyMissing, finding.JWTKeyEmpty, finding.JWTKeyEqualsSecretKey, finding.JWTKeyPlaceholder, finding.JWTKeyWeak, finding.JWTKeyTooShort} {
		page, _ := finding.LookUp(code)
		what, ok := strings.CutPrefix(run.InWords(code), "JWT_SECRET_KEY ")
		if !ok || len(what) < 5 || run.InWords(code) != page.Message {
			t.Errorf("%s: %q, and %q in the catalogue", code, run.InWords(code), page.Message)
		}
	}
	if got := longer.InWords(finding.JWTKeyTooShort); got != "JWT_SECRET_KEY is shorter than 64 characters." {
		t.Error(got)
	}
}

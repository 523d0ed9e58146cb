package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"strings"
	"testing"

	"dj/keysplit/steps/internal/canary"
)

type holder struct {
	Public  Secret
	private Secret
	Pointer *Secret
	list    []Secret
	table   map[string]Secret
}

func TestNoPrintedFormShowsASecret(t *testing.T) {
	value := canary.New()
	s := NewFingerprinter(nil).Secret(value)
	h := holder{s, s, &s, []Secret{s}, map[string]Secret{"k": s}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%T", "%p", "%10.3s", "%U"} {
		for _, x := range []any{s, &s, h, &h, []Secret{s}, map[string]Secret{"k": s}, fmt.Errorf("wrapped %v", s)} {
			if out := fmt.Sprintf(verb, x); canary.Leaks(out, value) {
				t.Errorf("%s of %T shows the value", verb, x)
			}
		}
	}
	j, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log.New(&out, "", 0).Print(h, s)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "h", h, "s", s)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "h", h, "s", s)
	fmt.Fprintln(&out, h, s)
	if canary.Leaks(string(j)+out.String(), value) {
		t.Error("JSON or a log shows the value")
	}
	if s.Reveal() != value {
		t.Error("Reveal gives another value")
	}
	// The check itself must be able to fail.
	if !canary.Leaks(fmt.Sprintf("%+v", struct{ v string }{value}), value) {
		t.Fatal("leaks finds nothing")
	}
}

func TestSecretEquality(t *testing.T) {
	f := NewFingerprinter(nil)
	a, b := f.Secret("one"), f.Secret("one")
	if !a.Equal(b) || a.Equal(f.Secret("two")) || a.Equal(Secret{}) || (Secret{}).Equal(Secret{}) {
		t.Error("equality is wrong")
	}
	if a.Fingerprint() != b.Fingerprint() || len(a.Fingerprint()) != 6 {
		t.Error("fingerprints of one value differ")
	}
	if NewFingerprinter(nil).Secret("one").Fingerprint() == a.Fingerprint() {
		t.Error("fingerprints do not depend on the key")
	}
	if f.Secret("äö").Len() != 2 {
		t.Error("length is not in characters")
	}
}

func TestInert(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                        "plain",
		"a\x1b[31mred\x1b[0m":          "ared",
		"\x1b]52;c;aGVsbG8=\x07copied": "copied",
		"a\rb\bc\x07d\x00e\x7ff":       "abcdef",
		"c1\u009b31m":                  "c131m",
		"bidi\u202eevil":               "bidievil",
		"zero\u200bwidth":              "zerowidth",
		"bad\xffbyte":                  "bad\uFFFDbyte",
		"tab\tand\nline":               "tab and\nline",
		"\x1bPq#0\x1b\\sixel":          "sixel",
	} {
		if got := Inert(in); got != want {
			t.Errorf("Inert(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Inert(strings.Repeat("x", 5000)); len(got) != MaxLine+3 {
		t.Errorf("a long line keeps %d characters", len(got))
	}
}

func TestRedactor(t *testing.T) {
	value := canary.New()
	var r Redactor
	r.Add(NewFingerprinter(nil).Secret(value), Secret{}, NewFingerprinter(nil).Secret("ab"))
	for _, text := range []string{
		"key=" + value + " end",
		"broken \x1b[1m" + value[:20] + "\x1b[0m" + value[20:] + " up",
		"split " + value[:20] + "\u200b" + value[20:],
	} {
		if got := r.Clean(text); canary.Leaks(got, value) {
			t.Error("a known secret was not masked")
		}
	}
	for _, text := range []string{strings.ToLower(value), strings.ToUpper(value)} {
		if got := r.Clean("invalid: é" + text + "."); got != "invalid: é****." {
			t.Errorf("a secret in another case became %q", got)
		}
	}
	if got := r.Clean("abacus"); got != "abacus" {
		t.Errorf("a two-letter value was masked: %q", got)
	}
	// The keys are read again and again in a run: each is looked for once.
	known := len(r.secrets)
	r.Add(NewFingerprinter(nil).Secret(value))
	if len(r.secrets) != known {
		t.Errorf("one secret is kept %d times", len(r.secrets)-known+1)
	}
	// Of two secrets one may begin with the other.
	r.Add(NewFingerprinter(nil).Secret("first-part"), NewFingerprinter(nil).Secret("first-part-and-rest"))
	if got := r.Clean("x first-part-and-rest y"); got != "x **** y" {
		t.Errorf("the end of a longer secret is left: %q", got)
	}
	// A word with its beginning masked would tell a short secret.
	r.Add(NewFingerprinter(nil).Secret("sh0rt"))
	if got := r.Clean("sh0rter than 50: sh0rt, sh0rts"); got != "sh0rter than 50: ****, sh0rts" {
		t.Errorf("a short secret became %q", got)
	}
}

// A password that is an ordinary word is no hole in a sentence of keysplit's own, which
// would tell it; what others say hides it.
func TestASecretThatIsAWordOfTheSentence(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"wrong", "short", "password", "different"} {
		var r Redactor
		r.Add(NewFingerprinter(nil).Secret(word))
		sentence := "The name or the password is wrong, or too short, or different."
		if got := r.Clean(sentence); got != sentence {
			t.Errorf("a sentence of keysplit's became %q", got)
		}
		if got := r.Show(Said(sentence)); strings.Contains(got, word) {
			t.Errorf("what others say shows %q: %q", word, got)
		}
	}
	var r Redactor
	r.Add(NewFingerprinter(nil).Secret("wr0ng-5hort"))
	if got := r.Clean("is wr0ng-5hort, wrong"); got != "is ****, wrong" {
		t.Errorf("what is no word became %q", got)
	}
}

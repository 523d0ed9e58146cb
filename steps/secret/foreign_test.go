package secret

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/internal/canary"
)

// shown reports whether 8 characters in a row of a secret stand in a text, whatever
// their case.
func shown(text, of string) bool {
	text, of = strings.ToLower(text), strings.ToLower(of)
	for i := 0; i+8 <= len(of); i++ {
		if strings.Contains(text, of[i:i+8]) {
			return true
		}
	}
	return false
}

func TestForeignPrintsNowhere(t *testing.T) {
	value := canary.New()
	f := Said(value)
	asJSON, err := json.Marshal(struct{ F Foreign }{f})
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, f) + fmt.Sprintf(verb, struct{ f Foreign }{f}) + fmt.Sprintf(verb, []Foreign{f}); canary.Leaks(got, value) {
			t.Errorf("%s prints it", verb)
		}
	}
	if canary.Leaks(string(asJSON), value) {
		t.Error("JSON holds it")
	}
	var r Redactor
	var back Foreign
	if err := json.Unmarshal([]byte("1"), &back); err == nil {
		t.Error("a number was taken for a text")
	}
	if err := json.Unmarshal([]byte(`"a\u001b[1mb"`), &back); err != nil || r.Show(back) != "ab" || !(Foreign{}).Empty() || r.Show(Foreign{}) != "" {
		t.Errorf("%q, %v", r.Show(back), err)
	}
}

// quotes are ways in which programs quote a value, or a part of one.
var quotes = map[string]func(string) string{
	"whole":                 func(s string) string { return "'" + s + "'" },
	"without its beginning": func(s string) string { return s[1:] },
	"cut at the end":        func(s string) string { return s[:len(s)*2/3] + "..." },
	"shortened":             func(s string) string { return s[:10] + "..." + s[len(s)-11:] },
	"sliced":                func(s string) string { return s[5:14] },
	"lower case":            strings.ToLower,
	"quoted by Go":          func(s string) string { return fmt.Sprintf("%q", s) },
	"in a list":             func(s string) string { return "['a', '" + s + "']" },
	"JSON":                  func(s string) string { b, _ := json.Marshal([]string{s}); return string(b) },
	"percent-encoded":       url.QueryEscape,
	"base64":                func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 behind others":  func(s string) string { return base64.URLEncoding.EncodeToString([]byte("ab" + s)) },
	"hexadecimal":           func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"broken up":             func(s string) string { return s[:9] + "\x1b[0m" + s[9:] },
}

// keeps are ways in which a file or an environment keeps a secret.
var keeps = map[string]func(r *Redactor, s string){
	"a secret":         func(r *Redactor, s string) { r.Add(NewFingerprinter(nil).Secret(s)) },
	"a value":          func(r *Redactor, s string) { r.LearnFile([]byte("DEBUG=True\nTHING=" + s + "\n")) },
	"a quoted value":   func(r *Redactor, s string) { r.LearnFile([]byte("export THING=\"" + s + "\"\r\n")) },
	"a comment":        func(r *Redactor, s string) { r.LearnFile([]byte("# the old one: " + s + "\n")) },
	"behind a value":   func(r *Redactor, s string) { r.LearnFile([]byte("THING=x  # was " + s + "\n")) },
	"a bare line":      func(r *Redactor, s string) { r.LearnFile([]byte(s + "\n")) },
	"UTF-16":           func(r *Redactor, s string) { r.LearnFile(utf16("THING=" + s + "\r\n")) },
	"a member":         func(r *Redactor, s string) { r.LearnFile([]byte("API_KEYS=first," + s + ",last\n")) },
	"a member of JSON": func(r *Redactor, s string) { r.LearnFile([]byte(`CREDS={"a": ["` + s + `"]}` + "\n")) },
	"a password":       func(r *Redactor, s string) { r.LearnFile([]byte("DATABASE_URL=postgres://shop:" + s + "@db/shop\n")) },
	"a variable":       func(r *Redactor, s string) { r.LearnVariables([]string{"MAIL_PASSWORD=" + s}) },
	"an address":       func(r *Redactor, s string) { r.LearnVariables([]string{"BROKER=amqp://me:" + s + "@mq"}) },
	"a literal":        func(r *Redactor, s string) { r.LearnSource("SECRET_KEY = '" + s + "'\n") },
	"a default":        func(r *Redactor, s string) { r.LearnSource("K = config(\"API_KEY\", default=\"" + s + "\")\n") },
	"a dictionary":     func(r *Redactor, s string) { r.LearnSource("X = {'PASSWORD': '" + s + "'}\n") },
	"percent-encoded":  func(r *Redactor, s string) { r.LearnFile([]byte("THING=" + url.QueryEscape(s) + "\n")) },
	"base64": func(r *Redactor, s string) {
		r.LearnFile([]byte("THING=" + base64.StdEncoding.EncodeToString([]byte(s)) + "\n"))
	},
	"base64, unpadded": func(r *Redactor, s string) {
		r.LearnFile([]byte("THING=" + base64.RawURLEncoding.EncodeToString([]byte(s)) + "\n"))
	},
	"hexadecimal digits": func(r *Redactor, s string) { r.LearnFile([]byte("THING=" + hex.EncodeToString([]byte(s)) + "\n")) },
}

func utf16(s string) []byte {
	out := []byte{0xff, 0xfe}
	for _, c := range []byte(s) {
		out = append(out, c, 0)
	}
	return out
}

// TestNoPieceIsShown brings each way of keeping a secret together with each way of
// quoting it.
func TestNoPieceIsShown(t *testing.T) {
	for kept, keep := range keeps {
		for quoted, quote := range quotes {
			value := canary.New()
			var r Redactor
			keep(&r, value)
			r.Allow("config/settings.py", "DATABASE_URL")
			got := r.Show(Said("config/settings.py: DATABASE_URL is bad: " + quote(value) + " on port 5432"))
			for _, form := range []string{value, hex.EncodeToString([]byte(value)), base64.StdEncoding.EncodeToString([]byte(value)), base64.URLEncoding.EncodeToString([]byte("ab" + value))[4:]} {
				if shown(got, form) {
					t.Errorf("%s, %s: a part is shown", kept, quoted)
				}
			}
			if !strings.HasPrefix(got, "config/settings.py: DATABASE_URL is bad") || !strings.HasSuffix(got, "on port 5432") {
				t.Errorf("%s, %s: more than the secret is gone", kept, quoted)
			}
		}
	}
}

// A redactor that knows nothing shows it: the test above can fail.
func TestAnUnknownSecretIsShown(t *testing.T) {
	value := canary.New()
	var r Redactor
	r.LearnFile([]byte("THING=" + canary.New() + "\n"))
	for quoted, quote := range quotes {
		if got := r.Show(Said(quote(value))); got == "" || strings.Contains(got, "****") {
			t.Errorf("%s: %d characters are left of what nobody knows", quoted, len(got))
		}
	}
}

func TestShortSecretsAndNames(t *testing.T) {
	var r Redactor
	folder := t.TempDir()
	r.LearnVariables([]string{"SSH_AUTH_SOCK=" + folder})
	r.LearnFile([]byte("# Settings of the database for local development\nAPI_KEYS=ab7#9,Zq81x\nDATABASE_URL=postgres://shop:p%23ss/w@db.internal.example:5432/flowershop\n" +
		"DJANGO_SETTINGS_MODULE=flowershop.settings\nPASSPHRASE=correct secret horse\nPASSWORDS={\"a\": [\"k4;b, 9\"]}\nDEBUG=True\nUSE_CACHE=redis\n"))
	for text, want := range map[string]string{
		"member Zq81x of ab7#9":                            "member **** of ****",
		"the part Zq81xy is other":                         "the part Zq81xy is other",
		"the member k4;b, 9 of it":                         "the member **** of it",
		"bad port p%23ss/w":                                "bad port ****",
		"bad port p#ss/w":                                  "bad port ****",
		"db.internal.example (10.0.0.1), port 5432 failed": "db.internal.example (10.0.0.1), port 5432 failed",
		"No module named 'flowershop.settings'":            "No module named 'flowershop.settings'",
		"the database settings of development":             "the database settings of development",
		"DATABASE_URL and DJANGO_SETTINGS_MODULE":          "DATABASE_URL and DJANGO_SETTINGS_MODULE",
		"the secret horse is hidden":                       "the**** is hidden",
		"the secret is hidden":                             "the secret is hidden",
		folder:                                             folder,
		"DEBUG is True, redis":                             "DEBUG is True, redis",
	} {
		if got := r.Show(Said(text)); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// A source's names, messages and modules are no secret.
func TestLiteralsThatAreNoSecret(t *testing.T) {
	var r Redactor
	r.LearnSource("AUTHENTICATION_BACKENDS = ['shop.backends.EmailBackend']\nKEY = config('JWT_SECRET_KEY')\nTITLE = 'An ordinary title'\n")
	const text = "shop.backends.EmailBackend JWT_SECRET_KEY An ordinary title"
	if got := r.Show(Said(text)); got != text {
		t.Errorf("%q", got)
	}
	// A setting that has a secret in its name, and what is none.
	value := "password"
	r.LearnSource("DATABASES = {'default': {'PASSWORD': '" + value + "'}}\nPASSWORD_HASHERS: list = ['x.Y']\nif OLD_PASSWORDS == 1:\n")
	if got, want := r.Show(Said("PASSWORD_HASHERS = [ OLD_PASSWORDS x"+value+"x")), "PASSWORD_HASHERS = [ OLD_****S x****x"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What the project's code prints may hold a secret that nobody knows.
func TestPrintedKeepsWordsAndNames(t *testing.T) {
	value := canary.New()
	var r Redactor
	r.Allow("/srv/flowershop/config/settings.py", "MAIL_HOST")
	for text, want := range map[string]string{
		`  File "/srv/flowershop/config/settings.py", line 12, in <module>`: `  File "/srv/flowershop/config/settings.py", line 12, in <module>`,
		"ValueError: the key '" + value + "' is not valid":                  "ValueError: the key '****' is not valid",
		"MAIL_HOST=" + value + " port 25 at 10.0.0.1:5432":                  "MAIL_HOST=**** port 25 at 10.0.0.1:5432",
		"no such table: auth_user":                                          "no such table: auth_user",
		`relation "auth_user" does not exist`:                               `relation "auth_user" does not exist`,
		"no such table: auth_" + value:                                      "no such table: ****",
		"the password auth_user":                                            "the password ****",
		"code 4821-9912-4410":                                               "code ****",
		value + "\n" + value[:9] + " " + value[9:]:                          "****\n****",
	} {
		if got := r.Show(Printed(text)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if n := len(Printed("a\r\n\n b\n").Lines()); n != 2 {
		t.Errorf("%d lines", n)
	}
	if got := r.Show(Said(value)); got != value {
		t.Error("the control: what others say is not cut to words")
	}
}

// TestMuchIsFast: a log of a megabyte beside a large file of settings. The limit is
// many times what it takes, and a tenth of what a search for each piece would.
func TestMuchIsFast(t *testing.T) {
	var file strings.Builder
	for i := range 500 {
		fmt.Fprintf(&file, "VALUE_%d=%s\n", i, canary.New())
	}
	var r Redactor
	text := strings.Repeat("an ordinary line of a log, with 60 characters or some more.\n", 1<<20/60)
	begin := time.Now()
	r.LearnFile([]byte(file.String()))
	if got := r.Show(Said(text)); got != text {
		t.Error("an ordinary text was changed")
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

func FuzzPieces(f *testing.F) {
	f.Add(uint64(1), "x", "y")
	f.Add(uint64(99), "é", "\x1b[0m")
	f.Fuzz(func(t *testing.T, seed uint64, before, after string) {
		rng := rand.New(rand.NewPCG(seed, 0))
		alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_#:/@%$&+=!'\""
		value := make([]byte, 20+rng.IntN(80))
		for i := range value {
			value[i] = alphabet[rng.IntN(len(alphabet))]
		}
		secret := string(value)
		var r Redactor
		r.Add(NewFingerprinter(nil).Secret(secret))
		from := rng.IntN(len(secret) - 8)
		piece := secret[from : from+8+rng.IntN(len(secret)-from-7)]
		if got := r.Show(Said(before + piece + after)); strings.Contains(strings.ToLower(got), strings.ToLower(piece)) {
			t.Errorf("a piece of %d characters is shown", len(piece))
		}
	})
}

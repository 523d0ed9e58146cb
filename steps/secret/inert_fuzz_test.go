package secret

import (
	"strings"
	"testing"
	"unicode"
)

// Foreign text that was cleaned holds no secret, and nothing that a terminal
// obeys.
func FuzzClean(f *testing.F) {
	const secret = "S3cret-value-of-a-key"
	f.Add("a " + secret + " b")
	f.Add("S3cret-\x1b[31mvalue-of-\u202ea-key \x1b]52;c;x\a \x9b31m\xff")
	f.Add("s3CRET-VALUE-OF-A-KEY\r\n\b\b")
	f.Fuzz(func(t *testing.T, text string) {
		var r Redactor
		r.Add(NewFingerprinter([]byte("a key")).Secret(secret))
		out := r.Clean(text)
		if strings.Contains(strings.ToLower(out), strings.ToLower(secret)) {
			t.Error("the secret is still there")
		}
		for _, c := range out {
			if c != '\n' && c != '\t' && (unicode.Is(unicode.Cc, c) || unicode.Is(unicode.Cf, c)) {
				t.Errorf("%U is still there", c)
			}
		}
	})
}

package steps

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// MaxLine is the length, in characters, to which Inert cuts one line.
const MaxLine = 400

// Inert makes foreign text safe to print: escape sequences, control characters
// and invisible formatting characters (C0 and C1 codes, bidi and zero-width
// marks) are removed, invalid UTF-8 becomes U+FFFD, tabs become a space, and
// each line is cut to MaxLine characters. Line feeds stay.
//
// The order matters: ansi.Strip looks for valid UTF-8 and leaves CR, BS, BEL,
// NUL, DEL, C1, bidi and zero-width characters in place.
func Inert(text string) string {
	text = ansi.Strip(strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if r := []rune(line); len(r) > MaxLine {
			lines[i] = string(r[:MaxLine]) + "..."
		}
	}
	return strings.Join(lines, "\n")
}

// Redactor replaces known secrets in foreign text. Its zero value replaces
// nothing.
type Redactor struct {
	secrets []Secret
}

// Add makes the redactor know more secrets. Values shorter than four
// characters are left out: replacing "a" everywhere would hide the message and
// protect nothing.
func (r *Redactor) Add(secrets ...Secret) {
	for _, s := range secrets {
		if s.Set() && s.Len() >= 4 {
			r.secrets = append(r.secrets, s)
		}
	}
}

// Clean returns text with every known secret masked, and then made Inert. Case
// does not matter: a parser that lower-cases what it refuses quotes it so.
func (r *Redactor) Clean(text string) string {
	text = r.mask(text)
	// Once more after the controls are gone: a secret broken up by an escape
	// sequence is whole again only then.
	return r.mask(Inert(text))
}

func (r *Redactor) mask(text string) string {
	low := lowerASCII(text)
	for _, s := range r.secrets {
		secret := lowerASCII(s.Reveal())
		if !strings.Contains(low, secret) {
			continue
		}
		var out strings.Builder
		for {
			at := strings.Index(low, secret)
			if at < 0 {
				break
			}
			out.WriteString(text[:at] + "****")
			text, low = text[at+len(secret):], low[at+len(secret):]
		}
		text = out.String() + text
		low = lowerASCII(text)
	}
	return text
}

// lowerASCII keeps the length in bytes, which strings.ToLower does not.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

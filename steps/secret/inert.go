package secret

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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
	secrets []Secret // the longest first: one may be a part of another
	known   *index   // what Show knows; nil for nothing
}

// The lengths, in characters, from which a secret is masked at all, and within
// other words. Replacing "a" everywhere would hide the message and protect
// nothing; and "****er than 50" tells that the secret is "short".
const (
	shortest = 4
	anywhere = 8
)

// Add makes the redactor know more secrets.
func (r *Redactor) Add(secrets ...Secret) {
	for _, s := range secrets {
		if s.Set() && s.Len() >= shortest && !slices.ContainsFunc(r.secrets, s.Equal) {
			r.secrets = append(r.secrets, s)
			r.learn(s.Reveal(), value, true)
		}
	}
	slices.SortStableFunc(r.secrets, func(a, b Secret) int { return b.Len() - a.Len() })
}

// Clean returns text of keysplit's own with every known secret masked, and then made
// Inert. Case does not matter: a parser that lower-cases what it refuses quotes it so.
//
// A secret that is one of Words stays: in a sentence of keysplit's it stands for itself,
// and a mask there would tell it to everybody who knows the sentence. What others say
// comes into a sentence through Show, which hides such a secret too.
func (r *Redactor) Clean(text string) string {
	own := func(s string) bool { return words()[s] }
	text = r.mask(text, own)
	// Once more after the controls are gone: a secret broken up by an escape
	// sequence is whole again only then.
	return r.mask(Inert(text), own)
}

// inName reports whether a part of a text lies within a name that stays readable, as
// "secret" does in SECRET_KEY.
func (r *Redactor) inName(text string, start, end int) bool {
	if r.known == nil {
		return false
	}
	for _, t := range tokens(text) {
		if t.start <= start && end <= t.end {
			return t.end-t.start > end-start && r.known.has(lowerASCII(text[t.start:t.end]))
		}
	}
	return false
}

// mask masks each known secret in a text but those that, in lower case, stay.
func (r *Redactor) mask(text string, stays func(secret string) bool) string {
	low := lowerASCII(text)
	for _, s := range r.secrets {
		secret := lowerASCII(s.Reveal())
		if !strings.Contains(low, secret) || stays(secret) {
			continue
		}
		var out strings.Builder
		for {
			at := strings.Index(low, secret)
			if at < 0 {
				break
			}
			end := at + len(secret)
			if s.Len() < anywhere && (wordEndsAt(text[:at]) || wordBeginsAt(text[end:]) || r.inName(text, at, end)) {
				out.WriteString(text[:end])
			} else {
				out.WriteString(text[:at] + "****")
			}
			text, low = text[end:], low[end:]
		}
		text = out.String() + text
		low = lowerASCII(text)
	}
	return text
}

func wordEndsAt(before string) bool {
	r, _ := utf8.DecodeLastRuneInString(before)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

func wordBeginsAt(after string) bool {
	r, _ := utf8.DecodeRuneInString(after)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
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

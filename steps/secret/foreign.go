package secret

import (
	"encoding/json"
	"fmt"
	"strings"

	"dj/keysplit/steps/internal/lazyregexp"
)

// Foreign is text that keysplit did not write: what a child, a server, an error of
// theirs or the project's code says. Every printed form hides it; the way to a
// person is Redactor.Show, so a sentence of keysplit's own cannot take it in
// unnoticed. Its zero value is no text.
type Foreign struct {
	text    *string // behind a pointer, which package fmt does not follow in a field
	printed bool
}

// Said makes foreign text.
func Said[T ~string | ~[]byte](text T) Foreign {
	s := string(text)
	return Foreign{text: &s}
}

// Printed makes foreign text of what the project's code prints. It may hold secrets
// that nobody knows: only words and names of it are shown.
func Printed[T ~string | ~[]byte](text T) Foreign {
	f := Said(text)
	f.printed = true
	return f
}

// open finds what is a secret by what stands around it, whoever knows it: the password
// of an address, what follows Bearer and Basic or the name of a secret, and a token.
var open = lazyregexp.New(`(?i)(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)\S+(@)` +
	`|((?:bearer|authorization:? \w+) )[\w.~+/=-]{16,}` +
	`|(\b\w*(?:token|key|secret|passw(?:or)?d|signature|dsn)=)[^\s'"&]+` +
	`|\beyJ[\w-]{8,}(?:\.[\w-]+)*`)

// Lines are the lines of the text that hold anything.
func (f Foreign) Lines() []Foreign {
	if f.text == nil {
		return nil
	}
	var out []Foreign
	for line := range strings.Lines(*f.text) {
		if strings.TrimSpace(line) != "" {
			line = strings.TrimRight(line, "\r\n")
			out = append(out, Foreign{&line, f.printed})
		}
	}
	return out
}

// Empty reports whether there is no text.
func (f Foreign) Empty() bool { return f.text == nil || *f.text == "" }

const unshown = "(text of others)"

func (f Foreign) String() string { return unshown }

// GoString keeps %#v from printing the fields.
func (f Foreign) GoString() string { return unshown }

// Format keeps every verb of package fmt from reaching the text.
func (f Foreign) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(unshown)) }

// MarshalJSON hides the text.
func (f Foreign) MarshalJSON() ([]byte, error) { return json.Marshal(unshown) }

// UnmarshalJSON takes a string.
func (f *Foreign) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*f = Said(s)
	return nil
}

// HideKnown is Inert text without any 8 characters in a row of a known secret. What only
// looks like a secret stays: it is for lines that are masked by their names already.
func (r *Redactor) HideKnown(text string) string { return r.hide(r.mask(Inert(text), noWord)) }

// Show returns the text as it may be shown: without any 8 characters in a row of a
// known secret but those of a name, and Inert.
func (r *Redactor) Show(f Foreign) string {
	if f.Empty() {
		return ""
	}
	text := unnamed(Inert(*f.text))
	if f.printed {
		text = r.wordsOf(text)
	}
	return r.hide(r.mask(text, noWord))
}

// noWord lets no secret stay.
func noWord(string) bool { return false }

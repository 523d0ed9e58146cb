// Package secret holds keys, passwords and tokens, and keeps them out of whatever
// is shown.
//
//   - A secret lives in a Secret, whose printed forms are masked. Its value comes
//     out through Reveal only, and a test lists the callers of that.
//   - Text from anywhere else (a child, a server, a file, the project's code) is
//     Foreign, and comes into an event, a finding or an error through Redactor.Show.
//     keysplit's own text with values in it goes through Redactor.Clean, and what
//     can hold no secret through Inert.
package secret

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Secret holds one key, password or token. Its zero value is "no secret".
//
// Every printed form (String, GoString, Format, JSON, text) is a mask with a
// short fingerprint. The value sits inside a function because package fmt
// prints an unexported field of a struct without asking its String method, and
// follows pointers for some verbs; a function prints as an address.
type Secret struct {
	open func() (value string, by Fingerprinter)
}

// Set reports whether there is a secret here, even an empty one.
func (s Secret) Set() bool { return s.open != nil }

// Len is the length of the value in characters (Unicode code points), which is
// how Django's settings count it.
func (s Secret) Len() int { return utf8.RuneCountInString(s.Reveal()) }

// Reveal returns the value itself, "" when there is none. It is the only way
// out, and a test lists its callers.
func (s Secret) Reveal() string {
	if s.open == nil {
		return ""
	}
	value, _ := s.open()
	return value
}

// Equal compares two secrets in constant time. Two unset secrets are not equal
// to each other: nothing is not a key.
func (s Secret) Equal(o Secret) bool {
	if s.open == nil || o.open == nil {
		return false
	}
	return hmac.Equal([]byte(s.Reveal()), []byte(o.Reveal()))
}

// Fingerprint is six hexadecimal digits of a keyed hash: enough to tell two
// keys apart on a screen, useless for finding one.
func (s Secret) Fingerprint() string {
	if s.open == nil {
		return ""
	}
	value, by := s.open()
	if by.shown != nil {
		by = NewFingerprinter(by.shown())
	}
	return by.Sum([]byte(value))[:6]
}

func (s Secret) String() string {
	if s.open == nil {
		return "(not set)"
	}
	return "**** (" + s.Fingerprint() + ")"
}

// GoString keeps %#v from printing the fields.
func (s Secret) GoString() string { return s.String() }

// Format keeps every verb of package fmt from reaching the value.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalJSON gives the masked form as a string.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText gives the masked form.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Fingerprinter makes keyed hashes (HMAC-SHA-256). A plain hash of a short
// value is found by trying; a keyed one needs the key, which never leaves the
// journal's folder.
type Fingerprinter struct {
	key   []byte
	shown func() []byte // the key for what is shown, nil for the same one
}

// Shown asks for the key only when a fingerprint is about to be shown, at each one.
func (f Fingerprinter) Shown(key func() []byte) Fingerprinter {
	f.shown = key
	return f
}

// NewFingerprinter uses the given key, or a fresh random one when key is empty.
func NewFingerprinter(key []byte) Fingerprinter {
	if len(key) == 0 {
		key = make([]byte, 32)
		// crypto/rand.Read never fails: it ends the program instead.
		_, _ = rand.Read(key)
	}
	return Fingerprinter{key: key}
}

// Sum is the full fingerprint of data, 64 hexadecimal digits.
func (f Fingerprinter) Sum(data []byte) string {
	m := hmac.New(sha256.New, f.key)
	m.Write(data)
	return hex.EncodeToString(m.Sum(nil))
}

// SessionKey hands the hashing key to the one other process that must make the
// same sums: the project's own Django, which compares keys without showing them.
func (f Fingerprinter) SessionKey() []byte { return append([]byte(nil), f.key...) }

// Of is the full fingerprint of a secret's value, of the empty one when there is
// none.
func (f Fingerprinter) Of(s Secret) string { return f.Sum([]byte(s.Reveal())) }

// Reprint is a secret with the fingerprint of this fingerprinter, so that one key
// has one fingerprint wherever it is shown.
func (f Fingerprinter) Reprint(s Secret) Secret {
	if !s.Set() {
		return s
	}
	return f.Secret(s.Reveal())
}

// Secret wraps a value. The zero Fingerprinter serves too; its fingerprints
// hold for this one value only by accident of an empty key, so programs use one
// made by NewFingerprinter.
func (f Fingerprinter) Secret(value string) Secret {
	return Secret{open: func() (string, Fingerprinter) { return value, f }}
}

// Package canary makes values that must not turn up anywhere, and finds their
// pieces. Tests use it in place of keys, passwords and tokens.
package canary

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
)

// New returns a fresh value of 64 characters of the base64url alphabet.
func New() string {
	b := make([]byte, 48)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Leaks reports whether text holds any 8 bytes of value in a row.
func Leaks(text, value string) bool {
	for i := 0; i+8 <= len(value); i++ {
		if strings.Contains(text, value[i:i+8]) {
			return true
		}
	}
	return false
}

//go:build unix

package faults

import (
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// token is the beginning of a signed token, whoever made it: no run has one to
// show or to leave.
var token = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}`)

// window is the shortest part of a secret that counts as a leak, hexWindow the
// same part in hexadecimal: 8 digits alone stand by chance in the thousands of
// digests that a journal holds (the chance is a hundredth for each 10,000
// digits and 60 tokens).
const (
	window    = 8
	hexWindow = 2 * window
)

// hunt searches for secrets, and for any 8 characters of one, as they are or
// in hexadecimal, and for any 8 characters of its base64.
type hunt struct {
	names    map[string]string // a part of a secret: the secret's name
	searched int               // bytes
	texts    int
	found    []string // where, and the name of the secret; never the secret
}

// newHunt takes the secrets by their names.
func newHunt(secrets map[string]string) *hunt {
	h := &hunt{names: map[string]string{}}
	for name, secret := range secrets {
		forms := []string{secret}
		for shift := range 3 { // base64 has three faces, by what stands before
			if len(secret) > shift {
				forms = append(forms, base64.RawStdEncoding.EncodeToString([]byte(secret[shift:])), base64.RawURLEncoding.EncodeToString([]byte(secret[shift:])))
			}
		}
		for _, form := range forms {
			h.add(form, window, name)
		}
		digits := hex.EncodeToString([]byte(secret))
		h.add(digits, hexWindow, name)
		h.add(strings.ToUpper(digits), hexWindow, name)
	}
	return h
}

// add takes every part of a form that has the size.
func (h *hunt) add(form string, size int, name string) {
	for i := 0; i+size <= len(form); i++ {
		h.names[form[i:i+size]] = name
	}
}

// in names the secrets that a text holds a part of.
func (h *hunt) in(text string) []string {
	h.searched += len(text)
	h.texts++
	seen := map[string]bool{}
	var found []string
	if token.MatchString(text) {
		found = append(found, "tokens")
	}
	for _, size := range []int{window, hexWindow} {
		for i := 0; i+size <= len(text); i++ {
			if name, ok := h.names[text[i:i+size]]; ok && !seen[name] {
				seen[name] = true
				found = append(found, name)
			}
		}
	}
	return found
}

// text searches one text.
func (h *hunt) text(where, text string) {
	for _, name := range h.in(text) {
		h.found = append(h.found, where+": holds a part of the "+name)
	}
}

// folder searches every file of a folder, and the names, but those that may
// hold a secret.
func (h *hunt) folder(t *testing.T, where, dir string, may func(name string) bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || may != nil && may(d.Name()) {
			return err
		}
		h.text(where+": a name", d.Name())
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		h.text(where+": "+path, string(data))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// The hunt finds what it is for.
func TestTheHuntFinds(t *testing.T) {
	t.Attr("part", "controls that a fault is found")
	secret := "s3cr3t-" + strings.Repeat("abcdefgh", 5)
	for name, text := range map[string]string{
		"whole":     "x" + secret + "x",
		"a part":    "xx" + secret[20:28] + "xx",
		"base64":    base64.StdEncoding.EncodeToString([]byte("any text " + secret)),
		"base64, 2": base64.URLEncoding.EncodeToString([]byte("any text. " + secret)),
		"base64, 3": base64.StdEncoding.EncodeToString([]byte("any text.. " + secret)),
		"a token":   "Bearer eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDB9.x " + secret,
		"hex":       hex.EncodeToString([]byte("x" + secret)),
		"hex, part": "0f" + hex.EncodeToString([]byte(secret[20:28])) + "0f",
		"HEX, part": strings.ToUpper(hex.EncodeToString([]byte(secret[20:28]))),
	} {
		want := []string{"key"}
		if name == "a token" {
			want = []string{"tokens", "key"}
		}
		if found := newHunt(map[string]string{"key": secret}).in(text); !slices.Equal(found, want) {
			t.Errorf("%s: found %v", name, found)
		}
	}
	if found := newHunt(map[string]string{"key": secret}).in("x" + secret[20:27] + "x"); len(found) != 0 {
		t.Error("seven characters count")
	}
}

// A million digits of digests hold no part of sixty tokens' signatures.
func TestTheHuntTakesNoDigestForALeak(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	bytes := func(n int) []byte {
		b := make([]byte, n)
		random.Read(b)
		return b
	}
	secrets := map[string]string{}
	for i := range 60 {
		secrets["token "+strconv.Itoa(i)] = base64.RawURLEncoding.EncodeToString(bytes(32))
	}
	if found := newHunt(secrets).in(hex.EncodeToString(bytes(500_000))); len(found) != 0 {
		t.Error(found)
	}
}

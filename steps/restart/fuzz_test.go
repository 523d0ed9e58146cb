package restart

import (
	"strings"
	"testing"
)

// A command that splits has a first word, and no word holds an outer quote that
// was not inside another.
func FuzzSplit(f *testing.F) {
	f.Add(`systemctl restart "a b" 'c'`)
	f.Add("'")
	f.Add("\"\" x\t\xff")
	f.Fuzz(func(t *testing.T, text string) {
		words, err := split(text)
		if err == nil && (len(words) == 0 || words[0] == "") {
			t.Errorf("words %q", words)
		}
		if n := len(strings.Join(words, "")); n > len(text)*3 { // an invalid byte becomes three
			t.Errorf("%d bytes of %d", n, len(text))
		}
	})
}

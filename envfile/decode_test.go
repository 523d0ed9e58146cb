package envfile

import (
	"strings"
	"testing"
	"unicode/utf16"
)

func TestDecoded(t *testing.T) {
	t.Parallel()
	const text = "A=1\nNAME=Zoë\n"
	var little, big []byte
	for _, u := range utf16.Encode([]rune(text)) {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
	}
	for name, c := range map[string]struct{ data, want, from string }{
		"UTF-8":                 {text, text, ""},
		"UTF-8 with its mark":   {"\ufeff" + text, text, WithMark},
		"UTF-16, little":        {"\xff\xfe" + string(little), text, "UTF-16"},
		"UTF-16, big":           {"\xfe\xff" + string(big), text, "UTF-16"},
		"UTF-16 without a mark": {string(little), text, "UTF-16"},
		"big without a mark":    {string(big), text, "UTF-16"},
		"a mark and Latin-1":    {"\ufeffA=1\nNAME=Zo\xeb\n", text, "Latin-1"},
		"Latin-1":               {"A=1\nNAME=Zo\xeb\n", text, "Latin-1"},
		"half a unit":           {"\xff\xfe" + string(little) + "x", "", ""},
		"half a pair":           {"\xff\xfe\x00\xd8A\x00", "", ""},
		"UTF-16 behind UTF-8":   {"A=1\n" + string(little), "A=1\n" + text, Appended},
		"behind an odd length":  {"AB=1\n" + string(little), "AB=1\n" + text, Appended},
		"behind a long one":     {"NAME=" + strings.Repeat("x", 90) + "\n" + string(little), "NAME=" + strings.Repeat("x", 90) + "\n" + text, Appended},
		"half a unit behind it": {"A=1\n" + string(little) + "x", "", ""},
		"a zero in the middle":  {"A=\xeb\x00\nBBBBBBBBBB=1\n", "", ""},
	} {
		got, from := Decoded([]byte(c.data))
		if from != c.from || c.want != "" && string(got) != c.want {
			t.Errorf("%s: %q from %q", name, got, from)
		}
	}
}

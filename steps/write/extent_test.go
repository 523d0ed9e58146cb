package write

import (
	"testing"

	"dj/keysplit/envfile"
)

func TestExtent(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\n":               "1 line added",
		"A=1":                 "1 line added",
		"A=1\nKEY=\n":         "1 line changed",
		"KEY=x\nA=1\nKEY=y\n": "1 line changed", // the one that counts
	} {
		c, err := envfile.Edit([]byte(text), envfile.For{Readers: envfile.Dialects()}, envfile.Set{Name: "KEY", Value: "value"})
		if err != nil {
			t.Fatal(err)
		}
		if got := extent(c); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

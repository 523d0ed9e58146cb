package envfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestReferencesThatGrowWithoutBound(t *testing.T) {
	forms := map[string]string{
		"doubling":      "A=x\n" + strings.Repeat("A=$A$A\n", 60),
		"in braces":     "A=x\n" + strings.Repeat("A=\"${A}${A}\"\n", 60),
		"a chain":       chain(60),
		"several lines": "A=x\n" + strings.Repeat("A=\"$A\n$A\"\n", 60),
	}
	for name, text := range forms {
		for _, d := range Dialects() {
			_, err := Read(d, []byte(text), nil)
			var refused *ReadError
			if expands(d) && !errors.As(err, &refused) {
				t.Errorf("%s: %s was read (%v)", name, d, err)
			}
		}
	}
}

func chain(n int) string {
	text := "A0=x\n"
	for i := range n {
		text += fmt.Sprintf("A%d=$A%d$A%d\n", i+1, i, i)
	}
	return text
}

func TestManyHarmlessReferences(t *testing.T) {
	t.Attr("part", "writers and editors at once")
	text := "A=x\n" + strings.Repeat("B=$A$A\n", 5000) + "K=v\n"
	for _, d := range Dialects() {
		if v, found, err := Lookup(d, []byte(text), "K", nil); err != nil || !found || v != "v" {
			t.Errorf("%s: %q %v %v", d, v, found, err)
		}
	}
}

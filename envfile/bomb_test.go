package envfile

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
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

// Of more references than are followed, the first one too many has its line.
func TestMoreReferencesThanAreFollowed(t *testing.T) {
	t.Parallel()
	most := strings.Repeat("A=$B\n", maxReferences)
	for text, want := range map[string]int{most: 0, most + "C=1\nA=$B\n": maxReferences + 2} {
		if line := tooManyReferences([]byte(text)); line != want {
			t.Errorf("line %d, want %d", line, want)
		}
	}
}

// A large file is handed to the libraries without its comments. They read it as they read the same lines without that.
func TestALargeFileReadsAsItsLinesDo(t *testing.T) {
	t.Parallel()
	comments := bytes.Repeat([]byte("# \"a comment\n"), remembered/10)
	r := rand.New(rand.NewPCG(7, 29))
	blanked := 0
	for range 60 {
		file := append(randomFile(r), "\n# 'more\nLAST=1 # end\n"...)
		large := slices.Concat(file, comments, []byte("BEHIND=1\n"))
		if bytes.Count(uncommented(large), []byte{'#'}) < 1000 {
			blanked++
		}
		for _, d := range []Dialect{Compose, Godotenv} {
			want, refused := Read(d, slices.Concat(file, []byte("# \"a comment\nBEHIND=1\n")), nil)
			got, err := Read(d, large, nil)
			if !maps.Equal(got, want) || (err == nil) != (refused == nil) {
				t.Errorf("%s, %q: %v, %v; alone %v, %v", d, file, plain(got), err, plain(want), refused)
			}
		}
	}
	if blanked < 20 {
		t.Errorf("%d of 60 files were without comments", blanked)
	}
}

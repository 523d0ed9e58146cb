package envfile

import (
	"errors"
	"strings"
	"testing"
)

func TestLift(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"plain", "A=1\nB=60  # minutes\nC=3\n", "A=1\n# minutes\nB=60\nC=3\n"},
		{"no last line end", "A=1\nB=60 # minutes", "A=1\n# minutes\nB=60"},
		{"CR LF", "A=1\r\nB=60 # minutes\r\n", "A=1\r\n# minutes\r\nB=60\r\n"},
		{"quoted", "A=1\nB=\"x # y\"  # that\n", "A=1\n# that\nB=\"x # y\"\n"},
		{"two marks", "A=1\nB=x#y # that # more\n", "A=1\n# that # more\nB=x#y\n"},
		{"indented and exported", "A=1\n  export B=60\t# minutes \n", "A=1\n  # minutes\n  export B=60\n"},
		{"first, with a mark", "\ufeffB=60 # minutes\nC=1\n", ""},
		{"nothing before it", "A=1\nB= # nothing yet\n", "A=1\n# nothing yet\nB=\n"},
		{"none", "A=1\nB=x#y\n", ""},
		{"in quotes", "A=1\nB='x # y'\n", ""},
		{"of several lines", "A=1\nB='x # y\nz'\n", ""},
		{"a comment", "A=1\n# x # y\n", ""},
	} {
		line := 2
		if strings.HasPrefix(c.name, "first") {
			line = 1
		}
		got, err := Edit([]byte(c.text), For{Readers: []Dialect{Decouple}}, Lift{line})
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%s: %q was made", c.name, got.New)
		case c.want != "" && (err != nil || string(got.New) != c.want):
			t.Errorf("%s: %q, want %q (%v)", c.name, got.New, c.want, err)
		}
	}
}

// What refers to the value changes with it, and is no harm.
func TestLiftChangesWhatRefersToTheValue(t *testing.T) {
	t.Parallel()
	got, err := Edit([]byte("B=60 # minutes\nC=$B\n"), For{Readers: []Dialect{DjangoEnviron}}, Lift{1})
	if err != nil || string(got.New) != "# minutes\nB=60\nC=$B\n" {
		t.Errorf("%q, %v", got.New, err)
	}
}

// A comment that ends in a backslash would take the setting below it away from systemd.
func TestLiftHarmsNoReader(t *testing.T) {
	t.Parallel()
	_, err := Edit([]byte("A=1\nB=60 # see C:\\\nC=1\n"), For{Readers: []Dialect{Decouple, Systemd}}, Lift{2})
	var blocked *BlockedError
	if !errors.As(err, &blocked) || blocked.Reader != Systemd || blocked.Reason != "another variable would change" {
		t.Errorf("systemd reads no C any more: %v", err)
	}
}

func TestBehind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"A=60  # minutes":     "60|# minutes",
		`A="6 0"  # minutes`:  "6 0|# minutes",
		"A: 60 # minutes":     "60|# minutes",
		"A=#none":             "",
		"A=https://x/#anchor": "",
	} {
		got := ""
		if value, comment, ok := Parse([]byte(text)).Line(0).Behind(); ok {
			got = value + "|" + comment
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

package envfile

import "testing"

func TestUnsetTakesOutOneNameAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, after string }{
		"in the middle":      {"A=1\nGONE=2\nB=3\n", "A=1\nB=3\n"},
		"twice, and export":  {"GONE=1\nA=2\nexport GONE=3\n", "A=2\n"},
		"the last, no end":   {"A=1\nGONE=2", "A=1\n"},
		"Windows ends":       {"A=1\r\nGONE=2\r\nB=3\r\n", "A=1\r\nB=3\r\n"},
		"a name that begins": {"GONE_UNTIL=1\nGONE=2\n", "GONE_UNTIL=1\n"},
		"not there":          {"A=1\n# GONE=2\n", "A=1\n# GONE=2\n"},
	} {
		c2, err := Edit([]byte(c.before), For{}, Unset{Name: "GONE"})
		if err != nil || string(c2.New) != c.after {
			t.Errorf("%s: %q, %v", name, c2.New, err)
		}
	}
	// Another variable that holds it would change.
	if c, err := Edit([]byte("GONE=1\nA=${GONE}\n"), For{Readers: []Dialect{PythonDotenv}}, Unset{Name: "GONE"}); err == nil {
		t.Errorf("what refers to it changed: %q", c.New)
	}
}

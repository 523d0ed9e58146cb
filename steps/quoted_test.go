package steps

import (
	"strings"
	"testing"

	"dj/keysplit/envfile"
)

// A key that the environment has with the quotes of the file is told apart from another one.
func TestAKeyWithItsQuotes(t *testing.T) {
	t.Parallel()
	const key = "a-made-up-value-of-this-test-0123456789-abcdefghijklmnopq"
	for name, c := range map[string]struct {
		environ, file string
		quoted        bool
	}{
		"with its quotes":       {`"` + key + `"`, `JWT_SECRET_KEY="` + key + `"`, true},
		"with single ones":      {`'` + key + `'`, `JWT_SECRET_KEY='` + key + `'`, true},
		"the same":              {key, `JWT_SECRET_KEY="` + key + `"`, false},
		"another one in quotes": {`"` + key + `x"`, `JWT_SECRET_KEY="` + key + `"`, false},
		"another one":           {key + "x", `JWT_SECRET_KEY="` + key + `"`, false},
		"none in the file":      {`"` + key + `"`, `A=1`, false},
	} {
		run := &Run{Environ: func(name string) (string, bool) { return c.environ, name == "JWT_SECRET_KEY" }}
		keys, err := ReadKeys(run, envfile.Shell, []byte(c.file+"\n"))
		if err != nil || keys.Quoted != c.quoted {
			t.Errorf("%s: quoted %t, %v", name, keys.Quoted, err)
		}
		if said := keys.Shadowed().Message.Rendered(); strings.Contains(said, "with its quotes") != c.quoted || strings.Contains(said, key) {
			t.Errorf("%s: it says something else", name)
		}
	}
}

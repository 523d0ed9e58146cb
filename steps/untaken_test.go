package steps

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/envfile"
)

// Where settings get their secrets in a way of their own, the advice names the key as that
// place calls it: without the prefix that only variables have, and with it where the place
// has it too.
func TestHowAFileOfItsOwnCallsTheKey(t *testing.T) {
	t.Parallel()
	const says = ", without SHOP_, which only environment variables have"
	for text, c := range map[string]struct {
		names Names
		want  string
	}{
		"SECRET_KEY = 'x'":      {Names{Key: "SHOP_JWT_SECRET_KEY", SecretKey: "SHOP_SECRET_KEY"}, says},
		"SHOP_SECRET_KEY = 'x'": {Names{Key: "SHOP_JWT_SECRET_KEY", SecretKey: "SHOP_SECRET_KEY"}, ""},
		"A = 1":                 {Names{Key: "JWT_SECRET_KEY", SecretKey: "SHOP_SECRET_KEY"}, ""},
		"B = 1":                 {GuideNames, ""},
	} {
		path := filepath.Join(t.TempDir(), "secrets.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		run := &Run{Options: Options{Names: c.names}}
		if got := run.unprefixed(path); got != c.want {
			t.Errorf("%s: %q, want %q", text, got, c.want)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if got := run.unprefixed(path); got != "" {
			t.Errorf("of a file that is not there it says %q", got)
		}
	}
}

// Code that gives each user a key of their own splits nothing; code that signs with one
// key is to read it.
func TestCodeOfTheProjectsOwn(t *testing.T) {
	t.Parallel()
	run := &Run{}
	run.Project = &Project{Root: "/shop", TopLevel: "/shop"}
	for setting, want := range map[string]string{"JWT_GET_USER_SECRET_KEY": "there is nothing to do", "": "Let the settings read it"} {
		if said := run.Untaken(Source{Kind: OwnCode, File: "/shop/a.py", Line: 5, PerUser: setting}).Fix.Rendered(); !strings.Contains(said, want) {
			t.Errorf("%q: %s", setting, said)
		}
	}
}

// A variable of the environment counts in another case only where the settings' reader
// makes no difference.
func TestTheCaseOfAVariable(t *testing.T) {
	t.Parallel()
	for anyCase, want := range map[bool]string{true: "environment", false: ""} {
		run := &Run{Environ: func(name string) (string, bool) { return "x", name == "jwt_key" }, Options: Options{Names: Names{Key: "JWT_KEY", SecretKey: "SECRET_KEY", AnyCase: anyCase}}}
		if keys, err := ReadKeys(run, envfile.Decouple, nil); err != nil || keys.Key.Source != want {
			t.Errorf("any case %t: from %q, %v", anyCase, keys.Key.Source, err)
		}
	}
}

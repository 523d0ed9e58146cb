package stepstest

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// RealHeroku puts the real heroku on PATH, from the folder that KEYSPLIT_HEROKU
// names, and has it talk with the server at api; the test is skipped where none is
// named. logIn leaves a token where heroku login leaves it, and "" logs out.
func RealHeroku(t testing.TB, api string) (logIn func(token string)) {
	t.Helper()
	dir := os.Getenv("KEYSPLIT_HEROKU")
	if dir == "" {
		t.Skip("only where KEYSPLIT_HEROKU names the folder of heroku: bash .ci/real heroku")
	}
	server, err := url.Parse(api)
	if err != nil {
		t.Fatal(err)
	}
	home := realProgram(t, dir, map[string]string{
		"HEROKU_HOST": api, "HEROKU_API_KEY": "", "HEROKU_NETRC_WRITE": "true", // else a keyring is asked, where there is one
		"DISABLE_TELEMETRY": "true", "HEROKU_DISABLE_AUTOUPDATE": "1",
	})
	return func(token string) {
		t.Helper()
		text := ""
		if token != "" {
			text = "machine " + server.Host + "\n  login ada@example.com\n  password " + token + "\n"
		}
		if err := os.WriteFile(filepath.Join(home, ".netrc"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// realProgram puts the folder of a program first on PATH, with a home folder of
// its own and the settings given.
func realProgram(t testing.TB, dir string, settings map[string]string) (home string) {
	t.Helper()
	home = t.TempDir()
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("HOME", home)
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"} {
		t.Setenv(name, filepath.Join(home, name))
	}
	for name, value := range settings {
		t.Setenv(name, value)
	}
	return home
}

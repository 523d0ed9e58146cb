package shell

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

func needsShell(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no POSIX shell of its own: its lines are PowerShell's, as below")
	}
}

// What a shell makes of the line is what went in.
func TestAShellReadsBackWhatWasJoined(t *testing.T) {
	needsShell(t)
	for _, word := range []string{"plain", "two words", "it's", `a\b`, "$HOME", "`id`", "a\nb", "", "*", "~", "#x", `"q"`, "-n", "ü", "a,b", "@x"} {
		out, err := exec.Command("sh", "-c", "printf %s "+posix.join([]string{word})).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q became %q, %v", word, out, err)
		}
	}
}

// A command reads the file byte for byte.
func TestFed(t *testing.T) {
	needsShell(t)
	file := filepath.Join(t.TempDir(), "it's a file")
	if err := os.WriteFile(file, []byte("no line end"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", posix.feeder(posix, file, []string{"cat", "-"})).Output()
	if err != nil || string(out) != "no line end" {
		t.Errorf("%q, %v", out, err)
	}
}

// PowerShell's rules, as about_Quoting_Rules, about_Operators and about_Redirection
// have them: single quotes are doubled, a quoted program is called with &, a comma
// makes a list, and there is no "<".
func TestPowerShell(t *testing.T) {
	for _, c := range []struct {
		got, want string
	}{
		{powerShell.join([]string{"keysplit", "upgrade", "--env", "staging"}), "keysplit upgrade --env staging"},
		{powerShell.join([]string{"keysplit", "--project", `C:\my shop`}), `keysplit --project 'C:\my shop'`},
		{powerShell.join([]string{`C:\py\python.exe`, "it's"}), `C:\py\python.exe 'it''s'`},
		{powerShell.join([]string{`C:\my py\python.exe`, "manage.py"}), `& 'C:\my py\python.exe' manage.py`},
		{powerShell.join([]string{"keysplit", "--skip", "write,restart"}), "keysplit --skip 'write,restart'"},
		{powerShell.join([]string{"keysplit", "--target", "github:a/b@prod", "$HOME", "#key"}), "keysplit --target 'github:a/b@prod' '$HOME' '#key'"},
		{powerShell.feeder(powerShell, `C:\Users\me\previous`, []string{"gh", "secret", "set", "X"}), `cmd /c 'gh secret set X < C:\Users\me\previous'`},
		{powerShell.feeder(powerShell, `C:\my files\previous`, []string{"gh", "secret", "set", "X"}), `cmd /c 'gh secret set X < "C:\my files\previous"'`},
		{powerShell.unset("SECRET_KEY"), "Remove-Item Env:SECRET_KEY"},
		{posix.unset("SECRET_KEY"), "unset SECRET_KEY"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}

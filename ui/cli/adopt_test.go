//go:build unix

package cli_test

import (
	"os"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/ptytest"
)

// unsplit is a real project that signs with SECRET_KEY: its dictionary has no key, or
// SECRET_KEY as one.
func unsplit(t *testing.T, says bool) *djangotest.Project {
	t.Helper()
	p := djangotest.New(t, djangotest.Options{Env: rest, Before: true})
	text, _, found := strings.Cut(read(t, p.Settings), "# Development: fall back")
	if !found {
		t.Fatal("the settings have no block to take out")
	}
	if says {
		text = strings.Replace(text, "    'ALGORITHM': 'HS256',\n", "    'ALGORITHM': 'HS256',\n    'SIGNING_KEY': SECRET_KEY,\n", 1)
	}
	if err := os.WriteFile(p.Settings, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// ownKey is of the question, on a row of its own also where that is narrow.
const ownKey = "Require a key of its"

// The question about a key of its own comes line by line, and only y says yes.
func TestTheQuestionAboutAKeyOfItsOwn(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		says   bool
		code   int
	}{
		"n":     {"n\r", false, 130},
		"enter": {"\r", true, 130},
		"y":     {"y\r", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := unsplit(t, c.says)
			env, settings := read(t, p.EnvPath), read(t, p.Settings)
			tm := onTerminal(t, ptytest.Options{
				Args: []string{"upgrade", "--python", p.Python, "--skip", "restart,smoke-test"}, Dir: p.Root, Rows: 60, Env: plainEnv(t, "PYTHONDONTWRITEBYTECODE=1"),
			})
			tm.WaitFor(`(?s)signs with SECRET_KEY\. Require a key of its own\?.*\(enter: n\)\n>\n*$`, soon)
			tm.Type(c.answer)
			if c.code == 0 {
				tm.WaitFor(`1 of 5(?s:.*)`+asked, soon)
				tm.Type("\r")
				tm.WaitFor(`(?s)SIMPLE_JWT\b.*Write this change\?.*>\n*$`, soon)
				tm.Type("\r")
				tm.WaitFor(`(?s)f finish.*>\n*$`, soon)
				tm.Type("\r")
			}
			if code := tm.Exit(soon); code != c.code {
				t.Errorf("exit %d\n%s", code, tm.Frame().Text())
			}
			changed := read(t, p.EnvPath) != env && strings.Contains(read(t, p.Settings), "JWT_SECRET_KEY is required.")
			if same := read(t, p.EnvPath) == env && read(t, p.Settings) == settings; changed != (c.code == 0) || same == changed {
				t.Errorf("changed: %t\n%s", changed, tm.Frame().Text())
			}
		})
	}
}

// The wizard asks it, too: enter leaves everything as it is, and y shows the change and
// goes on. The commonest two shapes, each on a screen of its own.
func TestTheWizardAsksAboutAKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, c := range stepstest.Part(2, map[string]struct {
		says bool
		size size
	}{
		"no key in the dictionary": {false, size{80, 24}},
		"SECRET_KEY as the key":    {true, size{60, 20}},
	}) {

		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := unsplit(t, c.says)
			env, settings := read(t, p.EnvPath), read(t, p.Settings)
			o := ptytest.Options{Args: []string{"--python", p.Python}, Dir: p.Root, Cols: c.size.cols, Rows: c.size.rows, Env: plainEnv(t, "PYTHONDONTWRITEBYTECODE=1")}
			asks := func() *ptytest.Terminal {
				tm := onTerminal(t, o)
				if f := atRest(t, tm); !strings.Contains(f.Text(), ownKey) {
					t.Fatalf("it does not ask:\n%s", f.Text())
				}
				return tm
			}
			tm := asks()
			tm.Press(ptytest.Enter)
			if code := tm.Exit(soon); code == 0 || read(t, p.EnvPath) != env || read(t, p.Settings) != settings {
				t.Errorf("enter: exit %d, or a file was changed", code)
			}
			isRestored(t, tm)
			tm = asks()
			before := tm.Frame().Text()
			tm.Type("y")
			resting(t, tm, func(f ptytest.Frame) bool { return f.Text() != before && !strings.Contains(f.Text(), ownKey) })
			toTheEnd(t, tm)
			tm.Press(ptytest.Enter)
			if code := tm.Exit(soon); code != 0 || !strings.Contains(read(t, p.Settings), "JWT_SECRET_KEY is required.") {
				t.Errorf("y: exit %d\n%s", code, tm.Frame().Text())
			}
			isTidy(t, tm)
			isRestored(t, tm)
			noneOf(t, tm.Raw(), keyIn(read(t, p.EnvPath)), p.SecretKey)
		})
	}
}

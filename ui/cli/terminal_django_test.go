//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/ptytest"
)

// onDjango is a real project with its server running, whose file has lost its
// key since, and the wizard's environment for it.
func onDjango(t *testing.T, flavour djangotest.Flavour) (*djangotest.Project, *djangotest.Server, []string) {
	t.Helper()
	p := djangotest.New(t, djangotest.Options{Flavour: flavour})
	server := p.Start(t, djangotest.ServerOptions{Reload: true})
	p.WriteEnv(t, rest)
	return p, server, plainEnv(t, "PYTHONDONTWRITEBYTECODE=1")
}

func TestEnterAloneUpgradesARealProject(t *testing.T) {
	t.Parallel()
	for _, flavour := range stepstest.Every(2, djangotest.Flavours()) {
		t.Run(string(flavour), func(t *testing.T) {
			t.Parallel()
			p, server, env := onDjango(t, flavour)
			tm := onTerminal(t, ptytest.Options{Args: []string{"--python", p.Python}, Dir: p.Root, Env: env})
			toTheEnd(t, tm)
			tm.Press(ptytest.Enter)
			if code := tm.Exit(soon); code != 0 {
				t.Errorf("exit %d\n%s", code, tm.Frame().Text())
			}
			isTidy(t, tm)
			isRestored(t, tm)
			key := keyIn(read(t, p.EnvPath))
			if len(key) != 86 || !accepts(t, server.URL, key) || accepts(t, server.URL, p.SecretKey) {
				t.Error("the server does not sign with the new key alone")
			}
			noneOf(t, tm.Raw(), key, p.SecretKey)
			if users := p.Users(t); len(users) > 0 {
				t.Errorf("accounts are left over: %v", users)
			}
			if text := tm.Frame().Text(); !strings.Contains(text, "keysplit rollback") {
				t.Errorf("the summary does not say how to undo:\n%s", text)
			}
		})
	}
}

// A wizard that was killed once the file was written is taken up again, and put
// back to the byte.
func TestAKilledWizardIsResumed(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Attr("part", "the wizard killed and taken up")
	t.Parallel()
	p, server, env := onDjango(t, djangotest.Tokens)
	before := read(t, p.EnvPath)
	o := ptytest.Options{Args: []string{"--python", p.Python}, Dir: p.Root, Env: env}
	killed := onTerminal(t, o)
	for f := atRest(t, killed); !strings.Contains(f.Text(), "✓ Write"); {
		f = onward(t, killed, ptytest.Enter)
	}
	killed.Signal(syscall.SIGKILL)
	killed.Exit(soon)
	key := keyIn(read(t, p.EnvPath))
	if len(key) != 86 {
		t.Fatal("the key is not in the file")
	}

	tm := onTerminal(t, o)
	if text := atRest(t, tm).Text(); !regexp.MustCompile(`You began at \d\d:\d\d\. The key [0-9a-f]{6} is\s+written(?s:.*)everyone will have to log in again(?s:.*)\[ Go on: restart \]    Start over    Undo`).MatchString(text) {
		t.Errorf("what was begun is not said:\n%s", text)
	}
	tm.Type("q") // which says what is in force
	if code, text := tm.Exit(soon), tm.Frame().Text(); code != 130 || !regexp.MustCompile(`Stopped\. You began at \d\d:\d\d\. The key [0-9a-f]{6} is\s+written(?s:.*)keysplit rollback`).MatchString(text) {
		t.Errorf("exit %d\n%s", code, text)
	}
	tm = onTerminal(t, o)
	atRest(t, tm)
	if text := onward(t, tm, ptytest.Enter).Text(); !strings.Contains(text, "Step 4 of 5") || !strings.Contains(text, "everyone will have to log in again") {
		t.Errorf("it does not go on at the restart:\n%s", text)
	}
	toTheEnd(t, tm)
	tm.Press(ptytest.Enter)
	if code := tm.Exit(soon); code != 0 {
		t.Errorf("exit %d\n%s", code, tm.Frame().Text())
	}
	if keyIn(read(t, p.EnvPath)) != key || !accepts(t, server.URL, key) {
		t.Error("the key of the first run is not the one in force")
	}

	o.Args = []string{"rollback"}
	back := onTerminal(t, o)
	back.WaitFor(`Undo what was changed on(?s:.*)\.env: content, mode and owner as before(?s:.*)Undo this\?`, soon)
	back.Type("y\r")
	if code := back.Exit(soon); code > 1 || read(t, p.EnvPath) != before {
		t.Errorf("rollback: exit %d, the old bytes are back: %v\n%s", code, read(t, p.EnvPath) == before, back.Frame().Text())
	}
}

// A restart that fails stays on its screen; the retry of what was fixed goes
// on, and so does leaving the step out.
func TestAFailedRestartIsRetriedOrSkipped(t *testing.T) {
	t.Parallel()
	for _, skip := range stepstest.Every(2, []bool{true, false}) {
		p, _, env := onDjango(t, djangotest.Tokens)
		flag := filepath.Join(p.Root, "may-restart")
		script := "[ -e may-restart ] || { printf 'no \\033[31mservice\\033]0;x\\a\\n' >&2; exit 1; }\ntouch config/settings.py\nsleep 3\n"
		if err := os.WriteFile(filepath.Join(p.Root, "restart.sh"), []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		tm := onTerminal(t, ptytest.Options{Args: []string{"--python", p.Python, "--restart", "command:sh restart.sh"}, Dir: p.Root, Env: env})
		f := atRest(t, tm)
		for range 40 {
			if strings.Contains(f.Text(), "What now?") {
				break
			}
			f = onward(t, tm, ptytest.Enter)
		}
		if text := f.Text(); !strings.Contains(text, "Step 4 of 5") || !strings.Contains(text, "no service") || !strings.Contains(text, "[ Retry ]") {
			t.Fatalf("the failure's screen is\n%s", text)
		}
		isTidy(t, tm)
		if skip {
			for range 6 {
				if strings.Contains(tm.Frame().Text(), "[ Skip") {
					break
				}
				before := tm.Frame().Text()
				tm.Press(ptytest.Tab)
				tm.WaitUntil("another focus", soon, func(f ptytest.Frame) bool { return f.Text() != before })
			}
			f = onward(t, tm, ptytest.Enter)
			if !strings.Contains(f.Text(), "Step 5 of 5") {
				t.Errorf("skipping leads to\n%s", f.Text())
			}
			continue
		}
		if err := os.WriteFile(flag, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		f = onward(t, tm, ptytest.Enter)
		if strings.Contains(f.Text(), "[ Restart") {
			f = onward(t, tm, ptytest.Enter)
		}
		if !strings.Contains(f.Text(), "Done and verified") {
			t.Errorf("the retry leads to\n%s", f.Text())
		}
	}
}

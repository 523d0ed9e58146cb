//go:build unix

package cli_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/ptytest"
)

// asked is what the line-by-line front end ends its question with, at the end
// of all that it has written.
const asked = `\(enter: y\)\n>\n*$`

// answered is an upgrade, line by line, of a real project without its key.
func answered(t *testing.T, args ...string) (*djangotest.Project, *ptytest.Terminal) {
	t.Helper()
	p := djangotest.New(t, djangotest.Options{Env: rest})
	args = append([]string{"upgrade", "--python", p.Python, "--skip", "restart,smoke-test"}, args...)
	return p, onTerminal(t, ptytest.Options{Args: args, Dir: p.Root, Rows: 60, Env: plainEnv(t, "PYTHONDONTWRITEBYTECODE=1")})
}

func TestNoStopsTheUpgrade(t *testing.T) {
	t.Attr("part", "ways out of the lines, at a question and at the password")
	t.Parallel()
	for name, answer := range map[string]string{"n": "n\r", "ctrl+c": string(ptytest.CtrlC)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, tm := answered(t)
			before := read(t, p.EnvPath)
			tm.WaitFor(asked, soon)
			tm.Type(answer)
			if code := tm.Exit(soon); code != 130 {
				t.Errorf("exit %d\n%s", code, tm.Frame().Text())
			}
			if read(t, p.EnvPath) != before {
				t.Error("the file was changed")
			}
			if d := tm.Discipline(); !d.Echo || !d.Lines || !d.Signal || !d.Output {
				t.Errorf("the terminal was left as %+v", d)
			}
			if text := tm.Frame().Text(); !strings.Contains(text, "Stopped") || !strings.Contains(text, "No file was changed") {
				t.Errorf("the last lines are:\n%s", text)
			}
		})
	}
}

func TestATypedPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	password := djangotest.NewKey()
	state := filepath.Join(t.TempDir(), "state")
	dir := t.TempDir()
	tm := onTerminal(t, ptytest.Options{
		Args: []string{"upgrade", "--username", "someone", "--project", dir},
		Env:  plainEnv(t, "KEYSPLIT_STATE_DIR="+state),
	})
	tm.WaitFor(`Password of someone \(not shown\):`, soon)
	tm.WaitUntil("no echo", soon, func(ptytest.Frame) bool { return !tm.Discipline().Echo })
	tm.Type(password + "\r")
	tm.WaitFor(`What now\?`, soon)
	tm.Type("q\r")
	if code := tm.Exit(soon); code != 3 {
		t.Errorf("exit %d for a folder without a project", code)
	}
	noneOf(t, tm.Raw(), password)
	if d := tm.Discipline(); !d.Echo || !d.Lines || !d.Signal {
		t.Errorf("the terminal was left as %+v", d)
	}
}

// A person who gives up at the password gets a terminal that shows what is
// typed.
func TestStoppedAtThePassword(t *testing.T) {
	t.Attr("part", "ways out of the lines, at a question and at the password")
	t.Parallel()
	for name, stop := range map[string]func(*ptytest.Terminal){
		"ctrl+c":  func(tm *ptytest.Terminal) { tm.Press(ptytest.CtrlC) },
		"SIGTERM": func(tm *ptytest.Terminal) { tm.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(tm *ptytest.Terminal) { tm.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tm := onTerminal(t, ptytest.Options{Args: []string{"upgrade", "--username", "someone"}})
			tm.WaitFor(`not shown\):`, soon)
			tm.WaitUntil("no echo", soon, func(ptytest.Frame) bool { return !tm.Discipline().Echo })
			tm.Type("half a pass")
			// The kernel hands typed bytes on by a queue of its own, and nothing
			// tells when: what comes after the end is the shell's.
			time.Sleep(300 * time.Millisecond)
			stop(tm)
			if code := tm.Exit(soon); code != 130 {
				t.Errorf("exit %d\n%s", code, tm.Frame().Text())
			}
			if d := tm.Discipline(); !d.Echo || !d.Lines || !d.Signal || !d.Output {
				t.Errorf("the terminal was left as %+v", d)
			}
			if strings.Contains(tm.Raw(), "half") {
				t.Error("what was typed was shown")
			}
		})
	}
}

// Half a password that was typed before the end is not left to the shell, which
// would show it at its prompt.
func TestTheShellGetsNoHalfPassword(t *testing.T) {
	t.Attr("part", "ways out of the lines, at a question and at the password")
	t.Parallel()
	timeout, err := exec.LookPath("timeout")
	if err != nil {
		t.Skip("no timeout(1) here")
	}
	tm := onTerminal(t, ptytest.Options{Program: "/bin/sh", Env: plainEnv(t), Args: []string{"-c",
		`"$1" --foreground -s TERM 3 "$2" upgrade --username someone; echo ended; IFS= read -r line; echo "got[$line]"`,
		"sh", timeout, binary.Path(t)}})
	tm.WaitFor(`not shown\):`, soon)
	tm.WaitUntil("no echo", soon, func(ptytest.Frame) bool { return !tm.Discipline().Echo })
	tm.Type("half a pass")
	tm.WaitFor("ended", soon)
	tm.Type("ls\r")
	tm.WaitFor(`got\[ls\]`, soon)
	tm.Exit(soon)
}

// A terminal that cannot draw gets the questions line by line.
func TestTheDemoLineByLine(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]ptytest.Options{
		"TERM=dumb":    {Args: []string{"demo"}, Env: plainEnv(t, "TERM=dumb")},
		"ACCESSIBLE":   {Args: []string{"demo"}, Env: plainEnv(t, "ACCESSIBLE=1", "NO_COLOR=1")},
		"--accessible": {Args: []string{"demo", "--accessible", "--no-color"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Rows = 200
			tm := onTerminal(t, o)
			for n := range 20 {
				f := tm.WaitUntil("a question or the end", soon, func(f ptytest.Frame) bool {
					text := strings.TrimRight(f.Text(), "\n ")
					asked := strings.Count(text, "(enter: ") + strings.Count(text, "or enter for 1:")
					waits := strings.HasSuffix(text, "\n>") || strings.HasSuffix(text, "or enter for 1:")
					return asked > n && waits || strings.Contains(text, "The demo and its project are gone")
				})
				if strings.Contains(f.Text(), "The demo and its project are gone") {
					break
				}
				tm.Press(ptytest.Enter)
			}
			if code := tm.Exit(soon); code != 0 || strings.Contains(tm.Raw(), "\x1b") {
				t.Errorf("exit %d\n%s", code, tm.Frame().Text())
			}
			if !strings.Contains(tm.Frame().Text(), "Done. The backend has a JWT key of its own.") {
				t.Errorf("it ends with\n%s", tm.Frame().Text())
			}
		})
	}
}

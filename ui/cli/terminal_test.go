//go:build unix

package cli_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/ui/internal/ptytest"
)

// soon is more than anything here takes, on a machine that does much else.
const soon = 60 * time.Second

// plainEnv is the environment of a person with a modern terminal, with folders
// of its own. What is added at the end wins.
func plainEnv(t *testing.T, add ...string) []string {
	t.Helper()
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(),
		"KEYSPLIT_STATE_DIR=" + filepath.Join(t.TempDir(), "state"),
		"TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8",
	}, add...)
}

// onTerminal starts keysplit on a terminal.
func onTerminal(t *testing.T, o ptytest.Options) *ptytest.Terminal {
	t.Helper()
	if o.Program == "" {
		o.Program = binary.Path(t)
	}
	if o.Env == nil {
		o.Env = plainEnv(t)
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	return ptytest.Start(t, o)
}

// A terminal that answers no question holds Bubble Tea's init function up for
// five seconds, unless the package nostall came before it.
func TestAMuteTerminalIsNotAsked(t *testing.T) {
	binary.Path(t) // built before the time is taken
	for _, args := range [][]string{{"--version"}, {"version"}, {"help"}, {"--help"}, {"no-such-command"}} {
		began := time.Now()
		tm := onTerminal(t, ptytest.Options{Args: args, Mute: true})
		code := tm.Exit(soon)
		if took := time.Since(began); took > time.Second {
			t.Errorf("keysplit %v took %v", args, took)
		}
		if wrong := args[0] == "no-such-command"; wrong != (code == 2) || !wrong && code != 0 {
			t.Errorf("keysplit %v: exit %d", args, code)
		}
		if raw := tm.Raw(); strings.Contains(raw, "\x1b") || len(raw) < 10 {
			t.Errorf("keysplit %v wrote %q", args, raw)
		}
	}
}

// ends runs keysplit with standard streams that are no terminal.
func ends(t *testing.T, args []string, set func(*exec.Cmd)) ran {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary.Path(t), args...)
	c.Dir, c.Env = t.TempDir(), plainEnv(t)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	set(c)
	ended := make(chan error, 1)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
	case <-time.After(soon):
		t.Fatalf("keysplit %v hangs", args)
	}
	return ran{c.ProcessState.ExitCode(), out.String(), errOut.String()}
}

func TestWithoutATerminal(t *testing.T) {
	t.Parallel()
	// A pipe that stays open and never holds anything: whoever reads it, hangs.
	silent, open, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	defer open.Close()
	streams := map[string]func(*exec.Cmd){
		"a silent pipe":      func(c *exec.Cmd) { c.Stdin = silent },
		"the null device":    func(*exec.Cmd) {},
		"a closed stdin":     closedStdin,
		"an empty input":     func(c *exec.Cmd) { c.Stdin = strings.NewReader("") },
		"many empty answers": func(c *exec.Cmd) { c.Stdin = strings.NewReader(strings.Repeat("\n", 50)) },
	}
	for name, set := range streams {
		for _, c := range []struct {
			args []string
			says string
		}{
			{nil, "the wizard needs a terminal. Without one: keysplit upgrade --yes, or keysplit check"},
			{[]string{"upgrade"}, "no terminal is there to answer: add --yes, or --dry-run to see the plan"},
		} {
			r := ends(t, c.args, set)
			if r.code != 2 || r.out != "" || !strings.Contains(r.errOut, c.says) || strings.Contains(r.errOut, "\x1b") {
				t.Errorf("keysplit %v with %s: exit %d, %q, %q", c.args, name, r.code, r.out, r.errOut)
			}
		}
	}
}

// closedStdin runs the program without descriptor 0, which exec cannot.
func closedStdin(c *exec.Cmd) {
	c.Args = append([]string{"sh", "-c", `exec "$0" "$@" <&-`, c.Path}, c.Args[1:]...)
	c.Path = "/bin/sh"
}

// The wizard draws on standard output. With a person at the keyboard and the
// output in a file, it must not draw into the file and wait.
func TestAFileAsOutput(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "out")
	tm := ptytest.Start(t, ptytest.Options{
		Program: "/bin/sh", Args: []string{"-c", `exec "$0" >"$1"`, binary.Path(t), file}, Dir: t.TempDir(), Env: plainEnv(t),
	})
	if code := tm.Exit(soon); code != 2 {
		t.Errorf("exit %d", code)
	}
	if !strings.Contains(tm.Raw(), "the wizard needs a terminal") || read(t, file) != "" {
		t.Errorf("the terminal shows %q, the file has %d bytes", tm.Raw(), len(read(t, file)))
	}
}

func TestColoursOnATerminal(t *testing.T) {
	t.Parallel()
	colourful := onTerminal(t, ptytest.Options{Args: []string{"demo", "--yes"}})
	colourful.WaitFor("The demo and its project are gone", soon)
	if colourful.Exit(soon) != 0 || !strings.Contains(colourful.Raw(), "\x1b[32m") {
		t.Error("without a wish there are no colours: the next cases prove nothing")
	}
	for name, o := range map[string]ptytest.Options{
		"--no-color": {Args: []string{"demo", "--yes", "--no-color"}},
		"NO_COLOR":   {Args: []string{"demo", "--yes"}, Env: plainEnv(t, "NO_COLOR=1")},
		"TERM=dumb":  {Args: []string{"demo", "--yes"}, Env: plainEnv(t, "TERM=dumb")},
	} {
		tm := onTerminal(t, o)
		tm.WaitFor("The demo and its project are gone", soon)
		if code := tm.Exit(soon); code != 0 || strings.Contains(tm.Raw(), "\x1b") || !strings.Contains(tm.Raw(), "✓") {
			t.Errorf("%s: exit %d, %q", name, code, tm.Raw())
		}
	}
}

func TestALocaleWithoutUTF8(t *testing.T) {
	t.Parallel()
	for _, env := range []string{"LC_ALL=C", "LC_ALL=POSIX", "LANG=de_DE.ISO-8859-1"} {
		tm := onTerminal(t, ptytest.Options{Args: []string{"demo", "--yes"}, Env: plainEnv(t, env)})
		tm.WaitFor("The demo and its project are gone", soon)
		if code := tm.Exit(soon); code != 0 {
			t.Errorf("%s: exit %d", env, code)
		}
		for i, b := range []byte(tm.Raw()) {
			if b >= 0x80 {
				t.Errorf("%s: a byte that is not ASCII in %q", env, tm.Raw()[max(0, i-40):i+1])
				break
			}
		}
	}
}

// Bubble Tea would write typed input, passwords included, to the one and
// panics to the other.
func TestBubbleTeasOwnLogsAreOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := plainEnv(t, "TEA_TRACE="+filepath.Join(dir, "trace"), "TEA_DEBUG="+filepath.Join(dir, "debug"))
	tm := onTerminal(t, ptytest.Options{Args: []string{"demo"}, Env: env, Dir: dir})
	tm.WaitFor(`\[ Start \]`, soon)
	tm.Type("xyzzy")
	tm.Press(ptytest.CtrlC)
	tm.Exit(soon)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("files were written: %v %v", entries, err)
	}
}

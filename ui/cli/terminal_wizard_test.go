//go:build unix

package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/ui/internal/ptytest"
)

// size is one that the wizard must hold at.
type size struct{ cols, rows int }

func (s size) String() string { return fmt.Sprintf("%dx%d", s.cols, s.rows) }

func sizes() []size { return []size{{120, 40}, {80, 24}, {60, 20}, {20, 5}} }

// demo opens the wizard on the demo. The folder is where the demo puts its
// project.
func demo(t *testing.T, s size, args []string, env ...string) (tm *ptytest.Terminal, folder string) {
	t.Helper()
	folder = t.TempDir()
	tm = onTerminal(t, ptytest.Options{
		Args: append([]string{"demo"}, args...), Cols: s.cols, Rows: s.rows,
		Env: plainEnv(t, append(env, "TMPDIR="+folder)...),
	})
	return tm, folder
}

// rests reports whether a frame of the wizard waits for the user.
func rests(f ptytest.Frame) bool {
	lines := f.Lines()
	if !f.Alt || !strings.Contains(lines[0], "keysplit") {
		return false
	}
	foot := ""
	for _, l := range lines {
		if l != "" {
			foot = l
		}
	}
	return strings.HasPrefix(strings.TrimSpace(foot), "enter ")
}

// atRest waits for a frame that waits for the user and stays.
func atRest(t *testing.T, tm *ptytest.Terminal) ptytest.Frame {
	t.Helper()
	return resting(t, tm, func(ptytest.Frame) bool { return true })
}

func resting(t *testing.T, tm *ptytest.Terminal, ok func(ptytest.Frame) bool) ptytest.Frame {
	t.Helper()
	for {
		tm.WaitUntil("a screen that waits for the user", soon, func(f ptytest.Frame) bool { return rests(f) && ok(f) })
		if f := tm.Settled(80*time.Millisecond, soon); rests(f) && ok(f) {
			return f
		}
	}
}

// onward presses a key and waits for the next screen that waits for the user.
func onward(t *testing.T, tm *ptytest.Terminal, key ptytest.Key) ptytest.Frame {
	t.Helper()
	before := tm.Frame().Text()
	tm.Press(key)
	return resting(t, tm, func(f ptytest.Frame) bool { return f.Text() != before })
}

// atTheEnd reports whether the last screen is shown.
func atTheEnd(f ptytest.Frame) bool {
	return strings.Contains(f.Text(), "[ Finish ]")
}

// toTheEnd presses enter until the last screen is there.
func toTheEnd(t *testing.T, tm *ptytest.Terminal) {
	t.Helper()
	f := atRest(t, tm)
	for range 40 {
		// On a tall terminal the wizard keeps together at the top.
		if lines := f.Lines(); len(lines) <= 24 && !strings.HasPrefix(lines[len(lines)-1], " enter ") {
			t.Errorf("the keys are not in the last row:\n%s", f.Text())
		}
		if atTheEnd(f) {
			return
		}
		f = onward(t, tm, ptytest.Enter)
	}
	t.Fatalf("the end is not reached; the screen shows:\n%s", f.Text())
}

// isTidy fails when the screen showed what a wizard that knows its size never
// writes.
func isTidy(t *testing.T, tm *ptytest.Terminal) {
	t.Helper()
	if m := tm.Mishaps(); m.Wraps != 0 || m.Scrolls != 0 || len(m.Unknown) != 0 {
		t.Errorf("on the screen: %+v", m)
	}
}

// isRestored fails when the terminal is not as it was before the wizard.
func isRestored(t *testing.T, tm *ptytest.Terminal) {
	t.Helper()
	for _, left := range leftOn(tm) {
		t.Error(left)
	}
}

func leftOn(tm *ptytest.Terminal) (left []string) {
	f := tm.Frame()
	if f.Alt || !f.CursorVisible {
		left = append(left, fmt.Sprintf("alternate screen %v, cursor %v", f.Alt, f.CursorVisible))
	}
	if on := tm.Modes(); len(on) != 0 {
		left = append(left, fmt.Sprintf("private modes left on: %v", on))
	}
	if d := tm.Discipline(); !d.Echo || !d.Lines || !d.Signal || !d.Output {
		left = append(left, fmt.Sprintf("the terminal was left as %+v", d))
	}
	return left
}

// The control: whatever a program leaves on is found out.
func TestATerminalThatIsNotRestoredIsFoundOut(t *testing.T) {
	t.Attr("part", "controls that a terminal is restored")
	for script, want := range map[string]int{
		"true": 0,
		`printf '\033[?1049h\033[?25l'; printf '\033[?1049l\033[?25h'`: 0,
		`printf '\033[?1049h'`: 1, `printf '\033[?25l'`: 1, `printf '\033[?2004h'`: 1, `printf '\033[?1003h'`: 1,
		"stty -echo": 1, "stty -icanon": 1, "stty -isig": 1, "stty -opost": 1,
		`stty raw; printf '\033[?2004h\033[?25l'`: 3,
	} {
		tm := onTerminal(t, ptytest.Options{Program: "/bin/sh", Args: []string{"-c", script}})
		tm.Exit(soon)
		if left := leftOn(tm); len(left) != want {
			t.Errorf("%s: %v", script, left)
		}
	}
}

// isGone fails when the demo left something behind.
func isGone(t *testing.T, folder string) {
	t.Helper()
	var left []os.DirEntry
	for range 100 { // the guardian may need a moment longer than keysplit
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		if left = entries; len(left) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("the demo left %v", left)
}

func TestEnterAloneReachesTheEnd(t *testing.T) {
	t.Parallel()
	for _, s := range sizes() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			tm, folder := demo(t, s, nil)
			toTheEnd(t, tm)
			isTidy(t, tm)
			tm.Press(ptytest.Enter)
			if code := tm.Exit(soon); code != 0 {
				t.Errorf("exit %d", code)
			}
			if text := stepstest.OneLine(tm.Frame().Text()); s.rows > 5 && !strings.Contains(text, "Done. The backend has a JWT key of its own.") {
				t.Errorf("the scrollback has\n%s", text)
			}
			isTidy(t, tm)
			isRestored(t, tm)
			isGone(t, folder)
		})
	}
}

// The demo's states, each from its first screen to the end.
func TestEnterAloneFromEveryState(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"missing", "equal", "short", "placeholder", "glued", "stale"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			tm, folder := demo(t, size{80, 24}, []string{"--start", state})
			toTheEnd(t, tm)
			if text := tm.Frame().Text(); strings.Contains(text, "✗") || strings.Count(text, "✓") < 6 {
				t.Errorf("the last screen is\n%s", text)
			}
			tm.Press(ptytest.Enter)
			if code := tm.Exit(soon); code != 0 {
				t.Errorf("exit %d\n%s", code, tm.Frame().Text())
			}
			isTidy(t, tm)
			isGone(t, folder)
		})
	}
}

func TestOverlaysOpenAndClose(t *testing.T) {
	t.Parallel()
	for _, s := range sizes() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			tm, _ := demo(t, s, nil)
			page := atRest(t, tm).Text()
			for _, key := range []string{"w", "l", "?", "t"} {
				tm.Type(key)
				tm.WaitUntil("what "+key+" opens", soon, func(f ptytest.Frame) bool {
					return f.Text() != page && (strings.Contains(f.Text(), "esc back") || s.cols < 60)
				})
				tm.Settled(80*time.Millisecond, soon)
				for range 8 { // to its end and beyond
					tm.Type("\x1b[6~")
				}
				tm.Settled(80*time.Millisecond, soon)
				tm.Press(ptytest.Esc)
				tm.WaitUntil("the page behind "+key, soon, func(f ptytest.Frame) bool { return f.Text() == page })
			}
			// The first screen has nothing behind it, and esc never quits.
			tm.Press(ptytest.Esc)
			tm.WaitUntil("the word that this is the first screen", soon, func(f ptytest.Frame) bool {
				return strings.Contains(f.Text(), "This is the fir") || s.cols < 60 && f.Text() != page
			})
			isTidy(t, tm)
		})
	}
}

func TestBackAndForward(t *testing.T) {
	t.Parallel()
	tm, folder := demo(t, size{80, 24}, nil)
	atRest(t, tm)
	for range 3 { // beyond the file, written and verified
		onward(t, tm, ptytest.Enter)
	}
	tm.WaitFor("Step 4 of 5", soon)
	onward(t, tm, ptytest.Esc)
	tm.WaitFor("JWT_SECRET_KEY differs", soon)
	onward(t, tm, ptytest.Esc)
	tm.WaitFor("wrote .env", soon)
	onward(t, tm, ptytest.Esc)
	tm.WaitFor("Step 1 of 5", soon)
	onward(t, tm, ptytest.Esc)
	tm.WaitFor("Look at the project", soon)
	onward(t, tm, ptytest.Enter)
	tm.WaitFor("Step 1 of 5", soon)
	onward(t, tm, ptytest.Enter)
	tm.WaitFor("wrote .env", soon) // kept, not asked again
	tm.Type("l")
	tm.WaitFor("wrote .env(?s:.*)esc back", soon)
	tm.Press(ptytest.Esc)
	atRest(t, tm)
	tm.Type("q")
	if code := tm.Exit(soon); code != 130 {
		t.Errorf("exit %d", code)
	}
	if text := tm.Frame().Text(); !strings.Contains(text, "Stopped") || !strings.Contains(text, "✓ Write") || strings.Contains(text, "Restart  ") {
		t.Errorf("the scrollback has\n%s", text)
	}
	isRestored(t, tm)
	isGone(t, folder)
}

func TestRollBackAtTheEnd(t *testing.T) {
	t.Parallel()
	tm, folder := demo(t, size{80, 24}, nil)
	toTheEnd(t, tm)
	env := filepath.Join(demoRoot(t, folder), ".env")
	if keyIn(read(t, env)) == "" {
		t.Fatal("the key was not written")
	}
	tm.Press(ptytest.Tab, ptytest.Tab)
	tm.WaitFor(`\[ Roll back \]`, soon)
	onward(t, tm, ptytest.Enter)
	tm.WaitFor(`no JWT_SECRET_KEY(?s:.*)will not(?s:.*)start with it(?s:.*)\[ Back \]`, soon) // what enter alone takes changes nothing
	if keyIn(read(t, env)) == "" {
		t.Fatal("it was put back before the question was answered")
	}
	tm.Press(ptytest.Tab, ptytest.Enter)
	tm.WaitFor("Restore everything(?s:.*)(Everything is as it was before|Everything is restored)", soon)
	atRest(t, tm)
	if keyIn(read(t, env)) != "" {
		t.Error("the file was not put back")
	}
	tm.Type("q")
	tm.WaitUntil("the end", soon, func(f ptytest.Frame) bool { return !f.Alt })
	// It was asked for and done; that there is no key is as it was before.
	if code := tm.Exit(soon); code != 0 || strings.Contains(tm.Frame().Text(), "jwt-key-missing") {
		t.Errorf("exit %d\n%s", code, tm.Frame().Text())
	}
	isRestored(t, tm)
	isGone(t, folder)
}

// demoRoot is the folder of manage.py of the one demo in a folder.
func demoRoot(t *testing.T, folder string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "keysplit-demo-*", "*", "backend"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the demo's folder: %v %v", found, err)
	}
	return found[0]
}

// A form in the wizard shows no password, and the wizard forgets none on the
// way into the server's log either.
func TestTheWizardsPasswordField(t *testing.T) {
	t.Parallel()
	tm, _ := demo(t, size{80, 24}, nil)
	for range 40 {
		if f := atRest(t, tm); strings.Contains(f.Text(), "Log in with which account?") {
			break
		}
		onward(t, tm, ptytest.Enter)
	}
	password := "x" + strings.Repeat("q7-Zw", 5)
	tm.Press(ptytest.Down)
	tm.WaitFor("● An account of yours", soon)
	tm.Press(ptytest.Enter)
	tm.WaitFor("User name: _", soon)
	tm.Type("someone")
	tm.WaitFor("someone", soon)
	tm.Press(ptytest.Tab)
	tm.Type(password)
	tm.WaitFor("(•|\\*){8}", soon)
	tm.Press(ptytest.Enter)
	tm.WaitFor("The server refused this login", soon)
	tm.Type("l")
	tm.Settled(200*time.Millisecond, soon)
	isTidy(t, tm)
	// What failed in the demo is nobody's to fix.
	tm.Press(ptytest.Esc)
	tm.WaitFor("What now", soon)
	tm.Type("q")
	f := tm.WaitFor("✓ Restart (?s:.*)Stopped.(?s:.*)The demo and its project are gone.", soon)
	if code := tm.Exit(soon); code != 130 || strings.Contains(f.Text(), "login-rejected") || strings.Contains(f.Text(), "Fix: ") {
		t.Errorf("exit %d\n%s", code, f.Text())
	}
	noneOf(t, tm.Raw(), password)
}

func TestResizingWhileItRuns(t *testing.T) {
	t.Parallel()
	tm, _ := demo(t, size{80, 24}, nil)
	all := append(sizes(), size{200, 60}, size{80, 24})
	for i := range 60 {
		f := atRest(t, tm)
		if atTheEnd(f) {
			break
		}
		tm.Press(ptytest.Enter)
		s := all[i%len(all)]
		tm.Resize(s.cols, s.rows) // while what enter began still runs
		f = resting(t, tm, func(f ptytest.Frame) bool { return len(f.Cells) == s.rows })
		if top := f.Lines()[0]; !strings.HasPrefix(top, " keysplit") {
			t.Fatalf("at %v the screen begins with %q", s, top)
		}
		if s.cols >= 60 && !strings.Contains(f.Text(), "[ ") && !strings.Contains(f.Text(), "● ") {
			t.Fatalf("at %v the question is not on the screen:\n%s", s, f.Text())
		}
	}
	isNow := tm.Mishaps()
	if len(isNow.Unknown) != 0 {
		t.Errorf("unknown sequences: %q", isNow.Unknown)
	}
	// The same page looks the same, however one came to its size.
	tm.Resize(30, 8)
	tm.Settled(200*time.Millisecond, soon)
	tm.Resize(80, 24)
	f := resting(t, tm, func(f ptytest.Frame) bool { return len(f.Cells) == 24 && strings.Contains(f.Lines()[23], "? help") })
	tm.Type("l")
	tm.WaitUntil("the log", soon, func(g ptytest.Frame) bool { return g.Text() != f.Text() })
	tm.Press(ptytest.Esc)
	tm.WaitUntil("the page as it was", soon, func(g ptytest.Frame) bool { return g.Text() == f.Text() })
}

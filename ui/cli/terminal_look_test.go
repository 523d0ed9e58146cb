//go:build unix

package cli_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/ui/internal/ptytest"
)

// The accent of the two themes, from the table of the design.
var (
	accentDark  = ptytest.Colour{Set: true, R: 0xB7, G: 0xA5, B: 0xFF}
	accentLight = ptytest.Colour{Set: true, R: 0x5B, G: 0x3F, B: 0xD6}
)

// hasAccent reports whether the title at the top has a colour.
func hasAccent(f ptytest.Frame, c ptytest.Colour) bool {
	return slices.ContainsFunc(f.Cells[0], func(cell ptytest.Cell) bool { return cell.Style.Fg == c })
}

func TestTheColoursFitTheBackground(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		light, mute bool
		args        []string
		want        ptytest.Colour
		asks        bool
	}{
		"dark":                    {want: accentDark, asks: true},
		"light":                   {light: true, want: accentLight, asks: true},
		"mute":                    {light: true, mute: true, want: accentDark, asks: true},
		"light, told it is dark":  {light: true, args: []string{"--theme", "dark"}, want: accentDark},
		"dark, told it is light":  {args: []string{"--theme", "light"}, want: accentLight},
		"light, told to find out": {light: true, args: []string{"--theme", "auto"}, want: accentLight, asks: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tm := onTerminal(t, ptytest.Options{Args: append([]string{"demo"}, c.args...), Light: c.light, Mute: c.mute})
			resting(t, tm, func(f ptytest.Frame) bool { return hasAccent(f, c.want) })
			if asks := strings.Contains(tm.Raw(), "\x1b]11;?"); asks != c.asks {
				t.Errorf("asked for the background: %v", asks)
			}
			tm.Type("?")
			tm.WaitFor("esc back", soon) // what the terminal answered was not taken for keys
			isTidy(t, tm)
		})
	}
}

func TestTheWizardWithoutColours(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]ptytest.Options{
		"NO_COLOR":   {Args: []string{"demo"}, Env: plainEnv(t, "NO_COLOR=1")},
		"--no-color": {Args: []string{"demo", "--no-color"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tm := onTerminal(t, o)
			f := atRest(t, tm)
			for range 2 {
				f = onward(t, tm, ptytest.Enter)
			}
			for y, row := range f.Cells {
				for x, c := range row {
					if c.Style.Fg.Set || c.Style.Bg.Set {
						t.Fatalf("a colour at %d,%d in\n%s", x, y, f.Text())
					}
				}
			}
			// The focus and the meaning of the diff do not hang on colour.
			if text := f.Text(); !strings.Contains(text, "[ Write ]") || !strings.Contains(text, "+ JWT_SECRET_KEY=") {
				t.Errorf("the screen is\n%s", text)
			}
		})
	}
}

func TestTheWizardInALocaleWithoutUTF8(t *testing.T) {
	t.Parallel()
	tm, _ := demo(t, size{80, 24}, nil, "LC_ALL=C")
	f := atRest(t, tm)
	for range 30 {
		for _, key := range []string{"w", "l", "?", "t"} {
			tm.Type(key)
			tm.WaitUntil("what "+key+" opens", soon, func(g ptytest.Frame) bool { return g.Text() != f.Text() })
			tm.Settled(50*time.Millisecond, soon)
			tm.Press(ptytest.Esc)
			tm.WaitUntil("the page", soon, func(g ptytest.Frame) bool { return g.Text() == f.Text() })
		}
		if atTheEnd(f) {
			break
		}
		f = onward(t, tm, ptytest.Enter)
	}
	raw := tm.Raw()
	for i := range len(raw) {
		if raw[i] >= 0x80 {
			t.Fatalf("a byte that is not ASCII in %q", raw[max(0, i-60):i+1])
		}
	}
	isTidy(t, tm)
}

func TestAnIdleScreenWritesNothing(t *testing.T) {
	t.Parallel()
	tm, _ := demo(t, size{80, 24}, nil)
	atRest(t, tm)
	for range 3 {
		onward(t, tm, ptytest.Enter)
		tm.Settled(300*time.Millisecond, soon)
		before := tm.Written()
		time.Sleep(time.Second)
		if n := tm.Written() - before; n != 0 {
			t.Errorf("%d bytes written while nothing happened", n)
		}
	}
}

// middle is the median.
func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// The aim is 16 ms; the bound leaves room for a busy machine.
func TestAKeyIsSeenAtOnce(t *testing.T) {
	tm, _ := demo(t, size{80, 24}, nil)
	f := atRest(t, tm)
	for !strings.Contains(f.Text(), "[ Write ]") {
		f = onward(t, tm, ptytest.Enter)
	}
	var took []time.Duration
	for range 21 {
		before := tm.Frame().Text()
		began := time.Now()
		tm.Press(ptytest.Tab)
		tm.WaitUntil("another focus", soon, func(f ptytest.Frame) bool { return f.Text() != before })
		took = append(took, time.Since(began))
		tm.Settled(20*time.Millisecond, soon)
	}
	t.Logf("from the key to its frame: %v (median of %d)", middle(took), len(took))
	if middle(took) > 100*time.Millisecond {
		t.Errorf("from the key to its frame: %v", took)
	}
}

// At most 50 ms beyond what --version takes, which the long form holds; else the bound
// leaves room for a busy machine. It is the real wizard: the demo also starts its backend.
func TestTheFirstFrameComesAtOnce(t *testing.T) {
	limit := 300 * time.Millisecond
	if stepstest.Long() {
		limit = 50 * time.Millisecond
	}
	var version, frame []time.Duration
	for range 7 {
		began := time.Now()
		onTerminal(t, ptytest.Options{Args: []string{"--version"}}).WaitFor("keysplit", soon)
		version = append(version, time.Since(began))

		began = time.Now()
		tm := onTerminal(t, ptytest.Options{Mute: true})
		tm.WaitUntil("a complete frame", soon, func(f ptytest.Frame) bool {
			return f.Alt && strings.Contains(f.Lines()[0], "keysplit") && strings.Contains(f.Text(), "enter ")
		})
		frame = append(frame, time.Since(began))
	}
	more := middle(frame) - middle(version)
	t.Logf("the version after %v, the first frame %v later (medians of %d)", middle(version), more, len(version))
	if more > limit {
		t.Errorf("version %v, first frame %v", version, frame)
	}
}

//go:build unix

// Command picture draws the README's picture: it builds keysplit, walks through
// its demo on a terminal, and writes what the screen showed as one animated SVG, for
// dark and for light pages.
// Run it at the top of the project, after a change of the wizard's screens:
//
//	go run ./ui/internal/ptytest/picture
//
// Nothing in the picture is drawn by hand. What differs from run to run (the
// demo's folder, its port, fingerprints) is replaced by fixed values of the same
// length. While step 5 asks the server, which is slowed down to the pace of a Django,
// every screen is in the picture: its lines come one by one.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"dj/keysplit/ui/internal/ptytest"
)

const (
	cols, rows = 80, 24
	limit      = 30 * time.Second
	rest       = 250 * time.Millisecond // a screen that does not change for so long is a picture
	step       = 90 * time.Millisecond  // how long each of step 5's is shown
)

// scene is a key and the screen that it leads to.
type scene struct {
	keys  string
	wait  string        // a pattern for the screen
	shown time.Duration // in the picture; 0 for a screen that is left out
	fills string        // a pattern for the screens on the way, all of which are in the picture
	still bool          // the one that is shown where nothing moves
}

// asking is on the screens of step 5 while it runs.
const asking = "Asking the running server"

const enter = string(ptytest.Enter)

func scenes() []scene {
	return []scene{
		{keys: "keysplit demo", wait: `\$ keysplit demo`, shown: 1200 * time.Millisecond},
		{keys: enter, wait: `(?s)JWT_SECRET_KEY is not set.*\[ Start \]`, shown: 3 * time.Second},
		{keys: enter, wait: `● Make a new key`, shown: 1200 * time.Millisecond},
		{keys: enter, wait: `(?s)\+ JWT_SECRET_KEY=.*\[ Write \]`, shown: 2800 * time.Millisecond},
		{keys: enter, wait: `\[ Restart \]`, shown: 1500 * time.Millisecond},
		{keys: enter, wait: `● A throwaway account`, shown: 1200 * time.Millisecond},
		{keys: enter, wait: `\[ Finish \]`, fills: asking},
		{keys: string(ptytest.Esc), wait: `(?s)refresh works.*\[ Next: `, shown: 2200 * time.Millisecond},
		{keys: enter, wait: `\[ Finish \]`, shown: 1300 * time.Millisecond},
		{keys: enter, wait: `The demo and its project are gone`, shown: 3200 * time.Millisecond, still: true},
	}
}

func main() {
	for _, p := range []struct {
		path string
		in   theme
	}{{"demo.svg", dark}, {".github/demo-light.svg", light}} {
		if err := draw(p.path, p.in); err != nil {
			fmt.Fprintf(os.Stderr, "picture: %v\n", err)
			os.Exit(1)
		}
	}
}

func draw(path string, in theme) error {
	dir, err := os.MkdirTemp("", "keysplit-picture-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "keysplit"), "dj/keysplit")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build keysplit: %w\n%s", err, text)
	}
	var shots []shot
	for range 20 {
		if shots, err = walk(dir, in); err != nil {
			return err
		}
		if usual(shots) && steady(shots) {
			break
		}
	}
	if !steady(shots) {
		return errors.New("the lines of step 5 came several at a time: draw it again when the machine has less to do")
	}
	svg := render(in, shots)
	if err := os.WriteFile(path, svg, 0o644); err != nil {
		return err
	}
	fmt.Printf("%s: %d screens, %d bytes\n", path, len(shots), len(svg))
	return nil
}

// shot is one screen of the picture.
type shot struct {
	cells [][]ptytest.Cell
	shown time.Duration
	still bool
}

// walk goes through the scenes in a shell that finds keysplit in dir.
func walk(dir string, in theme) (shots []shot, err error) {
	r := &reporter{}
	defer func() {
		r.end()
		if f, ok := recover().(failure); ok {
			err = f
		}
	}()
	tm := ptytest.Start(r, ptytest.Options{
		Program: "/bin/bash", Args: []string{"--noprofile", "--norc", "-i"}, Dir: dir, Cols: cols, Rows: rows, Light: in.light,
		Env: []string{
			"PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "HISTFILE=", "TMPDIR=/tmp",
			"PS1=\\[\x1b[" + in.prompt + "m\\]$\\[\x1b[0m\\] ",
			"TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "BASH_SILENCE_DEPRECATION_WARNING=1",
		},
	})
	tm.WaitFor(`(?m)^\$`, limit)
	for _, s := range scenes() {
		if s.fills != "" {
			shots = append(shots, fill(tm, dir, s)...)
		} else {
			tm.Type(s.keys)
		}
		tm.WaitFor(s.wait, limit)
		if settled := tm.Settled(rest, limit); s.shown > 0 {
			shots = append(shots, take(settled, s.shown, s.still))
		}
	}
	return shots, nil
}

// take makes a picture of a screen.
func take(f ptytest.Frame, shown time.Duration, still bool) shot {
	for _, row := range f.Cells {
		mask(row)
	}
	return shot{cells: f.Cells, shown: shown, still: still}
}

// fill goes to the screen of a scene, and takes those on the way.
func fill(tm *ptytest.Terminal, dir string, s scene) (shots []shot) {
	end, during := regexp.MustCompile(s.wait), regexp.MustCompile(s.fills)
	stop := slowly(dir)
	defer stop()
	tm.Type(s.keys)
	for _, f := range filling(tm, during.MatchString, end.MatchString) {
		shots = append(shots, take(f, step, false))
	}
	return shots
}

// steady reports whether the lines of step 5 come one by one. Three come at once: what
// the server says to the three keys is known when the last connection has asked.
func steady(shots []shot) bool {
	before, grown := 0, 0
	for _, s := range shots {
		text := textOf(s)
		if !strings.Contains(text, asking) {
			continue
		}
		passed := strings.Count(text[strings.Index(text, asking):], "✓")
		if passed > before+3 {
			return false
		}
		if passed > before {
			grown++
		}
		before = passed
	}
	return grown >= 6
}

func textOf(s shot) string { return ptytest.Frame{Cells: s.cells}.Text() }

// usual reports whether the number in the demo's folder, which is drawn by lot, has
// the length that most have. Another one would shift the text beside it.
func usual(shots []shot) bool {
	return strings.Contains(strings.ReplaceAll(textOf(shots[1]), "\n", ""), "keysplit-demo-"+folderNumber+"/")
}

// reporter ends the walk at the first failure.
type reporter struct{ cleanup []func() }

type failure struct{ error }

func (r *reporter) Helper()           {}
func (r *reporter) Cleanup(do func()) { r.cleanup = append(r.cleanup, do) }
func (r *reporter) Fatalf(format string, args ...any) {
	panic(failure{fmt.Errorf(format, args...)})
}

func (r *reporter) end() {
	for _, do := range r.cleanup {
		do()
	}
}

//go:build unix

package cli_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/built"
	"dj/keysplit/ui/internal/ptytest"
)

// mistakes are the places where the program of these tests panics, when its
// variable MISTAKE names one: file, the text before which that is put in.
var mistakes = map[string]struct{ file, before string }{
	"session":  {"steps/preflight/session.go", "\t\tif answer, ok := bytes.CutPrefix("},
	"question": {"steps/preflight/session.go", "\t\t// A child that has ended closes the pipe"},
	"demo":     {"steps/demo/demo.go", "\t\tvar got reply\n\t\tif json.Unmarshal(lines.Bytes()"},
	"guardian": {"steps/demo/guardian.go", "\t\t\tvar q request\n"},
	"server":   {"steps/demo/worker.go", "\t\tw.lines <- append("},
	"signals":  {"ui/cli/cli.go", "\t\t\tif !s.fullScreen.Load() {"},
	"wizard":   {"ui/run.go", "\t\tselect {\n\t\tcase <-ctx.Done():\n\t\t\tp.Send(leaveMsg{})"},
}

// mistaken is keysplit with the mistakes in it. SECONDS lets the first so many
// passages go.
var mistaken = sync.OnceValues(func() (*built.Program, error) {
	p := &built.Program{Extra: map[string]string{"steps/sys/guard/mistake.go": `package guard

import (
	"os"
	"strconv"
	"sync/atomic"
)

var passages atomic.Int64

func Mistake(at string) {
	free, _ := strconv.ParseInt(os.Getenv("PASSAGES"), 10, 64)
	if os.Getenv("MISTAKE") == at && passages.Add(1) > free {
		panic("on purpose, with " + os.Getenv("CANARY") + "\x1b]0;title\x07")
	}
}
`}}
	for at, m := range mistakes {
		text, ok := p.Extra[m.file]
		if !ok {
			data, err := os.ReadFile("../../" + m.file)
			if err != nil {
				return nil, err
			}
			text = string(data)
		}
		if strings.Count(text, m.before) != 1 {
			return nil, fmt.Errorf("%s: %q is not there once", m.file, m.before)
		}
		p.Extra[m.file] = strings.Replace(text, m.before, fmt.Sprintf("guard.Mistake(%q)\n", at)+m.before, 1)
	}
	return p, nil
})

// A panic in any goroutine leaves the terminal as it was, and shows no stack, no
// secret and nothing that the terminal obeys.
func TestAPanicInAGoroutineRestoresTheTerminal(t *testing.T) {
	t.Parallel()
	t.Attr("part", "panics in goroutines")
	program, err := mistaken()
	if err != nil {
		t.Fatal(err)
	}
	stepstest.OnlyLong(t) // the mistakes are in packages that all others need: all is compiled anew
	t.Cleanup(program.Remove)
	for _, c := range []struct {
		at       string
		passages string
		django   bool
		leave    syscall.Signal // where only a signal leads there
		says     bool           // the mistake itself, and not only what follows from it
	}{
		{at: "session", django: true, says: true},
		{at: "session", passages: "1", django: true, says: true}, // at the next question
		{at: "question", django: true, says: true},
		{at: "demo", passages: "2", says: true},
		{at: "guardian", passages: "2"},
		{at: "server", passages: "1"},
		{at: "signals", leave: syscall.SIGTERM, says: true},
		{at: "wizard", says: true},
	} {
		t.Run(c.at+c.passages, func(t *testing.T) {
			canary := djangotest.NewKey()
			o := ptytest.Options{Program: program.Path(t), Args: []string{"demo"}, Env: plainEnv(t)}
			if c.django {
				p := djangotest.New(t, djangotest.Options{})
				p.WriteEnv(t, rest)
				o.Args, o.Dir, canary = []string{"--python", p.Python}, p.Root, p.SecretKey
			}
			o.Env = append(o.Env, "MISTAKE="+c.at, "PASSAGES="+c.passages, "CANARY="+canary)
			tm := onTerminal(t, o)
			// It ends by itself, or shows what went wrong and waits.
			for end := time.Now().Add(soon); tm.Running() && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				switch f := tm.Frame(); {
				case !rests(f):
				case strings.Contains(f.Text(), "What now?"):
					tm.Type("q")
				case c.leave != 0:
					tm.Signal(c.leave)
				default:
					tm.Press(ptytest.Enter)
				}
			}
			if code := tm.Exit(soon); code == 0 || code < 0 {
				t.Errorf("exit %d", code)
			}
			isRestored(t, tm)
			text := tm.Frame().Text()
			if strings.Contains(tm.Raw(), "goroutine ") || strings.Contains(tm.Raw(), "]0;title") || c.says && !strings.Contains(text, "a mistake in keysplit itself: on purpose") {
				t.Errorf("the terminal shows\n%s", text)
			}
			if c.django {
				noneOf(t, tm.Raw(), canary)
			}
		})
	}
}

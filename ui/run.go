package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
	"golang.org/x/term"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/rollback"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/sys/guard"
	"dj/keysplit/ui/style"
)

// Options says how the wizard looks and where it is shown. The zero value is a
// wizard on the process's own terminal.
type Options struct {
	Theme   string // "auto" (or ""), "dark" or "light"
	NoColor bool
	Title   string // in the chip at the top, "keysplit" when empty
	// Throwaway reports whether the project is gone when the wizard closes, so that
	// there is nothing to undo later.
	Throwaway bool

	In  *os.File // nil means os.Stdin
	Out *os.File // nil means os.Stdout
}

// Outcome is how the wizard ended.
type Outcome struct {
	Statuses  map[steps.Name]steps.Status
	Findings  []finding.Finding // that are still true
	Changed   bool              // the key was written
	Back      *rollback.Verdict // of the rollback that the wizard ended with, nil for none
	Cancelled bool              // the user quit before the end
	Begun     string            // what an earlier run has begun and the user has not gone on with, "" for nothing
	Open      int               // items of the checklist that are open
	Again     *Again            // the person wants to begin again, nil for no
	Failed    error             // why the latest step to fail did, nil when none is failed
	Proofs    []Proof           // of the steps that are done, in their order
}

// Proof is what a step that is done came to, in a line.
type Proof struct {
	Step string // its title
	Mark steps.Mark
	Text string
}

// stopWithin is how long the wizard waits at its end for a step to stop at a
// safe place.
const stopWithin = 15 * time.Second

// framesPerSecond is how often a changed screen may be drawn. A key press waits
// for the next frame: at 60, Bubble Tea's default, up to 17 ms.
const framesPerSecond = 120

// Run shows the wizard until the user quits or ctx ends, and gives the terminal
// back whatever happens. It does not close the run. When ctx ends, the running
// step is told to stop, and Run returns once it has. Its error is a fault of
// keysplit or of the terminal, or wraps steps.ErrCancelled when ctx ended; a step
// that failed is in the outcome.
func Run(ctx context.Context, e *steps.Engine, o Options) (Outcome, error) {
	in, file := o.In, o.Out
	if in == nil {
		in = os.Stdin
	}
	if file == nil {
		file = os.Stdout
	}
	out := &screenFile{File: file, owned: mayAsk(os.Getenv("TERM"))}
	r, s, ask := renderer(file, o)

	// The jobs outlive the program by a moment, so their context is not its.
	jobs, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	w := newWizard(jobs, e, &s)
	w.dark = r.SetHasDarkBackground
	if ask {
		w.query = out.command(ansi.RequestBackgroundColor)
	}
	w.shownOn(out, o)
	// Signals are the caller's: they end ctx.
	keys := &keyFile{File: in}
	p := tea.NewProgram(w, tea.WithInput(keys), tea.WithOutput(out), tea.WithAltScreen(),
		tea.WithoutSignalHandler(), tea.WithFPS(framesPerSecond))
	w.runner.send = p.Send
	var lent atomic.Bool // the terminal is another program's
	e.Run.HandOver = func(ctx context.Context, path string, args []string) error {
		lent.Store(true)
		defer lent.Store(false)
		return lend(ctx, p, child.Command{Path: path, Args: args, Unset: child.Withheld}.OnTerminal(ctx, in, file))
	}
	crashed := func(err error) { p.Send(w.runner.crash(err)) }
	keys.ended = func() { guard.Go(func() { p.Send(leaveMsg{}) }, crashed) }
	gone := make(chan struct{})
	guard.Go(func() {
		select {
		case <-ctx.Done():
			p.Send(leaveMsg{})
		case <-gone:
		}
	}, crashed)
	unwatch := watchSuspend(func() {
		if lent.Load() {
			stopJob()
			return
		}
		p.Send(suspendMsg{})
	}, crashed)
	_, err := p.Run()
	unwatch()
	close(gone)
	cancel()
	free := w.runner.wait(stopWithin)
	return w.outcome(e, free, ended(ctx, w, err, free, keys.gone.Load()))
}

// lend gives the terminal to another program until that ends.
func lend(ctx context.Context, p *tea.Program, c *exec.Cmd) error {
	done := make(chan error, 1)
	p.Send(handOverMsg{c, done})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// shownOn tells the wizard of its terminal. Its size is asked for here, since the program
// says it only after the first frame.
func (w *wizard) shownOn(out *screenFile, o Options) {
	w.copy, w.copyKey, w.name = out.copyText, out.copyKey, out.name
	if width, height, err := term.GetSize(int(out.Fd())); err == nil && width > 0 && height > 0 {
		w.width, w.height = width, height
	}
	w.throwaway = o.Throwaway
	if o.Title != "" {
		w.title = o.Title
	}
}

// renderer knows the colours of the terminal, and s has as many. ask tells that the
// terminal should be asked for its background, on which only the many depend.
func renderer(out *os.File, o Options) (r *lipgloss.Renderer, s style.Styles, ask bool) {
	r = lipgloss.NewRenderer(out)
	r.SetHasDarkBackground(o.Theme == "dark" || o.Theme != "light" && guessDark())
	marks := style.MarksFor(style.UTF8())
	switch {
	case o.NoColor, r.ColorProfile() == termenv.Ascii:
		r.SetColorProfile(termenv.ANSI) // the styles have no colour, but bold, faint and inverse
		return r, style.Plain(r, marks), false
	case r.ColorProfile() == termenv.ANSI:
		return r, style.Basic(r, marks), false
	}
	auto := o.Theme == "" || o.Theme == "auto"
	return r, style.New(r, marks), auto && mayAsk(os.Getenv("TERM"))
}

// ended turns the end of the program into the error of Run.
func ended(ctx context.Context, w *wizard, err error, free, gone bool) error {
	switch {
	case w.crash != "":
		return fmt.Errorf("%s. It has stopped; %s undoes what it changed", w.crash, w.facts.rollback)
	case !free:
		return fmt.Errorf("%w: the running step did not stop in %v; %s restores everything", steps.ErrCancelled, stopWithin, w.facts.rollback)
	case errors.Is(context.Cause(ctx), guard.Err):
		return context.Cause(ctx)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", steps.ErrCancelled, context.Cause(ctx))
	case gone:
		return fmt.Errorf("%w: the terminal is gone", steps.ErrCancelled)
	// Interrupted also counts as killed, so it is looked for first.
	case errors.Is(err, tea.ErrInterrupted):
		return steps.ErrCancelled
	case err != nil:
		return fmt.Errorf("show the wizard: %w", err)
	}
	return nil
}

// outcome reads the end off the engine when that is free, else off the latest
// copy.
func (w *wizard) outcome(e *steps.Engine, free bool, err error) (Outcome, error) {
	f := w.facts
	if free {
		f = look(e)
	}
	o := Outcome{
		Statuses: map[steps.Name]steps.Status{}, Findings: f.open, Changed: f.wrote,
		Back: w.restoring.verdict, Cancelled: !w.finished || err != nil, Again: w.again,
	}
	if w.begun != nil && w.at == 0 {
		o.Begun = w.begun.said(w.now())
	}
	for _, p := range w.pages {
		o.Statuses[p.Name] = f.machine.Status(p.Name)
		if p.Number > 0 && o.Statuses[p.Name] == steps.Done {
			o.Proofs = append(o.Proofs, Proof{p.Title, p.verdict(), lastProof(p)})
		}
		if p.failure != nil && !stopped(p.failure) {
			o.Failed = p.failure
		}
		if p.Name == steps.Checklist {
			_, o.Open = p.tally()
		}
	}
	return o, err
}

// keyFile notices the end of the terminal. Bubble Tea stops reading there and
// shows on, for nobody.
type keyFile struct {
	*os.File
	ended func()
	gone  atomic.Bool
}

func (f *keyFile) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	if err != nil && !f.gone.Swap(true) {
		f.ended()
	}
	return n, err
}

// screenFile lets one writer at a time at the terminal: a sequence for the
// clipboard must not end up within a frame.
type screenFile struct {
	*os.File
	mu    sync.Mutex
	owned bool   // the terminal's title and wheel are the wizard's while it is up
	title string // of the window
}

// What goes with the alternate screen. While it is up, the wheel of the mouse must not
// count as arrow keys (mode 1007), which would move the focus; selecting stays the
// terminal's. The mode and the title before are kept (XTSAVE, XTWINOPS), and a terminal
// that keeps none gets the mode that it begins with.
const (
	altOn, altOff = "\x1b[?1049h", "\x1b[?1049l"
	borrow        = "\x1b[?1007s\x1b[?1007l\x1b[22;2t"
	giveBack      = "\x1b[?1007h\x1b[?1007r\x1b[23;2t"
)

func (f *screenFile) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := string(b)
	if !f.owned || !strings.Contains(text, altOn) && !strings.Contains(text, altOff) {
		return f.File.Write(b)
	}
	begin := altOn + borrow
	if f.title != "" {
		begin += ansi.SetWindowTitle(f.title)
	}
	text = strings.NewReplacer(altOn, begin, altOff, giveBack+altOff).Replace(text)
	if _, err := f.File.WriteString(text); err != nil {
		return 0, err
	}
	return len(b), nil
}

// name sets the title of the window.
func (f *screenFile) name(title string) tea.Cmd {
	if !f.owned {
		return nil
	}
	return func() tea.Msg {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.title = title
		_, _ = f.File.WriteString(ansi.SetWindowTitle(title))
		return nil
	}
}

// WriteString keeps io.WriteString from going around Write.
func (f *screenFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// command writes a control sequence.
func (f *screenFile) command(sequence string) tea.Cmd {
	return func() tea.Msg {
		_, _ = f.WriteString(sequence) // a terminal that is gone is noticed by the program
		return nil
	}
}

// copyKey puts a key on the clipboard. The question comes before.
func (f *screenFile) copyKey(key secret.Secret) tea.Cmd {
	return func() tea.Msg {
		_, _ = f.WriteString(ansi.SetSystemClipboard(key.Reveal()))
		return copiedMsg("The key was copied. Some terminals do not allow that.")
	}
}

// copyText puts a command or a fix on the clipboard.
func (f *screenFile) copyText(text string) tea.Cmd {
	return tea.Sequence(f.command(ansi.SetSystemClipboard(text)), func() tea.Msg {
		if strings.Contains(text, "\n") {
			return copiedMsg("Copied.")
		}
		return copiedMsg("Copied: " + text)
	})
}

package ui

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/charmbracelet/bubbles/spinner"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/ui/style"
)

// fakeStep plays one step from a script. Its fields may be changed between two
// calls.
type fakeStep struct {
	name     steps.Name
	plan     func(*steps.Run) (steps.Plan, error)
	apply    func(context.Context, *steps.Run, steps.Emit) error
	undo     func(*steps.Run, steps.Emit) error
	forewarn error // what it cannot do later
	task     string
	applied  int
}

func (f *fakeStep) Forewarn(context.Context, *steps.Run) error { return f.forewarn }

func (f *fakeStep) Task(context.Context, *steps.Run) string { return f.task }

func (f *fakeStep) Name() steps.Name { return f.name }

func (f *fakeStep) Plan(_ context.Context, r *steps.Run) (steps.Plan, error) {
	if f.plan == nil {
		return steps.Plan{Summary: prose.Say("Look.")}, nil
	}
	return f.plan(r)
}

func (f *fakeStep) Apply(ctx context.Context, r *steps.Run, emit steps.Emit) error {
	f.applied++
	if f.apply == nil {
		return nil
	}
	return f.apply(ctx, r, emit)
}

func (f *fakeStep) Verify(context.Context, *steps.Run, steps.Emit) error { return nil }

func (f *fakeStep) Undo(_ context.Context, r *steps.Run, emit steps.Emit) error {
	if f.undo == nil {
		return nil
	}
	return f.undo(r, emit)
}

type fakeDjango struct{ steps.Django }

// print is the fingerprinter of the tests: its key is fixed, so that golden
// files can hold the fingerprints.
var prints = secret.NewFingerprinter([]byte("a fixed key for tests"))

// stage is a wizard over fake steps.
type stage struct {
	t         testing.TB
	w         *wizard
	e         *steps.Engine
	fakes     map[steps.Name]*fakeStep
	msgs      []tea.Msg // sent by jobs, not yet delivered
	hold      bool      // keep commands instead of running them
	holdAtEnd bool      // likewise on the last page
	held      []tea.Cmd
	quit      bool
	copied    []string
}

// look is how a stage is lit.
type lit struct {
	profile termenv.Profile
	dark    bool
	ascii   bool
}

var plainLight = lit{profile: termenv.Ascii, dark: true}

func newStage(t testing.TB, l lit, without ...steps.Name) *stage {
	t.Helper()
	st := &stage{t: t, fakes: fakeSteps()}
	for _, n := range without {
		delete(st.fakes, n)
	}
	run := &steps.Run{
		Prints: prints, Found: steps.Found{Django: fakeDjango{}},
		Options: steps.Options{Environment: steps.DefaultEnvironment},
	}
	var all []steps.Step
	for _, n := range steps.Order() {
		if f := st.fakes[n]; f != nil {
			all = append(all, f)
		}
	}
	st.e = steps.NewEngine(run, all...)
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	st.e.Now = func() time.Time { clock = clock.Add(120 * time.Millisecond); return clock }

	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(l.profile)
	r.SetHasDarkBackground(l.dark)
	s := style.New(r, style.MarksFor(!l.ascii))
	st.w = newWizard(context.Background(), st.e, &s)
	st.w.every = 0
	st.w.now = func() time.Time { return clock }
	st.w.runner.send = func(m tea.Msg) { st.msgs = append(st.msgs, m) }
	st.w.dark = r.SetHasDarkBackground
	st.w.copy = func(text string) tea.Cmd {
		st.copied = append(st.copied, text)
		return func() tea.Msg { return copiedMsg("Copied: " + text) }
	}
	st.w.copyKey = func(s secret.Secret) tea.Cmd {
		st.copied = append(st.copied, s.Reveal())
		return nil
	}
	return st
}

// open starts the wizard.
func (st *stage) open() *stage {
	st.do(st.w.Init())
	return st
}

// do runs a command and delivers what comes of it.
func (st *stage) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	if st.hold || st.holdAtEnd && st.w.atEnd() {
		st.held = append(st.held, cmd)
		return
	}
	msg := cmd()
	switch msg := msg.(type) {
	case nil, spinner.TickMsg:
	case tea.BatchMsg:
		for _, c := range msg {
			st.do(c)
		}
	case tea.QuitMsg:
		st.quit = true
	default:
		st.deliver()
		st.send(msg)
	}
}

// deliver hands the events of jobs to the model.
func (st *stage) deliver() {
	msgs := st.msgs
	st.msgs = nil
	for _, m := range msgs {
		st.send(m)
	}
}

func (st *stage) send(msg tea.Msg) {
	_, cmd := st.w.Update(msg)
	st.do(cmd)
}

// fields are those of the form that is open, none without one.
func (st *stage) fields() []*field {
	if !st.w.typing() {
		return nil
	}
	return st.w.form.fields
}

// release runs what was held.
func (st *stage) release() {
	st.hold, st.holdAtEnd = false, false
	held := st.held
	st.held = nil
	for _, c := range held {
		st.do(c)
	}
}

// during begins what the key starts and delivers these events, as if the job
// were still on its way.
func (st *stage) during(key string, n steps.Name, events ...steps.Event) *stage {
	st.hold = true
	st.press(key)
	for _, ev := range events {
		ev.Step = n
		st.send(eventMsg{st.w.job.id, ev})
	}
	return st
}

var special = map[string]tea.KeyType{
	"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab,
	"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
	"ctrl+c": tea.KeyCtrlC, "ctrl+z": tea.KeyCtrlZ, "backspace": tea.KeyBackspace,
	"pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "end": tea.KeyEnd, "home": tea.KeyHome, "ctrl+u": tea.KeyCtrlU,
}

func key(name string) tea.KeyMsg {
	if t, ok := special[name]; ok {
		return tea.KeyMsg{Type: t}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// press presses keys one after the other.
func (st *stage) press(names ...string) *stage {
	for _, n := range names {
		st.send(key(n))
	}
	return st
}

// typed types a text letter by letter.
func (st *stage) typed(text string) *stage {
	for _, r := range text {
		st.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
	}
	return st
}

func (st *stage) paste(text string) *stage {
	st.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: true})
	return st
}

// at tells the page and the phase.
func (st *stage) at() (steps.Name, phase) {
	if p := st.w.current(); p != nil {
		return p.Name, st.w.phase(p)
	}
	return "end", done
}

func (st *stage) want(n steps.Name, ph phase) *stage {
	st.t.Helper()
	if gotName, gotPhase := st.at(); gotName != n || gotPhase != ph {
		st.t.Fatalf("the wizard is at %s in phase %d, want %s in phase %d\n%s", gotName, gotPhase, n, ph, st.w.View())
	}
	return st
}

// to presses enter until the plan of a step is on the screen, or the last page, which
// is the checklist and has no plan to look at.
func (st *stage) to(n steps.Name) *stage {
	st.t.Helper()
	for range 20 {
		if name, ph := st.at(); name == n && ph == ready || (n == "end" || n == steps.Checklist) && st.w.atEnd() && ph == done {
			return st
		}
		st.press("enter")
	}
	st.t.Fatalf("enter does not lead to %s:\n%s", n, st.w.View())
	return st
}

// proof goes beyond a step, whose proof is one line then, and back to its own page.
func (st *stage) proof(n steps.Name) *stage {
	st.t.Helper()
	for range 20 {
		if st.w.phase(st.w.page(n)) == done {
			break
		}
		st.press("enter")
	}
	for range 20 {
		if name, ph := st.at(); name == n && ph == done {
			return st
		}
		st.press("esc")
	}
	st.t.Fatalf("esc does not lead to the proof of %s:\n%s", n, st.w.View())
	return st
}

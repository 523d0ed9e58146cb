// Package ui is the full screen: a Bubble Tea program that shows the state
// machine of the upgrade and lets a person drive it.
//
// The rules of the house:
//
//   - The model decides nothing about keys, files or servers. It asks the
//     engine, and shows what the engine says.
//   - Update and View do no input or output. Every use of the engine is a job
//     (job.go): a command whose context ends when the user stops or leaves.
//     Messages of a job carry its number; those of a job that was given up are
//     dropped.
//   - View shows copies. No goroutine writes what it reads.
//   - A typed password or key is in a field until enter is pressed, then in a
//     secret.Secret, and in no frame ever.
//   - A screen on which nothing happens writes nothing.
package ui

import (
	"context"
	"errors"
	"os/exec"
	"time"

	"github.com/charmbracelet/bubbles/spinner"
	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/ui/style"
)

// wizard is the root model.
type wizard struct {
	runner    *runner
	styles    *style.Styles
	dark      func(bool)                // sets the background
	copy      func(text string) tea.Cmd // puts text on the clipboard
	copyKey   func(secret.Secret) tea.Cmd
	name      func(window string) tea.Cmd // gives the window its title
	query     tea.Cmd                     // asks the terminal for its background, nil when it must not
	title     string
	named     string // what the window is called
	throwaway bool   // the project is gone afterwards
	utf8      bool
	now       func() time.Time

	width, height int
	pages         []*page
	at            int // index of the page on the screen; len(pages) for the end
	restoring     restoring
	facts         facts
	next          *steps.Plan     // the first step's plan, as preflight saw it
	begun         *Begun          // an upgrade that is taken up, nil for none
	below         []string        // folders with a project, where there is none here
	again         *Again          // asked for at the end
	reviewed      map[string]bool // edits that the checklist has led to, until the page is left

	job     *job
	lastJob int
	started time.Time
	looked  time.Duration // how long the look at the project took
	elapsed time.Duration
	spin    spinner.Model

	selected  int      // option that has the focus
	scroll    int      // first row of the body that is shown
	over      *overlay // covers the page
	question  *prompt  // replaces the page's prompt
	form      *form    // likewise, nil for none
	flash     string   // one sentence, until the next key
	log       []steps.Event
	message   string       // for the team, as it was asked for last
	emergency emergencyMsg // likewise the plan of the emergency rollback
	answer    answer       // of the terminal, about its background

	key      bool    // the key is shown
	quitting *prompt // the question of quit, when it was asked
	leaving  bool    // quit as soon as the job has stopped
	finished bool    // the end was reached and confirmed
	watching int     // the number of the latest look for a server
	every    time.Duration
	crash    string
}

// newWizard makes the model over an engine that no job uses yet.
func newWizard(ctx context.Context, e *steps.Engine, s *style.Styles) *wizard {
	w := &wizard{
		runner: newRunner(ctx, e), styles: s, utf8: s.Marks.OK == "✓", now: time.Now,
		dark: func(bool) {},
		copy: func(string) tea.Cmd { return nil }, copyKey: func(secret.Secret) tea.Cmd { return nil },
		name:  func(string) tea.Cmd { return nil },
		every: watchEvery,
		title: "keysplit", width: 80, height: 24, facts: look(e),
	}
	w.runner.send = func(tea.Msg) {}
	for _, n := range steps.Order() {
		if e.Has(n) {
			w.pages = append(w.pages, &page{StepInfo: steps.About(n), screen: newScreen(n)})
		}
	}
	frames := spinner.MiniDot
	if !w.utf8 {
		frames = spinner.Line
	}
	w.spin = spinner.New(spinner.WithSpinner(frames), spinner.WithStyle(s.Accent))
	return w
}

// Init starts the look at the project.
func (w *wizard) Init() tea.Cmd { return tea.Batch(w.goTo(0, false), w.query) }

// Update is the only place that changes the model.
func (w *wizard) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		// Some terminals do not know their size and say 0.
		if msg.Width > 0 && msg.Height > 0 {
			w.width, w.height = msg.Width, msg.Height
		}
	case tea.KeyMsg:
		return w, w.pressed(msg)
	case spinner.TickMsg:
		if w.job == nil {
			return w, nil
		}
		w.elapsed = w.now().Sub(w.started)
		var cmd tea.Cmd
		w.spin, cmd = w.spin.Update(msg)
		return w, cmd
	case eventMsg:
		w.event(msg)
	case resultMsg:
		cmd := w.result(msg)
		return w, tea.Batch(cmd, w.rename())
	case crashMsg:
		w.crash = msg.text
		return w, tea.Quit
	case messageMsg:
		w.message = string(msg)
	case reportMsg:
		return w, w.copy(string(msg))
	case emergencyMsg:
		w.emergency = msg
	case copiedMsg:
		w.flash = string(msg)
	case handOverMsg:
		return w, tea.ExecProcess(msg.program, func(err error) tea.Msg { msg.done <- err; return nil })
	case suspendMsg:
		return w, w.suspend()
	case seenMsg:
		return w, w.seen(msg)
	case leaveMsg:
		return w, w.leave()
	}
	return w, nil
}

// rename gives the window a title once the project is known.
func (w *wizard) rename() tea.Cmd {
	title := w.title
	if w.facts.folder != "" {
		title += ": " + tail(w.facts.folder, 2) + ", " + w.facts.environment
	}
	if title == w.named || w.facts.folder == "" {
		return nil
	}
	w.named = title
	return w.name(title)
}

// handOverMsg lends the terminal to a program; done takes its end.
type handOverMsg struct {
	program *exec.Cmd
	done    chan<- error
}

// leaveMsg asks the program to end: a signal came, or the caller gave up.
type leaveMsg struct{}

// copiedMsg says what went to the clipboard.
type copiedMsg string

// page returns the page of a step.
func (w *wizard) page(n steps.Name) *page {
	for _, p := range w.pages {
		if p.Name == n {
			return p
		}
	}
	return &page{StepInfo: steps.StepInfo{Name: n}}
}

// mayRollBack reports whether it can be restored here: the step that writes undoes
// the edits too, but not when it was left out. The command always does. What an earlier
// run has begun can be undone from its first page on.
func (w *wizard) mayRollBack() bool {
	return w.begun != nil || w.facts.wrote && w.facts.machine.Can(steps.Write, steps.ActUndo)
}

// current is the page on the screen, nil at the end.
func (w *wizard) current() *page {
	if w.at < len(w.pages) {
		return w.pages[w.at]
	}
	return nil
}

// atEnd reports whether the last page is shown: the checklist once it was gone
// through, or else the page behind all steps.
func (w *wizard) atEnd() bool {
	p := w.current()
	return p == nil && !w.asksBack() || p != nil && p.Name == steps.Checklist && w.phase(p) == done
}

// phase says what there is to show of a page.
type phase int

const (
	waiting phase = iota
	planning
	ready
	running
	done
	failed
	skipped
)

// phase follows the state machine and the job that runs.
func (w *wizard) phase(p *page) phase {
	if w.job != nil && w.job.step == p.Name {
		if w.job.kind == jobApply {
			return running
		}
		return planning
	}
	if p.failure != nil {
		return failed
	}
	switch w.facts.machine.Status(p.Name) {
	case steps.Planned:
		return ready
	case steps.Done:
		return done
	case steps.Skipped:
		return skipped
	}
	return waiting
}

// start begins a job. One that still runs is told to stop; its messages are
// dropped from here on, and the new job waits for its end.
func (w *wizard) start(kind jobKind, n steps.Name, do work) tea.Cmd {
	w.stop()
	ctx, cancel := context.WithCancel(w.runner.ctx)
	w.lastJob++
	w.job = &job{id: w.lastJob, kind: kind, step: n, cancel: cancel}
	w.started, w.elapsed = w.now(), 0
	w.selected, w.key, w.question = w.keepSelection(kind), false, nil
	w.shut()
	if w.over == nil {
		w.scroll = 0
	}
	if n != "" {
		w.page(n).clear()
	}
	return tea.Batch(w.runner.command(ctx, w.job, do), w.spin.Tick)
}

// keepSelection keeps the focus of a list whose options are planned one by one,
// and of a page that is covered.
func (w *wizard) keepSelection(kind jobKind) int {
	if p := w.current(); kind == jobPlan && p != nil && p.screen.ready(w).list {
		return w.selected
	}
	return 0
}

// stop tells the running job to end.
func (w *wizard) stop() {
	if w.job != nil {
		w.job.cancel()
	}
}

// drop gives the running job up: what it still brings is not looked at.
func (w *wizard) drop() {
	w.stop()
	w.job = nil
}

// goTo shows a page. A step that was not looked at, or whose proof is about
// another state by now, is planned; again plans it in any case.
func (w *wizard) goTo(i int, again bool) tea.Cmd {
	w.at, w.selected, w.scroll, w.key, w.question, w.over, w.reviewed = i, 0, 0, false, nil, nil, nil
	w.shut()
	p := w.current()
	if p == nil {
		return w.watch()
	}
	switch ph := w.phase(p); {
	case again, ph == waiting, ph == ready:
		p.plan, w.restoring = steps.Plan{}, restoring{}
		p.fresh, p.stay, p.again = !again, again, p.again && !again
		return p.screen.arrive(w)
	}
	return nil
}

// forward goes to the next page.
func (w *wizard) forward() tea.Cmd { return w.goTo(w.at+1, false) }

// pass goes to the next page by itself: what covers the page stays open.
func (w *wizard) pass() tea.Cmd {
	over, scroll := w.over, w.scroll
	cmd := w.forward()
	if over != nil {
		w.over, w.scroll = over, scroll
	}
	return cmd
}

// back goes to the page before, only to look. It never quits.
func (w *wizard) back() tea.Cmd {
	switch {
	case w.job != nil && w.job.kind != jobPlan && w.job.kind != jobForesee:
		w.flash = busy
		return nil
	case w.asksBack():
		w.drop()
		return w.keep()
	case w.reviewed != nil:
		return w.leaveReview()
	case w.at == 0:
		w.flash = "This is the first screen. Press q to quit."
		return nil
	}
	w.drop()
	w.at, w.selected, w.scroll, w.key, w.question = w.at-1, 0, 0, false, nil
	return nil
}

// busy is said to a key that would need the engine.
const busy = "A step is running. Press x to stop it first."

// leave ends the program, once the running job has stopped at a safe place.
func (w *wizard) leave() tea.Cmd {
	w.leaving = true
	w.question, w.over = nil, nil
	if w.job == nil {
		return tea.Quit
	}
	w.stop()
	return nil
}

// Words are what an error says to who is in the wizard.
func Words(err error) string {
	var held *journal.HeldError
	switch {
	case stopped(err):
		return "This step was stopped before it finished."
	case errors.As(err, &held):
		return held.Headline() + " It is " + held.By.String() + "."
	}
	return secret.Inert(err.Error())
}

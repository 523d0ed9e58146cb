package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// Engine drives the steps through the state machine, records every status in
// the journal and passes events on. It is what a front end talks to. Its
// methods are called from one goroutine at a time.
type Engine struct {
	Run     *Run
	Machine Machine
	Log     []Event          // everything that was emitted, oldest first
	Now     func() time.Time // nil means time.Now

	steps map[Name]Step
}

// NewEngine makes an engine of the given steps; of two with one name the later one
// counts. A state without a step cannot be reached.
func NewEngine(run *Run, all ...Step) *Engine {
	e := &Engine{Run: run, Machine: NewMachine(), steps: map[Name]Step{}}
	for _, s := range all {
		e.steps[s.Name()] = s
	}
	return e
}

// Has reports whether there is a step of that name.
func (e *Engine) Has(n Name) bool { return e.steps[n] != nil }

// Plan asks a step what it would do. It is also the way back to a step and the
// way to retry one. A step that cannot even plan has failed; emit sees why.
func (e *Engine) Plan(ctx context.Context, n Name, emit Emit) (Plan, error) {
	if err := e.act(n, ActPlan); err != nil {
		return Plan{}, err
	}
	err := e.lacking(ctx, n)
	var p Plan
	if err == nil {
		p, err = e.steps[n].Plan(ctx, e.Run)
	}
	if err == nil {
		err = e.forewarn(ctx, n, p)
	}
	p.Step = n
	if err != nil {
		return p, e.end(ctx, n, err, ActFail, EventFailed, e.sender(n, emit))
	}
	for i, d := range p.Details {
		p.Details[i] = e.Run.Fit(d)
	}
	for i, effect := range p.Effects {
		p.Effects[i] = e.Run.Fit(effect)
	}
	for i := range p.Edits {
		p.Edits[i].Why, p.Edits[i].ByHand = e.Run.Fit(p.Edits[i].Why), e.Run.Fit(p.Edits[i].ByHand)
	}
	p.Summary, p.Question = e.Run.Fit(p.Summary), e.Run.Fit(p.Question)
	return p, nil
}

// Foretell reports what a plan that is not carried out would end with.
func (e *Engine) Foretell(p Plan, emit Emit) {
	for _, f := range p.Ends {
		e.sender(p.Step, emit).Find(f)
	}
}

// Apply carries out a planned step and verifies it. emit sees every event,
// cleaned; the last one is EventDone or EventFailed.
func (e *Engine) Apply(ctx context.Context, n Name, emit Emit) error {
	send := e.sender(n, emit)
	if err := e.act(n, ActStart); err != nil {
		return e.end(ctx, n, err, ActSucceed, EventDone, send)
	}
	send(Event{Kind: EventStarted})
	step := e.steps[n]
	var err error
	switch n {
	case Preflight:
		e.Run.BeforeDjango = func() { e.foresee(ctx, n) }
	case Write:
		err = errors.Join(e.Run.remember(), e.witness(ctx))
	case SmokeTest:
		err = e.lookAgain(ctx)
	}
	if err == nil {
		err = step.Apply(ctx, e.Run, send)
	}
	if err == nil {
		err = step.Verify(ctx, e.Run, send)
	}
	if err = e.end(ctx, n, err, ActSucceed, EventDone, send); err == nil && n == Write {
		e.foresee(ctx, n)
	}
	return err
}

// Foreseer is a step that can begin early with what takes long and changes nothing.
type Foreseer interface {
	Prepare(ctx context.Context, run *Run) // while the project's Django starts
	Written(ctx context.Context, run *Run) // once the key is in its place
}

// foresee has the restart begin early, in a run that goes through to it without a question.
func (e *Engine) foresee(ctx context.Context, at Name) {
	o := e.Run.Options
	f, ok := e.steps[Restart].(Foreseer)
	if !ok || !o.Unattended || o.ReadOnly || o.Skip[Restart] || o.Environment != DefaultEnvironment {
		return
	}
	switch at {
	case Preflight:
		f.Prepare(ctx, e.Run)
	case Write:
		f.Written(ctx, e.Run)
	}
}

// Witness is a step that can find out, before anything is written, which key is in
// force.
type Witness interface {
	Witness(ctx context.Context, run *Run) error
}

// witness finds out which key was in force before the first write of a run that
// replaces one. Once it is written, the server that took the previous key may be gone.
func (e *Engine) witness(ctx context.Context) error {
	run := e.Run
	if run.Wrote || run.Journal == nil || !run.Previous.Set() || run.Options.Skip[SmokeTest] || run.PreviousTo(run.Key).Proved {
		return nil
	}
	for _, n := range []Name{Restart, SmokeTest, Generate} { // who can be asked, what it takes, what follows for the key
		if w, ok := e.steps[n].(Witness); ok {
			if err := w.Witness(ctx, run); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookAgain finds the servers anew for a smoke test that is repeated, or that follows a
// restart which was left to a person: those that were seen before may have ended since.
func (e *Engine) lookAgain(ctx context.Context) error {
	w, ok := e.steps[Restart].(Witness)
	tries := 0
	for _, ev := range e.Log {
		if ev.Kind == EventStarted && ev.Step == SmokeTest {
			tries++
		}
	}
	if !ok || e.Run.OwnServer || len(e.Run.Servers) == 0 || tries < 2 && e.Machine.Status(Restart) != Skipped {
		return nil
	}
	return w.Witness(ctx, e.Run)
}

// Skip leaves a step out. It counts as skipped, never as done.
func (e *Engine) Skip(n Name, emit Emit) error {
	if err := e.act(n, ActSkip); err != nil {
		return err
	}
	e.sender(n, emit)(Event{Kind: EventSkipped, Text: prose.Say("on request")})
	return nil
}

// Asks reports whether a step would ask a person as things stand, or fail. Its status
// stays as it is.
func (e *Engine) Asks(ctx context.Context, n Name) bool {
	if e.steps[n] == nil || e.Run.Options.Skip[n] {
		return false
	}
	if w, ok := e.steps[n].(Forewarner); ok && w.Forewarn(ctx, e.Run) != nil {
		return true
	}
	p, err := e.steps[n].Plan(ctx, e.Run)
	return err != nil || !p.Nothing && (p.Confirm != "" || !p.Question.Empty())
}

// Task says what a step will do, as an order, as far as it can tell before the write.
func (e *Engine) Task(ctx context.Context, n Name) string {
	if s, ok := e.steps[n].(interface {
		Task(ctx context.Context, run *Run) string
	}); ok {
		return s.Task(ctx, e.Run)
	}
	return About(n).Task
}

// Seen reports whether a server of the project answers that this run did not start. Its
// error says why that cannot be told.
func (e *Engine) Seen(ctx context.Context) (bool, error) {
	watcher, ok := e.steps[Restart].(interface {
		Seen(ctx context.Context, run *Run) (bool, error)
	})
	if !ok {
		return false, errors.New("no step looks for servers")
	}
	return watcher.Seen(ctx, e.Run)
}

// Findings lists what is still wrong or worth knowing, each once, in the order
// of its first appearance. What a step found before it was tried again does
// not count any more, nor does anything from before the project was looked at again,
// nor what preflight found and the run has fixed, once the key is written and read
// back, nor what a person has overruled, or a step has fixed by the way.
func (e *Engine) Findings() []finding.Finding {
	fixed := map[finding.Finding]bool{}
	if e.Run.Project != nil && e.Machine.Status(Write) == Done {
		for _, f := range e.Run.Project.Findings {
			fixed[e.Run.ShowFinding(f)] = f.FixedBySteps()
		}
	}
	latest := map[Name]int{} // where in the log a step's latest try begins
	for i, ev := range e.Log {
		if ev.Kind == EventStarted {
			latest[ev.Step] = i
		}
	}
	// What a skipped restart found does not count once the server is proved.
	if e.Machine.Status(Restart) == Skipped && e.Machine.Status(SmokeTest) == Done {
		latest[Restart] = len(e.Log)
	}
	var out []finding.Finding
	seen := map[finding.Finding]bool{}
	for i, ev := range e.Log {
		if ev.Finding == nil || i < max(latest[ev.Step], latest[Preflight]) || seen[*ev.Finding] || fixed[*ev.Finding] || e.Run.isSettled(*ev.Finding) {
			continue
		}
		seen[*ev.Finding] = true
		out = append(out, *ev.Finding)
	}
	return out
}

// FindingsOf lists what the latest try of a step found.
func (e *Engine) FindingsOf(n Name) []finding.Finding {
	var out []finding.Finding
	for _, ev := range e.Log {
		switch {
		case ev.Step != n:
		case ev.Kind == EventStarted:
			out = nil
		case ev.Finding != nil:
			out = append(out, *ev.Finding)
		}
	}
	return out
}

// end turns the error of a step into its last transition and its last event. A
// step whose end the journal cannot take has failed, whatever it did: a later run
// would not know of it. The event comes in any case, since front ends say no more
// than what they are told.
func (e *Engine) end(ctx context.Context, n Name, err error, good Action, kind EventKind, send Emit) error {
	if err == nil {
		before := e.Machine
		if err = e.act(n, good); err == nil {
			err = e.record(ctx, n)
		}
		if err == nil {
			e.fillLeft()
			send(Event{Kind: kind})
			return nil
		}
		e.Machine = before
	}
	stopped := ctx.Err() != nil || errors.Is(err, context.Canceled)
	bad := ActFail
	if stopped {
		bad, err = ActStop, fmt.Errorf("%w: %s was stopped", ErrCancelled, About(n).Title)
	}
	var unnoted error
	if !stopped && n == SmokeTest && onlyTheLogin(err) {
		unnoted = e.record(ctx, n) // the keys were asked about before it
	}
	unnoted = errors.Join(unnoted, e.act(n, bad))
	if unnoted != nil && unnoted.Error() != err.Error() {
		send.Check("notes", MarkFailed, "keysplit's own notes", unnoted.Error())
	} else {
		unnoted = nil
	}
	if stopped {
		send(Event{Kind: EventFailed, Text: prose.Say("stopped")})
	} else {
		err = e.clean(err)
		e.report(err, send)
	}
	if unnoted != nil {
		return errors.Join(err, e.clean(unnoted))
	}
	return err
}

// report sends the findings of a failure, or its text, as the last events.
func (e *Engine) report(err error, send Emit) {
	var failure *Failure
	if errors.As(err, &failure) {
		for _, f := range failure.Findings {
			send(Event{Kind: EventFinding, Text: f.Message, Finding: &f, Ends: true})
		}
	}
	send(Event{Kind: EventFailed, Text: prose.Of(err.Error())})
}

// act makes a transition and records it. The journal comes to be during
// preflight; what happened before that needs no record.
func (e *Engine) act(n Name, a Action) error {
	if e.steps[n] == nil {
		return fmt.Errorf("there is no step %q", n)
	}
	next, err := e.Machine.Do(n, a)
	if err != nil {
		return err
	}
	e.Machine = next
	if e.Run.Journal == nil || a == ActPlan {
		return nil
	}
	if n == Restart && (a == ActSucceed || a == ActSkip) {
		if err := e.Run.Journal.Settle(); err != nil {
			return err
		}
	}
	if n == SmokeTest && a == ActSucceed {
		if err := e.Run.endStage(); err != nil {
			return err
		}
	}
	return e.Run.Journal.SetStatus(string(n), string(next.Status(n)))
}

// sender stamps and cleans the events of one step. Every text of a step passes it on
// its way to a person, so it cleans again what the step should have cleaned.
func (e *Engine) sender(n Name, emit Emit) Emit {
	return func(ev Event) {
		now := e.Now
		if now == nil {
			now = time.Now
		}
		ev.Time, ev.Step = now().UTC(), n
		if ev.Text = e.Run.Fit(ev.Text); !ev.Said.Empty() {
			ev.Text, ev.Said = prose.Of(e.Run.Redactor.Show(ev.Said)), secret.Foreign{}
		}
		ev.Detail = e.Run.Fit(ev.Detail)
		if ev.Finding != nil {
			f := e.Run.ShowFinding(*ev.Finding)
			ev.Finding = &f
		}
		e.Log = append(e.Log, ev)
		if emit != nil {
			emit(ev)
		}
	}
}

// ShowFinding is a finding, fit to be shown: see Fit.
func (r *Run) ShowFinding(f finding.Finding) finding.Finding {
	f = r.advised(f).Clean(r.Fit)
	f.File = r.shownPath(f.File)
	return f
}

// shownPath is a file or place of a finding, fit to be shown. That of a file is no secret,
// whatever a folder is called.
func (r *Run) shownPath(path string) string {
	if p := r.Project; p != nil && path != "" {
		if _, err := os.Lstat(filepath.Join(p.TopLevel, path)); err == nil {
			return secret.Inert(path)
		}
	}
	return r.Redactor.Clean(path)
}

// cleanError keeps what an error is and replaces what it says.
type cleanError struct {
	text string
	err  error
}

func (c *cleanError) Error() string { return c.text }
func (c *cleanError) Unwrap() error { return c.err }

func (e *Engine) clean(err error) error {
	if text := e.Run.Show(err.Error()); text != err.Error() {
		return &cleanError{text, err}
	}
	return err
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/rollback"
	"dj/keysplit/steps/secret"
)

// walk is one pass of a line-by-line front end.
type walk struct {
	e     *steps.Engine
	f     front
	o     *upgradeOptions
	stdio IO
	back  *result // how the rollback ended, when the user chose one

	changes bool // a plan would change something
	resumed bool // what an earlier run left unfinished was looked for
	begun   bool // and there is some, which can be undone
	goesOn  bool // and is taken up, with the key that it chose
}

// all goes through the steps, as often as the stages of the run ask for.
func (w *walk) all(ctx context.Context) error {
	for {
		err := w.pass(ctx)
		if err != nil {
			return w.unaccepted(ctx, err)
		}
		if !w.next() {
			return nil
		}
	}
}

// pass goes through the steps once.
func (w *walk) pass(ctx context.Context) error {
	for _, n := range steps.Order() {
		if !w.e.Has(n) || n == steps.Checklist && w.e.Run.Stage == steps.Accepting {
			continue
		}
		w.f.Step(n)
		if w.e.Run.Options.Skip[n] {
			if err := w.e.Skip(n, w.f.Event); err != nil {
				return err
			}
			continue
		}
		if err := w.step(ctx, n); err != nil {
			return err
		}
		if n == steps.Checklist {
			return w.signOff(ctx)
		}
		if n != steps.Preflight {
			continue
		}
		if err := w.resume(ctx); err != nil {
			return err
		}
		if err := w.adopt(ctx); err != nil {
			return err
		}
		if err := w.blocked(ctx); err != nil {
			return err
		}
		if young, err := w.young(ctx); young || err != nil {
			return err
		}
	}
	return nil
}

// step plans, asks and applies one step, as often as the user retries it.
func (w *walk) step(ctx context.Context, n steps.Name) error {
	for {
		err := w.once(ctx, n)
		if err == nil || errors.Is(err, steps.ErrCancelled) || w.o.yes || w.o.dryRun {
			return err
		}
		if again, err := w.failed(ctx, n, err); !again {
			return err
		}
	}
}

// forget has a login that was rejected asked for again: the same one would be
// rejected too, and accounts lock.
func (w *walk) forget(err error) {
	var failure *steps.Failure
	if a := &w.e.Run.Answers; errors.As(err, &failure) && finding.Has(failure.Findings, finding.LoginRejected) && !a.TempUser {
		a.Username, a.Password = "", secret.Secret{}
	}
}

// rollBack undoes what this run changed, after its plan and a yes. Its end is the end of
// the run.
func (w *walk) rollBack(ctx context.Context) error {
	back := rollback.Of(w.e)
	plan := back.Plan(ctx)
	w.f.Plan(plan)
	if err := w.o.agreed(ctx, w.e.Run, w.f, plan); err != nil {
		return err
	}
	if p, ok := w.f.(*plainFront); ok {
		p.advised = nil // nothing is asked about a failure of it
	}
	v := back.Run(ctx, w.f.Event)
	r := backResult(w.e, v)
	w.back = &r
	if v.Err == nil {
		return steps.ErrCancelled // the upgrade, by the user
	}
	return v.Err
}

func (w *walk) once(ctx context.Context, n steps.Name) error {
	if err := w.prepare(ctx, n); err != nil {
		return err
	}
	plan, err := w.e.Plan(ctx, n, w.f.Event)
	if err != nil {
		return err
	}
	_, lines := w.f.(*plainFront)
	if n != steps.Preflight && !(lines && n == steps.Checklist && !w.o.dryRun) { // its lines say each item at once
		w.f.Plan(plan)
	}
	w.changes = w.changes || steps.About(n).Changes != "" && !plan.Nothing && !plan.Question.Empty()
	if w.o.dryRun && !steps.About(n).InMemory {
		w.e.Foretell(plan, w.f.Event)
		return nil
	}
	if n == steps.Write {
		if err := w.foresee(ctx); err != nil {
			return err
		}
	}
	if taken, err := w.consent(ctx, n, plan); taken || err != nil {
		return err
	}
	if err := w.e.Apply(ctx, n, w.f.Event); err != nil || !plan.More {
		return err
	}
	return w.once(ctx, n) // the next part of the step, with its own question
}

// consent asks for the yes that a plan needs. taken says that the plan was changed
// instead, and that the step was then taken with the new one.
func (w *walk) consent(ctx context.Context, n steps.Name, plan steps.Plan) (taken bool, err error) {
	switch {
	case w.o.dryRun:
		return false, nil
	case plan.Confirm != "":
		return false, w.o.confirmed(ctx, w.e.Run, w.f, plan, steps.About(n).Changes)
	case n == steps.Generate && plan.Keeps && !w.o.yes && !w.goesOn:
		return w.choose(ctx)
	case plan.Question.Empty() || plan.Nothing || w.o.yes:
		return false, nil
	}
	answer, err := w.f.Ask(ctx, plan.Question.Rendered(), w.choices(n, plan))
	switch {
	case err != nil:
		return false, err
	case answer == 's', answer == 'd', answer == 'a':
		if err := w.switched(ctx, plan.Offered(), answer); err != nil {
			return true, err
		}
		return true, w.once(ctx, n)
	case answer == 'i':
		return true, w.imported(ctx)
	case answer != 'y':
		return false, steps.ErrCancelled
	}
	return false, nil
}

// confirmed has production named: typed by the person who is there, or given on
// the command line. not is what was not done without it, for the messages.
func (o *answers) confirmed(ctx context.Context, run *steps.Run, f front, plan steps.Plan, not string) error {
	ask, err := run.GivenName(plan, o.confirm, o.yes, not)
	if err != nil || !ask {
		return err
	}
	typed, err := f.Line(ctx, plan.NameQuestion().Rendered())
	if err == nil && !run.Named(plan.Confirm, typed) {
		f.Note(steps.WrongName + " Nothing was " + not + ".")
		err = steps.ErrCancelled
	}
	return err
}

// foresee asks for the name of the production that only the restart touches before
// anything is written, where nobody is there to be asked then.
func (w *walk) foresee(ctx context.Context) error {
	if !w.o.yes || w.o.dryRun {
		return nil
	}
	name := restart.Production(ctx, w.e.Run)
	if name == "" {
		return nil
	}
	return w.o.confirmed(ctx, w.e.Run, w.f, steps.Plan{Confirm: name}, steps.About(steps.Write).Changes)
}

// switched takes what a person says of the edits of a plan: 'a' switches all on, 's' one by
// its number, and 'd' shows the diff of one.
func (w *walk) switched(ctx context.Context, all []steps.Edit, answer byte) error {
	said := map[string]bool{}
	if answer == 'a' {
		for _, e := range all {
			said[e.ID] = true
		}
		w.e.Run.Switch(said)
		return nil
	}
	typed, err := w.f.Line(ctx, "Its number")
	if err != nil {
		return err
	}
	at, err := strconv.Atoi(typed)
	switch {
	case err != nil || at < 1 || at > len(all):
		w.f.Note("There is no edit " + secret.Quote(typed) + ".")
	case answer == 'd':
		e := all[at-1]
		w.f.Plan(steps.Plan{Diff: e.Diff, File: w.e.Run.Project.Rel(e.File)})
	default:
		w.e.Run.Switch(map[string]bool{all[at-1].ID: !all[at-1].On})
	}
	return nil
}

// quitting is an answer to a question that has no no.
var quitting = choice{key: 'q', text: "quit"}

func (w *walk) choices(n steps.Name, plan steps.Plan) []choice {
	all := []choice{{key: 'y', text: "yes"}, {key: 'n', text: "no, stop here"}}
	if len(plan.Offered()) > 0 {
		all = []choice{{key: 'y', text: "yes"}, {key: 's', text: "switch an edit"}, {key: 'a', text: "all on"}, {key: 'd', text: "diff of an edit"}, {key: 'n', text: "no, stop here"}}
	}
	if n == steps.Generate && !w.e.Run.Answers.Import.Set() {
		all = []choice{{key: 'y', text: "yes"}, {key: 'i', text: "use your own key"}, {key: 'n', text: "no, stop here"}}
	}
	return all
}

// imported asks for the user's own key and plans the step again with it.
func (w *walk) imported(ctx context.Context) error {
	key, err := w.unseen(ctx, "Your key")
	if err != nil {
		return err
	}
	w.e.Run.Answers.Import = key
	err = w.once(ctx, steps.Generate)
	if err != nil {
		// A refused key must not come back with the next try.
		w.e.Run.Answers.Import = secret.Secret{}
	}
	return err
}

// prepare asks what a step needs to know before it can plan: the smoke test, an
// account.
func (w *walk) prepare(ctx context.Context, n steps.Name) error {
	a := &w.e.Run.Answers
	if n != steps.SmokeTest || w.o.yes || w.o.dryRun || a.Username != "" || a.TempUser || w.e.Run.Stage == steps.Accepting {
		return nil
	}
	choices := []choice{{key: 'a', text: "an account of yours"}, {key: 'n', text: "no login, the other proofs need none"}, quitting}
	if w.e.Run.Django != nil && w.e.Run.Options.Environment == steps.DefaultEnvironment {
		choices = append([]choice{{key: 't', text: "a throwaway account, deleted after the test"}}, choices...)
	}
	for {
		answer, err := w.f.Ask(ctx, "Log in with which account?", choices)
		switch {
		case err != nil:
			return err
		case answer == quitting.key:
			return steps.ErrCancelled
		case answer == 't':
			a.TempUser = true
			return nil
		case answer == 'n':
			return nil
		}
		name, err := w.f.Line(ctx, "Name of the account, or enter to go back")
		if err != nil {
			return err
		}
		if name == "" {
			continue
		}
		if a.Password, err = w.unseen(ctx, "Its password"); err == nil {
			a.Username = name
		}
		return err
	}
}

func (w *walk) unseen(ctx context.Context, what string) (secret.Secret, error) {
	fmt.Fprintf(w.stdio.Err, "%s (not shown): ", what)
	b, err := readUnseen(ctx, w.stdio)
	if err != nil {
		return secret.Secret{}, err
	}
	return w.e.Run.Secret(string(b)), nil
}

package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/ui"
)

// startAgain ends a walk that begins once more, with what the person named instead.
type startAgain struct{ ui.Again }

func (*startAgain) Error() string { return "begin again" }

// failed asks what to do about a step that failed, as the page of the wizard does. again
// says that the step is to be tried once more; else the error is how the run goes on.
func (w *walk) failed(ctx context.Context, n steps.Name, err error) (again bool, end error) {
	var failure *steps.Failure
	var over finding.Finding
	var found []finding.Finding
	if errors.As(err, &failure) {
		found = failure.Findings
		over, _ = finding.Overrulable(found)
	}
	out := w.waysOut(n, err, w.others(err, found), !over.Ask.Empty())
	out.offer(w.offers(found))
	for {
		answer, askErr := w.f.Ask(ctx, "This step failed. What now?", out.choices)
		switch {
		case askErr != nil && n == steps.Preflight: // why it failed says more than that nobody answers
			return false, err
		case askErr != nil:
			return false, askErr
		case answer == 's':
			return false, w.e.Skip(n, w.f.Event)
		case answer == quitting.key:
			return false, err
		case answer == 'r':
			w.forget(err)
			return true, nil
		case answer != 'g':
			if end = out.leads[answer](ctx); end == nil {
				continue
			}
			return false, end
		}
		if answer, askErr = w.f.Ask(ctx, over.Ask.Rendered(), []choice{{key: 'n', text: "no"}, {key: 'y', text: "yes"}}); askErr != nil {
			return false, askErr
		}
		if answer == 'y' {
			askErr = w.e.Run.Overrule(over)
			return askErr == nil, askErr
		}
	}
}

// offers are the projects that are below a folder without one, and the demo where the
// command leads to it.
func (w *walk) offers(found []finding.Finding) []ui.Offer {
	if !finding.Has(found, finding.ProjectNotFound) || !w.o.hasOthers() {
		return nil
	}
	all := ui.Offers(preflight.Below(w.e.Run.Options.Folder, ui.MaxBelow))
	return slices.DeleteFunc(all, func(o ui.Offer) bool { return o.Demo && w.o.verb == "upgrade" })
}

// hasOthers reports whether something else can be named instead: the demo and the end of a
// grace period have no flags for it.
func (o *upgradeOptions) hasOthers() bool { return !o.throwaway && !o.endGrace }

// waysOut are the answers to a failure of a step.
type waysOut struct {
	choices []choice
	// leads are what the answers begin that are no retry, skip, quit or overruling. Each
	// returns how the run ends, nil where the person meant nothing of it.
	leads map[byte]func(context.Context) error
}

// waysOut are those of a step, with what can be named instead beside the retry. In place of
// a lock that another run holds it comes first: to try again at once cannot help.
func (w *walk) waysOut(n steps.Name, err error, others []*ui.Remedy, overrulable bool) waysOut {
	out, taken := waysOut{leads: map[byte]func(context.Context) error{'b': w.undo}}, "rlgsbq"
	for _, other := range others {
		text := strings.ToLower(other.Label)
		letters := strings.ReplaceAll(strings.TrimPrefix(text, "another "), " ", "") + "abcdefghijklmnopqrstuvwxyz" // more than there are ways out
		key := letters[strings.IndexFunc(letters, func(c rune) bool { return !strings.ContainsRune(taken, c) })]
		out.choices, taken = append(out.choices, choice{key: key, text: text}), taken+string(key)
		out.leads[key] = func(ctx context.Context) error { return w.another(ctx, other) }
	}
	at := 0
	if held := (*journal.HeldError)(nil); errors.As(err, &held) {
		at = len(out.choices)
	}
	out.choices = slices.Insert(out.choices, at, choice{key: 'r', text: "retry"})
	if overrulable {
		out.choices = append(out.choices, choice{key: 'g', text: "go on anyway"})
	}
	if w.e.Machine.Can(n, steps.ActSkip) {
		out.choices = append(out.choices, choice{key: 's', text: "skip " + strings.ToLower(steps.About(n).Title)})
	}
	if w.e.Run.Wrote || w.begun {
		out.choices = append(out.choices, choice{key: 'b', text: "roll back"})
	}
	out.choices = append(out.choices, quitting)
	return out
}

// others are what can be named instead of what failed.
func (w *walk) others(err error, found []finding.Finding) []*ui.Remedy {
	if !w.o.hasOthers() {
		return nil
	}
	return ui.Remedies(err, found, w.e.Run.Flags()[""])
}

// offer puts other projects first: by the digit of a folder, or d for the demo.
func (o *waysOut) offer(all []ui.Offer) {
	for i, one := range slices.Backward(all) {
		c := choice{key: byte('1' + i), text: one.Label} // #nosec G115 -- at most ui.MaxBelow
		if one.Demo {
			c = choice{key: 'd', text: strings.ToLower(one.Label)}
		}
		o.choices = slices.Insert(o.choices, 0, c)
		o.leads[c.key] = func(context.Context) error { return &startAgain{one.Again} }
	}
}

// undo rolls back, nil where that was not meant.
func (w *walk) undo(ctx context.Context) error {
	err := w.rollBack(ctx)
	if w.back == nil && errors.Is(err, steps.ErrCancelled) && ctx.Err() == nil {
		return nil
	}
	return err
}

// another asks for what is named instead, where there is something to name, and begins
// again with it; nil where the person named nothing.
func (w *walk) another(ctx context.Context, r *ui.Remedy) error {
	if r.Question == "" {
		return &startAgain{*r.With("true")}
	}
	for w.f.Note(r.Question); ; {
		enter := "to go back"
		if r.Value != "" {
			enter = "for " + r.Value
		}
		typed, err := w.f.Line(ctx, r.Field+", or enter "+enter)
		if typed = cmp.Or(typed, r.Value); err != nil || typed == "" {
			return err
		}
		lacks := r.Lacks(typed)
		if lacks == "" {
			return &startAgain{*r.With(typed)}
		}
		w.f.Note(lacks)
	}
}

// blocked asks what to do about what no step fixes, as the first page of the wizard does.
func (w *walk) blocked(ctx context.Context) error {
	for !w.o.yes && !w.o.dryRun && ui.Blocked(w.e.Findings()) {
		out := w.waysOut(steps.Preflight, nil, w.others(nil, w.e.Findings()), true)
		out.choices[slices.IndexFunc(out.choices, func(c choice) bool { return c.key == 'r' })] = choice{key: 'l', text: "look again", also: "r"}
		answer, err := w.f.Ask(ctx, "Fix it, then look again.", out.choices)
		switch {
		case err != nil:
			return err
		case answer == 'g':
			return nil
		case answer == quitting.key:
			return steps.ErrCancelled
		case answer == 'l':
			if err = w.step(ctx, steps.Preflight); err == nil {
				err = w.adopt(ctx)
			}
		default:
			err = out.leads[answer](ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

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
	var others []*ui.Remedy
	var found []finding.Finding
	if errors.As(err, &failure) {
		found = failure.Findings
		over, _ = finding.Overrulable(found)
	}
	if w.o.hasOthers() {
		others = ui.Remedies(err, found, w.e.Run.Flags()[""])
	}
	offers := w.offers(found)
	choices := w.waysOut(n, others, !over.Ask.Empty())
	if held := (*journal.HeldError)(nil); errors.As(err, &held) && len(others) > 0 {
		slices.Reverse(choices[:2]) // to try again at once cannot help
	}
	for i, o := range slices.Backward(offers) {
		choices = slices.Insert(choices, 0, offered(i, o))
	}
	for {
		answer, askErr := w.f.Ask(ctx, "This step failed. What now?", choices)
		switch {
		case askErr != nil && n == steps.Preflight: // why it failed says more than that nobody answers
			return false, err
		case askErr != nil:
			return false, askErr
		case answer == 's':
			return false, w.e.Skip(n, w.f.Event)
		case answer == 'b':
			if end = w.rollBack(ctx); w.back == nil && errors.Is(end, steps.ErrCancelled) && ctx.Err() == nil {
				continue // it was not meant
			}
			return false, end
		case answer == quitting.key:
			return false, err
		case answer == 'r':
			w.forget(err)
			return true, nil
		case answer != 'g':
			at := slices.IndexFunc(choices, func(c choice) bool { return c.key == answer })
			if at < len(offers) {
				return false, &startAgain{offers[at].Again}
			}
			if end = w.another(ctx, others[max(0, at-len(offers)-1)]); end == nil {
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

// offered is an offer as an answer: the digit of a folder, or d for the demo.
func offered(at int, o ui.Offer) choice {
	if o.Demo {
		return choice{key: 'd', text: strings.ToLower(o.Label)}
	}
	return choice{key: byte('1' + at), text: o.Label} // #nosec G115 -- at most ui.MaxBelow
}

// hasOthers reports whether something else can be named instead: the demo and the end of a
// grace period have no flags for it.
func (o *upgradeOptions) hasOthers() bool { return !o.throwaway && !o.endGrace }

// waysOut are the answers to a failure of a step: behind the first what can be named instead.
func (w *walk) waysOut(n steps.Name, others []*ui.Remedy, overrulable bool) []choice {
	choices, taken := []choice{{key: 'r', text: "retry"}}, "rlgsbq"
	for _, other := range others {
		text := strings.ToLower(other.Label)
		letters := strings.ReplaceAll(strings.TrimPrefix(text, "another "), " ", "") + "abcdefghijklmnopqrstuvwxyz" // more than there are ways out
		key := letters[strings.IndexFunc(letters, func(c rune) bool { return !strings.ContainsRune(taken, c) })]
		choices, taken = append(choices, choice{key: key, text: text}), taken+string(key)
	}
	if overrulable {
		choices = append(choices, choice{key: 'g', text: "go on anyway"})
	}
	if w.e.Machine.Can(n, steps.ActSkip) {
		choices = append(choices, choice{key: 's', text: "skip " + strings.ToLower(steps.About(n).Title)})
	}
	if w.e.Run.Wrote || w.begun {
		choices = append(choices, choice{key: 'b', text: "roll back"})
	}
	return append(choices, quitting)
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
		var others []*ui.Remedy
		if w.o.hasOthers() {
			others = ui.Remedies(nil, w.e.Findings(), w.e.Run.Flags()[""])
		}
		choices := w.waysOut(steps.Preflight, others, true)
		choices[0] = choice{key: 'l', text: "look again", also: "r"}
		answer, err := w.f.Ask(ctx, "Fix it, then look again.", choices)
		switch {
		case err != nil:
			return err
		case answer == 'g':
			return nil
		case answer == quitting.key:
			return steps.ErrCancelled
		case answer == 'b':
			if err = w.rollBack(ctx); w.back == nil && errors.Is(err, steps.ErrCancelled) && ctx.Err() == nil {
				err = nil // it was not meant
			}
		case answer == 'l':
			if err = w.step(ctx, steps.Preflight); err == nil {
				err = w.adopt(ctx)
			}
		default:
			at := slices.IndexFunc(choices, func(c choice) bool { return c.key == answer })
			err = w.another(ctx, others[at-1])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

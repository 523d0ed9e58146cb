package cli

import (
	"context"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/ui"
)

// resume asks what to do about what an earlier run left unfinished, before anything else
// is asked, as the first page of the wizard does. Undoing it is the end of the run.
func (w *walk) resume(ctx context.Context) error {
	if w.o.yes || w.o.dryRun || w.resumed {
		return nil
	}
	w.resumed = true // what comes next is of this run
	begun := ui.BegunBefore(ctx, w.e)
	if begun == nil {
		return nil
	}
	w.begun = true
	for {
		w.f.Plan(begun.Plan(time.Now(), w.e.Run.WhoPays()))
		way, err := w.way(ctx, begun)
		switch {
		case err != nil:
			return err
		case way == ui.StartOver:
			return nil
		case way == ui.GoOn:
			rotates := begun.Rotates()
			w.goesOn, w.e.Run.Answers.Rotate, w.e.Run.Answers.Grace = true, rotates, rotates
			return nil
		}
		if err := w.undo(ctx); err != nil {
			return err
		}
	}
}

// way asks which way on a person wants.
func (w *walk) way(ctx context.Context, begun *ui.Begun) (ui.Resumption, error) {
	var choices []choice
	ways := map[byte]ui.Resumption{}
	for _, one := range begun.Ways() {
		text := strings.ToLower(one.Label)
		choices = append(choices, choice{key: text[0], text: text})
		ways[text[0]] = one.Resumption
	}
	choices[0].also = "y"
	answer, err := w.f.Ask(ctx, "Go on with it?", append(choices, choice{key: 'n', text: "no, stop here"}))
	if err == nil && answer == 'n' {
		err = steps.ErrCancelled
	}
	return ways[answer], err
}

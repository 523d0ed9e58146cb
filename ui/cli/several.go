package cli

import (
	"context"
	"errors"

	"dj/keysplit/steps"
	"dj/keysplit/steps/preflight"
)

// maxAsked is how many projects a question offers, one for each digit.
const maxAsked = 9

// choose asks which of several projects is meant, where a person is there to answer
// and the command asks before it changes anything. Elsewhere they are an error, which
// wraps steps.ErrUsage and names --project.
func (p *place) choose(ctx context.Context, stdio IO, q request) error {
	if p.throwaway {
		return nil
	}
	_, _, err := preflight.Root(p.project)
	var several *preflight.SeveralError
	if !errors.As(err, &several) || q.reach != sends || q.yes || q.speech.json || !stdio.InTTY || len(several.Folders) > maxAsked {
		return err
	}
	var choices []choice
	for i, folder := range several.Folders {
		choices = append(choices, choice{key: byte('1' + i), text: steps.FromHere(folder)})
	}
	key, err := q.speech.plain(stdio).Ask(ctx, "There are several Django projects here. Which one?", append(choices, choice{key: 'q', text: "quit"}))
	if err != nil {
		return err
	}
	if key == 'q' {
		return said(steps.ErrCancelled)
	}
	p.project = choices[key-'1'].text
	return nil
}

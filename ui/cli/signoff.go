package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
)

// signOff offers, at the end of the checklist, to sign off what only a person can confirm,
// as the last page of the wizard does. Enter alone, or no answer, finishes.
func (w *walk) signOff(ctx context.Context) error {
	if w.o.yes || w.o.dryRun || w.e.Run.Project == nil || w.e.Run.Journal == nil {
		return nil
	}
	for {
		seen, err := checklist.Look(ctx, w.e.Run, time.Now())
		if err != nil {
			return err
		}
		open := slices.DeleteFunc(seen.Items, func(it checklist.Item) bool { return !it.Signable() })
		if len(open) == 0 {
			return nil
		}
		answer, err := w.f.Ask(ctx, "What now?", []choice{{key: 'f', text: "finish", also: "n"}, {key: 's', text: "sign an item off"}})
		if err == nil && answer == 's' {
			err = w.signOffOne(ctx, open)
		}
		switch {
		case ctx.Err() != nil:
			return err
		case err != nil && !errors.Is(err, steps.ErrCancelled):
			return err
		case err != nil, answer == 'f': // the steps have come to their end without it
			return nil
		}
	}
}

// signOffOne asks which one, and for the words of the person.
func (w *walk) signOffOne(ctx context.Context, open []checklist.Item) error {
	var numbers []string
	for _, it := range open {
		numbers = append(numbers, strconv.Itoa(it.Number))
	}
	typed, err := w.f.Line(ctx, "Which one is done? Your name and the time go into the report. Its number ("+strings.Join(numbers, ", ")+")")
	if err != nil {
		return err
	}
	at := slices.Index(numbers, typed)
	if at < 0 {
		w.f.Note("The items that are open are " + strings.Join(numbers, ", ") + ".")
		return nil
	}
	it := open[at]
	if it.Against != "" {
		if insists, err := insist(ctx, w.f, it); !insists || err != nil {
			return err
		}
	}
	by, err := w.words(ctx, "Your name", checklist.Author(ctx, w.e.Run))
	if by == "" || err != nil {
		return err
	}
	note, err := w.words(ctx, "Note: what was done", "")
	if note == "" || err != nil {
		return err
	}
	if err := checklist.Attest(ctx, w.e.Run, it.Number, by, note); err != nil {
		return err
	}
	seen, err := checklist.Look(ctx, w.e.Run, time.Now())
	if err == nil {
		seen.Items[it.Number-1].Tell(w.f.Event)
	}
	return err
}

// words asks for a name or a note. known is what enter alone takes, "" for nothing. ""
// says that there are none that the report can take, which was told.
func (w *walk) words(ctx context.Context, what, known string) (string, error) {
	if known != "" {
		what += ", or enter for " + known
	}
	typed, err := w.f.Line(ctx, what)
	if typed == "" {
		typed = known
	}
	switch {
	case err != nil:
		return "", err
	case typed == "":
		w.f.Note("The report needs your name and a note. Nothing was signed off.")
	case utf8.RuneCountInString(typed) > checklist.MaxWords:
		w.f.Note(fmt.Sprintf("At most %d characters. Nothing was signed off.", checklist.MaxWords))
		return "", nil
	}
	return typed, nil
}

// insist asks whether an item should be signed off against what was seen.
func insist(ctx context.Context, f front, it checklist.Item) (bool, error) {
	f.Note(fmt.Sprintf("Item %d, %s: the evidence says otherwise: %s.", it.Number, it.Title, it.Against))
	answer, err := f.Ask(ctx, "Sign it off all the same? The report will say so.", []choice{{key: 'n', text: "no"}, {key: 'y', text: "yes"}})
	return answer == 'y', err
}

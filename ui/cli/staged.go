package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/rollback"
)

// graceFlag is --grace, with or without a length of time.
type graceFlag struct {
	set  bool
	span span // 0 for as long as tokens last
}

// asLong is the value of --grace without one.
const asLong = "max"

func (*graceFlag) Type() string     { return "DURATION" }
func (g *graceFlag) String() string { return g.span.String() }

func (g *graceFlag) Set(text string) error {
	g.set = true
	if text == asLong {
		return nil
	}
	err := g.span.Set(text)
	if err == nil && time.Duration(g.span) > steps.MaxGrace {
		err = errors.New("30 days at most")
	}
	return err
}

// word takes the length of time where it stands behind the flag as a word of its own.
func (g *graceFlag) word(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && g.set && g.span == 0 && g.Set(args[0]) == nil {
		return nil
	}
	return noWords(cmd, args)
}

// check refuses what cannot be proved or is not meant.
func (g *graceFlag) check(o *upgradeOptions) error {
	skip, err := o.skipped()
	switch {
	case err != nil || !g.set:
		return err
	case !o.rotate:
		return steps.Usage("--grace goes with --rotate")
	case skip[steps.Write] || skip[steps.Restart] || skip[steps.SmokeTest]:
		return steps.Usage("--grace proves each of its stages, so --skip write, restart and login cannot be used with it")
	}
	return nil
}

// next reports whether another stage of the rotation follows.
func (w *walk) next() bool {
	switch {
	case w.e.Run.Stage != steps.Accepting:
		return false
	case w.o.dryRun:
		w.f.Note("After that, the same steps once more: every process signs with the new key, and accepts the previous one until the deadline.")
		return false
	}
	w.f.Event(steps.Event{Kind: steps.EventProgress, Text: prose.Say("Every process accepts the new key. From here on they sign with it.")})
	return true
}

// choose asks which key should sign, where the current one is good. taken says that it is
// replaced, and that the step was then taken with the new one.
func (w *walk) choose(ctx context.Context) (taken bool, err error) {
	run := w.e.Run
	choices := []choice{{key: 'k', text: "keep the current key"}, {key: 'g', text: "rotate with a grace period: " + run.GraceNote()}, {key: 'r', text: "rotate now: everyone logs in again"}, {key: 'i', text: "use your own key"}, quitting}
	if run.Journal != nil && run.Journal.Rotated() {
		choices = []choice{{key: 'g', text: "go on with the rotation"}, {key: 'k', text: "leave it as it is"}, quitting}
	}
	answer, err := w.f.Ask(ctx, "Which key should sign your tokens?", choices)
	a := &run.Answers
	switch {
	case err != nil || answer == 'k':
		return false, err
	case answer == quitting.key:
		return true, steps.ErrCancelled
	case answer == 'i':
		return true, w.imported(ctx)
	}
	a.Rotate, a.Grace = true, answer == 'g'
	if err = w.once(ctx, steps.Generate); err != nil {
		a.Rotate, a.Grace = false, false // the next try begins with the question
	}
	return true, err
}

// unaccepted restores everything where the first stage showed that the running server
// does not accept two keys: nothing of it stays written.
func (w *walk) unaccepted(ctx context.Context, err error) error {
	if w.back != nil || !w.e.Run.NotAccepted(err) {
		return err
	}
	w.f.Event(steps.Event{Kind: steps.EventProgress, Text: prose.Say("The server does not accept two keys, so everything is restored.")})
	v := rollback.Of(w.e).Run(ctx, w.f.Event)
	r := backResult(w.e, v)
	var failure *steps.Failure
	if errors.As(err, &failure) {
		r.Findings = append(failure.Findings, r.Findings...)
	}
	r.OK = false
	w.back = &r
	return errors.Join(err, v.Err)
}

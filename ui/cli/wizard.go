package cli

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"dj/keysplit/steps"
	"dj/keysplit/steps/demo"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/ui"
)

// wizardOptions are those of keysplit alone, and of the demo.
type wizardOptions struct {
	upgradeOptions
	theme string
}

// themed is the flag of the full screen.
func (o *wizardOptions) themed(f *pflag.FlagSet) {
	f.StringVar(&o.theme, "theme", "auto", "`COLOURS`: auto, dark or light")
}

func (o *wizardOptions) checkTheme() error {
	if slices.Contains(themes, o.theme) {
		return nil
	}
	return steps.Usage("--theme %s: choose auto, dark or light", secret.Quote(o.theme))
}

var themes = []string{"auto", "dark", "light"}

// runWizard opens the full screen, or the line-by-line dialogue where that
// serves better. Without a terminal it says what to run instead, and never
// waits for an answer that cannot come.
func runWizard(ctx context.Context, stdio IO, o *wizardOptions, flags *pflag.FlagSet, sig *signals) error {
	if o.json {
		return steps.Usage("the wizard prints no JSON: use keysplit upgrade --json --yes")
	}
	if !stdio.InTTY || !stdio.OutTTY {
		return steps.Usage("the wizard needs a terminal. Without one: keysplit upgrade --yes, or keysplit check")
	}
	if err := o.checkTheme(); err != nil {
		return err
	}
	for {
		run, err := o.run(ctx, stdio)
		if err != nil {
			return err
		}
		again, err := wizard(ctx, stdio, o, sig, ui.NewEngine(run))
		if named := (*startAgain)(nil); errors.As(err, &named) {
			again = &named.Again
		}
		switch {
		case again == nil:
			return err
		case again.Demo:
			d := &wizardOptions{theme: o.theme}
			d.env, d.throwaway, d.speech = steps.DefaultEnvironment, true, o.speech
			return runDemo(ctx, stdio, d, sig, demo.Missing)
		}
		if err := answer(flags, again.Flag, again.Value); err != nil {
			return err
		}
	}
}

// answer sets a flag to what the person answered in its place.
func answer(flags *pflag.FlagSet, name, value string) error {
	if all, ok := flags.Lookup(name).Value.(pflag.SliceValue); ok && flags.Changed(name) {
		return all.Replace([]string{value})
	}
	return flags.Set(name, value)
}

// linear reports whether a full screen is not wanted or would not work.
func (o *wizardOptions) linear() bool {
	return o.spoken || o.dryRun || os.Getenv("ACCESSIBLE") != "" || os.Getenv("TERM") == "dumb"
}

// wizard shows the full screen over an engine, and leaves a short summary in
// the scrollback when it closes, unless the person wants to begin again.
func wizard(ctx context.Context, stdio IO, o *wizardOptions, sig *signals, e *steps.Engine) (*ui.Again, error) {
	if o.linear() {
		return nil, upgrade(ctx, stdio, e, o.front(stdio), &o.upgradeOptions)
	}
	defer e.Run.Close()
	sig.fullScreen.Store(true)
	title := ""
	if o.throwaway {
		title = "keysplit demo"
	}
	// A person reads and answers here, so what waits for a person may take long.
	e.Run.Options.Unattended = false
	out, err := ui.Run(ctx, e, ui.Options{Theme: o.theme, NoColor: o.noColor || os.Getenv("NO_COLOR") != "", Title: title, Throwaway: o.throwaway})
	sig.fullScreen.Store(false)
	if err != nil && !errors.Is(err, steps.ErrCancelled) {
		// A fault of keysplit or of the terminal, and not of the usage.
		return nil, &exitError{code: ExitFinding, err: err}
	}
	if err == nil && out.Again != nil {
		return out.Again, nil
	}
	return nil, o.close(ctx, stdio, e, out, err)
}

// close leaves the summary in the scrollback; err is why the full screen ended early.
func (o *wizardOptions) close(ctx context.Context, stdio IO, e *steps.Engine, out ui.Outcome, err error) error {
	if o.throwaway && out.Cancelled {
		out.Failed = nil // what is wrong in the demo is nobody's to fix
	}
	r := resultOf(e, out.Failed)
	r.OK = err == nil && !out.Cancelled && out.Failed == nil && len(finding.Errors(out.Findings)) == 0
	r.Stopped = err != nil || out.Cancelled && out.Failed == nil
	r.Changed, r.Open, r.Findings, r.Steps = out.Changed, out.Open, out.Findings, out.Statuses
	r.GoOn = e.Run.ReopenCommand()
	f := o.front(stdio)
	if out.Back != nil {
		return wentBack(e, f, out)
	}
	if r.OK {
		if err := o.after(ctx, e.Run, f, &r); err != nil {
			f.Result(o.summarise(e.Run, r))
			return said(err)
		}
	}
	show := finding.Errors(out.Findings)
	r = o.summarise(e.Run, r)
	if r.Stopped {
		r.Summary = r.Summary.Then(prose.Of(out.Begun))
	}
	if o.throwaway && r.Stopped {
		show = nil
	}
	prove(f, out.Proofs)
	tell(f, show)
	if len(show) == 0 && out.Failed != nil {
		f.Event(steps.Event{Kind: steps.EventFailed, Text: prose.Of(ui.Words(out.Failed))})
	}
	f.Result(r)
	switch {
	case out.Failed != nil:
		return said(out.Failed)
	case r.Stopped:
		return said(steps.ErrCancelled)
	case !r.OK:
		return said(steps.Fail(show...))
	}
	return nil
}

// prove leaves in the scrollback what each step came to, whether or not the upgrade came
// to its end: what is in force is among it.
func prove(f front, all []ui.Proof) {
	for _, p := range all {
		f.Event(steps.Event{Kind: steps.EventCheck, Mark: p.Mark, Text: prose.Say("%-8s %s", p.Step, p.Text)})
	}
}

// wentBack leaves in the scrollback how the rollback ended that the wizard ended with.
func wentBack(e *steps.Engine, f front, out ui.Outcome) error {
	v := *out.Back
	show := finding.Errors(out.Findings)
	if v.Err == nil {
		// What was wrong before the upgrade is so again, and no failure of this.
		show = e.FindingsOf(steps.Restart)
		if out.Cancelled {
			v.Err = steps.ErrCancelled
		}
	}
	tell(f, show)
	f.Result(backResult(e, v))
	return said(v.Err)
}

// tell shows findings that no step tells just now.
func tell(f front, found []finding.Finding) {
	for _, one := range found {
		f.Event(steps.Event{Kind: steps.EventFinding, Text: one.Message, Finding: &one})
	}
}

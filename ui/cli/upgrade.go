package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/rollback"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/ui"
)

// upgradeOptions are those of upgrade, and of the wizard, which asks for what it has
// no flags for.
type upgradeOptions struct {
	speech
	place
	server
	login
	delivery
	answers
	restart                  string
	dryRun, writeConfig, fix bool
}

// flags are those of both.
func (o *upgradeOptions) flags(f *pflag.FlagSet) {
	o.speech.flags(f)
	o.place.flags(f)
	o.place.starting(f)
	o.delivery.flags(f)
	o.server.flags(f)
	o.login.flags(f)
	o.trusting(f)
	f.StringVar(&o.restart, "restart", "", "restart with `SPEC` (see keysplit help restart)")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the whole plan, change nothing")
	f.BoolVar(&o.writeConfig, "write-config", false, "on success, save the options to keysplit.toml")
}

func newUpgrade(stdio IO) *cobra.Command {
	o := &upgradeOptions{}
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Go through the five steps line by line; ask before each change",
		Long: `Make the key, write it, verify that the two keys differ, restart, and
smoke-test the login. Before each change it says what it will do and asks.

With --fix the committed files that lack the key are edited as well, as by
keysplit check --fix, and --write-config writes keysplit.toml where the project
has none: both only after all steps have passed.`,
		Example: `  keysplit upgrade --yes --temp-user          everything, unattended
  keysplit upgrade --dry-run                  the plan, masked
  keysplit upgrade --rotate                   replace a good key
  keysplit upgrade --skip restart,login       the key and its proof, no server`,
		Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.json && !o.yes && !o.dryRun {
				return steps.Usage("--json asks no questions: add --yes or --dry-run")
			}
			if !o.yes && !o.dryRun && !stdio.InTTY {
				return steps.Usage("upgrade asks before each change, and no terminal is there to answer: add --yes, or --dry-run to see the plan")
			}
			run, err := o.run(cmd.Context(), stdio)
			if err != nil {
				return err
			}
			return upgrade(cmd.Context(), stdio, ui.NewEngine(run), o.front(stdio), o)
		},
	}
	f := cmd.Flags()
	o.flags(f)
	o.answers.flags(f)
	f.BoolVar(&o.fix, "fix", false, "on success, also add the key to committed files")
	return cmd
}

// run makes the run that the flags ask for.
func (o *upgradeOptions) run(ctx context.Context, stdio IO) (*steps.Run, error) {
	return o.place.run(ctx, stdio, request{
		server: o.server, login: o.login, delivery: o.delivery, answers: o.answers, speech: &o.speech, restart: o.restart,
		options: steps.Options{ReadOnly: o.dryRun}, given: o.given(),
	})
}

// given are the flags that say how: the command that goes on has to have them again,
// since no configuration does. --yes and --confirm are not among them: who goes on
// after a bad end is asked.
func (o *upgradeOptions) given() []string {
	out := slices.Concat(flagged("--target", o.targets...), flagged("--restart", o.restart), flagged("--url", o.urls...), flagged("--ca-file", o.caFile),
		flagged("--username", o.username), flagged("--skip", strings.Join(o.skip, ",")))
	for _, f := range []struct {
		name string
		set  bool
	}{{"--temp-user", o.tempUser}, {"--fix", o.fix}, {"--write-config", o.writeConfig}} {
		if f.set {
			out = append(out, f.name)
		}
	}
	return out
}

// upgrade walks an engine through its steps, line by line.
func upgrade(ctx context.Context, stdio IO, e *steps.Engine, f front, o *upgradeOptions) error {
	defer e.Run.Close()
	if p, ok := f.(*plainFront); ok {
		p.mends = true
		if !e.Run.Options.Unattended {
			e.Run.HandOver = handOver
		}
	}
	w := &walk{e: e, f: f, o: o, stdio: stdio}
	err := w.all(ctx)
	if w.back != nil {
		f.Result(*w.back)
		return said(err)
	}
	r := resultOf(e, err)
	r.DryRun = o.dryRun
	if misused(err) && !told(e, err) {
		if o.json {
			f.Result(r) // a script waits for the last line
		}
		return err
	}
	if r.OK && !o.dryRun {
		err = o.after(ctx, e.Run, f, &r)
	}
	f.Result(o.summarise(r))
	if err == nil && !r.OK {
		err = steps.Fail(finding.Errors(r.Findings)...)
	}
	return said(err)
}

// after does what was asked for at a good end, and shows what of it fails.
func (o *upgradeOptions) after(ctx context.Context, run *steps.Run, f front, r *result) (err error) {
	if o.fix {
		show := edited(f, run)
		r.Findings, err = repo.Fix(ctx, run, r.Findings, func(p repo.Proposal) { r.Edited = true; show(p) })
	}
	if err == nil {
		err = o.configure(ctx, run, r)
	}
	var failure *steps.Failure
	switch {
	case errors.As(err, &failure):
		r.Findings = append(r.Findings, failure.Findings...)
		for _, found := range failure.Findings {
			f.Event(steps.Event{Kind: steps.EventFinding, Text: found.Message, Finding: &found})
		}
	case err != nil:
		f.Event(steps.Event{Kind: steps.EventFailed, Text: run.Redactor.Clean(err.Error())})
	}
	r.OK = err == nil
	return err
}

// handOver lends keysplit's own terminal to a program.
func handOver(ctx context.Context, path string, args []string) error {
	return child.Command{Path: path, Args: args, Unset: child.Withheld}.OnTerminal(ctx, os.Stdin, os.Stdout).Run()
}

// configure writes keysplit.toml, when that was asked for and the project has none.
func (o *upgradeOptions) configure(ctx context.Context, run *steps.Run, r *result) error {
	if !o.writeConfig || run.Journal == nil {
		return nil
	}
	if there, err := config.Find(run.Project.Root, run.Project.TopLevel); err != nil || there.Path != "" {
		return err
	}
	path := filepath.Join(run.Project.Root, config.File)
	at, err := envfile.Open(path)
	if err == nil {
		_, err = run.Journal.Publish(ctx, at, config.For(run))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", run.Project.Rel(path), err)
	}
	// Whoever wrote it has agreed to what is in it.
	conf, err := config.Find(run.Project.Root, run.Project.TopLevel)
	if err != nil {
		return err
	}
	all, err := valuesOf(ctx, run, run.Project, conf)
	if err == nil {
		err = keepYes(run.Journal, all)
	}
	if err != nil {
		return err
	}
	r.Edited = true
	r.Next = append(r.Next, "Wrote "+run.Project.Rel(path)+". Look at it, and commit it.")
	return nil
}

// walk is one pass of a line-by-line front end.
type walk struct {
	e     *steps.Engine
	f     front
	o     *upgradeOptions
	stdio IO
	back  *result // how the rollback ended, when the user chose one
}

func (w *walk) all(ctx context.Context) error {
	for _, n := range steps.Order() {
		if !w.e.Has(n) {
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
	}
	return nil
}

// step plans, asks and applies one step, as often as the user retries it.
func (w *walk) step(ctx context.Context, n steps.Name) error {
	for {
		err := w.once(ctx, n)
		if err == nil || errors.Is(err, steps.ErrCancelled) || w.o.yes || w.o.dryRun || n == steps.Preflight {
			return err
		}
		if again, err := w.failed(ctx, n, err); !again {
			return err
		}
	}
}

// failed asks what to do about a step that failed. again says that the step is to be
// tried once more; else the error is how the run goes on.
func (w *walk) failed(ctx context.Context, n steps.Name, err error) (again bool, end error) {
	choices := []choice{{'r', "retry"}, {'s', "skip"}}
	var failure *steps.Failure
	var over finding.Finding
	if errors.As(err, &failure) {
		over, _ = finding.Overrulable(failure.Findings)
	}
	if over.Ask != "" {
		choices = append(choices, choice{'g', "go on anyway"})
	}
	if w.e.Run.Wrote {
		choices = append(choices, choice{'b', "roll back"})
	}
	choices = append(choices, choice{'q', "quit"})
	for {
		answer, askErr := w.f.Ask(ctx, "This step failed. What now?", choices)
		switch {
		case askErr != nil:
			return false, askErr
		case answer == 's':
			return false, w.e.Skip(n, w.f.Event)
		case answer == 'b':
			return false, w.rollBack(ctx)
		case answer == 'q':
			return false, err
		case answer == 'r':
			w.forget(err)
			return true, nil
		}
		if answer, askErr = w.f.Ask(ctx, over.Ask, []choice{{'n', "no"}, {'y', "yes"}}); askErr != nil {
			return false, askErr
		}
		if answer == 'y' {
			askErr = w.e.Run.Overrule(over)
			return askErr == nil, askErr
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

// rollBack undoes what this run changed. Its end is the end of the run.
func (w *walk) rollBack(ctx context.Context) error {
	v := rollback.Of(w.e).Run(ctx, w.f.Event)
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
	if n != steps.Preflight {
		w.f.Plan(plan)
	}
	if w.o.dryRun && !steps.About(n).InMemory {
		return nil
	}
	if n == steps.Write {
		if err := w.foresee(ctx); err != nil {
			return err
		}
	}
	if plan.Confirm != "" && !w.o.dryRun {
		if err := w.o.confirmed(ctx, w.e.Run, w.f, plan, steps.About(n).Changes); err != nil {
			return err
		}
	} else if plan.Question != "" && !plan.Nothing && !w.o.yes && !w.o.dryRun {
		answer, err := w.f.Ask(ctx, plan.Question, w.choices(n))
		switch {
		case err != nil:
			return err
		case answer == 'i':
			return w.imported(ctx)
		case answer != 'y':
			return steps.ErrCancelled
		}
	}
	if err := w.e.Apply(ctx, n, w.f.Event); err != nil || !plan.More {
		return err
	}
	return w.once(ctx, n) // the next part of the step, with its own question
}

// confirmed has production named: typed by the person who is there, or given on
// the command line. not is what was not done without it, for the messages.
func (o *answers) confirmed(ctx context.Context, run *steps.Run, f front, plan steps.Plan, not string) error {
	name := plan.Confirm
	switch {
	case slices.Contains(o.confirm, name):
		run.Confirmed = append(run.Confirmed, name)
		return nil
	case len(o.confirm) > 0:
		return steps.Usage("--confirm %s is not the name of this production, %q; nothing was %s", secret.Quote(o.confirm[0]), name, not)
	case o.yes:
		return steps.Usage("this is production: --yes alone does not change it, add --confirm %s; nothing was %s", name, not)
	}
	typed, err := f.Line(ctx, plan.Question+" Type "+name+" to go on")
	if err != nil {
		return err
	}
	if typed != name {
		f.Note("That is not the name. Nothing was " + not + ".")
		return steps.ErrCancelled
	}
	run.Confirmed = append(run.Confirmed, name)
	return nil
}

// foresee has the production that only the restart touches named before anything
// is written, where nobody is there to be asked then.
func (w *walk) foresee(ctx context.Context) error {
	run := w.e.Run
	if !w.o.yes || w.o.dryRun || run.Options.Skip[steps.Restart] {
		return nil
	}
	name := run.Confirm(restart.Places(ctx, run)...)
	if name == "" || name == run.ProductionName() {
		return nil
	}
	return w.o.confirmed(ctx, run, w.f, steps.Plan{Confirm: name}, "written")
}

func (w *walk) choices(n steps.Name) []choice {
	all := []choice{{'y', "yes"}, {'n', "no, stop here"}}
	if n == steps.Generate && !w.e.Run.Answers.Import.Set() {
		all = []choice{{'y', "yes"}, {'i', "bring your own key"}, {'n', "no, stop here"}}
	}
	return all
}

// imported asks for the user's own key and plans the step anew with it.
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
	if n != steps.SmokeTest || w.o.yes || w.o.dryRun || a.Username != "" || a.TempUser {
		return nil
	}
	choices := []choice{{'a', "an account of yours"}, {'n', "no login, the other proofs need none"}}
	if w.e.Run.Django != nil && w.e.Run.Options.Environment == steps.DefaultEnvironment {
		choices = append([]choice{{'t', "a throwaway account, deleted after the test"}}, choices...)
	}
	answer, err := w.f.Ask(ctx, "Log in with which account?", choices)
	if err != nil {
		return err
	}
	switch answer {
	case 't':
		a.TempUser = true
	case 'a':
		if a.Username, err = w.f.Line(ctx, "Name of the account"); err != nil || a.Username == "" {
			return err
		}
		a.Password, err = w.unseen(ctx, "Its password")
	}
	return err
}

func (w *walk) unseen(ctx context.Context, what string) (secret.Secret, error) {
	fmt.Fprintf(w.stdio.Err, "%s (not shown): ", what)
	b, err := readUnseen(ctx, w.stdio)
	if err != nil {
		return secret.Secret{}, err
	}
	return w.e.Run.Secret(string(b)), nil
}

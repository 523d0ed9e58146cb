package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/restart"
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
	verb, restart            string // verb is the command of keysplit, "" for the wizard
	dryRun, writeConfig, fix bool
	detailed                 bool // --detailed-exit-code
	adopt                    bool
	older                    span // --if-older-than; 0 rotates whatever the key's age
	grace                    graceFlag
	also                     []string // workers that serve no HTTP
	endGrace                 bool     // what grace --end asks for
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
	o.queueing(f)
	f.StringVar(&o.restart, "restart", "", "restart with `SPEC` (see keysplit help restart)")
	f.StringArrayVar(&o.also, "also", nil, "then restart workers at `SPEC`, e.g. systemd:celery")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the whole plan, change nothing")
	f.BoolVar(&o.detailed, "detailed-exit-code", false, "with --dry-run: exit 5 if anything would change")
	f.BoolVar(&o.writeConfig, "write-config", false, "on success, save the options to keysplit.toml")
}

func newUpgrade(stdio IO) *cobra.Command {
	o := &upgradeOptions{verb: "upgrade"}
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Go through the five steps line by line; ask before each change",
		Long: `Make the key, write it, verify that the two keys differ, restart, and
smoke-test the login. Before each change it says what it will do and asks.

With --rotate --grace every process first accepts the new key, then signs with
it, and the previous one is accepted until a deadline: by default when the
longest-lived token expires, 30 days at most. If it is cut short, run it again.

Settings that still sign with SECRET_KEY get a key of their own with --adopt, in
development: the edit is tried in the project's Django before it is written, and
keysplit rollback undoes it. Without --adopt keysplit asks, or stops.

With --fix the committed files that lack the key are edited as well, as by
keysplit check --fix, and --write-config writes keysplit.toml where the project
has none: both only after all steps have passed.`,
		Example: `  keysplit upgrade --yes --temp-user          everything, unattended
  keysplit upgrade --dry-run                  the plan, masked
  keysplit upgrade --rotate --grace           replace it, and log nobody out
  keysplit upgrade --skip restart,login       the key and its proof, no server`,
		Args: o.grace.word,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.json && !o.yes && !o.dryRun {
				return steps.Usage("--json asks no questions: add --yes or --dry-run")
			}
			if !o.yes && !o.dryRun && !stdio.InTTY {
				return steps.Usage("upgrade asks before each change, and no terminal is there to answer: add --yes, or --dry-run to see the plan")
			}
			return o.through(cmd.Context(), stdio, cmd.Flags())
		},
	}
	f := cmd.Flags()
	o.flags(f)
	o.answers.flags(f)
	f.BoolVar(&o.fix, "fix", false, "also make the edits that are optional")
	f.Var(&o.grace, "grace", "rotate without a logout: accept both keys for `LONG`")
	f.Lookup("grace").NoOptDefVal = asLong
	f.BoolVar(&o.adopt, "adopt", false, "let the settings require a key of their own")
	f.Var(&o.older, "if-older-than", "rotate only a key older than `AGE`, e.g. 90d")
	return cmd
}

// run makes the run that the flags ask for.
func (o *upgradeOptions) run(ctx context.Context, stdio IO) (*steps.Run, error) {
	if o.detailed && !o.dryRun {
		return nil, steps.Usage("--detailed-exit-code goes with --dry-run")
	}
	if o.older > 0 && !o.rotate {
		return nil, steps.Usage("--if-older-than goes with --rotate")
	}
	if err := o.grace.check(o); err != nil {
		return nil, err
	}
	also, err := restart.Also(o.also)
	if err != nil {
		return nil, err
	}
	run, err := o.place.run(ctx, stdio, request{
		server: o.server, login: o.login, delivery: o.delivery, answers: o.answers, speech: &o.speech, restart: o.restart, command: o.verb,
		options: steps.Options{ReadOnly: o.dryRun, Fix: o.fix, Also: also}, given: o.given(),
	})
	if err == nil {
		run.Answers.Grace, run.Answers.GraceFor, run.Answers.EndGrace = o.grace.set, time.Duration(o.grace.span), o.endGrace
		run.Answers.Adopt = o.adopt
	}
	return run, err
}

// given are the flags that say how: the command that goes on has to have them again,
// since no configuration does. --yes and --confirm are not among them: who goes on
// after a bad end is asked.
func (o *upgradeOptions) given() []string {
	out := slices.Concat(flagged("--target", o.targets...), flagged("--restart", o.restart), flagged("--also", o.also...), flagged("--url", o.urls...), flagged("--ca-file", o.caFile),
		flagged("--username", o.username), flagged("--login", o.path), flagged("--protected", o.protected), flagged("--refresh", o.renewal), flagged("--skip", strings.Join(o.skip, ",")))
	for _, f := range []struct {
		name string
		set  bool
	}{{"--temp-user", o.tempUser}, {"--fix", o.fix}, {"--adopt", o.adopt}, {"--write-config", o.writeConfig}} {
		if f.set {
			out = append(out, f.name)
		}
	}
	return out
}

// through goes through the steps line by line, and once more where the person named
// something else instead.
func (o *upgradeOptions) through(ctx context.Context, stdio IO, flags *pflag.FlagSet) error {
	for {
		run, err := o.run(ctx, stdio)
		if err != nil {
			return err
		}
		err = upgrade(ctx, stdio, ui.NewEngine(run), o.front(stdio), o)
		again := (*startAgain)(nil)
		if !errors.As(err, &again) {
			return err
		}
		if err := answer(flags, again.Flag, again.Value); err != nil {
			return err
		}
	}
}

// upgrade walks an engine through its steps, line by line.
func upgrade(ctx context.Context, stdio IO, e *steps.Engine, f front, o *upgradeOptions) error {
	defer e.Run.Close()
	if p, ok := f.(*plainFront); ok {
		o.serve(p, e.Run)
	}
	w := &walk{e: e, f: f, o: o, stdio: stdio}
	err := w.all(ctx)
	if again := (*startAgain)(nil); errors.As(err, &again) {
		return err
	}
	if w.back != nil {
		f.Result(*w.back)
		return said(err)
	}
	r := resultOf(e, err)
	if r.DryRun = o.dryRun; r.DryRun { // what the steps would fix is no failure of the plan
		r.OK = err == nil && !slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
			return f.Severity == finding.Error && !(f.FixedBySteps() && o.fixes(e.Run))
		})
	}
	if misused(err) && !told(e, err) {
		if o.json {
			f.Result(r) // a script waits for the last line
		}
		return err
	}
	if r.OK && !o.dryRun {
		err = o.after(ctx, e.Run, f, &r)
	}
	f.Result(o.summarise(e.Run, r))
	if err == nil && !r.OK {
		err = steps.Fail(finding.Errors(r.Findings)...)
	}
	if o.detailed && err == nil && (w.changes || o.wouldConfigure()) {
		return &exitError{code: ExitChanges}
	}
	return said(err)
}

// serve tells the front that a person reads what the run does.
func (o *upgradeOptions) serve(p *plainFront, run *steps.Run) {
	p.fixes = o.fixes(run)
	p.standing = func(found []finding.Finding) string {
		return run.Names().Fill(finding.Standing(found, run.Project.Starts()))
	}
	if !run.Options.Unattended {
		run.HandOver = handOver
	}
	if o.hasOthers() && !o.yes && !o.dryRun {
		p.advised = func(f finding.Finding, again string) finding.Finding {
			f = ui.Advised(f, run.Flags())
			f.Fix = f.Fix.Repeated(again)
			return f
		}
	}
}

// fixes reports whether the steps that fix what preflight finds are to run.
func (*upgradeOptions) fixes(run *steps.Run) bool {
	return !run.Options.Skip[steps.Generate] && !run.Options.Skip[steps.Write]
}

// wouldConfigure reports whether a good end would be followed by writing keysplit.toml.
func (o *upgradeOptions) wouldConfigure() bool {
	conf, err := o.configuration()
	return o.writeConfig && err == nil && conf.Path == ""
}

// after does what was asked for at a good end, and shows what of it fails.
func (o *upgradeOptions) after(ctx context.Context, run *steps.Run, f front, r *result) (err error) {
	err = o.configure(ctx, run, r)
	var failure *steps.Failure
	switch {
	case errors.As(err, &failure):
		r.Findings = append(r.Findings, failure.Findings...)
		for _, found := range failure.Findings {
			f.Event(steps.Event{Kind: steps.EventFinding, Text: found.Message, Finding: &found})
		}
	case err != nil:
		f.Event(steps.Event{Kind: steps.EventFailed, Text: prose.Of(run.Show(err.Error()))})
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
	r.Left = append(r.Left, prose.Say("Wrote %s. Look at it, and commit it.", run.Project.Rel(path)))
	return nil
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/secret"
)

// checkFlags are the flags of check alone.
type checkFlags struct {
	format    string
	all       bool
	fix       bool
	committed bool
}

func newCheck(stdio IO, o *options) *cobra.Command {
	c := &checkFlags{}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong; change nothing but with --fix",
		Long: `Look at the project, its .env and its settings, and say what is wrong, why it
matters and what to do. Nothing is changed. The project's own Django is started
once, to ask it where it reads the key; with --static only files are read and
none of the project's code runs.

Files that provide SECRET_KEY and not JWT_SECRET_KEY (pipelines, compose files,
manifests, examples, documents) are found too. With --fix they are edited, and an
.env that git does not ignore is put into .gitignore: lines are inserted, never a
secret, and keysplit rollback takes them out again. The .env itself is the
business of keysplit upgrade.

With --committed only what is in the repository counts, as for a pipeline: that
there is no .env is then as it should be, and a warning ends with 1 too.

With --all every environment of keysplit.toml is looked at, and a key that two
of them share is found, without either being shown.`,
		Example: `  keysplit check
  keysplit check --static --json
  keysplit check --all
  keysplit check --fix                        edit the files that lack the key
  keysplit check --committed --format sarif > keysplit.sarif`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.dryRun, o.reach = !c.fix, looks
			o.committed, o.static = c.committed, o.static || c.committed
			if o.json {
				c.format = "json"
			}
			if !slices.Contains(formats, c.format) {
				return fmt.Errorf("%w: --format %q: choose %s", steps.ErrUsage, c.format, strings.Join(formats, ", "))
			}
			if c.all && cmd.Flags().Changed("env") {
				return fmt.Errorf("%w: --all and --env exclude each other", steps.ErrUsage)
			}
			return c.run(cmd.Context(), stdio, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.static, "static", false, "read files only, run none of the project's code")
	f.BoolVar(&c.fix, "fix", false, "edit the committed files that lack the key")
	f.BoolVar(&c.committed, "committed", false, "look only at what is in the repository, as a pipeline does: no .env is needed, and a warning ends with 1 too; implies --static")
	f.BoolVar(&c.all, "all", false, "look at every environment of keysplit.toml")
	o.trusting(f)
	f.StringVar(&c.format, "format", "text", strings.Join(formats, ", "))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// formats are those of check. github is the workflow commands that GitHub Actions
// shows as annotations.
var formats = []string{"text", "json", "junit", "sarif", "github"}

// checked is one environment that was looked at.
type checked struct {
	run      *steps.Run
	findings []finding.Finding
	err      error // why it could not be looked at, or a finding that ends a look
	ready    bool
	print    string // of its key under a key of this process alone, "" when it is not known
}

// add tells more findings of the environment.
func (one *checked) add(f front, more ...finding.Finding) {
	for _, found := range more {
		f.Event(steps.Event{Kind: steps.EventFinding, Text: found.Message, Finding: &found})
	}
	one.findings = append(one.findings, more...)
	one.ready = one.ready && len(finding.Errors(more)) == 0
}

// strict makes errors of warnings, where what is committed is judged: a pipeline is
// to stop at them, and every format has to say so.
func (one *checked) strict(o *options) {
	for i := range one.findings {
		if o.committed && one.findings[i].Severity == finding.Warning {
			one.findings[i].Severity, one.ready = finding.Error, false
		}
	}
}

func warnings(fs []finding.Finding) (out []finding.Finding) {
	for _, f := range fs {
		if f.Severity == finding.Warning {
			out = append(out, f)
		}
	}
	return out
}

// sharing finds the environments that have the same key as this one.
func sharing(one *checked, others []*checked) (found []finding.Finding) {
	name := one.run.Options.Environment
	for _, other := range others {
		if one.print != "" && one.print == other.print {
			found = append(found, finding.New(finding.JWTKeyReusedAcrossEnvironments,
				fmt.Sprintf("%s and %s use the same JWT_SECRET_KEY.", other.run.Options.Environment, name)).
				WithFix("Run: keysplit upgrade --rotate --env "+name))
		}
	}
	return found
}

func (c *checkFlags) run(ctx context.Context, stdio IO, o *options) error {
	names := []string{o.env}
	if c.all {
		conf, err := o.configuration()
		if err != nil {
			return err
		}
		names = append([]string{steps.DefaultEnvironment}, slices.DeleteFunc(conf.Names(), func(n string) bool { return n == steps.DefaultEnvironment })...)
	}
	var f front = newPlain(stdio, o)
	if c.format != "text" {
		f = silent{f}
	}
	prints := secret.NewFingerprinter(nil)
	var all []*checked
	for i, name := range names {
		env := *o
		env.env = name
		if c.all {
			f.Note("")
			f.Note("Environment " + name)
		}
		one, err := look(ctx, stdio, &env, f, prints)
		if err != nil {
			return err
		}
		defer one.run.Close()
		if i == 0 && one.err == nil {
			if err := c.house(ctx, one, f); err != nil {
				return err
			}
		}
		if one.run.Project != nil {
			more, err := reminders(one, time.Now())
			if err != nil {
				return err
			}
			one.add(f, more...)
		}
		one.add(f, sharing(one, all)...)
		all = append(all, one)
		if c.format == "text" {
			f.Note("")
			f.Note(env.verdict(one))
		}
		one.strict(o)
	}
	if err := c.print(stdio, all); err != nil {
		return err
	}
	return worst(all)
}

// look runs the preflight for one environment. What is wrong is part of the
// result; an error is wrong usage, or the user's wish to stop.
func look(ctx context.Context, stdio IO, o *options, f front, prints secret.Fingerprinter) (*checked, error) {
	run, err := o.run(ctx, stdio)
	if err != nil {
		return nil, err
	}
	e := steps.NewEngine(run, &preflight.Step{})
	_, err = e.Plan(ctx, steps.Preflight, f.Event)
	if err == nil {
		err = e.Apply(ctx, steps.Preflight, f.Event)
	}
	if errors.Is(err, steps.ErrCancelled) || errors.Is(err, steps.ErrUsage) {
		run.Close()
		if _, quiet := f.(silent); !quiet && told(e, err) {
			err = said(err)
		}
		return nil, err
	}
	one := &checked{run: run, findings: e.Findings(), err: err}
	one.ready = err == nil && len(finding.Errors(one.findings)) == 0
	if run.Project != nil {
		if keys, err := one.currentKeys(); err == nil && keys.Key.Secret.Len() > 0 && !slices.Contains(steps.JudgeKey(keys.Key.Secret), finding.JWTKeyPlaceholder) {
			one.print = prints.Of(keys.Key.Secret)
		}
	}
	return one, nil
}

// house adds what the rest of the tree lacks, and mends it when that is asked for.
// The tree is the same for all environments, so it is looked at once.
func (c *checkFlags) house(ctx context.Context, one *checked, f front) error {
	report, err := checklist.Look(ctx, one.run, time.Now())
	if err != nil {
		return err
	}
	more := report.Findings
	if c.fix {
		left, refused, err := mended(ctx, one.run, f, one.findings)
		if err != nil {
			return err
		}
		one.findings, one.ready = nil, one.err == nil
		one.add(silent{f}, left...) // said before
		one.add(f, refused...)
		if more, refused, err = mended(ctx, one.run, f, more); err != nil {
			return err
		}
		more = append(more, refused...)
	} else {
		for i, found := range more {
			if _, ok := repo.Propose(one.run, found); ok {
				more[i].Fixable = true
				more[i].Fix += " keysplit check --fix does it."
			}
		}
	}
	one.add(f, more...)
	return nil
}

// mended is mend for a check, to which a file that cannot be edited is a finding
// like others.
func mended(ctx context.Context, run *steps.Run, f front, found []finding.Finding) (left, refused []finding.Finding, err error) {
	left, _, err = mend(ctx, run, f, found)
	var failure *steps.Failure
	if errors.As(err, &failure) {
		return left, failure.Findings, nil
	}
	return left, nil, err
}

// mend makes the edits that are proposed for findings, shows each, and returns
// the findings that are left, and whether a file was edited. One that cannot be
// does not keep it from the others; the *steps.Failure at the end holds what is to
// be said about those.
func mend(ctx context.Context, run *steps.Run, f front, found []finding.Finding) (left []finding.Finding, edited bool, err error) {
	var refused []finding.Finding
	for _, one := range found {
		p, ok := repo.Propose(run, one)
		switch {
		case p.Refused:
			refused = append(refused, p.Finding)
			continue
		case !ok:
			left = append(left, one)
			continue
		}
		err := p.Apply(ctx, run)
		var failure *steps.Failure
		switch {
		case errors.As(err, &failure):
			refused = append(refused, failure.Findings...)
			continue
		case err != nil:
			return left, edited, fmt.Errorf("edit %s: %w", run.Project.Rel(p.Path), err)
		}
		edited = true
		f.Note("")
		f.Note("Edited " + p.Describe(run) + ". Look at it with git diff; " + run.Command("rollback") + " takes out all that this run changed.")
		f.Plan(steps.Plan{Diff: p.Diff})
		if p.Left > 0 {
			one.Line, one.Fixable = p.Left, false
			left = append(left, one)
		}
	}
	if len(refused) > 0 {
		return left, edited, steps.Fail(refused...)
	}
	return left, edited, nil
}

// currentKeys are those of the environment, none when they could not be read.
func (one *checked) currentKeys() (steps.Keys, error) {
	if one.run.Project == nil {
		return steps.Keys{}, steps.ErrCannotLook
	}
	return one.run.Home().Keys()
}

// worst is the exit code of all: that of an environment that could not be looked
// at, else that of one with an error.
func worst(all []*checked) error {
	var out error
	for _, one := range all {
		err := one.err
		if err == nil && !one.ready {
			err = steps.Fail(one.findings...)
		}
		if out == nil || codeOf(err) > codeOf(out) {
			out = err
		}
	}
	return said(out)
}

// silent is a front end that shows nothing: the other formats are one piece at
// the end.
type silent struct{ front }

func (silent) Event(steps.Event) {}
func (silent) Note(string)       {}
func (silent) Plan(steps.Plan)   {}

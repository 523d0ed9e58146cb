package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/inspect"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/secret"
)

// checkOptions are those of check.
type checkOptions struct {
	speech
	place
	answers
	format                      string
	targets                     []string
	all, fix, committed, static bool
}

func newCheck(stdio IO) *cobra.Command {
	c := &checkOptions{}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Diagnose the project (read-only unless --fix)",
		Long: `Look at the project, its .env and its settings, and say what is wrong, why it
matters and what to do. Nothing is changed. The project's own Django is
started once, to ask it where it reads the key; with --static only files are
read and none of the project's code runs.

Files that provide SECRET_KEY and not JWT_SECRET_KEY (pipelines, compose
files, manifests, examples, documents) are found too. With --fix they are
edited, and an .env that git does not ignore is put into .gitignore: lines are
inserted, never a secret, and keysplit rollback removes them again. To fix the
.env itself, run keysplit upgrade.

With --committed only what is in the repository counts, as for a pipeline:
a missing .env is then fine, and warnings also exit with 1.

With --all every environment of keysplit.toml is looked at, and a key that two
of them share is found, without either being shown.`,
		Example: `  keysplit check
  keysplit check --static --json
  keysplit check --all
  keysplit check --fix                        edit the files that lack the key
  keysplit check --committed --format sarif > keysplit.sarif`,
		Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.json {
				c.format = "json"
			}
			c.format = cmp.Or(c.format, "text")
			if !slices.Contains(formats, c.format) {
				return steps.Usage("--format %s: choose %s", secret.Quote(c.format), strings.Join(formats, ", "))
			}
			if c.all && cmd.Flags().Changed("env") {
				return steps.Usage("--all and --env cannot be used together")
			}
			if c.all && len(c.targets) > 0 {
				return steps.Usage("--all and --target cannot be used together")
			}
			return c.check(cmd.Context(), stdio)
		},
	}
	f := cmd.Flags()
	c.speech.flags(f)
	c.place.flags(f)
	c.place.starting(f)
	c.trusting(f)
	c.queueing(f)
	targetsFlag(f, &c.targets, "look for the key at `SPEC` (see keysplit help targets)")
	f.BoolVar(&c.static, "static", false, "read files only, run none of the project's code")
	f.BoolVar(&c.fix, "fix", false, "edit the committed files that lack the key")
	f.BoolVar(&c.committed, "committed", false, "judge only committed files (see keysplit help ci)")
	f.BoolVar(&c.all, "all", false, "look at every environment of keysplit.toml")
	f.StringVar(&c.format, "format", "", "`FORMAT`: text (default), json, junit, sarif, github")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// formats are those of check. github is the workflow commands that GitHub Actions
// shows as annotations.
var formats = []string{"text", "json", "junit", "sarif", "github"}

func (c *checkOptions) check(ctx context.Context, stdio IO) error {
	names, err := c.environments(c.all)
	if err != nil {
		return err
	}
	plain := c.plain(stdio)
	prints := stdio.State.Prints()
	var all []*inspect.Environment
	for _, name := range names {
		var f front = silent{plain}
		if c.format == "text" {
			f = plain
		}
		if c.all {
			f.Note("")
			f.Note("Environment " + name)
		}
		if c.format == "text" {
			plain.hold()
		}
		one, err := c.one(ctx, stdio, name, f, prints, all)
		if err != nil {
			plain.show("")
			return err
		}
		defer one.Run.Close()
		all = append(all, one)
		text, next, more := one.Verdict()
		plain.show(text)
		f.Note("")
		if more {
			text += " See the findings above."
		}
		f.Note(text)
		if next != "" {
			f.Note("Next: " + next)
		}
		one.Strict()
	}
	if err := c.print(stdio, all); err != nil {
		return err
	}
	err = worst(all)
	var failure *steps.Failure
	if c.format != "text" && !errors.As(err, &failure) {
		return err // no finding tells it
	}
	return said(err)
}

// one looks at one environment, after the others. What is committed is the same for all, so
// the first one has it.
func (c *checkOptions) one(ctx context.Context, stdio IO, name string, f front, prints secret.Fingerprinter, others []*inspect.Environment) (*inspect.Environment, error) {
	at := c.place
	at.env = name
	one, err := look(ctx, stdio, &at, c.request(), f, prints)
	if err != nil {
		return nil, err
	}
	if len(others) == 0 && one.Err == nil {
		err = one.Committed(ctx, c.fix, edited(f, one.Run))
	}
	if err == nil {
		err = one.Remind(time.Now())
	}
	if err != nil {
		one.Run.Close()
		return nil, err
	}
	one.Compare(others)
	return one, nil
}

// request is what check asks of a run.
func (c *checkOptions) request() request {
	return request{
		delivery: delivery{targets: c.targets}, answers: c.answers, speech: &c.speech, command: "check", reach: looks,
		options: steps.Options{ReadOnly: !c.fix, Static: c.static || c.committed, Committed: c.committed},
	}
}

// look looks at one environment. What is wrong is part of the result; an error is wrong
// usage, or the user's wish to stop.
func look(ctx context.Context, stdio IO, p *place, q request, f front, prints secret.Fingerprinter) (*inspect.Environment, error) {
	run, err := p.run(ctx, stdio, q)
	if err != nil {
		return nil, err
	}
	e := steps.NewEngine(run, &preflight.Step{})
	one, err := inspect.Look(ctx, e, prints, f.Event)
	if err != nil {
		run.Close()
		if _, quiet := f.(silent); !quiet && told(e, err) {
			err = said(err)
		}
	}
	return one, err
}

// edited shows each edit that was made.
func edited(f front, run *steps.Run) func(repo.Proposal) {
	return func(p repo.Proposal) {
		f.Note("")
		f.Note("Edited " + p.Describe(run) + ". Look at it with git diff; " + run.Command("rollback") + " takes out all that this run changed.")
		f.Plan(steps.Plan{Diff: p.Diff})
	}
}

// worst is the exit code of all: that of an environment that could not be looked
// at, else that of one with an error.
func worst(all []*inspect.Environment) error {
	var out error
	for _, one := range all {
		err := one.Failure()
		if out == nil || codeOf(err) > codeOf(out) {
			out = err
		}
	}
	return out
}

// silent is a front end that shows nothing: the other formats are one piece at
// the end.
type silent struct{ front }

func (silent) Event(steps.Event) {}
func (silent) Note(string)       {}
func (silent) Plan(steps.Plan)   {}

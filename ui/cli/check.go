package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/edits"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/inspect"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/prose"
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
	dryRun                      bool
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

Files that provide SECRET_KEY but not JWT_SECRET_KEY (pipelines, compose
files, manifests, examples, documents) are found too. With --fix they are
edited, and a .env that git does not ignore is added to .gitignore: lines are
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
			if err := c.settle(cmd.Flags().Changed("env")); err != nil {
				return err
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
	f.BoolVar(&c.fix, "fix", false, "make every edit of the plan, except the key")
	f.BoolVar(&c.dryRun, "dry-run", false, "with --fix: print the edits as a patch only")
	f.BoolVar(&c.committed, "committed", false, "check only committed files (see keysplit help ci)")
	f.BoolVar(&c.all, "all", false, "look at every environment of keysplit.toml")
	f.StringVar(&c.format, "format", "", "`FORMAT`: text (default), json, junit, sarif, github")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// settle fills in the format, and refuses flags that do not go together.
func (c *checkOptions) settle(envGiven bool) error {
	if c.json {
		c.format = "json"
	}
	c.format = cmp.Or(c.format, "text")
	switch {
	case !slices.Contains(formats, c.format):
		return steps.Usage("--format %s: choose %s", secret.Quote(c.format), strings.Join(formats, ", "))
	case c.dryRun && (!c.fix || c.format != "text"):
		return steps.Usage("--dry-run goes with --fix, and prints a patch")
	case c.all && envGiven:
		return steps.Usage("--all and --env cannot be used together")
	case c.all && len(c.targets) > 0:
		return steps.Usage("--all and --target cannot be used together")
	}
	return nil
}

// formats are those of check. github is the workflow commands that GitHub Actions
// shows as annotations.
var formats = []string{"text", "json", "junit", "sarif", "github"}

func (c *checkOptions) check(ctx context.Context, stdio IO) error {
	prints := secret.NewFingerprinter(nil)
	var all []*inspect.Environment
	var pages []*plainFront
	for _, name := range c.environments(c.all) {
		plain := newPlain(stdio, &c.speech) // a page for each: what they have in common is known in the end
		plain.hold()
		one, err := c.one(ctx, stdio, name, c.front(plain), prints, len(all) == 0)
		if err != nil {
			plain.show("")
			return err
		}
		defer one.Run.Close()
		all, pages = append(all, one), append(pages, plain)
	}
	for i, one := range all {
		one.Compare(all)
		c.show(c.plain(stdio), pages[i], one)
		one.Strict()
	}
	if err := c.print(stdio, all); err != nil {
		return err
	}
	err := worst(all)
	var failure *steps.Failure
	if c.format != "text" && !errors.As(err, &failure) {
		return err // no finding tells it
	}
	return said(err)
}

// front is what says a page: nothing where the format is one piece of text at the end, or
// a patch is all that is printed.
func (c *checkOptions) front(page *plainFront) front {
	if c.format == "text" && !c.dryRun {
		return page
	}
	return silent{page}
}

// show says what was held of a page, and how its environment stands.
func (c *checkOptions) show(heading, page *plainFront, one *inspect.Environment) {
	if c.all {
		heading := c.front(heading)
		heading.Note("")
		heading.Note("Environment " + one.Run.Options.Environment)
	}
	f := c.front(page)
	if c.fix { // what the edits closed was found before them
		page.held = slices.DeleteFunc(page.held, func(f finding.Finding) bool {
			return !slices.ContainsFunc(one.Findings, func(left finding.Finding) bool { return left.Code == f.Code && left.File == f.File })
		})
	}
	verdict, next, more := one.Verdict()
	page.show(verdict)
	f.Note("")
	if more {
		verdict += " See the findings above."
	}
	f.Note(verdict)
	if next != "" && f == front(page) {
		page.say("", "", lipgloss.NewStyle(), prose.Say("Next: %s", prose.Command(next)))
	}
}

// one looks at one environment. What is committed is the same for all, so the first one
// has it.
func (c *checkOptions) one(ctx context.Context, stdio IO, name string, f front, prints secret.Fingerprinter, first bool) (*inspect.Environment, error) {
	at := c.place
	at.env = name
	one, err := look(ctx, stdio, &at, c.request(), f, prints)
	if err != nil {
		return nil, err
	}
	if first && one.Err == nil {
		err = one.Committed(ctx, c.fixing(ctx, stdio, f, one.Run))
	}
	if err == nil {
		err = one.Remind(time.Now())
	}
	if err != nil {
		one.Run.Close()
		return nil, err
	}
	return one, nil
}

// request is what check asks of a run.
func (c *checkOptions) request() request {
	return request{
		delivery: delivery{targets: c.targets}, answers: c.answers, speech: &c.speech, command: "check", reach: looks,
		options: steps.Options{ReadOnly: !c.fix || c.dryRun, Fix: c.fix, Static: c.static || c.committed, Committed: c.committed},
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

// fixing makes the plan of edits, or, in a dry run, prints it as a patch: the files that may
// hold a secret are left out and listed.
func (c *checkOptions) fixing(ctx context.Context, stdio IO, f front, run *steps.Run) func([]steps.Edit) (bool, error) {
	if !c.fix {
		return nil
	}
	return func(on []steps.Edit) (bool, error) {
		if c.dryRun {
			patch(stdio, run, on)
			return false, nil
		}
		err := run.WriteEdits(ctx, on, func(ev steps.Event) {
			if ev.Kind == steps.EventProgress {
				f.Event(ev)
			}
		})
		if err != nil || len(on) == 0 {
			return false, err
		}
		f.Note("")
		for _, e := range on {
			f.Note("Edited " + secret.Inert(run.Project.Rel(e.File)) + ": " + steps.Extent(e.Was, e.Is, e.Mode) + ".")
		}
		f.Note("Look at it with git diff; " + run.Command("rollback") + " takes out all that this run changed.")
		f.Plan(steps.Plan{Diff: edits.Diffs(run, on)})
		return true, nil
	}
}

// patch prints what git apply takes.
func patch(stdio IO, run *steps.Run, on []steps.Edit) {
	for _, file := range steps.FilesOf(on) {
		name := run.Project.Rel(file.File)
		switch {
		case file.Secret:
			fmt.Fprintf(stdio.Err, "Not in the patch, since it may hold a secret: %s (%s). --fix changes it all the same.\n", secret.Inert(name), steps.Extent(file.Was, file.Is, file.Mode))
		default:
			fmt.Fprint(stdio.Out, steps.Patch(name, file.Was, file.Is))
		}
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

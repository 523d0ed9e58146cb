package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/secret"
)

// reportFormats are those of report. What a pipeline reads is about findings, and
// check prints it.
var reportFormats = []string{"markdown", "text", "json"}

// reportOptions are those of report.
type reportOptions struct {
	place
	json     bool
	targets  []string
	format   string
	team     bool
	all      bool
	yes      bool
	wait     bool
	attest   []int
	by, note string
}

func newReport(stdio IO) *cobra.Command {
	r := &reportOptions{}
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Print the upgrade checklist with its evidence",
		Long: `Print the nine items of the upgrade's checklist, each with what was seen, where,
when and by which check, or who signed it off. The report reads files and what
earlier runs recorded; none of the project's code runs, and no server is asked.
It exits with 0 if every item is done or signed off, with 1 if one is open.

What no machine can see (items 4 to 9) a person can sign off, with a name and a
note. It counts until the files or the key that it is about change.

With --team the message to send to the team is printed instead, ready to paste;
with --json it is part of the object.

With --all there is one table, the environments of keysplit.toml by items, and
below it what lacks the key, and since which day.`,
		Example: `  keysplit report > report.md
  keysplit report --attest 9 --by "Ada" --note "mail to the backend list"
  keysplit report --team > message.txt
  keysplit report --all`,
		Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := r.check(); err != nil {
				return err
			}
			if r.all && (cmd.Flags().Changed("env") || len(r.targets) > 0 || len(r.attest) > 0 || r.team) {
				return steps.Usage("--all cannot be used together with --env, --target, --attest or --team")
			}
			return r.print(cmd.Context(), stdio)
		},
	}
	f := cmd.Flags()
	r.place.flags(f)
	targetsFlag(f, &r.targets, "the key is at `SPEC` (see keysplit help targets)")
	f.BoolVar(&r.json, "json", false, "the same as --format json")
	f.StringVar(&r.format, "format", "", "`FORMAT`: markdown (default), text or json")
	f.BoolVar(&r.all, "all", false, "one table of all environments of keysplit.toml")
	f.BoolVar(&r.team, "team", false, "print the message to the team, and nothing else")
	f.IntSliceVar(&r.attest, "attest", nil, "sign off item `N` (4 to 9); needs --by and --note")
	f.StringVar(&r.by, "by", "", "`NAME` of the person who signs off")
	f.BoolVar(&r.yes, "yes", false, "sign off even if keysplit saw the opposite")
	f.BoolVar(&r.wait, "wait", false, "with --attest, wait for another run to end")
	f.StringVar(&r.note, "note", "", "`TEXT`: what was done or seen")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(reportFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// check refuses wrong flags before anything is read.
func (r *reportOptions) check() error {
	if r.json {
		r.format = "json"
	}
	r.format = cmp.Or(r.format, "markdown")
	if slices.Contains(formats, r.format) && !slices.Contains(reportFormats, r.format) {
		return steps.Usage("report no longer prints %[1]s. Use: keysplit check --format %[1]s", r.format)
	}
	if !slices.Contains(reportFormats, r.format) {
		return steps.Usage("--format %s: choose %s", secret.Quote(r.format), strings.Join(reportFormats, ", "))
	}
	if len(r.attest) == 0 && (r.by != "" || r.note != "") {
		return steps.Usage("--by and --note go with --attest N")
	}
	for _, item := range r.attest {
		if err := checklist.CheckWords(item, r.by, r.note); err != nil {
			return err
		}
	}
	return nil
}

func (r *reportOptions) print(ctx context.Context, stdio IO) error {
	var reports []checklist.Report
	var run *steps.Run
	for _, name := range r.environments(r.all) {
		at := r.place
		at.env = name
		var err error
		if run, err = found(ctx, stdio, &at, request{delivery: delivery{targets: r.targets}, speech: &speech{json: r.json}, reach: nowhere, answers: answers{wait: r.wait}, options: steps.Options{ReadOnly: true}}); err != nil {
			return err
		}
		defer run.Close()
		report, err := r.look(ctx, stdio, run)
		if err != nil {
			return err
		}
		reports = append(reports, report)
	}
	if r.all {
		all := checklist.Together(ctx, run, reports)
		return r.end(r.write(stdio.Out, all, all.Text, all.Markdown), all.Complete)
	}
	report := reports[0]
	if r.team && r.format != "json" {
		_, err := io.WriteString(stdio.Out, report.Team)
		return err
	}
	return r.end(r.write(stdio.Out, report, report.Text, report.Markdown), report.Complete)
}

// look makes the report of one environment.
func (r *reportOptions) look(ctx context.Context, stdio IO, run *steps.Run) (checklist.Report, error) {
	if err := r.words(ctx, stdio, run); err != nil {
		return checklist.Report{}, err
	}
	report, err := checklist.Look(ctx, run, time.Now())
	if err != nil {
		return report, err
	}
	report.AddFindings(run.Project.Findings)
	report.Sign(ctx, run, version())
	if r.team {
		report.Team = report.TeamMessage()
	}
	return report, nil
}

// end is the error of a report that was printed.
func (*reportOptions) end(err error, complete bool) error {
	switch {
	case err != nil:
		return fmt.Errorf("print the report: %w", err)
	case !complete:
		return &exitError{code: ExitFinding}
	}
	return nil
}

// found makes a run for the commands that start nothing: the project's files are
// looked at, and what earlier runs recorded is taken up.
func found(ctx context.Context, stdio IO, p *place, q request) (*steps.Run, error) {
	q.options.Static = true
	run, err := p.run(ctx, stdio, q)
	if err != nil {
		return nil, err
	}
	err = find(ctx, stdio, run, q.speech.front(stdio).Event)
	if err == nil && run.Journal == nil {
		var j *journal.Journal
		if j, err = run.Options.State.Read(run.Project.Root, run.Options.Environment); err == nil && j != nil {
			run.Journal, run.Prints = j, run.Options.State.Prints(run.Project.Root)
		}
	}
	if err != nil {
		run.Close()
		return nil, err
	}
	return run, nil
}

// find looks at the project's files. What is wrong with them is not the matter
// here; only what keeps the look from being made is an error.
func find(ctx context.Context, stdio IO, run *steps.Run, emit steps.Emit) error {
	e := steps.NewEngine(run, &preflight.Step{})
	_, err := e.Plan(ctx, steps.Preflight, nil)
	if err == nil {
		err = e.Apply(ctx, steps.Preflight, steps.OnlyWaits(emit))
	}
	var failure *steps.Failure
	isFailure := errors.As(err, &failure)
	switch {
	case err == nil, errors.Is(err, steps.ErrCancelled), misused(err):
		return err
	case isFailure && !errors.Is(err, steps.ErrCannotLook) && run.Project != nil:
		return nil
	case isFailure:
		for _, f := range failure.Findings {
			fmt.Fprintln(stdio.Err, secret.Inert(f.Message.Then(f.Fix).Rendered()))
		}
		return &exitError{code: ExitBlind}
	}
	return steps.CannotLook("%w", err)
}

// words records what a person signs off, in a journal that is made if there is
// none.
func (r *reportOptions) words(ctx context.Context, stdio IO, run *steps.Run) error {
	if len(r.attest) == 0 {
		return nil
	}
	stdio.Out = stdio.Err // the report alone goes to the output
	front := newPlain(stdio, &speech{})
	if err := run.Hold(ctx, run.Project.Root, run.Options.Environment, front.Event); err != nil {
		return err
	}
	j, err := run.Options.State.Open(run.Project.Root, run.Options.Environment)
	if err != nil {
		return err
	}
	run.Journal, run.Prints = j, run.Options.State.Prints(run.Project.Root)
	seen, err := checklist.Look(ctx, run, time.Now())
	if err != nil {
		return err
	}
	for _, item := range r.attest {
		if err := r.insist(ctx, stdio, front, seen.Items[item-1]); err != nil {
			return err
		}
	}
	for _, item := range r.attest {
		if err := checklist.Attest(ctx, run, item, r.by, r.note); err != nil {
			return err
		}
	}
	return nil
}

// insist asks whether an item should be signed off against what was seen.
func (r *reportOptions) insist(ctx context.Context, stdio IO, front *plainFront, it checklist.Item) error {
	if it.Against == "" || r.yes {
		return nil
	}
	if !stdio.InTTY {
		return steps.Usage("item %d, %s: the evidence says otherwise: %s. To sign it off all the same, add --yes", it.Number, it.Title, it.Against)
	}
	insists, err := insist(ctx, front, it)
	if err == nil && !insists {
		err = steps.ErrCancelled
	}
	return err
}

// write prints what is reported in its format.
func (r *reportOptions) write(out io.Writer, report any, text, markdown func() string) error {
	switch r.format {
	case "json":
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	case "text":
		_, err := io.WriteString(out, text())
		return err
	}
	_, err := io.WriteString(out, markdown())
	return err
}

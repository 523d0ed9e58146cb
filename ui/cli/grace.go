package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/adopt"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/vendor"
	"dj/keysplit/steps/write"
	"dj/keysplit/ui"
)

// graceOptions are those of grace. The end of a grace period goes through the steps, so
// it has what they need.
type graceOptions struct {
	upgradeOptions
	hours   int
	end     bool
	prepare bool
	lines   bool // --adopt
}

func newGrace(stdio IO) *cobra.Command {
	o := &graceOptions{upgradeOptions: upgradeOptions{verb: "grace"}}
	cmd := &cobra.Command{
		Use:   "grace",
		Short: "Accept the previous key for a while, after a rotation",
		Long: `Write a small Python module beside manage.py and the previous key with a
deadline into the .env, and show the three lines for the settings; where the
key is in a secret manager, also the commands that set the two there.
Until the deadline the backend then accepts access and refresh tokens of the
previous key; it never signs with it, and blacklisted tokens stay refused. It
ends by itself; until then a second run changes nothing, unless --hours asks
for another length.

With --prepare only the module is written and the lines are shown, or added to
the settings with --adopt: commit and deploy both, and keysplit upgrade --rotate
--grace logs nobody out. With --end the two variables are removed, the backend
restarts, and the server is asked whether it refuses the previous key: before
the deadline, or to tidy up.

It is for rotations. On the upgrade itself the previous key was SECRET_KEY, and
accepting that is refused.`,
		Example: `  keysplit grace --prepare
  keysplit upgrade --rotate && keysplit grace
  keysplit grace --hours 48
  keysplit grace --end`,
		Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd, stdio); err != nil {
				return err
			}
			switch {
			case o.end:
				return o.over(cmd.Context(), stdio)
			case o.prepare:
				return runPrepare(cmd.Context(), stdio, o)
			}
			return runGrace(cmd.Context(), stdio, o, cmd.Flags().Changed("hours"))
		},
	}
	f := cmd.Flags()
	o.speech.flags(f)
	o.place.flags(f)
	o.place.starting(f)
	o.server.flags(f)
	o.answers.flags(f)
	o.trusting(f)
	o.queueing(f)
	targetsFlag(f, &o.targets, "the key is at `SPEC` (see keysplit help targets)")
	f.StringVar(&o.restart, "restart", "", "with --end: restart with `SPEC`")
	f.StringArrayVar(&o.also, "also", nil, "with --end: then restart workers at `SPEC`")
	f.IntVar(&o.hours, "hours", int(grace.Default.Hours()), "for `N` hours from now, 720 at most")
	f.BoolVar(&o.end, "end", false, "end it now, and remove its variables")
	f.BoolVar(&o.prepare, "prepare", false, "only write the module, and show the lines")
	f.BoolVar(&o.lines, "adopt", false, "with --prepare: add the lines to the settings")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be written, change nothing")
	return cmd
}

// check refuses flags that do not go together.
func (o *graceOptions) check(cmd *cobra.Command, stdio IO) error {
	switch {
	case o.end && o.prepare, (o.end || o.prepare) && cmd.Flags().Changed("hours"):
		return steps.Usage("--end, --prepare and --hours cannot be used together")
	case o.lines && (!o.prepare || o.env != "" && o.env != steps.DefaultEnvironment):
		return steps.Usage("--adopt goes with --prepare, in development: code reaches other environments by a commit")
	case !o.end && (o.restart != "" || len(o.also) > 0 || len(o.urls) > 0):
		return steps.Usage("--restart, --also and --url go with --end")
	case o.end && !o.yes && !o.dryRun && (o.json || !stdio.InTTY):
		return steps.Usage("--end asks before each change, and nobody is there to answer: add --yes, or --dry-run to see the plan")
	}
	return nil
}

// over ends a grace period by a pass through the steps.
func (o *graceOptions) over(ctx context.Context, stdio IO) error {
	o.endGrace = true
	run, err := o.run(ctx, stdio)
	if err != nil {
		return err
	}
	return upgrade(ctx, stdio, ui.NewEngine(run), o.front(stdio), &o.upgradeOptions)
}

// look makes the run of a command that starts nothing.
func (o *graceOptions) look(ctx context.Context, stdio IO, r reach) (*steps.Run, error) {
	return found(ctx, stdio, &o.place, request{answers: o.answers, speech: &o.speech, delivery: delivery{targets: o.targets}, command: "grace", reach: r, options: steps.Options{ReadOnly: o.dryRun}})
}

// runPrepare writes the module, and shows the lines for the settings.
func runPrepare(ctx context.Context, stdio IO, o *graceOptions) error {
	run, err := o.look(ctx, stdio, nowhere)
	if err != nil {
		return err
	}
	defer run.Close()
	f := o.plain(stdio)
	code, err := grace.Look(run)
	writes := code.Missing()
	if err == nil && !o.dryRun {
		err = code.Write(ctx, run)
	}
	settings := ""
	if err == nil && o.lines {
		settings, err = code.Adopt(ctx, run)
	}
	if err != nil {
		return o.refused(stdio, f, err)
	}
	report := graceReport{Schema: 1, Changes: []string{}, Settings: code.Lines, DryRun: o.dryRun}
	if code.Lacks && settings == "" {
		report.Findings = adopt.GraceByHand(ctx, run)
	}
	if report.Findings != nil {
		report.Settings = []string{}
	}
	if writes {
		report.Changes = append(report.Changes, "write "+run.Project.Rel(code.Module))
	}
	if settings != "" {
		report.Changes = append(report.Changes, "add the three lines to "+run.Project.Rel(settings))
	}
	if o.json {
		return printJSON(stdio.Out, report)
	}
	o.changes(f, report.Changes)
	if code.Lacks && settings == "" {
		settingsToAdd(run, f, code.Lines, report.Findings)
	}
	switch {
	case code.Lacks || writes:
		f.Note("Commit and deploy both. They do nothing until a rotation: " + run.Command("upgrade", "--rotate", "--grace"))
	default:
		f.Note("The module is there, and the settings name it. Next: " + run.Command("upgrade", "--rotate", "--grace"))
	}
	return nil
}

// changes says what was done, or would be.
func (o *graceOptions) changes(f *plainFront, all []string) {
	for _, c := range all {
		f.Note(map[bool]string{true: "Would ", false: "Done: "}[o.dryRun] + c)
	}
}

// settingsToAdd shows the lines for the settings, or what is said in their place.
func settingsToAdd(run *steps.Run, f *plainFront, lines []string, byHand []finding.Finding) {
	f.Note("")
	if len(byHand) > 0 {
		f.Note(run.Fit(byHand[0].Fix).Rendered())
		return
	}
	f.Note(run.Names().Fill("Add these lines to the settings, below JWT_SECRET_KEY and INSTALLED_APPS:"))
	for _, l := range lines {
		f.line("    %s", l)
	}
}

// refused ends a command with what speaks against a grace period.
func (o *graceOptions) refused(stdio IO, f *plainFront, err error) error {
	var failure *steps.Failure
	switch {
	case !errors.As(err, &failure):
		return err
	case o.json:
		if err := printJSON(stdio.Out, graceReport{Schema: 1, Changes: []string{}, Settings: []string{}, DryRun: o.dryRun, Findings: failure.Findings}); err != nil {
			return err
		}
	default:
		for _, finding := range failure.Findings {
			f.finding(one(finding), "")
		}
	}
	return said(err)
}

func runGrace(ctx context.Context, stdio IO, o *graceOptions, again bool) error {
	run, err := o.look(ctx, stdio, delivers)
	if err != nil {
		return err
	}
	defer run.Close()
	f := o.plain(stdio)
	if err := run.Home().Look(ctx); err != nil {
		return err
	}
	g, err := grace.Plan(ctx, run, time.Duration(o.hours)*time.Hour, again, time.Now())
	if err == nil && !o.dryRun {
		err = g.Apply(ctx, run)
	}
	if err != nil {
		return o.refused(stdio, f, err)
	}
	if o.json {
		until := g.Until.UTC()
		return printJSON(stdio.Out, graceReport{Schema: 1, Until: &until, Changes: append([]string{}, g.Changes...), Proved: &g.Proved, Settings: g.Settings, ByHand: byHand(run, g), DryRun: o.dryRun})
	}
	o.tell(ctx, run, f, g)
	return nil
}

// tell says what was done and is left to do for a grace period, and until when it is in force.
func (o *graceOptions) tell(ctx context.Context, run *steps.Run, f *plainFront, g *grace.Grace) {
	o.changes(f, g.Changes)
	same := g.Goes && len(g.Changes) == 0
	lacks := !same || !grace.Needed(run, g.Module) // the settings lack the lines, or may
	if same {
		f.Note("The grace period is in force. Nothing was changed.")
	}
	if lacks {
		settingsToAdd(run, f, g.Settings, adopt.GraceByHand(ctx, run))
	}
	lines := byHand(run, g)
	if len(lines) > 0 {
		keyName, untilName := run.Names().Grace()
		f.Note("")
		f.Note("Bring " + keyName + " and " + untilName + " to the place that has the key. The previous key is in a file of keysplit's own, mode 0600; what follows takes it from there:")
		for _, l := range lines {
			f.line("    %s", l)
		}
		f.Note("Take both out of there again after the deadline; a rollback does not.")
		f.Note("")
	}
	if !g.Proved {
		f.Note("The previous key is not proved: no server was seen to sign with it. It is the one that was there before the latest upgrade.")
	}
	if g.Unsure {
		f.Note(run.Names().Fill("SECRET_KEY cannot be read there, so it was not compared: see that the previous key was not SECRET_KEY. Accepting that would let its holders in."))
	}
	if lacks {
		f.Note("Then restart the backend.")
	}
	once := "Tokens"
	if len(lines) > 0 {
		once = "Once both are there, tokens"
	}
	f.Note(once + " of the previous key are accepted until " + g.Until.Format("2006-01-02 15:04 MST") + ".")
	if same {
		f.Note("For another length from now on: " + run.Command("grace", "--hours", "N"))
	}
	if len(run.Home().Files()) > 0 {
		f.Note("To take it out before: " + run.Command("rollback"))
	}
}

// byHand are the lines that say how the two variables get to the places that are no
// files here.
func byHand(run *steps.Run, g *grace.Grace) []string {
	keyName, untilName := run.Names().Grace()
	x := vendor.Extra{SecretName: keyName, File: g.File, PlainName: untilName, Plain: steps.GraceUntil(g.Until)}
	var lines []string
	for _, t := range run.Targets {
		lines = append(lines, write.ExtraSteps(t, x)...)
	}
	if len(lines) > 0 && x.File == "" {
		// The previous key was in one of the files only.
		lines = []string{"In the other places: set both yourself, to the values in " + run.Project.Rel(run.Home().Files()[0]) + " now."}
	}
	return lines
}

// graceReport is what `grace --json` prints. Its names are stable.
type graceReport struct {
	Schema   int               `json:"schema"`
	Until    *time.Time        `json:"until"`             // null when it was refused
	Changes  []string          `json:"changes"`           // made, or with dry_run to be made
	Proved   *bool             `json:"proved,omitempty"`  // the previous key was seen in force; absent when it was refused
	Settings []string          `json:"settings"`          // lines to add to the settings by hand
	ByHand   []string          `json:"by_hand,omitempty"` // how the two variables get to places that are no files here
	DryRun   bool              `json:"dry_run"`
	Findings []finding.Finding `json:"findings,omitempty"` // why it was refused
}

package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/vendor"
	"dj/keysplit/steps/write"
)

// graceOptions are those of grace.
type graceOptions struct {
	speech
	place
	answers
	hours  int
	dryRun bool
}

func newGrace(stdio IO) *cobra.Command {
	o := &graceOptions{}
	cmd := &cobra.Command{
		Use:   "grace",
		Short: "Accept the previous key for a while, after a rotation",
		Long: `Write a small Python module beside manage.py and the previous key with a
deadline into the .env, and show the three lines for the settings; where the
key is kept by a secret manager, also the commands that bring the two there.
Until the deadline the backend then accepts access and refresh tokens of the
previous key; it never signs with it, and blacklisted tokens stay refused. It
ends by itself; until then a second run changes nothing, unless --hours asks
for another length.

It is for rotations (keysplit upgrade --rotate). On the upgrade itself the key
before was SECRET_KEY, and accepting that is refused.`,
		Example: `  keysplit upgrade --rotate && keysplit grace
  keysplit grace --hours 48`,
		Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runGrace(cmd.Context(), stdio, o, cmd.Flags().Changed("hours"))
		},
	}
	f := cmd.Flags()
	o.speech.flags(f)
	o.place.flags(f)
	o.place.waiting(f)
	o.trusting(f)
	o.queueing(f)
	f.IntVar(&o.hours, "hours", int(grace.Default.Hours()), "for `N` hours from now, 720 at most")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be written, change nothing")
	return cmd
}

func runGrace(ctx context.Context, stdio IO, o *graceOptions, anew bool) error {
	run, err := found(ctx, stdio, &o.place, request{answers: o.answers, speech: &o.speech, command: "grace", reach: delivers, options: steps.Options{ReadOnly: o.dryRun}})
	if err != nil {
		return err
	}
	defer run.Close()
	f := o.plain(stdio)
	if err := run.Home().Look(ctx); err != nil {
		return err
	}
	g, err := grace.Plan(ctx, run, time.Duration(o.hours)*time.Hour, anew, time.Now())
	if err == nil && !o.dryRun {
		err = g.Apply(ctx, run)
	}
	var failure *steps.Failure
	if errors.As(err, &failure) && o.json {
		if err := printJSON(stdio.Out, graceReport{Schema: 1, Changes: []string{}, Settings: []string{}, DryRun: o.dryRun, Findings: failure.Findings}); err != nil {
			return err
		}
		return said(err)
	}
	if errors.As(err, &failure) {
		for _, finding := range failure.Findings {
			f.finding(finding, false)
		}
		return said(err)
	}
	if err != nil {
		return err
	}
	for _, c := range g.Changes {
		if !o.json {
			f.Note(map[bool]string{true: "Would ", false: "Done: "}[o.dryRun] + c)
		}
	}
	if o.json {
		until := g.Until.UTC()
		return printJSON(stdio.Out, graceReport{Schema: 1, Until: &until, Changes: append([]string{}, g.Changes...), Proved: &g.Proved, Settings: g.Settings, ByHand: byHand(run, g), DryRun: o.dryRun})
	}
	same := g.Goes && len(g.Changes) == 0
	lacks := !same || !grace.Needed(run, g.Module) // the settings lack the lines, or may
	if same {
		f.Note("The grace period is in force. Nothing was changed.")
	}
	if lacks {
		f.Note("")
		f.Note("Add these lines to the settings, below JWT_SECRET_KEY and INSTALLED_APPS:")
		for _, l := range g.Settings {
			f.line("    %s", l)
		}
	}
	if lines := byHand(run, g); len(lines) > 0 {
		f.Note("")
		keyName, untilName := run.Names().Grace()
		f.Note("Bring " + keyName + " and " + untilName + " to the place that has the key. The previous key is in a file of keysplit's own, mode 0600; these commands take it from there:")
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
		f.Note("SECRET_KEY cannot be read there, so it was not compared: see that the previous key was not SECRET_KEY. Accepting that would let its holders in.")
	}
	if lacks {
		f.Note("Then restart the backend.")
	}
	f.Note("Tokens of the previous key are accepted until " + g.Until.Format("2006-01-02 15:04 MST") + ".")
	if same {
		f.Note("For another length from now on: " + o.command("grace") + " --hours N")
	}
	f.Note("To take it out before: " + o.command("rollback"))
	return nil
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

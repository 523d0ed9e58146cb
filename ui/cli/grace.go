package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/grace"
)

func newGrace(stdio IO, o *options) *cobra.Command {
	hours := int(grace.Default.Hours())
	cmd := &cobra.Command{
		Use:   "grace",
		Short: "Accept the previous key for a while, after a rotation",
		Long: `Write a small Python module beside manage.py and the previous key with a deadline
into the .env, and show the three lines for the settings. Until the deadline the
backend then accepts access and refresh tokens of the previous key; it never signs
with it, and blacklisted tokens stay refused. It ends by itself.

It is for rotations (keysplit upgrade --rotate). On the upgrade itself the key
before was SECRET_KEY, and accepting that is refused.`,
		Example: `  keysplit upgrade --rotate && keysplit grace
  keysplit grace --hours 48`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runGrace(cmd.Context(), stdio, o, time.Duration(hours)*time.Hour)
		},
	}
	cmd.Flags().IntVar(&hours, "hours", hours, "how long the previous key is accepted, 168 at most")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would be written, change nothing")
	return cmd
}

func runGrace(ctx context.Context, stdio IO, o *options, length time.Duration) error {
	run, err := found(ctx, stdio, o)
	if err != nil {
		return err
	}
	defer run.Close()
	f := newPlain(stdio, o)
	if run.Remote() {
		return fmt.Errorf("%w: grace edits a .env; for %s set %s and %s there yourself, beside the module", steps.ErrUsage, o.env, grace.KeyName, grace.UntilName)
	}
	g, err := grace.Plan(run, length, time.Now())
	var failure *steps.Failure
	if errors.As(err, &failure) && o.json {
		if err := printJSON(stdio.Out, graceReport{Schema: 1, Changes: []string{}, Settings: []string{}, DryRun: o.dryRun, Findings: failure.Findings}); err != nil {
			return err
		}
		return said(err)
	}
	if errors.As(err, &failure) {
		for _, finding := range failure.Findings {
			f.finding(finding)
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
	if !o.dryRun {
		if err := g.Apply(ctx, run); err != nil {
			return err
		}
	}
	if o.json {
		until := g.Until.UTC()
		return printJSON(stdio.Out, graceReport{Schema: 1, Until: &until, Changes: append([]string{}, g.Changes...), Settings: g.Settings, DryRun: o.dryRun})
	}
	f.Note("")
	f.Note("Add these lines to the settings, below JWT_SECRET_KEY and INSTALLED_APPS:")
	for _, l := range g.Settings {
		f.line("    %s", l)
	}
	f.Note("Then restart the backend.")
	f.Note("Tokens of the previous key are accepted until " + g.Until.Format("2006-01-02 15:04 MST") + ".")
	f.Note("To take it out before: " + o.command("rollback"))
	return nil
}

// graceReport is what `grace --json` prints. Its names are stable.
type graceReport struct {
	Schema   int             `json:"schema"`
	Until    *time.Time      `json:"until"`    // null when it was refused
	Changes  []string        `json:"changes"`  // made, or with dry_run to be made
	Settings []string        `json:"settings"` // lines to add to the settings by hand
	DryRun   bool            `json:"dry_run"`
	Findings []steps.Finding `json:"findings,omitempty"` // why it was refused
}

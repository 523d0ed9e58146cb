package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/write"
)

func newGrace(stdio IO, o *options) *cobra.Command {
	hours := int(grace.Default.Hours())
	cmd := &cobra.Command{
		Use:   "grace",
		Short: "Accept the previous key for a while, after a rotation",
		Long: `Write a small Python module beside manage.py and the previous key with a deadline
into the .env, and show the three lines for the settings; where the key is kept by
a secret manager, also the commands that bring the two there. Until the deadline the
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
		if err := run.LookAround(ctx); err != nil {
			return err
		}
	}
	g, err := grace.Plan(run, length, time.Now())
	var failure *steps.Failure
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
		f.Note(map[bool]string{true: "Would ", false: "Done: "}[o.dryRun] + c)
	}
	if !o.dryRun {
		if err := g.Apply(ctx, run); err != nil {
			return err
		}
	}
	f.Note("")
	f.Note("Add these lines to the settings, below JWT_SECRET_KEY and INSTALLED_APPS:")
	for _, l := range g.Settings {
		f.line("    %s", l)
	}
	handOut(f, run, g)
	if g.Unsure {
		f.Note("SECRET_KEY cannot be read there, so it was not compared: see that the previous key was not SECRET_KEY. Accepting that would let its holders in.")
	}
	f.Note("Then restart the backend.")
	f.Note("Tokens of the previous key are accepted until " + g.Until.Format("2006-01-02 15:04 MST") + ".")
	f.Note("To take it out before: " + o.command("rollback"))
	return nil
}

// handOut shows how the two variables get to the places that are no files here.
func handOut(f *plainFront, run *steps.Run, g *grace.Grace) {
	x := write.Extra{SecretName: grace.KeyName, File: run.PreviousFile(), PlainName: grace.UntilName, Plain: g.Until.Format(time.RFC3339)}
	var lines []string
	for _, t := range run.Targets {
		lines = append(lines, x.Steps(t)...)
	}
	if len(lines) == 0 {
		return
	}
	f.Note("")
	if x.File == "" {
		var files []string
		for _, path := range run.Files() {
			files = append(files, run.Project.Rel(path))
		}
		f.Note("Set both in the other places yourself, to the values that stand in " + strings.Join(files, ", ") + " now.")
		return
	}
	f.Note("Bring " + x.SecretName + " and " + x.PlainName + " to the place that has the key. The previous key is in a file of keysplit's own, mode 0600; these commands take it from there:")
	for _, l := range lines {
		f.line("    %s", l)
	}
	f.Note("Take both out of there again after the deadline; a rollback does not.")
	f.Note("")
}

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"dj/keysplit/steps/bugreport"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
)

func newBugReport(stdio IO, o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bug-report",
		Short: "Print what a bug report needs, without secrets",
		Long: `Print the versions, the system, the shape of the project, its findings and what
earlier runs recorded, for an issue. It holds no key, no password, no value of a
.env, and no name of a host, app or account. Nothing is sent: read it, then paste
it yourself. The project's own Django is started once; with --static it is not.`,
		Example: `  keysplit bug-report
  keysplit bug-report --static > report.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return bugReport(cmd.Context(), stdio, o) },
	}
	cmd.Flags().BoolVar(&o.static, "static", false, "read files only, run none of the project's code")
	return cmd
}

func bugReport(ctx context.Context, stdio IO, o *options) error {
	o.dryRun, o.any, o.reach = true, true, looks
	one, err := look(ctx, stdio, o, silent{newPlain(stdio, o)}, secret.NewFingerprinter(nil))
	if err != nil {
		return err
	}
	defer one.run.Close()
	var j *journal.Journal
	if p := one.run.Project; p != nil {
		if j, err = one.run.Options.State.Read(p.Root, one.run.Options.Environment); err != nil && one.err == nil {
			one.err = err
		}
	}
	r := bugreport.Make(thisBuild(), one.run, one.findings, one.err, j)
	if o.json {
		return printJSON(stdio.Out, r)
	}
	// The text of a person is the JSON of a program, one name a line.
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(stdio.Out, one.run.Redactor.Clean(string(text))+"\n"); err != nil {
		return err
	}
	fmt.Fprintln(stdio.Err, "Nothing was sent. Read it before you paste it anywhere.")
	return nil
}

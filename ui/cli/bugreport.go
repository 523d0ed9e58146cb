package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/bugreport"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
)

// bugReportOptions are those of bug-report.
type bugReportOptions struct {
	speech
	place
	static bool
}

func newBugReport(stdio IO) *cobra.Command {
	o := &bugReportOptions{}
	cmd := &cobra.Command{
		Use:   "bug-report",
		Short: "Print what a bug report needs, without secrets",
		Long: `Print the versions, the system, the shape of the project, its findings and
what earlier runs recorded, for an issue. It holds no key, no password, no
value of a .env, and no name of a host, app or account. Nothing is sent: read
it, then paste it yourself. The project's own Django is started once; with
--static it is not.`,
		Example: `  keysplit bug-report
  keysplit bug-report --static > report.json`,
		Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error { return bugReport(cmd.Context(), stdio, o) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.json, "json", false, "print JSON")
	o.place.flags(f)
	o.place.starting(f)
	f.BoolVar(&o.static, "static", false, "read files only, run none of the project's code")
	return cmd
}

func bugReport(ctx context.Context, stdio IO, o *bugReportOptions) error {
	one, err := look(ctx, stdio, &o.place, request{
		speech: &o.speech, reach: looks, anywhere: true, options: steps.Options{ReadOnly: true, Static: o.static},
	}, silent{o.plain(stdio)}, secret.NewFingerprinter(nil))
	if err != nil {
		return err
	}
	defer one.Run.Close()
	var j *journal.Journal
	if p := one.Run.Project; p != nil {
		if j, err = one.Run.Options.State.Read(p.Root, one.Run.Options.Environment); err != nil && one.Err == nil {
			one.Err = err
		}
	}
	r := bugreport.Make(thisBuild(), one.Run, one.Findings, one.Err, j)
	if o.json {
		return printJSON(stdio.Out, r)
	}
	// The text of a person is the JSON of a program, one name a line.
	text, _ := json.MarshalIndent(r, "", "  ") // texts always have a form
	fmt.Fprintln(stdio.Out, one.Run.Redactor.Clean(string(text)))
	fmt.Fprintln(stdio.Err, "Nothing was sent. Read it before you paste it anywhere.")
	return nil
}

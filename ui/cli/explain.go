package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
)

func newExplain(stdio IO) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Explain a finding: cause, why, fix; alone, list them all",
		Args:  cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var all []string
			for _, c := range steps.Codes() {
				all = append(all, string(c))
			}
			return all, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, c := range steps.Codes() {
					page, _ := steps.LookUp(c)
					fmt.Fprintf(stdio.Out, "%-38s %-8s %s\n", c, page.Severity, page.Message)
				}
				return nil
			}
			page, ok := steps.LookUp(steps.Code(args[0]))
			if !ok {
				return fmt.Errorf("%w: no finding is called %q; keysplit explain lists them", steps.ErrUsage, args[0])
			}
			return printPage(stdio.Out, page)
		},
	}
}

func printPage(out io.Writer, p steps.Page) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n\n%s\n\nWhy it matters\n  %s\n\nWhat to do\n  %s\n", p.Code, p.Severity, p.Message, p.Why, p.Fix)
	if p.Fixable && p.Severity == steps.Error {
		b.WriteString("\nkeysplit upgrade does this for you.\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

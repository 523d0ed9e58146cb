package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
)

func newExplain(stdio IO) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE | TEXT]",
		Short: "Explain a finding or an error message: cause, why, fix; alone, list the findings",
		Long: `Explain a finding by its code, or an error message: as one argument, or piped in.
Nothing of the message is shown or kept.`,
		Example: `  keysplit explain jwt-key-missing
  keysplit explain < error.txt
  python manage.py check 2>&1 | keysplit explain`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var all []string
			for _, c := range steps.Codes() {
				all = append(all, string(c))
			}
			return all, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if page, ok := steps.LookUp(steps.Code(args[0])); ok {
					return printPage(stdio.Out, page)
				}
				codes := steps.Recognise([]byte(args[0]))
				if len(codes) == 0 && !strings.ContainsAny(args[0], " \n") {
					return fmt.Errorf("%w: no finding is called %q; keysplit explain lists them", steps.ErrUsage, args[0])
				}
				return explainAll(stdio, codes)
			}
			if !stdio.InTTY {
				text, err := piped(cmd.Context(), stdio.In)
				if err != nil {
					return err
				}
				if len(bytes.TrimSpace(text)) > 0 {
					return explainAll(stdio, steps.Recognise(text))
				}
			}
			for _, c := range steps.Codes() {
				page, _ := steps.LookUp(c)
				fmt.Fprintf(stdio.Out, "%-38s %-8s %s\n", c, page.Severity, page.Message)
			}
			return nil
		},
	}
}

// maxPasted is how much of a piped text is looked at: its end, where programs
// say what went wrong.
const maxPasted = 1 << 20

// piped reads standard input to its end and keeps the last part of it.
func piped(ctx context.Context, in io.Reader) ([]byte, error) {
	type read struct {
		text []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		var kept []byte
		buf := make([]byte, 64<<10)
		for {
			n, err := in.Read(buf)
			kept = append(kept, buf[:n]...)
			if len(kept) > maxPasted {
				kept = append([]byte(nil), kept[len(kept)-maxPasted:]...)
			}
			if err != nil {
				if errors.Is(err, io.EOF) {
					err = nil
				}
				done <- read{kept, err}
				return
			}
		}
	}()
	select {
	case <-ctx.Done():
		return nil, steps.ErrCancelled
	case r := <-done:
		if r.err != nil {
			return nil, fmt.Errorf("read the message: %w", r.err)
		}
		return r.text, nil
	}
}

// explainAll prints the page of the first code, and names the others.
func explainAll(stdio IO, codes []steps.Code) error {
	if len(codes) == 0 {
		fmt.Fprintln(stdio.Out, "keysplit does not know this message. To look at the project itself: keysplit check")
		return &exitError{code: ExitFinding}
	}
	page, _ := steps.LookUp(codes[0])
	if err := printPage(stdio.Out, page); err != nil {
		return err
	}
	for i, c := range codes[1:] {
		if i == 0 {
			fmt.Fprintln(stdio.Out, "\nThe message may also be about:")
		}
		other, _ := steps.LookUp(c)
		fmt.Fprintf(stdio.Out, "  %-28s %s\n", c, other.Message)
	}
	return nil
}

func printPage(out io.Writer, p steps.Page) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n\n%s\n\nWhy it matters\n  %s\n\nWhat to do\n  %s\n", p.Code, p.Severity, p.Message, p.Why, p.Fix)
	if p.Fixable && !p.Edit {
		b.WriteString("\nkeysplit upgrade does this for you.\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/guard"
	"dj/keysplit/ui/style"
)

func newExplain(stdio IO) *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "explain [CODE | TEXT]",
		Short: "Explain a finding or an error message",
		Long: `Explain a finding by its code, or an error message: as words, or piped in.
Nothing of the message is shown or kept. With --json the pages are one array,
the one that fits best first.`,
		Example: `  keysplit explain jwt-key-missing
  keysplit explain Connection refused
  keysplit explain < error.txt
  python manage.py check 2>&1 | keysplit explain`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var all []string
			for _, c := range finding.Codes() {
				all = append(all, string(c))
			}
			return all, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			text := []byte(strings.Join(args, " "))
			if len(args) == 0 && !stdio.InTTY {
				var err error
				if text, err = piped(cmd.Context(), stdio.In); err != nil {
					return err
				}
			}
			e := explainer{stdio: stdio, json: json}
			if len(bytes.TrimSpace(text)) == 0 {
				return e.list(finding.Codes())
			}
			code := finding.Code(strings.ToLower(string(bytes.TrimSpace(text))))
			if _, ok := finding.LookUp(code); ok {
				return e.explain([]finding.Code{code})
			}
			codes := finding.Recognise(text)
			if len(codes) == 0 && len(args) == 1 && !strings.ContainsAny(args[0], " \n") {
				return unknownCode(args[0])
			}
			return e.explain(codes)
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print JSON")
	return cmd
}

// unknownCode says which code was meant, where one is near.
func unknownCode(name string) error {
	var all []string
	for _, c := range finding.Codes() {
		all = append(all, string(c))
	}
	if near := config.Nearest(strings.ToLower(name), all); near != "" {
		return steps.Usage("no finding is called %s; did you mean %q?", secret.Quote(name), near)
	}
	return steps.Usage("no finding is called %s; keysplit explain lists them", secret.Quote(name))
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
	guard.Go(func() {
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
	}, func(err error) { done <- read{err: err} })
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

// explainer prints pages of the catalogue.
type explainer struct {
	stdio IO
	json  bool
}

// page is a page as --json prints it. Its names are stable.
type page struct {
	Code     finding.Code     `json:"code"`
	Severity finding.Severity `json:"severity"`
	Message  string           `json:"message"`
	Why      string           `json:"why"`
	Fix      finding.Fix      `json:"fix"`
	Command  string           `json:"command,omitempty"`
	Fixable  bool             `json:"fixable"`
}

func pagesOf(codes []finding.Code) []page {
	out := []page{}
	for _, c := range codes {
		p, _ := finding.LookUp(c)
		out = append(out, page{c, p.Severity, p.Message, p.Why, p.Fix, p.Fix.Command(), p.Fixable})
	}
	return out
}

func (e explainer) list(codes []finding.Code) error {
	if e.json {
		return printJSON(e.stdio.Out, pagesOf(codes))
	}
	for _, p := range pagesOf(codes) {
		if e.stdio.OutTTY {
			fmt.Fprintf(e.stdio.Out, "%s (%s)\n%s\n", p.Code, p.Severity, e.wrapped("    ", p.Message))
			continue
		}
		fmt.Fprintf(e.stdio.Out, "%-38s %-8s %s\n", p.Code, p.Severity, p.Message)
	}
	return nil
}

// wrapped indents text, and wraps it where a person reads it; a program gets one
// line for each part.
func (e explainer) wrapped(in, text string) string {
	if e.stdio.OutTTY {
		text = strings.Join(style.Wrap(text, width-len(in), false), "\n")
	}
	return indent(text, in)
}

// explain prints the page of the first code, and names the others.
func (e explainer) explain(codes []finding.Code) error {
	pages := pagesOf(codes)
	var err error
	switch {
	case e.json:
		err = printJSON(e.stdio.Out, pages)
	case len(pages) == 0:
		fmt.Fprintln(e.stdio.Out, "keysplit does not know this message. To look at the project itself: keysplit check")
	default:
		err = e.text(pages)
	}
	if err == nil && len(pages) == 0 {
		err = &exitError{code: ExitFinding}
	}
	return err
}

func (e explainer) text(pages []page) error {
	p := pages[0]
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n\n%s\n\nWhy it matters\n%s\n\nWhat to do\n%s\n", p.Code, p.Severity, e.wrapped("", p.Message), e.wrapped("  ", p.Why), e.wrapped("  ", p.Fix.Rendered()))
	if whole, _ := finding.LookUp(p.Code); whole.Fixable && !whole.Edit {
		b.WriteString("\nkeysplit upgrade does this for you.\n")
	}
	for i, other := range pages[1:] {
		if i == 0 {
			b.WriteString("\nThe message may also be about\n")
		}
		fmt.Fprintf(&b, "%s\n", e.wrapped("  ", fmt.Sprintf("%s: %s", other.Code, other.Message)))
	}
	_, err := io.WriteString(e.stdio.Out, b.String())
	return err
}

// printJSON prints a value as one line.
func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

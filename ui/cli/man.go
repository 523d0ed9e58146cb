package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newMan writes the manual pages. It is for the makers of packages.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man FOLDER",
		Short:  "Write the manual pages",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { // #nosec G301 -- pages are for everyone
				return err
			}
			for name, page := range manPages(cmd.Root()) {
				if err := os.WriteFile(filepath.Join(args[0], name), []byte(page), 0o644); err != nil { // #nosec G306 -- likewise
					return err
				}
			}
			return nil
		},
	}
}

// manPages are the manual pages in roff, by the names of their files: one for the
// program, and one for each command that people use.
func manPages(root *cobra.Command) map[string]string {
	root.InitDefaultVersionFlag()
	out := map[string]string{}
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		if c == root || c.IsAvailableCommand() {
			out[pageName(c)+".1"] = manPage(c)
		}
	}
	return out
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manPage is the manual page of one command.
func manPage(c *cobra.Command) string {
	c.InitDefaultHelpFlag()
	var b strings.Builder
	day, _, _ := strings.Cut(thisBuild().Date, "T")
	fmt.Fprintf(&b, ".TH %s 1 \"%s\" \"keysplit %s\" \"User Commands\"\n", strings.ToUpper(pageName(c)), day, roff(version()))
	section := func(title string) { b.WriteString(".SH " + title + "\n") }

	section("NAME")
	fmt.Fprintf(&b, "%s \\- %s\n", roff(pageName(c)), roff(c.Short))
	section("SYNOPSIS")
	_, words, _ := strings.Cut(c.Use, " ")
	fmt.Fprintf(&b, "\\fB%s\\fR %s\n", roff(c.CommandPath()), roff(strings.TrimSpace(words+" [FLAG...]")))
	if !c.HasParent() {
		fmt.Fprintf(&b, ".br\n\\fBkeysplit\\fR COMMAND [FLAG...]\n")
	}
	section("DESCRIPTION")
	b.WriteString(paragraphs(cmp.Or(c.Long, c.Short+".")))
	if !c.HasParent() {
		section("COMMANDS")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() && sub.Name() != "help" {
				fmt.Fprintf(&b, ".TP\n\\fB%s\\fR(1)\n%s.\n", roff(pageName(sub)), roff(sub.Short))
			}
		}
	}
	options := func(title string, set *pflag.FlagSet) {
		if set.HasAvailableFlags() {
			section(title)
			b.WriteString(flagList(set))
		}
	}
	options("OPTIONS", c.NonInheritedFlags())
	options("OPTIONS OF ALL COMMANDS", c.InheritedFlags())
	section("EXIT STATUS")
	for _, e := range exitCodes {
		fmt.Fprintf(&b, ".TP\n\\fB%d\\fR\n%s\n", e.code, roff(e.means))
	}
	if !c.HasParent() {
		section("ENVIRONMENT")
		for _, v := range environment {
			fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s\n", v.name, roff(v.means))
		}
	}
	if c.Example != "" {
		section("EXAMPLES")
		fmt.Fprintf(&b, ".nf\n%s\n.fi\n", roff(c.Example))
	}
	section("SEE ALSO")
	if c.HasParent() {
		b.WriteString("\\fBkeysplit\\fR(1)\n")
	} else {
		b.WriteString("\\fBkeysplit explain\\fR lists every finding with its cause, reason and fix.\n")
	}
	return b.String()
}

// exitCodes say what each exit code means, for the manual and keysplit help ci.
var exitCodes = []struct {
	code  int
	means string
}{
	{ExitOK, "Everything that was asked for passed."},
	{ExitFinding, "A finding of severity error, or a step failed."},
	{ExitUsage, "Wrong usage or configuration."},
	{ExitBlind, "keysplit could not inspect the project: there is none, a file cannot be read, or Django will not start and the key is not the reason."},
	{ExitHeld, "Another run is at work on the same project and environment; --wait waits for its end."},
	{ExitChanges, "Only with --dry-run --detailed-exit-code: the plan would change something."},
	{ExitCancelled, "You stopped it, before anything failed."},
}

// environment are the environment variables that keysplit itself reads.
var environment = []struct{ name, means string }{
	{"KEYSPLIT_PASSWORD", "Password of the account for the login test. No child process inherits it."},
	{"KEYSPLIT_STATE_DIR", "Folder for journals and backups, absolute and outside the project. Default: $XDG_STATE_HOME/keysplit."},
	{"NO_COLOR", "Print no colours."},
	{"ACCESSIBLE", "Ask line by line instead of using the full screen."},
}

func flagList(set *pflag.FlagSet) string {
	var b strings.Builder
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "\\fB\\-\\-" + roff(f.Name) + "\\fR"
		if f.Shorthand != "" {
			name = "\\fB\\-" + roff(f.Shorthand) + "\\fR, " + name
		}
		if strings.HasPrefix(value, "string") { // the type, where the text names no value
			value = "VALUE"
		}
		if value != "" {
			name += " \\fI" + roff(value) + "\\fR"
		}
		fmt.Fprintf(&b, ".TP\n%s\n%s\n", name, roff(usage))
		if d := f.DefValue; d != "" && d != "false" && d != "[]" && d != "0" {
			fmt.Fprintf(&b, "(default: %s)\n", roff(d))
		}
	})
	return b.String()
}

// paragraphs turns text that is wrapped for a terminal into paragraphs that the
// reader's own page wraps.
func paragraphs(text string) string {
	var b strings.Builder
	for i, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		b.WriteString(roff(p) + "\n")
	}
	return b.String()
}

// roff escapes text for a manual page: hyphens that can be copied, and no line that
// begins a request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

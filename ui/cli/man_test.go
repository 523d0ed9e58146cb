package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Every command that people use has a page, with every flag on it.
func TestManualPages(t *testing.T) {
	root := newRoot(IO{State: Stdio().State, In: strings.NewReader(""), Out: os.Stdout, Err: os.Stderr}, &signals{})
	all := manPages(root)
	commands := 0
	for _, c := range append(root.Commands(), root) {
		if !c.IsAvailableCommand() && c != root {
			continue
		}
		commands++
		text, ok := all[pageName(c)+".1"]
		if !ok {
			t.Errorf("%s has no page", c.Name())
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(text, `\fB\-\-`+strings.ReplaceAll(f.Name, "-", `\-`)+`\fR`) {
				t.Errorf("%s: --%s is not on the page", c.Name(), f.Name)
			}
		})
		if c.Example != "" && !strings.Contains(text, ".SH EXAMPLES") {
			t.Errorf("%s: no examples", c.Name())
		}
	}
	if len(all) != commands || commands < 8 {
		t.Errorf("%d pages for %d commands", len(all), commands)
	}
}

// The pages of a small program, but for the line at their top.
func TestWhatAPageOfTheManualSays(t *testing.T) {
	t.Parallel()
	root := &cobra.Command{Use: "keysplit", Short: "Split", Long: "One\ntwo.\n\nThree.", Version: "1", Run: func(*cobra.Command, []string) {}}
	root.PersistentFlags().StringP("env", "e", "", "the environment")
	root.PersistentFlags().Int("hours", 3, "for `N` hours")
	sub := &cobra.Command{Use: "check PLACE", Short: "Look", Example: "  keysplit check x", Run: func(*cobra.Command, []string) {}}
	root.AddCommand(sub, &cobra.Command{Use: "man", Hidden: true, Run: func(*cobra.Command, []string) {}})
	all := manPages(root)
	if len(all) != 2 {
		t.Errorf("%d pages", len(all))
	}
	ends, reads := ".SH EXIT STATUS\n", ".SH ENVIRONMENT\n"
	for _, e := range exitCodes {
		ends += fmt.Sprintf(".TP\n\\fB%d\\fR\n%s\n", e.code, roff(e.means))
	}
	for _, e := range environment {
		reads += fmt.Sprintf(".TP\n\\fB%s\\fR\n%s\n", e.name, roff(e.means))
	}
	flags := `.TP
\fB\-e\fR, \fB\-\-env\fR \fIVALUE\fR
the environment
`
	hours := `.TP
\fB\-\-hours\fR \fIN\fR
for N hours
(default: 3)
`
	help := ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nhelp for %s\n"
	for name, want := range map[string]string{
		"keysplit": `.SH NAME
keysplit \- Split
.SH SYNOPSIS
\fBkeysplit\fR [FLAG...]
.br
\fBkeysplit\fR COMMAND [FLAG...]
.SH DESCRIPTION
One
two.
.PP
Three.
.SH COMMANDS
.TP
\fBkeysplit\-check\fR(1)
Look.
.SH OPTIONS
` + flags + fmt.Sprintf(help, "keysplit") + hours + `.TP
\fB\-v\fR, \fB\-\-version\fR
version for keysplit
` + ends + reads + `.SH SEE ALSO
\fBkeysplit explain\fR lists every finding with its cause, reason and fix.
`,
		"keysplit-check": `.SH NAME
keysplit\-check \- Look
.SH SYNOPSIS
\fBkeysplit check\fR PLACE [FLAG...]
.SH DESCRIPTION
Look.
.SH OPTIONS
` + fmt.Sprintf(help, "check") + `.SH OPTIONS OF ALL COMMANDS
` + flags + hours + ends + `.SH EXAMPLES
.nf
  keysplit check x
.fi
.SH SEE ALSO
\fBkeysplit\fR(1)
`,
	} {
		if _, got, _ := strings.Cut(all[name+".1"], "\n"); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

// The exit codes of the manual are those of the README.
func TestExitCodesOfTheManual(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []int
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+) \| `).FindAllSubmatch(readme, -1) {
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, n)
	}
	for _, e := range exitCodes {
		got = append(got, e.code)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the manual has %v, the README %v", got, want)
	}
}

// The pages are what mandoc expects, where it is installed; a page that it must
// refuse shows that it looks.
func TestManualPagesAreValid(t *testing.T) {
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		t.Skip("mandoc is not installed")
	}
	dir := t.TempDir()
	lint := func(name, text string) ([]byte, error) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command(mandoc, "-Tlint", "-Wwarning", path).CombinedOutput()
	}
	date = "2026-01-02T03:04:05Z"
	t.Cleanup(func() { date = "" })
	for name, text := range manPages(newRoot(IO{State: Stdio().State, In: strings.NewReader(""), Out: os.Stdout, Err: os.Stderr}, &signals{})) {
		if out, err := lint(name, text); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if out, err := lint("wrong.1", ".TH WRONG 1 2026-01-02\n.SH NAME\nwrong\n.XX\n"); err == nil {
		t.Errorf("mandoc passes a request that does not exist\n%s", out)
	}
}

// Text that looks like a request of roff stays text.
func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		"a-b":        `a\-b`,
		`C:\x`:       `C:\ex`,
		".env\n'x'":  "\\&.env\n\\&'x'",
		"the .env":   "the .env",
		"first\n.TH": "first\n\\&.TH",
	} {
		if got := roff(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

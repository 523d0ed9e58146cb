package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// everyCommand are the root and the commands that people use.
func everyCommand() []*cobra.Command {
	root := newRoot(IO{State: Stdio().State, In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}, &signals{})
	out := []*cobra.Command{root}
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			out = append(out, c)
		}
	}
	return out
}

// The help of every command fits on a terminal of 80 columns, a flag on a line.
func TestTheHelpFits(t *testing.T) {
	for _, c := range everyCommand() {
		var out bytes.Buffer
		args := append(strings.Fields(strings.TrimPrefix(c.CommandPath(), "keysplit")), "--help")
		if code := Main(args, IO{State: Stdio().State, In: strings.NewReader(""), Out: &out, Err: &out}); code != 0 {
			t.Fatalf("%v: exit %d\n%s", args, code, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
				t.Errorf("%v: %d columns: %s", args, n, line)
			}
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if name, _ := pflag.UnquoteUsage(f); strings.HasPrefix(name, "string") || name == "int" || name == "ints" {
				t.Errorf("%v: --%s names no placeholder", args, f.Name)
			}
		})
	}
}

// A flag that means nothing to a command is accepted, unseen, with a line on standard
// error; one that means something is not spoken of, also before the command.
func TestAFlagWithoutAMeaningIsAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"the theme of a version":       {[]string{"version", "--theme", "dark"}, "keysplit version ignores --theme;"},
		"several":                      {[]string{"explain", "jwt-key-missing", "--no-color", "--project=x"}, "keysplit explain ignores --no-color, --project;"},
		"before the command":           {[]string{"--timeout", "3s", "version"}, "keysplit version ignores --timeout;"},
		"one with a meaning":           {[]string{"version", "--json"}, ""},
		"that one before the command":  {[]string{"--json", "version"}, ""},
		"the interpreter of a report":  {[]string{"report", "--python", "/nowhere", "--project", "/nowhere"}, "keysplit report ignores --python;"},
		"the environment of no server": {[]string{"demo", "--start", "nonsense", "--env", "staging"}, "keysplit demo ignores --env;"},
	} {
		var out, errOut bytes.Buffer
		code := Main(c.args, IO{State: Stdio().State, In: strings.NewReader(""), Out: &out, Err: &errOut})
		if strings.Contains(errOut.String(), "unknown flag") || strings.Contains(errOut.String(), " ignores ") != (c.says != "") || !strings.Contains(errOut.String(), c.says) {
			t.Errorf("%s: exit %d\n%s%s", name, code, out.String(), errOut.String())
		}
	}
	for _, c := range everyCommand() {
		var help bytes.Buffer
		c.SetOut(&help)
		_ = c.Help()
		c.InheritedFlags().VisitAll(func(f *pflag.Flag) {
			if _, ok := f.Value.(meaningless); !ok || strings.Contains(help.String(), "--"+f.Name+" ") {
				t.Errorf("%s shows --%s, which means nothing to it", c.CommandPath(), f.Name)
			}
		})
	}
}

package style

import (
	"io"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"dj/keysplit/steps/finding"
)

// The commands are in the accent on every row that they reach, and nothing else is;
// the rows are those of the same text without colours. A command is in one piece where a row
// has room for it.
func TestCommandsAreInTheAccent(t *testing.T) {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.ANSI)
	s := Basic(r, MarksFor(true))
	f := finding.Do("First look, then run `keysplit upgrade --env staging --rotate` and wait.")
	for width := 8; width < 90; width++ {
		rows := s.Say("Fix: ", f, lipgloss.NewStyle(), width, true)
		accented := ""
		const command = "keysplit upgrade --env staging --rotate"
		whole := strings.Replace(command, " ", bound, 1)
		if len(command) < width {
			whole = strings.ReplaceAll(command, " ", bound)
		}
		for i, want := range Wrap("Fix: "+strings.Replace(f.Rendered(), command, whole, 1), width, true) {
			if ansi.Strip(rows[i]) != want {
				t.Fatalf("width %d: row %q, want %q", width, ansi.Strip(rows[i]), want)
			}
			for _, piece := range strings.Split(rows[i], "\x1b[35m")[1:] {
				text, _, _ := strings.Cut(piece, "\x1b[0m")
				accented += text
			}
		}
		if got := strings.ReplaceAll(accented, " ", ""); got != "Fix:keysplitupgrade--envstaging--rotate" {
			t.Fatalf("width %d: accented %q", width, got)
		}
	}
}

// Package style holds the colours and marks that every front end shares.
//
// Meaning is never carried by colour alone: each role has a mark or a word
// beside it. The colours keep a contrast of at least 4.8:1 on common light and
// dark backgrounds.
package style

import (
	"os"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// Styles renders text by its role.
type Styles struct {
	Accent, OK, Warn, Error, Info, Muted, Rule, Title, Bold lipgloss.Style
	Danger                                                  lipgloss.Style // production
	Button                                                  lipgloss.Style // the one with the focus
	Edge                                                    lipgloss.Style // its brackets, of its own colour where it is filled
	Quiet                                                   lipgloss.Style // the other buttons
	Marks                                                   Marks
}

// New makes the styles for a renderer, which knows the colours of its output.
func New(r *lipgloss.Renderer, marks Marks) Styles {
	colour := func(light, dark string) lipgloss.Style {
		return r.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: light, Dark: dark})
	}
	return Styles{
		Accent: colour("#5B3FD6", "#B7A5FF"),
		OK:     colour("#0B7A4B", "#5CE0A4"),
		Warn:   colour("#8F5A00", "#FFC95C"),
		Error:  colour("#B3122F", "#FF8A94"),
		Info:   colour("#0A66A8", "#7CC7FF"),
		Muted:  colour("#5F5B6B", "#A09BB0"),
		Rule:   colour("#C9C5D3", "#4A4658"),
		Title:  colour("#5B3FD6", "#B7A5FF").Reverse(true).Bold(true),
		Bold:   r.NewStyle().Bold(true),
		Danger: colour("#B3122F", "#FF8A94").Reverse(true).Bold(true),
		Button: on(colour("#FFFFFF", "#16151D"), "#5B3FD6", "#B7A5FF").Bold(true),
		Edge:   on(colour("#5B3FD6", "#B7A5FF"), "#5B3FD6", "#B7A5FF"),
		Quiet: r.NewStyle().Background(lipgloss.CompleteAdaptiveColor{
			Light: lipgloss.CompleteColor{TrueColor: "#E6E3F0", ANSI256: "254", ANSI: "7"},
			Dark:  lipgloss.CompleteColor{TrueColor: "#2A2636", ANSI256: "236", ANSI: "8"},
		}),
		Marks: marks,
	}
}

func on(s lipgloss.Style, light, dark string) lipgloss.Style {
	return s.Background(lipgloss.AdaptiveColor{Light: light, Dark: dark})
}

// Plain makes styles without any colour, whose hierarchy is bold, faint and inverse,
// which NO_COLOR leaves alone (no-color.org). The renderer must not be one that leaves
// every style out.
func Plain(r *lipgloss.Renderer, marks Marks) Styles {
	none, bold, faint := r.NewStyle(), r.NewStyle().Bold(true), r.NewStyle().Faint(true)
	inverse := bold.Reverse(true)
	return Styles{
		Accent: bold, OK: none, Warn: bold, Error: bold, Info: none, Muted: faint, Rule: faint,
		Title: inverse, Bold: bold, Danger: inverse, Button: inverse, Edge: inverse, Quiet: none,
		Marks: marks,
	}
}

// Basic makes styles of the sixteen colours that every terminal has and that
// its own theme keeps readable: for a terminal with no more, and for lines, where
// asking for the background would cost more than it gives.
func Basic(r *lipgloss.Renderer, marks Marks) Styles {
	colour := func(n string) lipgloss.Style { return r.NewStyle().Foreground(lipgloss.Color(n)) }
	return Styles{
		Accent: colour("5"), OK: colour("2"), Warn: colour("3"), Error: colour("1"), Info: colour("4"),
		Muted: r.NewStyle().Faint(true), Rule: r.NewStyle().Faint(true),
		Title: r.NewStyle().Reverse(true).Bold(true), Bold: r.NewStyle().Bold(true),
		Danger: colour("1").Reverse(true).Bold(true),
		Button: r.NewStyle().Reverse(true).Bold(true), Edge: r.NewStyle().Reverse(true), Quiet: r.NewStyle(),
		Marks: marks,
	}
}

// Spoken are marks for a screen reader, which may pass over signs.
func Spoken() Marks {
	return Marks{OK: "ok:", Current: "now:", Todo: "to do:", Skipped: "skipped:", Failed: "error:", Warn: "note:", Info: "info:", Bar: "", Rule: "-", Side: "|", Heavy: "=", Dot: ",", Ellipsis: "...", Hidden: "(hidden)"}
}

// Marks are the signs before a line.
type Marks struct {
	OK, Current, Todo, Skipped, Failed, Warn, Info, Bar, Rule, Side, Heavy, Dot, Ellipsis string

	Hidden string // in place of a row of dots, where it is read aloud; "" elsewhere
}

// MarksFor picks marks that the locale can show: plain ASCII where it is not
// UTF-8.
func MarksFor(utf8 bool) Marks {
	if utf8 {
		return Marks{OK: "✓", Current: "●", Todo: "○", Skipped: "○", Failed: "✗", Warn: "!", Info: "i", Bar: "┃", Rule: "─", Side: "│", Heavy: "━", Dot: "•", Ellipsis: "…"}
	}
	return Marks{OK: "+", Current: "*", Todo: "o", Skipped: "o", Failed: "x", Warn: "!", Info: "i", Bar: ">", Rule: "-", Side: "|", Heavy: "=", Dot: "*", Ellipsis: "..."}
}

// UTF8 reports whether the terminal shows signs beyond ASCII. The Linux console's font
// has none of them. Elsewhere the locale of the environment decides: LC_ALL, LC_CTYPE
// and LANG, the first one that is set (POSIX). With none set it is taken to be UTF-8,
// as terminals of today are.
func UTF8() bool {
	if os.Getenv("TERM") == "linux" {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToLower(strings.ReplaceAll(v, "-", ""))
			return strings.Contains(v, "utf8")
		}
	}
	return true
}

// ascii replaces the few characters beyond ASCII that keysplit itself writes.
var ascii = strings.NewReplacer("•", "*", "…", "...", "─", "-", "━", "=", "│", "|", "✓", "+", "●", "*", "○", "o", "✗", "x", "┃", ">")

// Plain makes text fit for a locale that is not UTF-8.
func (m Marks) Plain(text string) string {
	if m.OK == "✓" {
		return text
	}
	if m.Hidden != "" {
		text = strings.NewReplacer(strings.Repeat("•", 16), m.Hidden, strings.Repeat("•", 4), m.Hidden).Replace(text)
	}
	return ascii.Replace(text)
}

// Mark returns the sign for the state of a check line, in its colour.
func (s Styles) Mark(m steps.Mark) string {
	switch m {
	case steps.MarkOK:
		return s.OK.Render(s.Marks.OK)
	case steps.MarkWarn:
		return s.Warn.Render(s.Marks.Warn)
	case steps.MarkFailed:
		return s.Error.Render(s.Marks.Failed)
	case steps.MarkRunning:
		return s.Accent.Render(s.Marks.Current)
	case steps.MarkSkipped:
		return s.Muted.Render(s.Marks.Skipped)
	}
	return s.Muted.Render(s.Marks.Todo)
}

// Severity returns the sign for a finding, in its colour.
func (s Styles) Severity(sev finding.Severity) string {
	switch sev {
	case finding.Error:
		return s.Error.Render(s.Marks.Failed)
	case finding.Warning:
		return s.Warn.Render(s.Marks.Warn)
	}
	return s.Info.Render(s.Marks.Info)
}

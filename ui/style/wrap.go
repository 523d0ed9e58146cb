package style

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Words wraps text at its spaces. A date, an option's name and a path stay in one
// piece, which ansi.Wordwrap alone would break behind each hyphen; a word that is
// wider than a line goes over its end, so that it can be copied.
func Words(text string, width int) string {
	const unbroken = "\u2011" // a hyphen that is as wide, and no place to break
	return strings.ReplaceAll(ansi.Wordwrap(strings.ReplaceAll(text, "-", unbroken), width, ""), unbroken, "-")
}

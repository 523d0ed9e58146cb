package style

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// bound is a space that Wrap does not break at, and writes as any other.
const bound = "\u00a0"

// Wrap breaks text into rows of at most width columns, at its spaces only, so
// that a date, an option and a path stay whole. A word wider than a row is too wide, unless all says
// that every row must fit: then it is broken behind its last hyphen or slash
// that fits, or else where the row ends.
func Wrap(text string, width int, all bool) []string {
	var rows []string
	for line := range strings.SplitSeq(text, "\n") {
		row := ""
		for i, word := range strings.Split(line, " ") {
			word = strings.ReplaceAll(word, bound, " ")
			switch {
			case i == 0:
				row = word
			case ansi.StringWidth(row)+1+ansi.StringWidth(word) <= width:
				row += " " + word
			default:
				rows, row = append(rows, strings.TrimRight(row, " ")), word
			}
			for all && ansi.StringWidth(row) > width {
				head := breakable(row, width)
				if head == row { // one sign that is wider than the row
					break
				}
				rows, row = append(rows, strings.TrimRight(head, " ")), strings.TrimLeft(row[len(head):], " ")
			}
		}
		rows = append(rows, strings.TrimRight(row, " "))
	}
	return rows
}

// breakable is the beginning of a word that stays on the row: never nothing.
func breakable(word string, width int) string {
	fits := 0
	for at, r := range word {
		next := at + len(string(r))
		if fits > 0 && ansi.StringWidth(word[:next]) > width {
			break
		}
		fits = next
	}
	if at := strings.LastIndexAny(word[:fits], " -/"); at > 0 {
		return word[:at+1]
	}
	return word[:fits]
}

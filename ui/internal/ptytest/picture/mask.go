//go:build unix

package main

import (
	"regexp"
	"strings"

	"dj/keysplit/ui/internal/ptytest"
)

// folderNumber is in the name of the demo's folder.
const folderNumber = "2025110300"

// masks are what differs from run to run, as the second group of a pattern, with
// the text whose end takes its place, character by character.
var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`(demo-)(\d{4,})`), folderNumber},
	{regexp.MustCompile(`()(\d+)(?:/plants/)`), folderNumber}, // cut off or wrapped
	{regexp.MustCompile(`(fingerprint (?:is )?)([0-9a-f]{6})\b`), "9c41e2"},
	{regexp.MustCompile(`(127\.0\.0\.1:)(\d+)`), "48000"},
	{regexp.MustCompile(`(process )(\d+)`), "4242"},
	{regexp.MustCompile(`(log in as keysplit-)([\w-]{6,})`), "k3Ys1Lp9Qa"},
	{regexp.MustCompile(`( in )(\d+)( ms)`), "21"},
}

// mask replaces them in one row. Each cell keeps its style.
func mask(row []ptytest.Cell) {
	var text strings.Builder
	at := map[int]int{} // the cell that begins at a byte
	for x, c := range row {
		at[text.Len()] = x
		text.WriteString(c.Text)
	}
	for _, m := range masks {
		for _, found := range m.pattern.FindAllStringSubmatchIndex(text.String(), -1) {
			first, length := at[found[4]], found[5]-found[4] // ASCII: a byte is a cell
			for i := range length {
				row[first+length-1-i].Text = string(m.with[len(m.with)-1-i%len(m.with)])
			}
		}
	}
}

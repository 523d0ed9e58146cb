package stepstest

import (
	"strings"

	"dj/keysplit/steps/prose"
)

// Rendered is what texts say, one after the other.
func Rendered(all []prose.Text, between string) string {
	var out []string
	for _, t := range all {
		out = append(out, t.Rendered())
	}
	return strings.Join(out, between)
}

// OneLine joins a text that was wrapped.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

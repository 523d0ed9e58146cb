package style

import (
	"strings"
	"testing"
)

func TestWordsAreBrokenAtSpacesAlone(t *testing.T) {
	text := "It ends at 2026-11-26 18:37 UTC; run keysplit upgrade --env staging --temp-user in backend/my-long-folder/.env-file then."
	for width := 12; width < 60; width++ {
		got := Words(text, width)
		if strings.Join(strings.Fields(got), " ") != text {
			t.Errorf("at %d: %q", width, got)
		}
		for _, line := range strings.Split(got, "\n") {
			if len(line) > width && strings.Contains(line, " ") {
				t.Errorf("at %d a line is too long: %q", width, line)
			}
		}
		for _, word := range strings.Fields(text) {
			if !strings.Contains(got, word) {
				t.Errorf("at %d %s is broken", width, word)
			}
		}
	}
}

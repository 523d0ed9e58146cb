package style

import (
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// Text is broken at spaces, so that dates, options and commands can be read and
// copied.
func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		text  string
		width int
		want  []string
	}{
		{"until 2026-11-26 at noon", 14, []string{"until", "2026-11-26 at", "noon"}},
		{"run it with --env staging", 14, []string{"run it with", "--env staging"}},
		{"Undo with: keysplit" + bound + "rollback", 20, []string{"Undo with:", "keysplit rollback"}},
		{"keysplit goes on", 10, []string{"keysplit", "goes on"}},
		{"in /srv/shop/backend now", 24, []string{"in /srv/shop/backend now"}},
		{"/srv/plantid/backend/settings", 14, []string{"/srv/plantid/", "backend/", "settings"}},
		{"env-file-not-ignored", 14, []string{"env-file-not-", "ignored"}},
		{"Donaudampfschiff", 6, []string{"Donaud", "ampfsc", "hiff"}},
		{"a  b", 10, []string{"a  b"}},
		{"two\nrows", 10, []string{"two", "rows"}},
		{"", 10, []string{""}},
		{"日本語", 4, []string{"日本", "語"}},
		{"日", 1, []string{"日"}},
	} {
		if got := Wrap(tc.text, tc.width, true); !slices.Equal(got, tc.want) {
			t.Errorf("Wrap(%q, %d) = %q, want %q", tc.text, tc.width, got, tc.want)
		}
	}
}

// Where a row may be too wide, a path can still be copied.
func TestWrapKeepsLongWords(t *testing.T) {
	got := Wrap("in /srv/plantid/backend/settings it is", 14, false)
	if want := []string{"in", "/srv/plantid/backend/settings", "it is"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("until 2026-11-26: keysplit rollback --env staging", 11)
	f.Add(" é-日本/ \n", 3)
	f.Fuzz(func(t *testing.T, text string, width int) {
		width = 2 + int(uint(width)%80)
		text = strings.ToValidUTF8(strings.ReplaceAll(text, "\u00a0", " "), "")
		rows := Wrap(text, width, true)
		squeeze := strings.NewReplacer(" ", "", "\n", "")
		if got, want := squeeze.Replace(strings.Join(rows, "")), squeeze.Replace(text); got != want {
			t.Errorf("Wrap(%q, %d) has %q, want %q", text, width, got, want)
		}
		for _, r := range rows {
			if ansi.StringWidth(r) > width && len([]rune(r)) > 1 {
				t.Errorf("Wrap(%q, %d) has a row of %d columns", text, width, ansi.StringWidth(r))
			}
		}
	})
}

package ui

import (
	"os"
	"strconv"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// answer recognises what a terminal says when it is asked for its background
// colour (OSC 11). The question goes out after the first frame, so nothing ever
// waits for it: a terminal that does not answer stays with the dark colours.
//
// Bubble Tea v1 knows no such message. It takes the answer for typed keys:
// alt+], then the text, then alt+\ or ctrl+g. So the keys are looked at here
// before they mean anything.
type answer struct {
	inside bool
	text   string
}

// longestAnswer bounds an answer, in characters: "11;rgb:ffff/ffff/ffff".
const longestAnswer = 32

// takes reports whether the key belongs to the terminal's answer. When that is
// complete, dark is called.
func (a *answer) takes(k tea.KeyMsg, dark func(bool)) bool {
	if !a.inside {
		if a.inside = k.Type == tea.KeyRunes && k.Alt && string(k.Runes) == "]"; a.inside {
			a.text = ""
		}
		return a.inside
	}
	switch {
	case k.Type == tea.KeyCtrlG, k.Type == tea.KeyRunes && k.Alt && string(k.Runes) == `\`:
		a.inside = false
		if light, ok := isLight(a.text); ok {
			dark(!light)
		}
		return true
	case k.Type == tea.KeyRunes && !k.Alt && len(a.text)+len(k.Runes) <= longestAnswer &&
		strings.HasPrefix("11;rgb", (a.text + string(k.Runes))[:min(6, len(a.text)+len(string(k.Runes)))]):
		a.text += string(k.Runes)
		return true
	}
	// Not an answer after all: somebody pressed alt+].
	a.inside = false
	return false
}

// isLight reads "11;rgb:RRRR/GGGG/BBBB", each 1 to 4 hexadecimal digits, and
// tells whether the colour is nearer to white, by the weights of ITU-R BT.601.
func isLight(text string) (light, ok bool) {
	_, rgb, found := strings.Cut(text, "rgb:")
	parts := strings.Split(rgb, "/")
	if !found || len(parts) != 3 {
		return false, false
	}
	var value float64
	for i, weight := range []float64{0.299, 0.587, 0.114} {
		n, err := strconv.ParseUint(parts[i], 16, 16)
		if err != nil {
			return false, false
		}
		value += weight * float64(n) / float64(uint64(1)<<(4*len(parts[i]))-1)
	}
	return value > 0.5, true
}

// guessDark goes by COLORFGBG ("15;0": foreground, background), which some
// terminals set. Without it, dark is the better guess.
func guessDark() bool {
	v := os.Getenv("COLORFGBG")
	n, err := strconv.Atoi(v[strings.LastIndex(v, ";")+1:])
	return err != nil || n != 7 && n != 15
}

// mayAsk reports whether a terminal of that TERM can be asked: the Linux console
// prints such a question.
func mayAsk(termName string) bool {
	return termName != "" && termName != "dumb" && termName != "linux"
}

package shell

import (
	"os/exec"
	"testing"
)

// What a shell makes of the line is what went in.
func TestAShellReadsBackWhatWasJoined(t *testing.T) {
	for _, word := range []string{"plain", "two words", "it's", `a\b`, "$HOME", "`id`", "a\nb", "", "*", "~", "#x", `"q"`, "-n", "ü"} {
		out, err := exec.Command("sh", "-c", "printf %s "+Join(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q became %q, %v", word, out, err)
		}
	}
}

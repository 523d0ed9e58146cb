//go:build unix

package cli_test

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/ui/internal/ptytest"
)

// What only a person can know is ticked by a person's word, in the wizard too,
// and stands in the report.
func TestAttestInTheWizard(t *testing.T) {
	t.Parallel()
	for _, s := range sizes() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			tm, folder := demo(t, s, nil)
			f := atRest(t, tm)
			for !atTheEnd(f) {
				f = onward(t, tm, ptytest.Enter)
			}
			if s.rows >= 20 && !strings.Contains(f.Text(), "3 left") {
				t.Fatalf("the last screen does not show what is open:\n%s", f.Text())
			}
			tm.Press(ptytest.Tab)
			tm.WaitFor(`\[ Sign an item`, soon)
			tm.Press(ptytest.Enter)
			tm.WaitFor(`7\. CI`, soon)
			tm.Press(ptytest.Tab)
			tm.WaitFor(`[●\[] 8\. Dep`, soon)
			tm.Press(ptytest.Tab)
			tm.WaitFor(`[●\[] 9\. Team`, soon)
			tm.Press(ptytest.Enter)
			tm.WaitFor("Your name: _", soon)
			tm.Type("Ada")
			tm.Press(ptytest.Enter)
			tm.WaitFor("Note: _", soon)
			tm.Type("told")
			tm.Press(ptytest.Enter)
			// The form rests as well, until it has taken the key.
			f = resting(t, tm, func(f ptytest.Frame) bool { return atTheEnd(f) })
			if s.rows >= 24 && (!strings.Contains(f.Text(), "signed off by Ada: told") || !strings.Contains(f.Text(), "1 signed off") || !strings.Contains(f.Text(), "2 left")) {
				t.Errorf("the word is not in the checklist:\n%s", f.Text())
			}
			tm.Press(ptytest.Tab)
			tm.WaitFor(`\[ Sign an item`, soon)
			tm.Press(ptytest.Enter)
			tm.WaitFor(`7\. CI`, soon)
			tm.Press(ptytest.Tab)
			if text := tm.Settled(80*time.Millisecond, soon).Text(); strings.Contains(text, "[ 9.") || strings.Contains(text, "○ 9. Team") || strings.Contains(text, "● 9. Team") {
				t.Errorf("an item that is attested is offered again:\n%s", text)
			}
			isTidy(t, tm)
			tm.Press(ptytest.Esc)
			tm.WaitFor(`\[ Finish`, soon)
			tm.Type("q")
			tm.Exit(soon)
			isRestored(t, tm)
			isGone(t, folder)
		})
	}
}

package ui

import (
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
)

// A form says of what is typed whether it is one of what it asks for.
func TestWhatIsTypedIsJudged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		judge      func(string) (steps.Mark, string)
		good, poor []string
	}{
		"a restart": {judgeRestart, []string{"none", "systemd:web", "command:./restart.sh"}, []string{"", "systemd", "nothing:x"}},
		"a place":   {judgePlace, []string{"fly:shop", "dotenv:a.env"}, []string{"nothing:x", "fly:"}},
		"a time":    {judgeTime, []string{"10m", "90s"}, []string{"", "ten", "0s", "-1m"}},
	} {
		for _, text := range c.good {
			if mark, _ := c.judge(text); mark != steps.MarkOK {
				t.Errorf("%s: %q is none", name, text)
			}
		}
		for _, text := range c.poor {
			if mark, says := c.judge(text); mark != steps.MarkPending || says == "" {
				t.Errorf("%s: %q is one", name, text)
			}
		}
	}
}

// A text is edited at its cursor, on both sides of it.
func TestTheKeysOfAText(t *testing.T) {
	t.Parallel()
	f := &field{}
	f.set([]rune("abcd"))
	for _, step := range []struct {
		key  tea.KeyType
		want string
	}{
		{tea.KeyHome, "abcd"}, {tea.KeyBackspace, "abcd"}, {tea.KeyDelete, "bcd"}, {tea.KeyRight, "bcd"}, {tea.KeyDelete, "bd"}, {tea.KeyBackspace, "d"},
		{tea.KeyEnd, "d"}, {tea.KeyDelete, "d"}, {tea.KeyLeft, "d"}, {tea.KeyDelete, ""}, {tea.KeyDelete, ""},
	} {
		if took := f.key(tea.KeyMsg{Type: step.key}); !took || string(f.text()) != step.want {
			t.Errorf("%v: %q, want %q", step.key, string(f.text()), step.want)
		}
	}
}

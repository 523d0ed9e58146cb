package cli

import (
	"bytes"
	"strings"
	"testing"

	"dj/keysplit/steps/config"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/write"
)

func helpOn(t *testing.T, words ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Main(append([]string{"help"}, words...), IO{State: Stdio().State, In: strings.NewReader(""), Out: &o, Err: &e})
	return code, o.String(), e.String()
}

// Every topic has its table and an example, and fits on a terminal.
func TestTopics(t *testing.T) {
	has := map[string][]string{"targets": write.Kinds(), "restart": restart.Kinds(), "ci": {"130", "--committed"}, "secrets": {"--key-stdin", "KEYSPLIT_PASSWORD", "--password-stdin"}}
	for _, row := range config.EnvironmentTable {
		has["environments"] = append(has["environments"], "  "+row[0]+" ")
	}
	_, list, _ := helpOn(t, "help")
	for _, topic := range topics() {
		code, out, errOut := helpOn(t, topic.name)
		if code != ExitOK || errOut != "" || !strings.Contains(out, "\nExample\n  ") || len(has[topic.name]) == 0 || !strings.Contains(list, topic.short) {
			t.Errorf("%s: exit %d\n%s%s", topic.name, code, out, errOut)
		}
		for _, want := range has[topic.name] {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not name %q:\n%s", topic.name, want, out)
			}
		}
		for _, row := range topic.table {
			if row[0] == "" || row[1] == "" || strings.Contains(row[1], `\`) { // a backslash is roff's
				t.Errorf("%s: half a row, or not for a terminal: %q", topic.name, row)
			}
		}
		if _, root, _ := helpOn(t); !strings.Contains(root, topic.name) {
			t.Errorf("keysplit help does not name %s", topic.name)
		}
		for line := range strings.Lines(out) {
			if len([]rune(strings.TrimRight(line, "\n"))) > 80 {
				t.Errorf("%s: too wide: %s", topic.name, line)
			}
		}
	}
}

// help leads to the commands too, and says what it does not know.
func TestHelpOfCommands(t *testing.T) {
	if code, out, _ := helpOn(t, "upgrade"); code != ExitOK || !strings.Contains(out, "--target SPEC") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out, _ := helpOn(t); code != ExitOK || !strings.Contains(out, "completion") || !strings.Contains(out, "targets, restart, environments, ci, secrets") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, _, errOut := helpOn(t, "target"); code != ExitUsage || !strings.Contains(errOut, "did you mean targets?") {
		t.Errorf("exit %d\n%s", code, errOut)
	}
}

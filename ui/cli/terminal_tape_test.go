//go:build unix

package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/ui/internal/ptytest"
)

// action is one line of the tape that does something on the terminal.
type action struct {
	line int
	keys string // to type, or
	wait string // a pattern for the screen
}

// The words of a tape that this test knows. VHS has more; a tape that needs one
// teaches it here first. VHS itself ignores a Set or a Require that comes after
// the first action, and its validate command lets an unknown theme pass.
var (
	tapeSettings = map[string]*regexp.Regexp{
		"Shell":       regexp.MustCompile(`^"bash"$`),
		"FontSize":    regexp.MustCompile(`^\d+$`),
		"Width":       regexp.MustCompile(`^\d+$`),
		"Height":      regexp.MustCompile(`^\d+$`),
		"Padding":     regexp.MustCompile(`^\d+$`),
		"WindowBar":   regexp.MustCompile(`^(Colorful|Rings)(Right)?$`),
		"TypingSpeed": regexp.MustCompile(`^\d+m?s$`),
		"WaitTimeout": regexp.MustCompile(`^\d+s$`),
		"Theme":       regexp.MustCompile(`^\{.*\}$`),
	}
	tapeKeys = map[string]ptytest.Key{
		"Enter": ptytest.Enter, "Escape": ptytest.Esc, "Tab": ptytest.Tab,
		"Up": ptytest.Up, "Down": ptytest.Down, "Left": ptytest.Left, "Right": ptytest.Right, "Ctrl+C": ptytest.CtrlC,
	}
	themeColours = []string{
		"background", "foreground", "selection", "cursor",
		"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
		"brightBlack", "brightRed", "brightGreen", "brightYellow", "brightBlue", "brightMagenta", "brightCyan", "brightWhite",
	}
	tapeTyped = regexp.MustCompile(`^"([^"]*)"$`)
	tapeWait  = regexp.MustCompile(`^Wait\+Screen /([^/]+)/$`)
	tapeSleep = regexp.MustCompile(`^\d+m?s$`)
	colour    = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)
)

// parseTape reads a tape strictly.
func parseTape(text string) ([]action, error) {
	var all []action
	output, shown := false, true // shown: the screen of the latest keys was waited for
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		wrong := func(what string) ([]action, error) { return nil, fmt.Errorf("line %d: %s: %s", i+1, what, line) }
		word, rest, _ := strings.Cut(line, " ")
		switch key, isKey := tapeKeys[word]; {
		case word == "Output":
			output = output || regexp.MustCompile(`^[a-z]+\.(gif|mp4|webm)$`).MatchString(rest)
			if len(all) > 0 || !output {
				return wrong("an output that is misplaced or of an unknown kind")
			}
		case word == "Require":
			if len(all) > 0 || rest == "" {
				return wrong("Require belongs to the top")
			}
		case word == "Set":
			name, value, _ := strings.Cut(rest, " ")
			if len(all) > 0 || tapeSettings[name] == nil || !tapeSettings[name].MatchString(value) {
				return wrong("a setting that is misplaced, or unknown, or has a wrong value")
			}
			if name == "Theme" && !isTheme(value) {
				return wrong("a theme with unknown or missing colours")
			}
		case word == "Type":
			m := tapeTyped.FindStringSubmatch(rest)
			if m == nil {
				return wrong("what is typed stands in double quotes")
			}
			all, shown = append(all, action{line: i + 1, keys: m[1]}), false
		case isKey && rest == "":
			all, shown = append(all, action{line: i + 1, keys: string(key)}), false
		case word == "Sleep":
			if !shown || !tapeSleep.MatchString(rest) {
				return wrong("a Sleep stands behind a Wait")
			}
		case strings.HasPrefix(word, "Wait"):
			m := tapeWait.FindStringSubmatch(line)
			if m == nil {
				return wrong("a Wait names its screen")
			}
			if _, err := regexp.Compile(m[1]); err != nil {
				return wrong(err.Error())
			}
			all, shown = append(all, action{line: i + 1, wait: m[1]}), true
		default:
			return wrong("an unknown command")
		}
	}
	if !output || len(all) == 0 || !shown {
		return nil, fmt.Errorf("no output, no action, or no Wait at the end")
	}
	return all, nil
}

func isTheme(text string) bool {
	var theme map[string]string
	if json.Unmarshal([]byte(text), &theme) != nil || len(theme) != len(themeColours) {
		return false
	}
	for name, value := range theme {
		if !slices.Contains(themeColours, name) || !colour.MatchString(value) {
			return false
		}
	}
	return true
}

const tapePath = "../../demo.tape"

// The tape's keys, typed into the program, lead to the tape's screens.
func TestTheTapeIsTrue(t *testing.T) {
	t.Parallel()
	all, err := parseTape(read(t, tapePath))
	if err != nil {
		t.Fatalf("demo.tape: %v", err)
	}
	folder := t.TempDir()
	tm := ptytest.Start(t, ptytest.Options{
		Program: "/bin/bash", Args: []string{"--noprofile", "--norc", "--login", "+o", "history"}, Dir: t.TempDir(),
		Env: plainEnv(t, "TMPDIR="+folder, "PS1=> ", "PATH="+filepath.Dir(binary.Path(t))+":"+os.Getenv("PATH")),
	})
	tm.WaitFor("(?m)^>", soon)
	keys := ""
	for _, a := range all {
		if a.wait == "" {
			keys += a.keys
			continue
		}
		if screen := tm.Frame().Text(); regexp.MustCompile(a.wait).MatchString(screen) {
			t.Fatalf("demo.tape:%d waits for what is there before the key:\n%s", a.line, screen)
		}
		t.Logf("demo.tape:%d", a.line)
		tm.Type(keys)
		keys = ""
		tm.WaitFor(a.wait, soon)
		tm.Settled(60*time.Millisecond, soon)
	}
	isTidy(t, tm)
	isGone(t, folder)
}

func TestAWrongTapeIsRefused(t *testing.T) {
	good := read(t, tapePath)
	replace := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the tape has no %q", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for name, text := range map[string]string{
		"empty":                       "",
		"only settings":               good[:strings.Index(good, "Type ")],
		"no output":                   replace("Output demo.gif", ""),
		"an output of another kind":   replace("Output demo.gif", "Output demo.exe"),
		"an unknown command":          replace("Escape", "Escap"),
		"a key with a modifier":       replace("Escape", "Ctrl+Alt+Escape"),
		"an unknown setting":          replace("Set Padding 30", "Set Paddings 30"),
		"a setting without a value":   replace("Set Padding 30", "Set Padding"),
		"a theme by an unknown name":  regexp.MustCompile(`Set Theme .*`).ReplaceAllString(good, `Set Theme "No Such Theme"`),
		"a theme with another colour": replace(`"brightBlack"`, `"brighterBlack"`),
		"a theme without a colour":    replace(`"red": "#FF8A94", `, ""),
		"a colour that is none":       replace("#16151D", "#16151"),
		"a Require too late":          good + "Require bash\n",
		"a Set too late":              good + "Set FontSize 12\n",
		"a Wait without its screen":   replace("Wait+Screen /(?s)Look at the project", "Wait+Line /Look"),
		"a Wait that is no pattern":   replace("/(?s)Look", "/(?s)(Look"),
		"a Sleep in place of a Wait":  good + "Enter\nSleep 2s\nWait+Screen /x/\n",
		"keys that nobody waits for":  good + "Enter\n",
		"text without its quotes":     replace(`Type "w"`, `Type w`),
	} {
		if _, err := parseTape(text); err == nil {
			t.Errorf("%s: this tape was taken", name)
		}
	}
	if _, err := parseTape(good); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

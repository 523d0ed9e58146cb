package finding

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/sys/shell"
)

// Fix says what to do about a finding: prose, and commands as parts of their own, so
// that nobody has to search a sentence for them. The zero Fix says nothing.
type Fix struct {
	marked string // every other piece between two marks is a command
}

// mark stands before and behind each command. No path, word or printable text has it.
const mark = "\x00"

// Part is a piece of a Fix.
type Part struct {
	Text    string
	Command bool // as a person types it into a shell
}

// Command is a whole command line, as an argument of Do.
type Command string

func (c Command) String() string { return mark + string(c) + mark }

// Shell is the command of the given words, in quotes where a shell needs them.
func Shell(words ...string) Command { return Command(shell.Join(words...)) }

// Do makes a fix. Commands in the format stand between backticks, and those that are
// made at run time are arguments of type Command for %s. A command that begins with
// the word keysplit is keysplit's own. Another Fix may be an argument for %s as well.
func Do(format string, args ...any) Fix {
	format = strings.ReplaceAll(format, "`", mark)
	if len(args) == 0 {
		return Fix{format}
	}
	args = slices.Clone(args)
	for i, a := range args {
		if part, ok := a.(Fix); ok {
			args[i] = part.marked
		}
	}
	return Fix{fmt.Sprintf(format, args...)}
}

// Sentence makes a fix of an advice in the form of Go's errors, which begin small and
// have no full stop.
func Sentence(advice string) Fix {
	return Fix{strings.ToUpper(advice[:1]) + advice[1:] + "."}
}

// Then is the fix with another one behind it.
func (f Fix) Then(more Fix) Fix { return Fix{strings.TrimSpace(f.marked + " " + more.marked)} }

// String is the fix as one text, its commands without any mark.
func (f Fix) String() string { return strings.ReplaceAll(f.marked, mark, "") }

// Empty reports whether the fix says nothing.
func (f Fix) Empty() bool { return f.marked == "" }

// Parts are the prose and the commands in their order, none empty.
func (f Fix) Parts() (parts []Part) {
	for i, text := range strings.Split(f.marked, mark) {
		if text != "" {
			parts = append(parts, Part{text, i%2 == 1})
		}
	}
	return parts
}

// placeholders are words of a command that a person replaces.
var placeholders = lazyregexp.New(`\b(DIR|FILE|HOST|MODULE|N|NAME|PATH|PORT|SPEC|VALUE)\b`)

// Command is the first command that can be run as it stands: it has no placeholder,
// and is not keysplit alone, which only means to run the same again. "" for none.
func (f Fix) Command() string {
	for _, p := range f.Parts() {
		if p.Command && p.Text != "keysplit" && !placeholders.MatchString(p.Text) {
			return p.Text
		}
	}
	return ""
}

// SaysAgain reports whether the fix ends in running keysplit again.
func (f Fix) SaysAgain() bool { return slices.Contains(f.Parts(), Part{"keysplit", true}) }

// ofEnvironment are the commands of keysplit that are about one environment.
var ofEnvironment = []string{"upgrade", "rollback", "grace", "report", "check"}

// For gives keysplit's own commands the flags that say which project and environment
// they are about, unless they say so already or mean all.
func (f Fix) For(flags ...string) Fix {
	return f.each(func(p Part) string {
		words := strings.Fields(p.Text)
		if !p.Command || len(flags) == 0 || len(words) < 2 || words[0] != "keysplit" || !slices.Contains(ofEnvironment, words[1]) ||
			slices.Contains(words, "--env") || slices.Contains(words, "--all") || slices.Contains(words, "--project") {
			return p.Text
		}
		command := "keysplit " + words[1]
		return command + " " + shell.Join(flags...) + strings.TrimPrefix(p.Text, command)
	})
}

// Clean is the fix with each of its parts as clean leaves it.
func (f Fix) Clean(clean func(string) string) Fix {
	return f.each(func(p Part) string { return clean(p.Text) })
}

func (f Fix) each(do func(Part) string) Fix {
	var b strings.Builder
	for _, p := range f.Parts() {
		text := do(p)
		if p.Command {
			text = Command(text).String()
		}
		b.WriteString(text)
	}
	return Fix{b.String()}
}

// MarshalText is the rendered text, as the JSON of a finding has it.
func (f Fix) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText takes a rendered text. Which parts of it were commands is lost.
func (f *Fix) UnmarshalText(text []byte) error {
	f.marked = strings.ReplaceAll(string(text), mark, "")
	return nil
}

// MarshalJSON adds the command of the fix to the fields.
func (f Finding) MarshalJSON() ([]byte, error) {
	type fields Finding
	return json.Marshal(struct {
		fields
		Command string `json:"command,omitempty"`
	}{fields(f), f.Fix.Command()})
}

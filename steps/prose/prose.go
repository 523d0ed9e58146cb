// Package prose is what keysplit says to a person. A Text is written once, with its
// commands as pieces of their own, and from then on only rendered: nothing searches a
// sentence, cuts it or changes it, so that a better one breaks nothing. What code needs
// to know is a field beside it.
package prose

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/sys/shell"
)

// Text is a sentence or more, or a line; prose, and commands as parts of their own.
// The zero Text says nothing. Two that say the same are equal.
type Text struct {
	label  string // what stands before it and a colon
	marked string // every other piece between two marks is a command, or code, or says to run keysplit again
}

// A mark stands before and behind each command, others before and behind code, and each
// part that says to run keysplit again. No path, word or printable text has them.
const (
	mark      = "\x00"
	codeMark  = "\x01"
	againMark = "\x02"
)

var (
	// unmarked takes the marks off a text.
	unmarked = strings.NewReplacer(mark, "", codeMark, "", againMark, "")
	// marked puts them into a format.
	marked = strings.NewReplacer("run `keysplit` again", again("run"), "Run `keysplit` again", again("Run"), "`", mark)
)

// again says, in parts, to run keysplit again.
func again(run string) string {
	return Part{Text: run + " ", Again: true}.marked() + Part{Text: Again, Command: true, Again: true}.marked() + Part{Text: " again", Again: true}.marked()
}

// Part is a piece of a Text.
type Part struct {
	Text    string
	Command bool // as a person types it into a shell
	Code    bool // of the project's settings, or about it: its names are the code's
	Again   bool // of the words that say to run keysplit again
}

// Copied reports whether a person copies the part whole: a command, or lines of code.
func (p Part) Copied() bool { return p.Command || p.Code && strings.Contains(p.Text, "\n") }

func (p Part) marked() string {
	text := p.Text
	switch {
	case p.Command:
		text = Command(p.Text).String()
	case p.Code:
		text = Code(p.Text).String()
	}
	if p.Again {
		return againMark + text + againMark
	}
	return text
}

// Command is a whole command line, as an argument of Say.
type Command string

func (c Command) String() string { return mark + string(c) + mark }

// Code is Python for the project's settings, or what is said of theirs, as an argument of
// Say. A setting in it is no variable, even where it is called like one: it keeps its name.
type Code string

func (c Code) String() string { return codeMark + string(c) + codeMark }

// Shell is the command of the given words, in quotes where a shell needs them.
func Shell(words ...string) Command { return Command(shell.Join(words...)) }

// Of is the text of a string as it is, without a command.
func Of(text string) Text { return Text{marked: unmarked.Replace(text)} }

// Say makes a text. Commands in the format stand between backticks, and those that are
// made at run time are arguments of type Command for %s. A command that begins with
// the word keysplit is keysplit's own; "run `keysplit` again" is what Repeated replaces.
// Another Text may be an argument for %s as well.
func Say(format string, args ...any) Text {
	format = marked.Replace(format)
	if len(args) == 0 {
		return Text{marked: format}
	}
	args = slices.Clone(args)
	for i, a := range args {
		if part, ok := a.(Text); ok {
			args[i] = part.whole()
		}
	}
	return Text{marked: fmt.Sprintf(format, args...)}
}

// Labelled makes a text behind a short word that says what it is about; a list may
// line such words up.
func Labelled(label, format string, args ...any) Text {
	t := Say(format, args...)
	t.label = label
	return t
}

// Sentence makes a text of an advice in the form of Go's errors, which begin small and
// have no full stop.
func Sentence(advice string) Text {
	return Of(strings.ToUpper(advice[:1]) + advice[1:] + ".")
}

// whole is the text with its label before it.
func (t Text) whole() string {
	if t.label == "" {
		return t.marked
	}
	return t.label + ": " + t.marked
}

// Then is the text with another one behind it. A command at its end, which has no full
// stop of its own, gets one.
func (t Text) Then(more Text) Text {
	between := " "
	if strings.HasSuffix(t.marked, mark) && !more.Empty() {
		between = ". "
	}
	return Text{marked: strings.TrimSpace(t.whole() + between + more.whole())}
}

// Label is the word that stands before the text, "" for none, and the text without it.
func (t Text) Label() (string, Text) { return t.label, Text{marked: t.marked} }

// Rendered is the text for a person, its commands without any mark. It is for those who
// show or encode it: a test lists them.
func (t Text) Rendered() string { return unmarked.Replace(t.whole()) }

// Format keeps fmt from making a string of it.
func (Text) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "(prose)") }

// Cut cuts the text around the first command that does not fit, or lines of code, where
// last says that nothing follows it. command is "" where all fit. A sign that ended what
// the command was in is left out of after.
func (t Text) Cut(fits func(command string, last bool) bool) (before Text, command string, after Text) {
	parts := t.Parts()
	var b strings.Builder
	for i, p := range parts {
		if p.Copied() && !fits(p.Text, i == len(parts)-1) {
			rest := strings.TrimPrefix(t.whole(), b.String()+p.marked())
			return Text{marked: strings.TrimRight(b.String(), " ")}, p.Text, Text{marked: strings.TrimLeft(rest, ".,;: ")}
		}
		b.WriteString(p.marked())
	}
	return t, "", Text{}
}

// Empty reports whether the text says nothing.
func (t Text) Empty() bool { return t.marked == "" }

// Parts are the prose, the commands and the code in their order, none empty.
func (t Text) Parts() (parts []Part) {
	var p Part
	for rest := t.whole(); rest != ""; {
		end := strings.IndexAny(rest, mark+codeMark+againMark)
		if end < 0 {
			end = len(rest)
		}
		if end > 0 {
			p.Text = rest[:end]
			parts, rest = append(parts, p), rest[end:]
			continue
		}
		switch rest[:1] {
		case mark:
			p.Command = !p.Command
		case codeMark:
			p.Code = !p.Code
		default:
			p.Again = !p.Again
		}
		rest = rest[1:]
	}
	return parts
}

// placeholders are words of a command that a person replaces.
var placeholders = lazyregexp.New(`\b(CMD|DIR|FILE|HOST|MODULE|N|NAME|PATH|PORT|SPEC|UNIT|USER|VALUE)\b`)

// Filled reports whether a command, or a word of one, has nothing that a person replaces.
func Filled(command string) bool { return !placeholders.MatchString(command) }

// Command is the first command that can be run as it stands: it has no placeholder,
// and is not keysplit without a verb, which means to run the same again. "" for none.
func (t Text) Command() string {
	for _, p := range t.Parts() {
		if p.Command && p.Text != "keysplit" && !strings.HasPrefix(p.Text, "keysplit -") && Filled(p.Text) {
			return p.Text
		}
	}
	return ""
}

// Repeated is the text with other words where it says to run keysplit again: a front end
// has a button for that.
func (t Text) Repeated(by string) Text {
	before := false // it was a part of these words
	return t.each(func(p Part) string {
		first := p.Again && !before
		before = p.Again
		switch {
		case first && strings.HasPrefix(p.Text, "R"):
			return strings.ToUpper(by[:1]) + by[1:]
		case first:
			return by
		case p.Again:
			return ""
		}
		return p.Text
	})
}

// Flags are what commands of keysplit need to be about the right thing, by their verb.
type Flags map[string][]string

// Again is the key of the flags of keysplit alone, which means to run it again.
const Again = "keysplit"

// Any behind a verb is the key of the flags of a command that names its environment, or
// means all.
const Any = " --all"

// For gives keysplit's own commands the flags that they need, but for those that they have
// already.
func (t Text) For(flags Flags) Text {
	return t.each(func(p Part) string {
		words := strings.Fields(p.Text)
		if !p.Command || len(words) == 0 || words[0] != "keysplit" || slices.Contains(words, "--help") || slices.Contains(words, "--project") {
			return p.Text
		}
		verb := ""
		if len(words) == 1 {
			verb = Again
		}
		if len(words) > 1 && !strings.HasPrefix(words[1], "-") {
			verb = words[1]
		}
		if slices.Contains(words, "--env") || slices.Contains(words, "--all") {
			verb += Any
		}
		return With(p.Text, flags[verb])
	})
}

// excludes are flags that a command takes no more with another one.
var excludes = map[string]string{"--username": "--temp-user"}

// With is a command of keysplit with further flags behind its verb, but for those that it
// has already, or cannot have beside its own.
func With(command string, flags []string) string {
	words := strings.Fields(command)
	verb := words[0]
	if len(words) > 1 && !strings.HasPrefix(words[1], "-") {
		verb += " " + words[1]
	}
	var more []string
	said := false // by the command, of the flag that is looked at
	for _, word := range flags {
		if strings.HasPrefix(word, "--") {
			said = slices.Contains(words, word) || slices.Contains(words, excludes[word])
		}
		if !said {
			more = append(more, word)
		}
	}
	if len(more) == 0 {
		return command
	}
	return verb + " " + shell.Join(more...) + strings.TrimPrefix(command, verb)
}

// Without is a command of keysplit alone without the flags that With gave it.
func Without(command string, flags []string) string {
	rest := strings.TrimPrefix(command, "keysplit")
	for at := 0; at < len(flags); {
		end := at + 1
		for end < len(flags) && !strings.HasPrefix(flags[end], "--") {
			end++
		}
		rest = strings.TrimPrefix(rest, " "+shell.Join(flags[at:end]...))
		at = end
	}
	return "keysplit" + rest
}

// Clean is the text with each of its parts as clean leaves it.
func (t Text) Clean(clean func(string) string) Text {
	t = t.each(func(p Part) string { return clean(p.Text) })
	t.label = clean(t.label)
	return t
}

// Name is the text with the names in it as fill leaves them, but for those in code.
func (t Text) Name(fill func(string) string) Text {
	t = t.each(func(p Part) string {
		if p.Code {
			return p.Text
		}
		return fill(p.Text)
	})
	t.label = fill(t.label)
	return t
}

// each is the text with each of its parts as do makes it.
func (t Text) each(do func(Part) string) Text {
	label, t := t.Label()
	var b strings.Builder
	for _, p := range t.Parts() {
		p.Text = do(p)
		b.WriteString(p.marked())
	}
	return Text{label, b.String()}
}

// Instead is the text with those commands replaced for which by has another word: a front
// end names its button where a command line has a flag.
func (t Text) Instead(by func(command string) string) Text {
	return t.each(func(p Part) string {
		if p.Command {
			return cmp.Or(by(p.Text), p.Text)
		}
		return p.Text
	})
}

// MarshalText is the rendered text, as JSON has it.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.Rendered()), nil }

// UnmarshalText takes a rendered text. Which parts of it were commands is lost.
func (t *Text) UnmarshalText(text []byte) error {
	*t = Of(string(text))
	return nil
}

// Runs reports whether one of the text's commands has the given word.
func (t Text) Runs(word string) bool {
	return slices.ContainsFunc(t.Parts(), func(p Part) bool { return p.Command && slices.Contains(strings.Fields(p.Text), word) })
}

package prose

import (
	"reflect"
	"strings"
	"testing"
)

// The command of a text is a part of it, whatever stands around it.
func TestTheCommandOfAText(t *testing.T) {
	for _, c := range []struct {
		says          Text
		text, command string
		again         bool
	}{
		{Say("Run: `keysplit upgrade --rotate`"), "Run: keysplit upgrade --rotate", "keysplit upgrade --rotate", false},
		{Say("Run: `keysplit upgrade`. It keeps one; the rest, goes."), "Run: keysplit upgrade. It keeps one; the rest, goes.", "keysplit upgrade", false},
		{Say("Go there, or: `keysplit --project DIR`. Or `ls -l`."), "Go there, or: keysplit --project DIR. Or ls -l.", "ls -l", false},
		{Say("Set it: `unset JWT_SECRET_KEY`"), "Set it: unset JWT_SECRET_KEY", "unset JWT_SECRET_KEY", false},
		{Say("Wait, then run `keysplit` again."), "Wait, then run keysplit again.", "", true},
		{Say("Run it: nothing here is a command."), "Run it: nothing here is a command.", "", false},
		{Say("Run %s, add %s to it.", Shell("git", "rm", "--cached", "a b; c.env"), "x"), "Run git rm --cached 'a b; c.env', add x to it.", "git rm --cached 'a b; c.env'", false},
		{Say("Read why: %s. Or wait.", Say("`ps`, %s", "here")), "Read why: ps, here. Or wait.", "ps", false},
		{Say("Look.").Then(Say("Then: `ps`")), "Look. Then: ps", "ps", false},
		{Say("Do: `ps`").Then(Of("Look.")), "Do: ps. Look.", "ps", false},
		{Say("Do: `ps`").Then(Text{}), "Do: ps", "ps", false},
		{Say("Name %s.", "a`file`"), "Name a`file`.", "", false},
		{Sentence("wait, then look"), "Wait, then look.", "", false},
		{Text{}, "", "", false},
	} {
		if got := c.says.Rendered(); got != c.text {
			t.Errorf("%q, want %q", got, c.text)
		}
		if got := c.says.Command(); got != c.command || (c.says.Repeated("retry") != c.says) != c.again {
			t.Errorf("%q: command %q, then %q", c.text, got, c.says.Repeated("retry").Rendered())
		}
	}
	want := []Part{{Text: "Run "}, {Text: "ps", Command: true}, {Text: " now."}}
	if got := Say("Run `ps` now.").Parts(); !reflect.DeepEqual(got, want) {
		t.Errorf("parts %v", got)
	}
}

// Only commands of keysplit that are about one environment get its name, and prose
// that looks like one does not.
func TestCommandsOfAnEnvironment(t *testing.T) {
	env := []string{"--env", "a b"}
	flags := Flags{Again: append(env, "--url", "u"), "": append(env, "--url", "u"), "upgrade": append(env, "--username", "a", "--url", "u", "--fix"), "grace": env, "rollback": env, "check": env,
		"rollback" + Any: {"--settings", "m"}, "check" + Any: {"--settings", "m"}}
	again := Say("Wait, then run `keysplit` again.").For(flags)
	if got := again.Repeated("retry").Rendered(); got != "Wait, then retry." || again.Command() != "" {
		t.Errorf("%q, then %q", again.Rendered(), got)
	}
	if got := Say("Run `keysplit` again: it starts anew. %s", Say("Or run `keysplit` again.")).For(flags).Repeated("start over").Rendered(); got != "Start over: it starts anew. Or start over." {
		t.Errorf("%q", got)
	}
	for command, want := range map[string]string{
		"keysplit --env 'a b' --url u": "keysplit", "keysplit --env 'a b' --url u --python PATH": "keysplit --python PATH",
		"keysplit --env 'a b' --url https://HOST": "keysplit --url https://HOST", "keysplit --python 'a --b'": "keysplit --python 'a --b'",
	} {
		if got := Without(command, flags[""]); got != want {
			t.Errorf("%q without its flags is %q", command, got)
		}
	}
	for text, want := range map[string]string{
		"Run `keysplit upgrade --rotate`, then `keysplit grace`.": "Run keysplit upgrade --env 'a b' --username a --url u --fix --rotate, then keysplit grace --env 'a b'.",
		"`keysplit upgrade --fix --url v`":                        "keysplit upgrade --env 'a b' --username a --fix --url v",
		"`keysplit upgrade --temp-user`":                          "keysplit upgrade --env 'a b' --url u --fix --temp-user",
		"`keysplit rollback --env other`":                         "keysplit rollback --settings m --env other",
		"`keysplit upgrade --help` lists them":                    "keysplit upgrade --help lists them",
		"`keysplit check --all`":                                  "keysplit check --settings m --all",
		"`keysplit upgrade --env x --project y`":                  "keysplit upgrade --env x --project y",
		"`keysplit explain x`, `keysplit --python PATH`":          "keysplit explain x, keysplit --env 'a b' --url u --python PATH",
		"`keysplit --url https://HOST`":                           "keysplit --env 'a b' --url https://HOST",
		"Run `keysplit` again; `sudo keysplit upgrade`":           "Run keysplit --env 'a b' --url u again; sudo keysplit upgrade",
		"what keysplit check found":                               "what keysplit check found",
	} {
		if got := Say(text).For(flags).Rendered(); got != want {
			t.Errorf("%s\n%s, want\n%s", text, got, want)
		}
	}
}

func TestTextIsCleanedPartByPart(t *testing.T) {
	f := Say("Give s3cret to `tool s3cret`.").Clean(func(s string) string { return strings.ReplaceAll(s, "s3cret", "****") })
	if f.Rendered() != "Give **** to tool ****." || f.Command() != "tool ****" {
		t.Errorf("%s, command %s", f.Rendered(), f.Command())
	}
}

func TestACommandHasAnotherWord(t *testing.T) {
	by := func(command string) string {
		return map[string]string{"keysplit --url HOST": "Another address"}[command]
	}
	if got := Say("Start it: `runserver`. Or name it: `keysplit --url HOST`.").Instead(by); got.Rendered() != "Start it: runserver. Or name it: Another address." || got.Command() != "runserver" {
		t.Errorf("%s", got.Rendered())
	}
}

// A label stands before a text, and in whatever takes it in.
func TestLabel(t *testing.T) {
	undo := Labelled("Undo", "`keysplit rollback` removes %s", "it").For(Flags{"rollback": {"--env", "staging"}})
	label, rest := undo.Label()
	if undo.Rendered() != "Undo: keysplit rollback --env staging removes it" || label != "Undo" || rest.Rendered() != "keysplit rollback --env staging removes it" {
		t.Errorf("%q, %q, %q", undo.Rendered(), label, rest.Rendered())
	}
	if got := Say("Then %s", undo).Then(Of("`ls`")).Rendered(); got != "Then Undo: keysplit rollback --env staging removes it `ls`" {
		t.Errorf("%q", got)
	}
	if got := Labelled("x s3cret", "s3cret").Clean(func(s string) string { return strings.ReplaceAll(s, "s3cret", "****") }).Rendered(); got != "x ****: ****" {
		t.Errorf("%q", got)
	}
}

// A text is cut around a command that does not fit, and nowhere else.
func TestATextIsCutAroundACommand(t *testing.T) {
	t.Parallel()
	long := func(command string, _ bool) bool { return len(command) < 8 }
	for _, c := range []struct {
		text                   Text
		before, command, after string
	}{
		{Say("Run `short`, then `a long one`. It shows the change."), "Run short, then", "a long one", "It shows the change."},
		{Say("`a long one` again."), "", "a long one", "again."},
		{Say("Run `a long one`"), "Run", "a long one", ""},
		{Say("Run `short` again."), "Run short again.", "", ""},
		{Of("No command."), "No command.", "", ""},
		{Labelled("Fix", "run `a long one`, or `a longer one`."), "Fix: run", "a long one", "or a longer one."},
	} {
		before, command, after := c.text.Cut(long)
		if before.Rendered() != c.before || command != c.command || after.Rendered() != c.after {
			t.Errorf("%q, %q, %q", before.Rendered(), command, after.Rendered())
		}
	}
	_, _, after := Say("`a long one`, or `a longer one`.").Cut(long)
	if _, command, _ := after.Cut(long); command != "a longer one" {
		t.Errorf("the second command is %q", command)
	}
}

// Names are filled in around code, not in it; a person copies its lines as they are.
func TestCodeKeepsItsNames(t *testing.T) {
	t.Parallel()
	fill := func(text string) string { return strings.ReplaceAll(text, "KEY", "MINE") }
	text := Say("Set KEY, `echo KEY`: %s", Code("A = KEY\nB = 1")).Name(fill)
	if got := text.Rendered(); got != "Set MINE, echo MINE: A = KEY\nB = 1" {
		t.Error(got)
	}
	before, code, after := text.Cut(func(part string, _ bool) bool { return part == "echo MINE" })
	if before.Rendered() != "Set MINE, echo MINE:" || code != "A = KEY\nB = 1" || !after.Empty() {
		t.Errorf("%q %q %q", before.Rendered(), code, after.Rendered())
	}
}

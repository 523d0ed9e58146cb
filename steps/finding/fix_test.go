package finding

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// The command of a fix is a part of it, whatever stands around it.
func TestTheCommandOfAFix(t *testing.T) {
	for _, c := range []struct {
		fix           Fix
		text, command string
		again         bool
	}{
		{Do("Run: `keysplit upgrade --rotate`"), "Run: keysplit upgrade --rotate", "keysplit upgrade --rotate", false},
		{Do("Run: `keysplit upgrade`. It keeps one; the rest, goes."), "Run: keysplit upgrade. It keeps one; the rest, goes.", "keysplit upgrade", false},
		{Do("Go there, or: `keysplit --project DIR`. Or `ls -l`."), "Go there, or: keysplit --project DIR. Or ls -l.", "ls -l", false},
		{Do("Set it: `unset JWT_SECRET_KEY`"), "Set it: unset JWT_SECRET_KEY", "unset JWT_SECRET_KEY", false},
		{Do("Wait, then run `keysplit` again."), "Wait, then run keysplit again.", "", true},
		{Do("Run it: nothing here is a command."), "Run it: nothing here is a command.", "", false},
		{Do("Run %s, add %s to it.", Shell("git", "rm", "--cached", "a b; c.env"), "x"), "Run git rm --cached 'a b; c.env', add x to it.", "git rm --cached 'a b; c.env'", false},
		{Do("Read why: %s. Or wait.", Do("`ps`, %s", "here")), "Read why: ps, here. Or wait.", "ps", false},
		{Do("Look.").Then(Do("Then: `ps`")), "Look. Then: ps", "ps", false},
		{Do("Name %s.", "a`file`"), "Name a`file`.", "", false},
		{Sentence("wait, then look"), "Wait, then look.", "", false},
		{Fix{}, "", "", false},
	} {
		if got := c.fix.String(); got != c.text {
			t.Errorf("%q, want %q", got, c.text)
		}
		if got := c.fix.Command(); got != c.command || c.fix.SaysAgain() != c.again {
			t.Errorf("%q: command %q, again %v", c.text, got, c.fix.SaysAgain())
		}
	}
	want := []Part{{"Run ", false}, {"ps", true}, {" now.", false}}
	if got := Do("Run `ps` now.").Parts(); !reflect.DeepEqual(got, want) {
		t.Errorf("parts %v", got)
	}
}

// Only commands of keysplit that are about one environment get its name, and prose
// that looks like one does not.
func TestCommandsOfAnEnvironment(t *testing.T) {
	for text, want := range map[string]string{
		"Run `keysplit upgrade --rotate`, then `keysplit grace`.": "Run keysplit upgrade --env 'a b' --rotate, then keysplit grace --env 'a b'.",
		"`keysplit rollback --env other`":                         "keysplit rollback --env other",
		"`keysplit check --project d`":                            "keysplit check --project d",
		"`keysplit check --all`":                                  "keysplit check --all",
		"`keysplit explain x`, `keysplit --python PATH`":          "keysplit explain x, keysplit --python PATH",
		"Run `keysplit` again; `sudo keysplit upgrade`":           "Run keysplit again; sudo keysplit upgrade",
		"what keysplit check found":                               "what keysplit check found",
	} {
		if got := Do(text).For("--env", "a b").String(); got != want {
			t.Errorf("%s\n%s, want\n%s", text, got, want)
		}
	}
}

func TestFixIsCleanedPartByPart(t *testing.T) {
	f := Do("Give s3cret to `tool s3cret`.").Clean(func(s string) string { return strings.ReplaceAll(s, "s3cret", "****") })
	if f.String() != "Give **** to tool ****." || f.Command() != "tool ****" {
		t.Errorf("%s, command %s", f, f.Command())
	}
}

// The JSON has the text as it is read, and the command beside it.
func TestFixInJSON(t *testing.T) {
	out, err := json.Marshal(New(LineGlued, ""))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got["fix"] != "Run: keysplit upgrade. It splits the line." || got["command"] != "keysplit upgrade" || got["code"] != "line-glued" {
		t.Errorf("%s", out)
	}
	if out, _ := json.Marshal(New(QuoteUnbalanced, "")); strings.Contains(string(out), "command") {
		t.Errorf("a fix without a command: %s", out)
	}
	var back Finding
	if err := json.Unmarshal(out, &back); err != nil || back.Fix.String() != got["fix"] {
		t.Errorf("read back %q, %v", back.Fix, err)
	}
}

// Every command of the catalogue is told from its prose, and each of its words in
// capitals is a placeholder or the name of a variable.
func TestCommandsOfTheCatalogue(t *testing.T) {
	prose := regexp.MustCompile(`\bkeysplit (upgrade|rollback|grace|check|report|explain)\b|keysplit again\b|: (ls|git|chmod|unset) \S+`)
	capitals := regexp.MustCompile(`\b[A-Z][A-Z_]+\b`)
	said := map[Code]string{ // what is no advice to run it, or has no file to name
		LoginWithheld:       "keysplit upgrade",
		EnvFileTrackedByGit: ": git rm",
		EnvFilePermissions:  ": chmod 600",
	}
	for code, page := range catalogue {
		for _, p := range page.Fix.Parts() {
			if found := prose.FindString(p.Text); found != "" && !p.Command && found != said[code] {
				t.Errorf("%s: %q is prose", code, found)
			}
			for _, word := range capitals.FindAllString(p.Text, -1) {
				if p.Command && !placeholders.MatchString(word) && word != "JWT_SECRET_KEY" {
					t.Errorf("%s: what is %s in %q?", code, word, p.Text)
				}
			}
		}
	}
}

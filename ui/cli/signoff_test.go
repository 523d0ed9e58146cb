//go:build unix

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/secret"
)

// At the end a person can sign off line by line what only a person knows, with the name
// that git knows; enter alone, and no answer, finishes.
func TestItemsAreSignedOffLineByLine(t *testing.T) {
	for typed, want := range map[string]struct{ says, not string }{
		"\n":                                {"f finish   s sign an item off", "signed off by"},
		"":                                  {"What now?", "signed off by"},
		"n\n":                               {"f finish   s sign an item off", "Which one is done?"},
		"s\n9\n\nmail to the list\n\n":      {"signed off by Ada Lovelace: mail to the list", "Nothing was signed off."},
		"s\n9\nGrace\nmail\n\n":             {"signed off by Grace: mail", "signed off by Ada"},
		"sign\n12\n\n":                      {"The items that are open are 4, 5, 6, 9.", "or enter for Ada"},
		"s\n9\n\n\n\n":                      {"Nothing was signed off.", "signed off by"},
		"s\n9\n" + strings.Repeat("a", 301): {"or enter for Ada Lovelace", "signed off by"},
	} {
		t.Run(typed, func(t *testing.T) {
			u := newUpgraded(t, steps.DefaultEnvironment)
			home := t.TempDir()
			t.Setenv("HOME", home)
			t.Setenv("XDG_CONFIG_HOME", home)
			if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte("[user]\n\tname = Ada Lovelace\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			run := &steps.Run{Prints: secret.NewFingerprinter(nil), Options: steps.Options{State: Stdio().State}}
			run.Project = &steps.Project{Root: u.root, TopLevel: u.root}
			j, err := Stdio().State.Open(u.root, u.env)
			if err != nil {
				t.Fatal(err)
			}
			run.Journal = j
			var o bytes.Buffer
			stdio := IO{State: Stdio().State, In: strings.NewReader(typed), Out: &o, Err: &o, InTTY: true}
			w := &walk{e: steps.NewEngine(run), f: newPlain(stdio, &speech{noColor: true}), o: &upgradeOptions{}, stdio: stdio}
			if err := w.signOff(t.Context()); err != nil {
				t.Error(err)
			}
			if !strings.Contains(o.String(), want.says) || strings.Contains(o.String(), want.not) {
				t.Errorf("it says:\n%s", o.String())
			}
		})
	}
}

// What the evidence speaks against is signed off with a yes only; what cannot be signed off
// is an error.
func TestASignOffThatIsNone(t *testing.T) {
	u := newUpgraded(t, steps.DefaultEnvironment)
	run := &steps.Run{Prints: secret.NewFingerprinter(nil), Options: steps.Options{State: Stdio().State}}
	run.Project = &steps.Project{Root: u.root, TopLevel: u.root}
	j, err := Stdio().State.Open(u.root, u.env)
	if err != nil {
		t.Fatal(err)
	}
	run.Journal = j
	for typed, c := range map[string]struct {
		item  checklist.Item
		fails bool
	}{
		"9\nn\nAda\nmail\n": {item: checklist.Item{Number: 9, Against: "an error was found"}},
		"1\nAda\nmail\n":    {item: checklist.Item{Number: 1}, fails: true},
	} {
		var o bytes.Buffer
		stdio := IO{State: Stdio().State, In: strings.NewReader(typed), Out: &o, Err: &o, InTTY: true}
		w := &walk{e: steps.NewEngine(run), f: newPlain(stdio, &speech{noColor: true}), o: &upgradeOptions{}, stdio: stdio}
		if err := w.signOffOne(t.Context(), []checklist.Item{c.item}); (err != nil) != c.fails || strings.Contains(o.String(), "signed off by") {
			t.Errorf("%q: %v\n%s", typed, err, o.String())
		}
	}
}

package adopt

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// answers is a Django that gives the facts of one trial after the other.
// The key is the one that was asked for, unless they have another one.
type answers struct {
	prints secret.Fingerprinter
	facts  []steps.Facts
}

func (a *answers) Try(_ context.Context, t steps.Trial) (*steps.Facts, error) {
	f := a.facts[0]
	a.facts = a.facts[1:]
	for _, value := range t.Pin {
		if value != nil && f.Key.Sum == "" {
			f.Key.Sum = a.prints.Sum([]byte(*value))
		}
	}
	return &f, nil
}

// Each of the tries can be the one that ends it.
func TestTries(t *testing.T) {
	t.Parallel()
	own := steps.KeyFacts{Set: true, Sum: "secret"}
	loads := steps.Facts{State: "ok", SecretKey: own, SigningEqualsSecretKey: true}
	refuses := steps.Facts{State: "key-missing"}
	signs := steps.Facts{State: "ok", SecretKey: own, SigningEqualsKey: true}
	broken := steps.Facts{State: "error", StateError: "NameError"}
	other := signs
	other.SecretKey.Sum = "another"
	longer := signs
	longer.BesideKey = "another"
	third := signs
	third.Key.Sum = "a third"
	for name, tt := range map[string]struct {
		facts []steps.Facts
		want  string
	}{
		"the settings are broken":    {[]steps.Facts{broken}, "do not load as they are: NameError"},
		"loads without the key":      {[]steps.Facts{loads, loads}, "load without the key"},
		"fails for another reason":   {[]steps.Facts{loads, broken}, "but not because of it: NameError"},
		"loads with SECRET_KEY":      {[]steps.Facts{loads, refuses, loads}, "load with SECRET_KEY as the key"},
		"loads with a short key":     {[]steps.Facts{loads, refuses, refuses, loads}, "load with a short key"},
		"refuses a new key":          {[]steps.Facts{loads, refuses, refuses, refuses, refuses}, "do not load with a new key"},
		"signs with SECRET_KEY":      {[]steps.Facts{loads, refuses, refuses, refuses, loads}, "do not sign with the new key"},
		"signs with something else":  {[]steps.Facts{loads, refuses, refuses, refuses, third}, "do not sign with the new key"},
		"SECRET_KEY is another then": {[]steps.Facts{loads, refuses, refuses, refuses, other}, "SECRET_KEY would change"},
		"the tokens are others then": {[]steps.Facts{loads, refuses, refuses, refuses, longer}, "other settings of the tokens would change"},
		"all is well":                {[]steps.Facts{loads, refuses, refuses, refuses, signs}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
			var failed *triedError
			err := try(t.Context(), run, &answers{run.Prints, tt.facts}, &steps.Adopted{})
			if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &failed) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A file that cannot be edited line by line is left, and so is a place that is not in it.
func TestEditsThatAreNotMade(t *testing.T) {
	t.Parallel()
	fits := place{Block: 2, Read: true, Var: "K", Secret: "S", Quote: "'", Unit: "  ", Limit: 88, Raises: "E"}
	gone, crossed := fits, fits
	gone.Block = 9
	crossed.Spans = []span{{1, 0, 2, 1, "none"}, {1, 0, 1, 1, "none"}}
	outside := fits
	outside.Spans = []span{{5, 0, 5, 1, "none"}}
	for name, tt := range map[string]struct {
		place place
		text  string
		want  error
	}{
		"mixed line ends":   {fits, "A = 1\r\nB = 2\n", errLines},
		"old line ends":     {fits, "A = 1\rB = 2\r", errLines},
		"no such line":      {gone, "A = 1\n", errPlace},
		"spans that cross":  {crossed, "A = 1\nB = 2\n", errPlace},
		"a span outside":    {outside, "A = 1\n", errPlace},
		"a file that fits":  {fits, "A = 1\nB = 2\n", nil},
		"Windows line ends": {fits, "A = 1\r\nB = 2\r\n", nil},
	} {
		is, err := manner{place: tt.place, way: way{Call: "get", Form: "get"}, key: "K", least: 50}.edit([]byte(tt.text))
		if !errors.Is(err, tt.want) || err == nil && bytes.Count(is, []byte("\n")) != bytes.Count(is, []byte("\r\n")) && strings.Contains(tt.text, "\r") {
			t.Errorf("%s: %v, %q", name, err, is)
		}
	}
	if onlyThese([]byte("abc"), []byte("axbd"), []change{{1, 1, "x"}}) || onlyThese([]byte("abc"), []byte("aybc"), []change{{1, 1, "x"}}) ||
		!onlyThese([]byte("abc"), []byte("axbc"), []change{{1, 1, "x"}}) {
		t.Error("a change beside the new text is not seen, or one that is none")
	}
}

// A long name goes over the limit of a line, and its message gets a line of its own.
func TestALongMessageIsWrapped(t *testing.T) {
	t.Parallel()
	m := manner{place: place{Var: "K", Secret: "S", Quote: `"`, Unit: "    ", Limit: 79, Raises: "ImproperlyConfigured"}, key: "A_SIMPLE_JWT_SIGNING_SECRET_KEY", least: 50}
	for _, l := range m.checks("K", 0) {
		if len(l) > 79 {
			t.Errorf("%d: %s", len(l), l)
		}
	}
}

// mute is a Django that answers so many times.
type mute struct {
	steps.Django
	left  int
	facts steps.Facts
}

var errMute = errors.New("no answer of Django")

func (m *mute) Try(context.Context, steps.Trial) (*steps.Facts, error) {
	if m.left--; m.left < 0 {
		return nil, errMute
	}
	return &m.facts, nil
}

// What cannot be tried, read or looked for is not edited, and that is the reason.
func TestWhatCannotBeTriedIsNotEdited(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	settings := filepath.Join(root, "s.py")
	if err := os.WriteFile(settings, bytes.Repeat([]byte("A = 1\n"), 1<<18), 0o600); err != nil {
		t.Fatal(err)
	}
	run := &steps.Run{Prints: secret.NewFingerprinter(nil), Found: steps.Found{Project: &steps.Project{Root: root, TopLevel: root, SettingsFile: settings, Python: filepath.Join(root, "gone")}}}
	own := steps.Facts{State: "ok", SecretKey: steps.KeyFacts{Set: true, Sum: "secret"}, SigningEqualsSecretKey: true}
	if err := try(t.Context(), run, &mute{}, &steps.Adopted{}); !errors.Is(err, errMute) {
		t.Errorf("as they are: %v", err)
	}
	if err := try(t.Context(), run, &mute{left: 1, facts: own}, &steps.Adopted{}); !errors.Is(err, errMute) {
		t.Errorf("the first edit: %v", err)
	}
	run.Django = &mute{}
	if made, err := Draft(t.Context(), run); err == nil || !strings.Contains(err.Error(), "look for the place in the settings") {
		t.Errorf("without Python: %+v, %v", made, err)
	}
	if made, err := write(run, place{File: settings, Read: true, Block: 1}, way{Call: "get", Form: "get"}); err == nil {
		t.Errorf("a file that is too large: %+v", made)
	}
	if err := os.WriteFile(settings, []byte("A = 1\r\nB = 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if made, err := write(run, place{File: settings, Block: 2, Read: true, Var: "K", Secret: "S", Quote: "'", Unit: "  ", Limit: 88, Raises: "E"}, way{Call: "get", Form: "get"}); !errors.Is(err, errLines) {
		t.Errorf("mixed line ends: %+v, %v", made, err)
	}
	d, err := steps.Draw(t.Context(), run, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	run.Adopted = &steps.Adopted{File: root}
	if err := offer(t.Context(), run, nil, d); err == nil || len(d.Edits) > 0 {
		t.Errorf("a folder: %v", err)
	}
}

// Lines to paste are Python: a setting keeps its name where its variable has another one,
// and a dictionary that is not there is made.
func TestLinesToPasteAreTheSettingsOwn(t *testing.T) {
	t.Parallel()
	run := &steps.Run{Found: steps.Found{Project: &steps.Project{Root: "/srv", Names: steps.Names{Key: "SHOP_JWT_KEY", SecretKey: "DJANGO_SECRET_KEY"}}}}
	here := place{Unsure: "SECRET_KEY depends on a condition.", File: "/srv/s.py", Dict: "SIMPLE_JWT", Var: "SHOP_JWT_KEY", Secret: "SECRET_KEY", Quote: `"`, Unit: "    ", Limit: 88, Tail: "dictionary"}
	var failed *steps.Failure
	if !errors.As(unsure(run, here), &failed) {
		t.Fatal("it is no finding")
	}
	message, fix := run.Fit(failed.Findings[0].Message).Rendered(), run.Fit(failed.Findings[0].Fix)
	if !strings.HasSuffix(message, ": SECRET_KEY depends on a condition.") || fix.Command() != "" {
		t.Errorf("%s %q", message, fix.Command())
	}
	if apps := (place{Tail: "apps", File: here.File}); !finding.Has(failed.Findings, finding.SettingsNotUpgraded) || !errors.As(unsure(run, apps), &failed) || !finding.Has(failed.Findings, finding.GraceModuleNotLoaded) {
		t.Errorf("%+v", failed.Findings)
	}
	for _, line := range []string{"below SECRET_KEY and SIMPLE_JWT:", "if SHOP_JWT_KEY == SECRET_KEY:", `SIMPLE_JWT = {"SIGNING_KEY": SHOP_JWT_KEY}`, "SHOP_JWT_KEY = os.environ.get(\"SHOP_JWT_KEY\")"} {
		if !strings.Contains(fix.Rendered(), line) {
			t.Errorf("%q is not in:\n%s", line, fix.Rendered())
		}
	}
}

package steps

import (
	"slices"
	"strings"
	"testing"
)

// A row says all that front ends ask it for, and no two steps share a word.
func TestEveryRowOfTheTableIsWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]Name{}
	for i, n := range Order() {
		row := About(n)
		if row.Name != n || row.Title == "" || row.Task == "" || row.Doing == "" || row.Why == "" {
			t.Errorf("%+v", row)
		}
		if want := map[bool]int{true: i}[i > 0 && i <= Numbered()]; row.Number != want {
			t.Errorf("%s is number %d, want %d", n, row.Number, want)
		}
		for _, word := range []string{strings.ToLower(row.Title), string(n)} {
			if other, taken := seen[word]; taken && other != n {
				t.Errorf("%q is %s and %s", word, n, other)
			}
			seen[word] = n
		}
	}
}

// The words of the stepper and the names in JSON lead to the same steps.
func TestAStepIsFoundByItsWords(t *testing.T) {
	t.Parallel()
	for n, words := range map[Name][]string{
		Generate: {"key", "Key", "generate"}, Write: {"write", "Write"}, Distinct: {"verify", "distinct"},
		Restart: {"restart"}, SmokeTest: {"login", "Login", "smoke-test"}, Checklist: {"checklist"}, Preflight: {"preflight"},
	} {
		for _, w := range words {
			if row, ok := ParseStep(w); !ok || row.Name != n {
				t.Errorf("%q leads to %q, %t", w, row.Name, ok)
			}
		}
	}
	for _, w := range []string{"", "smoke", "smoketest", "login "} {
		if row, ok := ParseStep(w); ok {
			t.Errorf("%q leads to %q", w, row.Name)
		}
	}
	if got := strings.Join(Words(), " "); got != "key write verify restart login" {
		t.Errorf("the words are %q", got)
	}
}

// The old value can be read again only once it is back.
func TestTheRestartIsUndoneLast(t *testing.T) {
	t.Parallel()
	if got := rollbackOrder(); !slices.Equal(got, []Name{Checklist, SmokeTest, Distinct, Write, Generate, Restart}) {
		t.Errorf("%v", got)
	}
}

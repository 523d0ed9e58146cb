package cli

import (
	"bytes"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
)

// What is typed is taken as it is shown.
func TestWhatIsTypedIsTheChoiceThatIsShown(t *testing.T) {
	failed := []choice{{key: 'r', text: "retry"}, {key: 's', text: "skip"}, {key: 'b', text: "roll back"}, {key: 'q', text: "quit"}}
	for typed, want := range map[string]byte{
		"r": 'r', "retry": 'r', "1": 'r', "b": 'b', "roll back": 'b', "roll": 'b', "3": 'b', "q": 'q', "quit": 'q', "4": 'q',
		"rx": 0, "5": 0, "0": 0, "yes": 0,
	} {
		if got, _ := chosen(typed, failed); got != want {
			t.Errorf("%q is taken for %q, want %q", typed, got, want)
		}
	}
	if got, ok := chosen("no", []choice{{key: 'y', text: "yes"}, {key: 'n', text: "no, stop here"}}); !ok || got != 'n' {
		t.Errorf("no is taken for %q", got)
	}
}

// A question that is read aloud comes with its words.
func TestAQuestionIsReadAloud(t *testing.T) {
	var o bytes.Buffer
	p := newPlain(IO{State: Stdio().State, In: strings.NewReader("2\n"), Out: &o, Err: &o, InTTY: true}, &speech{noColor: true, spoken: true})
	key, err := p.Ask(t.Context(), "Write it?", []choice{{key: 'y', text: "yes"}, {key: 'n', text: "no"}})
	if err != nil || key != 'n' || !strings.Contains(o.String(), "Question: Write it?\n1. yes\n2. no\n") {
		t.Errorf("%v, %q, it says:\n%s", err, key, o.String())
	}
}

// Answers that do not fit into a row take another one, each whole.
func TestTheAnswersKeepToTheWidth(t *testing.T) {
	t.Parallel()
	var o bytes.Buffer
	p := newPlain(IO{State: Stdio().State, In: strings.NewReader("\n"), Out: &o, Err: &o, InTTY: true}, &speech{noColor: true})
	choices := []choice{{'y', "yes", ""}, {'s', "switch an edit", ""}, {'a', "all on", ""}, {'d', "diff of an edit", ""}, {'n', "no, stop here", ""}}
	if _, err := p.Ask(t.Context(), "Write this change?", choices); err != nil || !strings.Contains(o.String(), "  y yes   s switch an edit   a all on   d diff of an edit   n no, stop here\n  (enter: y)\n") {
		t.Errorf("%v, it says:\n%s", err, o.String())
	}
}

// A line of proof is spoken as a sentence of what it is and how it is.
func TestAProofIsSpoken(t *testing.T) {
	t.Parallel()
	var o bytes.Buffer
	newPlain(IO{Out: &o, In: strings.NewReader("")}, &speech{noColor: true, spoken: true}).
		Event(steps.Event{Kind: steps.EventCheck, ID: "a", Mark: steps.MarkOK, Text: prose.Say("Python"), Detail: prose.Say("virtualenv")})
	if !strings.Contains(o.String(), "Python: virtualenv") {
		t.Errorf("%q", o.String())
	}
}

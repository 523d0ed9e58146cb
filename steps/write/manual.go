package write

import (
	"context"
	"slices"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// manual is a place that only a person can reach. keysplit says what to do and
// waits for the word that it is done; what it cannot read it does not claim. The
// running server proves it, in the Login step.
type manual struct {
	spec  string
	where string // in the user's words, "" for none
	done  bool   // the plan found it delivered already
}

func newManual(spec, where string) (steps.Target, error) {
	return &manual{spec: spec, where: where}, nil
}

func (m *manual) Spec() string { return m.spec }
func (m *manual) Local() bool  { return false }

// File is none.
func (m *manual) File(*steps.Run) string { return "" }

// place names the place in a sentence.
func (m *manual) place() string {
	if m.where == "" {
		return "the place where your backend gets its secrets"
	}
	return secret.Inert(m.where)
}

// Look knows what an earlier run was told, and nothing of the place itself.
func (m *manual) Look(_ context.Context, run *steps.Run) (steps.Held, error) {
	there := m.delivered(run, "")
	return steps.Held{Where: m.place(), There: there, Unknown: !there}, nil
}

// delivered reports whether a person has said that the key of this fingerprint, ""
// for any, is set there.
func (m *manual) delivered(run *steps.Run, key string) bool {
	return run.Journal != nil && slices.ContainsFunc(run.Journal.Deliveries(), func(d journal.Delivery) bool {
		return d.Target == m.spec && (key == "" || d.Key == key)
	})
}

// Plan says exactly what to do, and where the key lies until it is done.
func (m *manual) Plan(_ context.Context, run *steps.Run) (steps.Plan, error) {
	m.done = !run.Key.Set() || m.delivered(run, run.Kept().Of(run.Key))
	if m.done {
		return steps.Plan{Summary: prose.Say("You have set the key in %s before. It stays.", m.place()), Nothing: true}, nil
	}
	if run.Options.Unattended && !run.Options.ReadOnly {
		// Found out before any other place is changed.
		return steps.Plan{}, steps.Fail(finding.New(finding.ByHandOnly, "").At(m.spec, 0).
			WithFix(finding.Do("Run on a terminal, where it can ask: %s", finding.Command(run.ResumeCommand()))))
	}
	key := []prose.Text{prose.Say("1. Copy the key.")}
	if !run.Answers.Import.Set() && run.Journal != nil && run.Journal.ChosenFile() != "" {
		key = []prose.Text{
			prose.Say("1. Copy the key. This file holds it too, and nothing else. Only you can read it, and keysplit removes it when every place is done:"),
			prose.Of(run.Journal.ChosenFile()), // in a row of its own it can be selected
		}
	}
	return steps.Plan{
		Summary: prose.Say("Set the key by hand in %s.", m.place()),
		ByHand:  true,
		Details: append(key,
			prose.Say("2. Set it there as %s, with no quotes, spaces or line end added.", run.Names().Key),
			prose.Say("3. Confirm here. Later, %s proves that the backend has it.", steps.About(steps.SmokeTest).Called()),
		),
		Question: prose.Say("Have you set it there?"),
		Yes:      "It is set",
	}, nil
}

// Apply records the user's word.
func (m *manual) Apply(_ context.Context, run *steps.Run, emit steps.Emit) error {
	if m.done {
		return nil
	}
	d, err := run.Journal.Deliver(journal.Delivery{Target: m.spec, Where: m.place(), Key: run.Kept().Of(run.Key)}, secret.Secret{})
	if err == nil {
		err = run.Journal.Delivered(d)
	}
	if err != nil {
		return err
	}
	run.MarkWritten()
	m.done = true
	emit.Check("write "+m.spec, steps.MarkWarn, "set by hand in "+m.place(), "not read back: "+steps.About(steps.SmokeTest).Called()+" proves it")
	return nil
}

// Verify can read nothing back.
func (m *manual) Verify(context.Context, *steps.Run, steps.Emit) error { return nil }

// undo says what to do by hand.
func (m *manual) undo(_ context.Context, run *steps.Run, d journal.Delivery, emit steps.Emit) error {
	emit.Check("undo "+m.spec, steps.MarkWarn, "to be restored by hand", m.place())
	run.Left = append(run.Left, prose.Labelled("By hand", "set %s in %s back to what it was, or remove it.", run.Names().Key, m.place()))
	return run.Journal.TookBack(d)
}

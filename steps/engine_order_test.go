package steps

import (
	"os"
	"testing"
)

// A step that may not begin yet does nothing, whatever asks for it.
func TestAStepOutOfItsOrderDoesNothing(t *testing.T) {
	t.Parallel()
	pre, write := &fake{name: Preflight}, &fake{name: Write}
	e, _ := engineOf(pre, write)
	if err := e.Apply(t.Context(), Write, nil); err == nil || len(write.calls) != 0 || e.Machine.Status(Write) == Done {
		t.Errorf("%v, called %v, %s", err, write.calls, e.Machine.Status(Write))
	}
}

// A rollback that cannot be noted is not one that came to its end.
func TestARollbackThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	for _, gone := range []bool{true, false} {
		j, _ := withJournal(t, "")
		e, run := engineOf(&fake{name: Preflight}, &fake{name: Generate}, &fake{name: Write})
		run.Journal = j
		for _, n := range []Name{Preflight, Generate, Write} {
			pass(t, e, n)
		}
		run.Wrote = true
		if gone {
			if err := os.RemoveAll(j.Dir()); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Rollback(t.Context(), func(Event) {}); (err != nil) != gone || run.Wrote != gone {
			t.Errorf("the journal is gone %t: %v, wrote %t", gone, err, run.Wrote)
		}
	}
}

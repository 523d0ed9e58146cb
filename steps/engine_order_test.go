package steps

import "testing"

// A step that may not begin yet does nothing, whatever asks for it.
func TestAStepOutOfItsOrderDoesNothing(t *testing.T) {
	t.Parallel()
	pre, write := &fake{name: Preflight}, &fake{name: Write}
	e, _ := engineOf(pre, write)
	if err := e.Apply(t.Context(), Write, nil); err == nil || len(write.calls) != 0 || e.Machine.Status(Write) == Done {
		t.Errorf("%v, called %v, %s", err, write.calls, e.Machine.Status(Write))
	}
}

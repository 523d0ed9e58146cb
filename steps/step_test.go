package steps

import (
	"errors"
	"fmt"
	"testing"

	"dj/keysplit/steps/finding"
)

// The kind of an error is found at any depth, and is no part of what it says.
func TestKindsOfErrorsHaveNoTextOfTheirOwn(t *testing.T) {
	cause := errors.New("no such file")
	for _, c := range []struct {
		err, kind, other error
		says             string
	}{
		{Usage("--timeout %q: %w", "x", cause), ErrUsage, ErrCannotLook, `--timeout "x": no such file`},
		{CannotLook("read the keys: %w", cause), ErrCannotLook, ErrUsage, "read the keys: no such file"},
	} {
		wrapped := fmt.Errorf("step: %w", c.err)
		if c.err.Error() != c.says || !errors.Is(wrapped, c.kind) || errors.Is(wrapped, c.other) || !errors.Is(wrapped, cause) {
			t.Errorf("%v", wrapped)
		}
	}
	var failure *Failure
	if err := CannotLook("%w", Fail(finding.New("project-not-found", ""))); !errors.As(err, &failure) || errors.Is(cause, ErrUsage) {
		t.Errorf("%v", err)
	}
}

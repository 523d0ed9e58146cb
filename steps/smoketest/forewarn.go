package smoketest

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// Forewarn refuses, before anything is written, an account that cannot log in, and an
// address that was named and at which no restart lets the server be asked: its name is
// known nowhere, its certificate is not trusted, or it is another machine without TLS. A
// server that is down is no reason: the restart may start it.
func (s *Step) Forewarn(ctx context.Context, run *steps.Run) error {
	if err := checkAccount(run); err != nil {
		return err
	}
	var found []finding.Finding
	for _, address := range run.Options.URLs {
		if slices.Contains(run.Options.Unasked, address) {
			continue
		}
		base, err := parseBase(address)
		if err != nil {
			return err
		}
		_, err = newClient(base, run.Options.Roots, run.Options.Wait()).do(ctx, request{method: http.MethodGet, path: "/"})
		var t *trouble
		switch {
		case errors.As(err, &t) && t.stays:
			found = append(found, t.finding())
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
	if len(found) > 0 {
		return steps.Fail(found...)
	}
	return nil
}

package adopt

import (
	"context"

	"dj/keysplit/steps"
)

// Untried is Draft without the project's Django.
func Untried(ctx context.Context, run *steps.Run) (*steps.Adopted, error) {
	p, err := look(ctx, run, "key")
	if err != nil {
		return nil, err
	}
	if p.Unsure != "" {
		return nil, unsure(run, p)
	}
	return write(run, p, p.Ways[0])
}

package cli

import (
	"context"
	"fmt"
	"os"

	"dj/keysplit/steps"
)

// runWizard opens the full screen, or the line-by-line dialogue where that
// serves better. Without a terminal it says what to run instead, and never
// waits for an answer that cannot come.
func runWizard(ctx context.Context, stdio IO, o *options) error {
	if o.json {
		return fmt.Errorf("%w: the wizard prints no JSON: use keysplit upgrade --json --yes", steps.ErrUsage)
	}
	if !stdio.InTTY || !stdio.OutTTY {
		return fmt.Errorf("%w: the wizard needs a terminal. Without one: keysplit upgrade --yes, or keysplit check", steps.ErrUsage)
	}
	run, err := o.run(ctx, stdio)
	if err != nil {
		return err
	}
	return wizard(ctx, stdio, o, newEngine(run))
}

// linear tells that a full screen is not wanted or would not work.
func (o *options) linear() bool {
	return o.plain || o.dryRun || os.Getenv("ACCESSIBLE") != "" || os.Getenv("TERM") == "dumb"
}

func wizard(ctx context.Context, stdio IO, o *options, e *steps.Engine) error {
	return upgrade(ctx, e, o.front(stdio), o)
}

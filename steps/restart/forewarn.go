package restart

import (
	"context"
	"fmt"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// Forewarn refuses, before anything is written, a restart that cannot even begin: the
// program is missing, knows nothing of what it is to restart, or the account that is
// logged in may not restart it. The servers that run here
// are not looked for: with none of them, keysplit starts one.
func (s *Step) Forewarn(ctx context.Context, run *steps.Run) error {
	w := asked(run)
	if w.spec == "" || w.spec == "runserver" || w.spec == nothing.spec {
		return nil
	}
	if _, err := w.on(s).plan(ctx, run); err != nil {
		return err
	}
	return mayRestart(ctx, run)
}

// missing is the error of a restart command whose program is not here.
func missing(program string) error {
	return steps.Fail(finding.New(finding.ToolMissing, fmt.Sprintf("The restart command %s was not found on this machine.", secret.Quote(program))).
		WithFix(finding.Do("Install it, or name another command: --restart command:CMD.")))
}

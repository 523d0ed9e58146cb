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
// logged in may not restart it. The same goes for the workers. The servers that run here
// are not looked for: with none of them, keysplit starts one.
func (s *Step) Forewarn(ctx context.Context, run *steps.Run) error {
	w := asked(run)
	if err := unnamed(run); err != nil {
		return err
	}
	if w.isOthers() {
		if _, err := w.on(s).plan(ctx, run); err != nil {
			return err
		}
	}
	if err := planWorkers(ctx, run, &steps.Plan{}); err != nil {
		return err
	}
	return mayRestart(ctx, run)
}

// missing is the error of a restart command whose program is not here.
func missing(program string) error {
	return steps.Fail(finding.New(finding.ToolMissing, fmt.Sprintf("The restart command %s was not found on this machine.", secret.Quote(program))).
		WithFix(finding.Do("Install it, or name another command: `keysplit --restart command:CMD`.")))
}

// unnamed is the failure of a run that has something to restart with and was not told how,
// where the upgrade before it restarted with a command of the user's own. In development the server that runs is found.
func unnamed(run *steps.Run) error {
	if run.Options.Restart != nil || run.Journal == nil || run.Home().Here() {
		return nil
	}
	keys, err := run.Home().Keys()
	used, _ := run.Journal.LastUsed()
	if used.Restart != steps.OwnCommand || err == nil && keys.InForce().Equal(run.Key) && !run.Journal.Brought(run.Key, steps.Passed(steps.Restart)) {
		return nil
	}
	return steps.Fail(finding.New(finding.RestartFailed, "The latest upgrade restarted with a command of yours, which keysplit does not keep.").
		WithFix(finding.Do("Give the command again: %s. Or restart nothing: %s", finding.Command(run.ResumeCommand()),
			finding.Command(run.FinishCommand(run.Specs(), "--restart", nothing.spec)))))
}

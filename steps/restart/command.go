package restart

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/vendor"
)

// command restarts with a command of the user's own, e.g.
// "command:supervisorctl restart backend".
//
// The text is split into words at spaces; single and double quotes keep a word
// together. Only a text that uses the shell's own signs (pipes, variables,
// redirections, globs, several commands) is given to /bin/sh -c. It runs in the
// project's folder, and a path with a slash in it counts from there. JWT_SECRET_KEY
// is taken out of its environment, because there it would beat the file. Exit code 0
// counts as restarted; the smoke test proves it.
type command struct {
	*Step
	text string
}

// shellSigns need a shell to mean what the user expects.
const shellSigns = "|&;<>()$`*?[]~#\\\n"

func (c command) plan(_ context.Context, run *steps.Run) (steps.Plan, error) {
	if _, err := c.child(run); err != nil {
		return steps.Plan{}, err
	}
	shown := run.Redactor.Show(secret.Said(c.text))
	return steps.Plan{
		Summary:  prose.Say("Restart the backend with your command."),
		Command:  shown,
		Details:  []prose.Text{steps.CommandDetail(shown), prose.Labelled("Folder", "%s", steps.Tilde(run.Project.Root))},
		Effects:  []prose.Text{prose.Say("What the command restarts is unavailable for as long as that takes.")},
		Question: prose.Say("Run this command?"),
	}, nil
}

func (c command) apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if err := c.run(ctx, run, emit); err != nil {
		return err
	}
	run.Restarted = true
	return c.renewed(ctx, run, emit)
}

func (c command) undo(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if _, err := c.child(run); err != nil {
		why := prose.Say("The restart command cannot be run: %s.", run.Redactor.Show(secret.Said(err.Error())))
		var failure *steps.Failure
		if errors.As(err, &failure) {
			why = failure.Findings[0].Message
		}
		return steps.Fail(notAgain(run, why))
	}
	emit.Progress("The restart command runs again, so that the restored value is in force.")
	if err := c.run(ctx, run, emit); err != nil {
		return soften(err, emit)
	}
	return c.back(ctx, run, emit)
}

func (c command) run(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	cmd, err := c.child(run)
	if err != nil {
		return err
	}
	emit.Progress("Running: " + run.Redactor.Show(secret.Said(c.text)))
	emit.WaitForEnd(c.Limit(run))
	limited, cancel := context.WithTimeout(ctx, c.Limit(run))
	defer cancel()
	shown := &vendor.Live{Run: run, Emit: emit}
	res, err := cmd.Watch(limited, shown.See)
	shown.End()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return c.failed(fmt.Sprintf("The restart command did not end within %v, and was stopped.", c.Limit(run)),
			finding.Do("Run the command by hand and see why. If it only takes long, give it more time: `keysplit --timeout 10m`."))
	case err != nil:
		return fmt.Errorf("run the restart command: %w", err)
	case res.Code != 0:
		return c.failed(fmt.Sprintf("The restart command failed with exit code %d.", res.Code), finding.Do("Run the command by hand, fix what it says, then run `keysplit` again."))
	}
	return nil
}

func (c command) failed(message string, do finding.Fix) error {
	f := finding.New(finding.RestartFailed, message).WithFix(do)
	f.Why = prose.Say("keysplit does not know whether the server uses the new key.")
	return steps.Fail(f)
}

func (c command) child(run *steps.Run) (child.Command, error) {
	cmd := child.Command{Dir: run.Project.Root, Env: run.ProgramEnv(), Unset: []string{run.Names().Key, passwordVariable}, Core: true}
	if strings.ContainsAny(c.text, shellSigns) {
		if runtime.GOOS == "windows" {
			return cmd, steps.Usage("--restart command: needs a plain command here, without signs of a shell")
		}
		cmd.Path, cmd.Args = "/bin/sh", []string{"-c", c.text}
		return cmd, nil
	}
	words, err := split(c.text)
	if err != nil {
		return cmd, err
	}
	name := words[0]
	if strings.ContainsRune(name, '/') && !filepath.IsAbs(name) {
		name = filepath.Join(run.Project.Root, name)
	}
	path, err := run.LookPath(name)
	if err != nil {
		return cmd, missing(words[0])
	}
	cmd.Path, cmd.Args = path, words[1:]
	return cmd, nil
}

// split cuts a command at its spaces; quotes keep a word together.
func split(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	quote, inWord := rune(0), false
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, steps.Usage("--restart command: a quote is opened and not closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, steps.Usage("--restart command: the command is missing")
	}
	return words, nil
}

package cli

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"

	"dj/keysplit/steps"
	"dj/keysplit/steps/sys/guard"
)

// readUnseen reads one line that a person types, without showing it. When the
// user stops keysplit in the meantime, the terminal shows typed text again; what was
// typed so far is dropped, since the shell would show it at its next prompt.
func readUnseen(ctx context.Context, stdio IO) ([]byte, error) {
	f, ok := stdio.In.(*os.File)
	if !ok {
		return nil, steps.Usage("standard input is not a terminal")
	}
	fd := int(f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, fmt.Errorf("look at the terminal: %w", err)
	}
	type answer struct {
		line []byte
		err  error
	}
	typed := make(chan answer, 1)
	guard.Go(func() {
		b, err := term.ReadPassword(fd)
		typed <- answer{b, err}
	}, func(err error) { typed <- answer{err: err} })
	select {
	case <-ctx.Done():
		_ = dropTyped(fd)
		_ = term.Restore(fd, before)
		return nil, steps.ErrCancelled
	case a := <-typed:
		fmt.Fprintln(stdio.Err)
		if a.err != nil {
			return nil, fmt.Errorf("read without showing: %w", a.err)
		}
		return a.line, nil
	}
}

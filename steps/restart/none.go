package restart

import (
	"context"
	"errors"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/sys/process"
	"dj/keysplit/steps/vendor"
)

// none restarts nothing. It only finds the address for the smoke test.
type none struct{ *Step }

func (n none) plan(_ context.Context, run *steps.Run) (steps.Plan, error) {
	p := steps.Plan{
		Nothing: true,
		Summary: "Nothing is restarted.",
		Details: []prose.Text{prose.Say("A running backend keeps the old key until it is restarted.")},
	}
	if hint := vendor.RestartHint(run); hint != "" {
		p.Details = append(p.Details, prose.Of(hint))
	}
	return p, nil
}

func (n none) apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	emit.Progress("Nothing was restarted.")
	if err := n.address(ctx, run); err != nil || run.URL != "" {
		return err
	}
	emit.Progress(noAddress)
	return nil
}

func (n none) undo(_ context.Context, run *steps.Run, _ steps.Emit) error {
	run.Left = append(run.Left, prose.Say("Restart the backend yourself, so that it reads the value that was put back."))
	return nil
}

// Witness finds the server that can be asked before anything is written.
// Where it cannot look, the restart itself says why.
func (s *Step) Witness(ctx context.Context, run *steps.Run) error {
	_ = s.address(ctx, run)
	return ctx.Err()
}

// address sets the run's URL from what the user named or what runs; without
// either it stays empty. What runs here is not the backend of another environment.
func (s *Step) address(ctx context.Context, run *steps.Run) error {
	if !run.Home().Here() {
		run.URL = named(run)
		return nil
	}
	found, err := s.find(ctx, run)
	if err != nil && !errors.Is(err, process.ErrUnsupported) {
		return err
	}
	var urls []string
	for _, f := range found {
		if f.URL != "" {
			urls = append(urls, f.URL)
		}
	}
	run.URL, run.Servers = choose(run, urls), found
	return nil
}

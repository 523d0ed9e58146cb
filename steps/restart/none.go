package restart

import (
	"context"
	"errors"
	"slices"
	"time"

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
		Summary: prose.Say("Nothing is restarted."),
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
	run.Left = append(run.Left, prose.Say("Restart the backend yourself, so that it reads the restored value."))
	return nil
}

// Witness finds the server that can be asked before anything is written.
// Where it cannot look, the restart itself says why.
func (s *Step) Witness(ctx context.Context, run *steps.Run) error {
	_ = s.address(ctx, run)
	return ctx.Err()
}

// renewWithin is how long a master may take to replace its workers, once the restart has
// been asked for: a signal is all that some commands send.
const renewWithin = 10 * time.Second

// renewed sets the address, and waits until no process of the project that is seen here
// is older than the write. Those that stay are the smoke test's to tell of.
func (s *Step) renewed(ctx context.Context, run *steps.Run) error {
	_, err := s.Until(ctx, min(renewWithin, run.Options.Wait()), func() (bool, error) {
		if err := s.address(ctx, run); err != nil {
			return false, err
		}
		return !run.Wrote || !slices.ContainsFunc(run.Servers, func(server steps.Server) bool {
			return server.PID != 0 && server.Since().Before(run.WroteAt)
		}), nil
	})
	return err
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

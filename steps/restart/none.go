package restart

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/process"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/vendor"
)

// none restarts nothing. It only finds the address for the smoke test.
type none struct{ *Step }

func (n none) plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	p := steps.Plan{
		Nothing: true,
		Summary: prose.Say("Nothing is restarted."),
		Details: []prose.Text{prose.Say("A running backend keeps the old key until it is restarted.")},
	}
	if hint := vendor.RestartHint(run); hint != "" {
		p.Details = append(p.Details, prose.Of(hint))
	}
	if n.mayStart(run) {
		p.Details = append(p.Details, prose.Say("If no server with the variables of %s is seen here, keysplit starts one for the test and stops it afterwards.", run.InFiles()))
	}
	p.Ends = n.ends(ctx, run)
	return p, nil
}

// ends is what the run ends with where nothing is restarted: no server is known, or the one
// that is does not read the file again.
func (n none) ends(ctx context.Context, run *steps.Run) []finding.Finding {
	if run.Options.Skip[steps.SmokeTest] || n.address(ctx, run) != nil {
		return nil
	}
	switch keys, err := run.Home().Keys(); {
	case run.URL == "" && n.mayStart(run):
		return n.foretold(run)
	case run.URL == "":
		return []finding.Finding{finding.New(finding.ServerUnreachable, noAddress)}
	case err == nil && !keys.InForce().Equal(run.Key) && (run.Home().Here() || len(run.Home().Files()) > 0):
		return []finding.Finding{finding.New(finding.ServerStaleKey, "Nothing restarts the server, so it goes on with the previous key.").
			WithFix(finding.Do("Name what restarts it: `keysplit --restart SPEC`. Or restart it yourself after the upgrade, then run `keysplit` again."))}
	}
	return nil
}

// mayStart reports whether a server of keysplit's own can be asked where no other is found:
// the project's Django starts here with all that the backend's places give it.
func (n none) mayStart(run *steps.Run) bool {
	o := run.Options
	return o.Restart == nil && o.URL == "" && !o.Skip[steps.SmokeTest] && run.Django != nil && run.Lent() != nil && startable(run.Project)
}

func (n none) apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	emit.Progress("Nothing was restarted.")
	n.endOwn(run)
	if err := n.address(ctx, run); err != nil || run.URL != "" {
		return err
	}
	if n.mayStart(run) {
		err := n.startOwn(ctx, run, emit)
		if err = soften(err, emit); err != nil || run.OwnServer {
			return err
		}
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

// renewed sets the address, waits until no process of the project that is seen here is
// older than the write, and until the server answers. Those that stay are the smoke test's
// to tell of. It looks again at the end: a command may end before the server listens, and
// before its workers are there to be counted.
func (s *Step) renewed(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	_, err := s.Until(ctx, min(renewWithin, run.Options.Wait()), func() (bool, error) {
		if err := s.address(ctx, run); err != nil {
			return false, err
		}
		return !run.Wrote || !slices.ContainsFunc(run.Servers, func(server steps.Server) bool {
			return server.PID != 0 && server.Since().Before(run.WroteAt)
		}), nil
	})
	if err == nil {
		err = s.await(ctx, run, emit, run.URL)
	}
	if err != nil {
		return err
	}
	return s.address(ctx, run)
}

// address sets the run's URL and its servers from what the user named or what runs;
// without either they stay empty.
func (s *Step) address(ctx context.Context, run *steps.Run) error {
	if !run.Home().Here() {
		return s.elsewhere(ctx, run)
	}
	found, err := s.present(ctx, run)
	if err != nil && !errors.Is(err, process.ErrUnsupported) {
		return err
	}
	run.URL = choose(run, addresses(found))
	return nil
}

func addresses(found []steps.Server) (urls []string) {
	for _, f := range found {
		if f.URL != "" {
			urls = append(urls, f.URL)
		}
	}
	return urls
}

// elsewhere does what address does for an environment whose key is not in the project's
// .env. What runs here is not its backend, but for two kinds of processes: those that
// listen at the address that was named, and those that were started with a secret of the
// environment's own file, as a service manager starts them.
func (s *Step) elsewhere(ctx context.Context, run *steps.Run) error {
	var err error
	run.Servers, err = s.ofPlaces(ctx, run)
	run.URL = choose(run, addresses(run.Servers))
	return err
}

// ofPlaces are the servers of such an environment.
func (s *Step) ofPlaces(ctx context.Context, run *steps.Run) (all []steps.Server, err error) {
	var sight process.Sight
	if s.Find != nil {
		sight.Servers, err = s.Find(ctx, run.Project.Root)
	} else {
		sight, err = process.Look(ctx, run.Project.Root)
	}
	if err != nil && !errors.Is(err, process.ErrUnsupported) {
		return nil, err
	}
	return s.ours(run, sight), ctx.Err()
}

// ours are those servers that listen at the named address or have the environment's
// variables.
func (s *Step) ours(run *steps.Run, sight process.Sight) (all []steps.Server) {
	s.unseen = hidden(sight, nil, nil)
	for _, server := range sight.Servers {
		if at := named(run); at != "" && sameAddress(at, server.URL) {
			server.URL = at
		} else if with, err := s.startedWith(run, server.PID); err != nil {
			s.unseen = append(s.unseen, fmt.Sprintf("Process %d listens at %s for this project and does not show its environment. If it has the variables of this one, name that address.", server.PID, secret.Inert(server.URL)))
			continue
		} else if !with {
			continue
		}
		all = append(all, server)
	}
	return all
}

// startedWith reports whether a process had a secret of the files among the run's places in
// its environment when it was started. Its error says that the process does not tell.
func (s *Step) startedWith(run *steps.Run, pid int) (with bool, err error) {
	keys, err := run.Home().Keys()
	if err != nil || len(run.Home().Files()) == 0 {
		return false, nil
	}
	names := run.Names()
	for _, one := range []struct {
		name  string
		value secret.Secret
	}{{names.SecretKey, keys.SecretKey.Secret}, {names.Key, keys.Key.Secret}, {names.Key, run.Previous}} {
		sum, set, e := s.keyOf(pid, one.name, run.Prints)
		with, err = with || e == nil && set && one.value.Len() > 0 && sum == run.Prints.Of(one.value), errors.Join(err, e)
	}
	return with, err
}

// sameAddress reports whether two base URLs lead to one server of this machine.
func sameAddress(a, b string) bool {
	return a == b || local(a) && local(b) && portOf(a) != 0 && portOf(a) == portOf(b)
}

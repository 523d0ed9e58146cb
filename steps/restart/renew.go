package restart

import (
	"context"
	"fmt"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// sameStart is how far two readings of the start of one process may lie apart.
const sameStart = 1500 * time.Millisecond

func same(a, b steps.Server) bool {
	d := a.Since().Sub(b.Since())
	return a.PID == b.PID && d < sameStart && d > -sameStart
}

// reloads reports whether a changed file is enough to give this server the new
// value.
func (s staleServer) reloads() bool { return s.Reloader != 0 && !s.inherits }

func (s staleServer) reason() string {
	if s.inherits {
		return "It was started with another JWT_SECRET_KEY in its environment, which a reload would inherit."
	}
	return "It was started without the autoreloader."
}

// terminal is the process to stop: the parent, for a server that reloads.
func (s staleServer) terminal() int {
	if s.Reloader != 0 {
		return s.Reloader
	}
	return s.PID
}

// renew sees to it that every stale server is replaced by a new process.
func (r runserver) renew(ctx context.Context, run *steps.Run, emit steps.Emit, st state) error {
	var reload, ask []staleServer
	for _, s := range st.stale {
		if s.reloads() {
			reload = append(reload, s)
		} else {
			ask = append(ask, s)
		}
	}
	if len(reload) > 0 {
		file, err := touch(run)
		if err != nil {
			emit.Progress("The file's time could not be set: " + run.Redactor.Show(secret.Said(err.Error())))
			ask = append(ask, reload...)
		} else {
			emit.Progress("Marked " + file + " as changed, so that the server reads its settings again.")
			left, err := r.reloaded(ctx, run, reload)
			if err != nil {
				return err
			}
			ask = append(ask, left...)
		}
	}
	if st.bare && len(reload) == 0 {
		if err := r.nudge(ctx, run, emit); err != nil {
			return err
		}
		emit.Progress(bareAdvice)
	}
	if len(ask) == 0 {
		return nil
	}
	return r.asked(ctx, run, emit, st.found, ask)
}

// reloaded watches for a new child of each reloader, and returns those that did
// not get one in time. At half time it touches the file once more: a reloader
// that has only just started takes the first state that it sees for the old
// one. A reloader that ends is a failure: its settings refused
// to load, and whoever runs it must see the reason in its terminal.
func (r runserver) reloaded(ctx context.Context, run *steps.Run, waiting []staleServer) (left []staleServer, err error) {
	again := time.Now().Add(r.reloadWithin() / 2)
	_, err = r.Until(ctx, r.reloadWithin(), func() (bool, error) {
		if !again.IsZero() && time.Now().After(again) {
			again = time.Time{}
			if _, err := touch(run); err != nil {
				return false, err
			}
		}
		now, err := r.find(ctx, run)
		if err != nil {
			return false, err
		}
		left = nil
		for _, w := range waiting {
			switch successor(now, w) {
			case gone:
				return false, steps.Fail(finding.New(finding.ServerUnreachable,
					fmt.Sprintf("The server (process %d) ended when it read its settings again.", w.Reloader)).
					WithFix(finding.Do("Read the error in its terminal. Then start it again in %s: %s", run.Redactor.Show(secret.Said(w.Folder)), finding.Command(run.Redactor.Show(secret.Said(w.Command))))))
			case unchanged:
				left = append(left, w)
			}
		}
		return len(left) == 0, nil
	})
	return left, err
}

// fate is what became of a reloader's child.
type fate int

const (
	gone fate = iota
	unchanged
	replaced
)

func successor(now []steps.Server, old staleServer) fate {
	f := gone
	for _, s := range now {
		switch {
		case same(s, old.Server):
			return unchanged
		case s.Reloader == old.Reloader && (s.PID != s.Reloader || s.Workers > 1):
			return replaced
		case s.Reloader == old.Reloader:
			f = unchanged // between two children
		}
	}
	return f
}

// asked tells the person at the terminal which servers to stop and start, and
// watches until all of them are gone and a new one listens.
func (r runserver) asked(ctx context.Context, run *steps.Run, emit steps.Emit, before []steps.Server, ask []staleServer) error {
	for _, s := range ask {
		emit.Progress(fmt.Sprintf("Press ctrl+c in the terminal of process %d (%s) and start it again. %s",
			s.terminal(), place(run, s.Server), s.why()))
	}
	emit.Wait("the new process", run.Options.Wait())
	var left []staleServer
	fresh := false
	ok, err := r.Until(ctx, run.Options.Wait(), func() (bool, error) {
		now, err := r.find(ctx, run)
		if err != nil {
			return false, err
		}
		left, fresh = nil, false
		for _, s := range ask {
			if contains(now, s.Server) {
				left = append(left, s)
			}
		}
		for _, s := range now {
			fresh = fresh || s.URL != "" && !contains(before, s)
		}
		return fresh && len(left) == 0, nil
	})
	if err != nil || ok {
		return err
	}
	if len(left) == 0 {
		return steps.Fail(finding.New(finding.ServerUnreachable, "The server was stopped, and no new one listens.").
			WithFix(finding.Do("To start it again, %s", ask[0].again(run))))
	}
	var fs []finding.Finding
	for _, s := range left {
		fs = append(fs, notRestarted(run, s))
	}
	return steps.Fail(fs...)
}

// notRestarted is the finding about a server that nobody stopped and started.
func notRestarted(run *steps.Run, s staleServer) finding.Finding {
	return finding.New(finding.ServerStaleKey,
		fmt.Sprintf("The server still runs with the old settings: process %d was not restarted. %s", s.terminal(), s.why())).
		WithFix(finding.Do("Press ctrl+c in the terminal of process %d, then %s", s.terminal(), s.again(run)))
}

// again is how a person starts it. Its own command alone gets no variables that something
// hands over.
func (s staleServer) again(run *steps.Run) prose.Text {
	if env := run.Project.EnvFile; env.Sourced {
		return finding.Do("start it as you did before, so that it gets what %s has now.", run.Project.Rel(env.Path))
	}
	return finding.Do("in %s run: %s", run.Redactor.Show(secret.Said(s.Folder)), finding.Command(run.Redactor.Show(secret.Said(s.Command))))
}

// why says why a reload does not do.
func (s staleServer) why() string {
	if s.reloads() {
		return "It did not reload by itself."
	}
	return s.reason()
}

func contains(all []steps.Server, s steps.Server) bool {
	for _, a := range all {
		if same(a, s) {
			return true
		}
	}
	return false
}

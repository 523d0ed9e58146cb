package restart

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/process"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// runserver restarts a development server that somebody runs in a terminal.
//
// The autoreloader does not watch .env. It watches the settings file, and
// starts a new child when the file's time changes; python-decouple then reads
// the new value. The content of the file stays as it is.
//
// A variable of the environment beats the file. python-dotenv and
// django-environ put what they read into the environment of the parent, and
// every child inherits it: then a reload does not help, and neither it does when
// the shell set the variable. Such a server, one without autoreload, and one
// that keysplit cannot see reloading, is stopped and started by the person at
// its terminal; keysplit says which one and watches for the new process. It
// signals no process that it did not start.
type runserver struct{ *Step }

// state is what one look at the project's servers told.
type state struct {
	found []steps.Server
	stale []staleServer // those of found that started too early
	bare  bool          // one of found is known by its address alone, and may be as old
}

type staleServer struct {
	steps.Server
	inherits bool // its environment holds another key than the file
}

// look finds the servers and judges them against the key that they should have
// read, since the last change of the .env.
func (r runserver) look(ctx context.Context, run *steps.Run) (state, error) {
	changed := time.Time{}
	if info, err := os.Stat(run.Project.EnvFile.Path); err == nil {
		changed = info.ModTime()
	}
	return r.since(ctx, run, run.Key, changed)
}

// since is look for a key that is in its place since then.
func (r runserver) since(ctx context.Context, run *steps.Run, want secret.Secret, changed time.Time) (state, error) {
	found, err := r.present(ctx, run)
	if err != nil {
		return state{}, err
	}
	st := state{found: found}
	for _, f := range found {
		if f.PID == 0 {
			st.bare = true
			continue
		}
		sum, set, err := r.keyOf(f.PID, run.Names().Key, run.Prints)
		inherits := err == nil && set && want.Set() && sum != run.Prints.Of(want)
		if inherits || !f.Since().After(changed) {
			st.stale = append(st.stale, staleServer{f, inherits})
		}
	}
	return st, nil
}

func (r runserver) plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	st, err := r.look(ctx, run)
	if errors.Is(err, process.ErrUnsupported) {
		return steps.Plan{
			Summary: prose.Say("Reload the running server."),
			Details: []prose.Text{touchDetail(run), prose.Say("%v.", err)},
		}, nil
	}
	if err != nil {
		return steps.Plan{}, err
	}
	if len(st.found) == 0 && run.Options.URL == "" {
		start := ownCommand(run, "PORT")
		p := steps.Plan{
			Summary: prose.Say("Start the backend for the test, and stop it afterwards."),
			Command: start,
			Details: []prose.Text{prose.Of(r.noneFound()), steps.CommandDetail(start)},
			Ends:    r.foretold(run),
		}
		if user := run.Project.User; user != nil {
			p.Details = append(p.Details, prose.Say("It runs as %s (%s).", user.Name, run.Project.UserFrom))
		}
		return p, nil
	}
	if len(st.found) == 0 {
		return steps.Plan{
			Summary: prose.Say("Wait until %s answers.", named(run)),
			Details: []prose.Text{prose.Of(r.noneFound()), prose.Say("If the backend there still runs with the old key, restart it yourself.")},
		}, nil
	}
	if len(st.stale) == 0 && !st.bare && !writePending(run) {
		return steps.Plan{
			Nothing: true,
			Summary: prose.Say("Nothing to restart: the server is newer than the key."),
			Details: append([]prose.Text{prose.Labelled("Server", "%s", which(st.found[0]))}, r.unseenLines()...),
		}, nil
	}
	if r.own.among(st.stale) {
		return steps.Plan{Summary: prose.Say("Stop the server that keysplit started for the test, and start it again.")}, nil
	}
	p := steps.Plan{
		Summary:  prose.Say("Reload the running server."),
		Effects:  []prose.Text{prose.Say("The development server is down for about two seconds.")},
		Question: prose.Say("Restart the server now?"),
	}
	targets := st.stale
	if len(targets) == 0 {
		for _, f := range st.found {
			targets = append(targets, staleServer{Server: f})
		}
	}
	if !slices.ContainsFunc(targets, func(t staleServer) bool { return t.PID == 0 || t.reloads() }) {
		p.Summary, p.Yes = prose.Say("Stop the server in its terminal and start it again. keysplit watches for it."), "Watch"
		p.Effects, p.Question = nil, prose.Say("Watch for the new server?")
	}
	p.Details = append(howEach(run, targets), r.unseenLines()...)
	return p, nil
}

// howEach says of each server what makes it read its settings again.
func howEach(run *steps.Run, targets []staleServer) (lines []prose.Text) {
	touched := false
	for _, t := range targets {
		if t.PID == 0 {
			lines = append(lines, prose.Labelled("Server", "%s. %s", which(t.Server), bareAdvice))
			continue
		}
		lines = append(lines, prose.Labelled("Server", "%s", which(t.Server)))
		if t.Folder != run.Project.Root {
			lines = append(lines, prose.Labelled("Folder", "%s", run.Redactor.Show(secret.Said(steps.Tilde(t.Folder)))))
		}
		lines = append(lines, prose.Labelled("Command", "%s", run.Redactor.Show(secret.Said(brief(t.Command)))))
		if !t.reloads() {
			lines = append(lines, prose.Say("It does not reload by itself. %s", t.reason()))
		} else if !touched {
			touched = true
			lines = append(lines, touchDetail(run))
		}
	}
	return lines
}

// bareAdvice is what can be done about a server of which only the address is known.
const bareAdvice = "keysplit does not see its process. If it reloads when the settings change, it does so now; if not, restart it yourself."

// writePending reports whether the file does not hold the key of this run yet, as
// in a dry run: then a server that is fresh now will be stale after the write.
func writePending(run *steps.Run) bool {
	if !run.Key.Set() || len(run.Project.EnvFile.Readers) == 0 {
		return false
	}
	data, _ := os.ReadFile(run.Project.EnvFile.Path) // one that cannot be read has no key yet
	keys, err := steps.ReadKeys(run, run.Project.EnvFile.Readers[0], data)
	return err != nil || !keys.InFile.Secret.Equal(run.Key)
}

func (r runserver) apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	st, err := r.look(ctx, run)
	if errors.Is(err, process.ErrUnsupported) {
		return r.blind(ctx, run, emit, err)
	}
	if err != nil {
		return err
	}
	if r.own.running() && (r.own.among(st.stale) || len(r.own.apartFrom(st.found)) > 0) {
		r.endOwn(run)
		if st, err = r.look(ctx, run); err != nil {
			return err
		}
	}
	for _, line := range r.unseenLines() {
		emit.Tell(line)
	}
	switch {
	case len(st.found) == 0 && run.Options.URL == "":
		return r.startOwn(ctx, run, emit)
	case len(st.found) == 0:
		run.URL = named(run)
		return r.await(ctx, run, emit, run.URL)
	case len(st.stale) == 0 && !st.bare:
		emit.Progress("The running server is newer than the key.")
	default:
		if err := r.renew(ctx, run, emit, st); err != nil {
			return err
		}
		run.Restarted = len(st.stale) > 0
	}
	return r.settle(ctx, run, emit)
}

// settle waits until every server of the project answers, and chooses the
// address of the smoke test: the one that the user named, else the one on port
// 8000, else the first.
func (r runserver) settle(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	var urls []string
	var last []steps.Server
	_, err := r.Until(ctx, run.Options.Wait(), func() (bool, error) {
		found, err := r.find(ctx, run)
		urls, last = addresses(found), found
		// All of them, or none is left to wait for.
		return len(urls) == len(found), err
	})
	if err != nil {
		return err
	}
	if len(urls) < len(last) {
		return r.notListening(run, last)
	}
	run.URL, run.Servers = choose(run, urls), last
	if run.URL == "" {
		return steps.Fail(finding.New(finding.ServerUnreachable, "The server ended and was not started again.").
			WithFix(finding.Do("Start the backend in its terminal and read what it says, then run `keysplit` again.")))
	}
	for _, u := range urls {
		if err := r.await(ctx, run, emit, u); err != nil {
			return err
		}
	}
	if named(run) != "" {
		return r.await(ctx, run, emit, run.URL)
	}
	return nil
}

func (r runserver) notListening(run *steps.Run, all []steps.Server) error {
	var fs []finding.Finding
	for _, f := range all {
		if f.URL == "" {
			fs = append(fs, finding.New(finding.ServerUnreachable,
				fmt.Sprintf("The server in %s (process %d) runs, but does not listen: it stopped at an error.", run.Redactor.Show(secret.Said(f.Folder)), f.PID)).
				WithFix(finding.Do("Look at the error in its terminal and fix it. To see it again, press ctrl+c there and run: %s", finding.Command(run.Redactor.Show(secret.Said(f.Command))))))
		}
	}
	return steps.Fail(fs...)
}

// choose picks the address for the smoke test.
func choose(run *steps.Run, urls []string) string {
	if u := named(run); u != "" {
		return u
	}
	for _, u := range urls {
		if strings.HasSuffix(u, ":8000") {
			return u
		}
	}
	if len(urls) > 0 {
		return urls[0]
	}
	return ""
}

// named is the address that the user gave, without a slash at its end.
func named(run *steps.Run) string { return strings.TrimRight(run.Options.URL, "/") }

// defaultURL is where runserver listens unless it is told otherwise.
const defaultURL = "http://127.0.0.1:8000"

// blind goes on where the servers cannot be seen, and says why: it touches the
// settings file, gives the reloader its time, and leaves the proof to the smoke test.
func (r runserver) blind(ctx context.Context, run *steps.Run, emit steps.Emit, why error) error {
	base := named(run)
	if base == "" {
		base = defaultURL
	}
	if answers(ctx, base, firstAnswer) != nil && named(run) == "" {
		return r.startOwn(ctx, run, emit)
	}
	if err := r.nudge(ctx, run, emit); err != nil {
		return err
	}
	emit.Progress(why.Error() + ". If the next step meets the old key, stop the backend and start it again.")
	run.URL = base
	return r.await(ctx, run, emit, base)
}

// nudge marks the settings as changed and gives a reloader that cannot be seen its time.
func (r runserver) nudge(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	file, err := touch(run)
	if err != nil {
		return nil // the smoke test tells whether it mattered
	}
	emit.Progress("Marked " + file + " as changed, so that the server reads its settings again.")
	_, err = r.Until(ctx, r.reloadWithin(), func() (bool, error) { return false, nil })
	return err
}

func (r runserver) undo(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	// The file has its old time again, so the journal says since when it is as it was.
	st, err := r.since(ctx, run, run.Previous, run.Journal.RevertedAt())
	if errors.Is(err, process.ErrUnsupported) {
		emit.Progress("If a server of this project runs, stop it and start it again, so that it reads the restored value.")
		return nil
	}
	if err != nil || len(st.found) == 0 {
		return err
	}
	if run.Options.Unattended {
		st.stale = leaveToThePerson(run, emit, st.stale)
		if len(st.stale) == 0 && !st.bare {
			return nil
		}
	}
	if len(st.stale) > 0 || st.bare {
		emit.Progress("The server reads its settings again, so that the restored value is in force.")
		err = r.renew(ctx, run, emit, st)
	}
	if err == nil {
		err = r.settle(ctx, run, emit)
	}
	var failure *steps.Failure
	if !errors.As(err, &failure) {
		return err
	}
	if keys, err := run.Home().Keys(); err == nil && keys.InForce().Len() == 0 {
		emit.Progress("The server does not run now: it has no key, as before.")
		return nil
	}
	for _, f := range failure.Findings {
		emit.Find(f.WithSeverity(finding.Warning))
	}
	return nil
}

// leaveToThePerson warns of the servers that only a person can restart, and
// returns the others: after a rollback nobody is waited for who is not there.
func leaveToThePerson(run *steps.Run, emit steps.Emit, stale []staleServer) (rest []staleServer) {
	for _, s := range stale {
		if s.reloads() {
			rest = append(rest, s)
		} else {
			emit.Find(notRestarted(run, s).WithSeverity(finding.Warning))
		}
	}
	return rest
}

func touchDetail(run *steps.Run) prose.Text {
	return prose.Labelled("Method", "keysplit touches %s, so that the server reloads. Its content does not change.", run.Project.Rel(watched(run)))
}

// watched is the file whose time the autoreloader watches: the settings, else
// manage.py, which is loaded as well.
func watched(run *steps.Run) string {
	if run.Project.SettingsFile != "" {
		return run.Project.SettingsFile
	}
	return run.Project.ManagePy
}

// touch sets the time of the watched file to now, and returns its name.
func touch(run *steps.Run) (string, error) {
	path := watched(run)
	now := time.Now()
	if err := os.Chtimes(path, now, now); err != nil {
		return "", fmt.Errorf("mark %s as changed: %w", path, err)
	}
	return run.Project.Rel(path), nil
}

func which(s steps.Server) string {
	if s.PID == 0 {
		return "what answers at " + s.URL
	}
	if s.URL == "" {
		return fmt.Sprintf("process %d", s.PID)
	}
	return fmt.Sprintf("process %d at %s", s.PID, s.URL)
}

package steps

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/sys/git"
)

// ProofFiles fingerprints what the proofs of the steps rest on: the .env, the
// settings, every other file that the reader opened, the project's modules that settings
// and URLs load, and the versions of Django and of what makes tokens.
func ProofFiles(run *Run) []journal.FileSum {
	paths := []string{run.Project.SettingsFile}
	paths = append(paths, run.Home().Files()...) // the local .env is another environment's where no target is it
	if f := run.Project.Facts; f != nil {
		paths = slices.Concat(paths, f.ReaderFiles, f.Modules, f.AppModules, f.Versions)
	}
	var sums []journal.FileSum
	seen := map[string]bool{"": true}
	for _, path := range paths {
		if !seen[path] && filepath.IsAbs(path) {
			seen[path] = true
			sums = append(sums, journal.SumFile(run.Kept(), path))
		}
	}
	return sums
}

// Commit names the commit that the project is at, short, and whether files differ from
// it; "" where there is none.
func (r *Run) Commit(ctx context.Context) string {
	commit, changed := git.Head(ctx, r.Project.TopLevel)
	if changed != nil && *changed {
		commit += " with uncommitted changes"
	}
	return r.Redactor.Clean(commit)
}

// checkLines are the lines of proof of the latest try of a step, as they stand now.
func (e *Engine) checkLines(n Name) []journal.CheckLine {
	var lines []journal.CheckLine
	at := map[string]int{}
	for _, ev := range e.Log {
		switch {
		case ev.Step != n:
		case ev.Kind == EventStarted:
			lines, at = nil, map[string]int{}
		case ev.Kind == EventCheck:
			i, ok := at[ev.ID]
			if !ok {
				i = len(lines)
				at[ev.ID] = i
				lines = append(lines, journal.CheckLine{})
			}
			lines[i] = journal.CheckLine{ID: ev.ID, Mark: string(ev.Mark), Text: ev.Text.Rendered(), Detail: ev.Detail.Rendered()}
		}
	}
	return lines
}

// unproved reports whether a line of the latest try of a step could not be proved.
func (e *Engine) unproved(n Name) bool {
	return slices.ContainsFunc(e.checkLines(n), func(l journal.CheckLine) bool { return Mark(l.Mark) == MarkWarn })
}

// onlyTheLogin reports whether a step failed for nothing but a login that gave no token.
func onlyTheLogin(err error) bool {
	var failure *Failure
	ofLogin := []finding.Code{finding.LoginThrottled, finding.LoginLocked, finding.LoginRejected, finding.LoginCSRF, finding.LoginNoToken}
	return errors.As(err, &failure) && !slices.ContainsFunc(failure.Findings, func(f finding.Finding) bool { return !slices.Contains(ofLogin, f.Code) })
}

// record keeps the check lines of a step that has just ended well, and of a proof whose
// login alone failed. Preflight
// looks at what is there before anything is changed, and the checklist at what
// the others recorded: neither proves anything.
func (e *Engine) record(ctx context.Context, n Name) error {
	if e.Run.Journal == nil || e.Run.Project == nil || About(n).Number == 0 {
		return nil
	}
	lines := e.checkLines(n)
	if len(lines) == 0 {
		return nil
	}
	ev := journal.Evidence{Checks: lines, Restarted: e.Run.Restarted, Files: ProofFiles(e.Run), Commit: e.Run.Commit(ctx)}
	switch n {
	case Restart:
		ev.Server, ev.Own = e.Run.servers(e.Run.URL), e.Run.OwnServer
	case SmokeTest:
		ev.Server, ev.Own = e.Run.servers(e.Run.Asked...), e.Run.OwnServer
	}
	return e.Run.Journal.Record(string(n), ev)
}

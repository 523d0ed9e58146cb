package steps

import (
	"errors"
	"slices"
	"strings"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// Ending is how an upgrade ended. Every front end prints its summary and what is next.
type Ending struct {
	OK        bool
	Stopped   bool // by the user
	DryRun    bool
	Changed   bool // a file was changed
	Earlier   bool // an earlier run changed files here, and that was not undone
	Restarted bool // a server was restarted, and goes on
	OwnServer bool // the only server that was asked was one of keysplit's own
	Edited    bool // a committed file was edited, or the configuration written
	Steps     map[Name]Status
	Unproved  []Name // numbered steps that are done, and of which a line could not be proved
	Findings  []finding.Finding
	Left      []prose.Text // for the user to do after a good end
	Open      int          // items of the checklist that are open and were not shown yet
	GoOn      string       // the command line that goes on after a bad end, "" where that is said otherwise
	Given     []string     // the flags of that
	Misused   bool         // that end came of a wrong command line or configuration
	Throwaway bool         // the project is that of the demo, and goes away
}

// Ending reads the end of a run off the engine; err is what the run ended with.
func (e *Engine) Ending(err error) Ending {
	run, findings := e.Run, e.Findings()
	end := Ending{
		OK: err == nil && len(finding.Errors(findings)) == 0, Stopped: errors.Is(err, ErrCancelled), Findings: findings,
		Changed: run.Wrote, Restarted: run.Serves(), OwnServer: run.OwnServer, Left: run.Left, Steps: map[Name]Status{},
		Earlier: run.Journal != nil && len(run.Journal.Upgrades()) > 0, GoOn: run.ResumeCommand(), Given: run.Options.Given, Misused: errors.Is(err, ErrUsage),
	}
	for _, n := range Order() {
		if e.Has(n) {
			end.Steps[n] = e.Machine.Status(n)
		}
		if end.Steps[n] == Done && About(n).Number > 0 && e.unproved(n) {
			end.Unproved = append(end.Unproved, n)
		}
	}
	return end
}

// Planned reports whether a dry run came to its end.
func (e Ending) Planned() bool {
	for _, s := range e.Steps {
		if s == Failed {
			return false
		}
	}
	return !e.Stopped
}

// Told reports whether findings or errors say more about a bad end.
func (e Ending) Told() bool { return !e.OK && !e.Stopped && !(e.DryRun && e.Planned()) }

// Summary is the ending in a sentence or two.
func (e Ending) Summary() prose.Text {
	switch {
	case e.OK && e.DryRun:
		return prose.Say("That was the plan. Nothing was changed.")
	case e.DryRun && e.Planned():
		return prose.Say("That was the plan, and it would fail: see above for what is wrong and what to do. Nothing was changed.")
	case e.OK:
		return e.good()
	case e.Stopped && e.waits():
		return prose.Say("Stopped. The key is written; no server was seen to use it yet.")
	case e.Stopped:
		return prose.Say("Stopped.")
	case e.DryRun:
		return prose.Say("The plan is not finished, and nothing was changed.")
	}
	return prose.Say("Not finished.")
}

// waits reports whether the key is written and the server has still to read it.
func (e Ending) waits() bool {
	return !e.Throwaway && (e.Changed || e.Earlier) && e.Steps[Write] == Done && e.Steps[Restart] != Done && e.Steps[Restart] != Skipped
}

func (e Ending) good() prose.Text {
	exposed := len(e.exposed()) > 0
	unproved := e.Steps[Restart] == Skipped || e.Steps[SmokeTest] == Skipped
	switch {
	case exposed && e.OwnServer:
		return prose.Say("The backend has a JWT key of its own. Git does not ignore a secret file, and your own server was not seen.")
	case e.OwnServer:
		return prose.Say("Done, except for your own server, which was not seen. The key was tested on one that keysplit started.")
	case exposed:
		return prose.Say("The backend has a JWT key of its own. Git does not ignore a secret file.")
	case !e.Changed && e.Restarted:
		return prose.Say("Done. The files were in order already; the server now runs with the key.")
	case !e.Changed && e.Edited:
		return prose.Say("The key was in order already. Only the files named here were edited.")
	case !e.Changed && unproved:
		return prose.Say("The files were in order already. Skipped steps were not verified.")
	case !e.Changed:
		return prose.Say("Everything was in order already. Nothing was changed.")
	case unproved:
		return prose.Say("The key is in place. Skipped steps were not verified.")
	}
	return prose.Say("Done. The backend has a JWT key of its own.")
}

// Sure reports whether nothing is left that a good end would hide.
func (e Ending) Sure() bool {
	return e.OK && !e.OwnServer && len(e.Unproved) == 0 && (e.DryRun || len(e.exposed()) == 0)
}

// exposed are the findings of files that hold a secret and that git would pick up.
func (e Ending) exposed() []finding.Finding {
	return slices.DeleteFunc(slices.Clone(e.Findings), func(f finding.Finding) bool { return f.Code != finding.EnvFileNotIgnored })
}

// Next says what is left to do, and how to go on or back, one sentence each. The
// commands in it are for Run.Fit to complete.
func (e Ending) Next() (next []prose.Text) {
	if e.OK {
		next = slices.Clone(e.Left)
	}
	if e.OK && !e.DryRun {
		for _, f := range e.exposed() {
			next = append(next, f.Fix)
		}
	}
	next = append(next, e.unsure()...)
	if !e.Throwaway {
		next = append(next, e.commands()...)
	}
	return next
}

// unsure names the steps that were skipped, and those that were not proved in full.
func (e Ending) unsure() (out []prose.Text) {
	titles := func(is func(Name) bool) string {
		var all []string
		for _, n := range Order() {
			if is(n) {
				all = append(all, About(n).Title)
			}
		}
		return strings.Join(all, ", ")
	}
	if skipped := titles(func(n Name) bool { return e.Steps[n] == Skipped }); skipped != "" {
		out = append(out, prose.Labelled("Skipped", "%s.", skipped))
	}
	if unproved := titles(func(n Name) bool { return slices.Contains(e.Unproved, n) }); unproved != "" {
		out = append(out, prose.Labelled("Not proved in full", "%s. See the lines marked !.", unproved))
	}
	return out
}

// commands say how to see what is open, how to undo, and how to go on.
func (e Ending) commands() (out []prose.Text) {
	switch {
	case e.OK && e.Open == 1:
		out = append(out, prose.Say("1 item of the checklist is open. To see it: `keysplit report`"))
	case e.OK && e.Open > 1:
		out = append(out, prose.Say("%d items of the checklist are open. To see them: `keysplit report`", e.Open))
	}
	switch {
	case e.DryRun:
	case e.Changed, e.Edited:
		out = append(out, prose.Say("To undo everything: `keysplit rollback`"))
	case e.Earlier && (e.Stopped || e.OK && e.Restarted || !e.OK && e.waits()):
		out = append(out, prose.Say("This run changed no file. To undo what the run before it changed: `keysplit rollback`"))
	case !e.OK:
		out = append(out, prose.Say("No file was changed."))
	}
	leads := finding.Has(e.Findings, finding.ProjectNotFound) || finding.Has(e.Findings, finding.UpgradeUnfinished) // nowhere, or by its own fix
	if !e.OK && !e.DryRun && e.GoOn != "" && !leads {
		out = append(out, e.goOn())
	}
	return out
}

// goOn says how to go on after a bad end. What may have been the mistake is not
// advised as if it were right.
func (e Ending) goOn() prose.Text {
	repeats := func(flag string, codes ...finding.Code) bool {
		return slices.Contains(e.Given, flag) && slices.ContainsFunc(e.Findings, func(f finding.Finding) bool { return slices.Contains(codes, f.Code) })
	}
	how := ""
	switch {
	case e.Misused:
		how = ", with that corrected"
	case repeats("--url", finding.ServerUnreachable, finding.TLSUntrusted, finding.InsecureURL, finding.LoginCSRF):
		how = ", if the address is right"
	case finding.Has(e.Findings, finding.ToolMissing):
		how = ", once that program is there"
	case repeats("--restart", finding.RestartFailed):
		how = ", once the restart works"
	case repeats("--username", finding.LoginRejected):
		how = ", with the right name and password"
	}
	return prose.Say("To continue%s: %s", how, prose.Command(e.GoOn))
}

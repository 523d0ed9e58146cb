package cli

import (
	"errors"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// resultOf reads the end of a run off its engine.
func resultOf(e *steps.Engine, err error) result {
	findings := e.Findings()
	r := result{
		OK:       err == nil && len(finding.Errors(findings)) == 0,
		Stopped:  errors.Is(err, steps.ErrCancelled),
		Findings: findings, Changed: e.Run.Wrote, Restarted: e.Run.Serves(), OwnServer: e.Run.OwnServer, Next: e.Run.Left, Steps: map[steps.Name]steps.Status{},
		GoOn: e.Run.ResumeCommand(), Given: e.Run.Options.Given, Misused: misused(err),
	}
	for _, n := range steps.Order() {
		if e.Has(n) {
			r.Steps[n] = e.Machine.Status(n)
		}
	}
	return r
}

// goOn says how to go on after a bad end. What may have been the mistake is not
// advised as if it were right.
func (r result) goOn() prose.Text {
	repeats := func(flag string, codes ...finding.Code) bool {
		return slices.Contains(r.Given, flag) && slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return slices.Contains(codes, f.Code) })
	}
	how := ""
	switch {
	case r.Misused:
		how = ", with that corrected"
	case repeats("--url", finding.ServerUnreachable, finding.TLSUntrusted, finding.InsecureURL, finding.LoginCSRF):
		how = ", if the address is right"
	case repeats("--username", finding.LoginRejected):
		how = ", with the right name and password"
	}
	return prose.Say("To go on%s: %s", how, prose.Command(r.GoOn))
}

// planned tells whether a dry run came to its end.
func (r result) planned() bool {
	for _, s := range r.Steps {
		if s == steps.Failed {
			return false
		}
	}
	return !r.Stopped
}

// summarise says in words how an upgrade ended and what comes next.
func (p *place) summarise(r result) result {
	unproved := r.Steps[steps.Restart] == steps.Skipped || r.Steps[steps.SmokeTest] == steps.Skipped
	switch {
	case r.OK && r.DryRun:
		r.Summary = "That was the plan. Nothing was changed."
	case r.DryRun && r.planned():
		r.Summary = "That was the plan. Nothing was changed, so what is wrong is still so."
	case r.OK && r.OwnServer:
		r.Summary = "Done, except for your own server, which was not seen. The key was tested on one that keysplit started."
	case r.OK && !r.Changed && r.Restarted:
		r.Summary = "Done. The files were in order already; the server now runs with the key."
	case r.OK && !r.Changed && r.Edited:
		r.Summary = "The key was in order already. Only the files named here were edited."
	case r.OK && !r.Changed && unproved:
		r.Summary = "The files were in order already. Skipped steps were not verified."
	case r.OK && !r.Changed:
		r.Summary = "Everything was in order already. Nothing was changed."
	case r.OK && unproved:
		r.Summary = "The key is in place. Skipped steps were not verified."
	case r.OK:
		r.Summary = "Done. The backend has a JWT key of its own."
	case r.Stopped:
		r.Summary = "Stopped."
	case r.DryRun:
		r.Summary = "The plan is not finished, and nothing was changed. What is wrong, and what to do, stands above."
	default:
		r.Summary = "Not finished. What is wrong, and what to do, stands above."
	}
	if !r.OK {
		r.Next = nil
	}
	var left []string
	for _, n := range steps.Order() {
		if r.Steps[n] == steps.Skipped {
			left = append(left, steps.About(n).Title)
		}
	}
	if len(left) > 0 {
		r.Next = append(r.Next, prose.Labelled("Skipped", "%s.", strings.Join(left, ", ")))
	}
	if p.throwaway {
		r.Next = append(r.Next, prose.Say("The demo and its project are gone."), prose.Say("On your own project: `keysplit check`, then `keysplit`"))
		return r
	}
	if r.OK && r.Open > 0 {
		report := prose.Command(p.command("report"))
		open := prose.Say("1 item of the checklist is open. To see it: %s", report)
		if r.Open > 1 {
			open = prose.Say("%d items of the checklist are open. To see them: %s", r.Open, report)
		}
		r.Next = append(r.Next, open)
	}
	switch {
	case r.DryRun:
	case r.Changed, r.Edited:
		r.Next = append(r.Next, prose.Say("To put everything back to the byte: %s", prose.Command(p.command("rollback"))))
	case !r.OK:
		r.Next = append(r.Next, prose.Say("No file was changed."))
	}
	if !r.OK && !r.DryRun {
		r.Next = append(r.Next, r.goOn())
	}
	return r
}

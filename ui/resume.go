package ui

import (
	"context"
	"time"

	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/rollback"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/status"
)

// begun is an upgrade of an earlier run that did not come to its end.
type begun struct {
	at      time.Time // of its first change
	key     string    // fingerprint of what it wrote, "" where that cannot be read
	undoing []prose.Text
	confirm string // what has to be typed to undo it, as it is production; "" elsewhere
}

// begunBefore looks for one in the journal, nil when there is none.
func begunBefore(ctx context.Context, e *steps.Engine) *begun {
	run := e.Run
	if run.Journal == nil || run.Wrote {
		return nil
	}
	all := run.Journal.Upgrades()
	if len(all) == 0 {
		return nil
	}
	var key secret.Secret
	if keys, err := run.Home().Keys(); err == nil {
		key = keys.InForce()
	}
	if !status.Begun(run, key) {
		return nil
	}
	back := rollback.Of(e)
	plan := back.Plan(ctx)
	b := &begun{at: all[len(all)-1].At.Local(), undoing: append(plan.Details, plan.Effects...), confirm: plan.Confirm}
	if key.Len() > 0 {
		b.key = run.Prints.Reprint(key).Fingerprint()
	}
	return b
}

// said says since when, and how far it came.
func (b *begun) said(now time.Time) string {
	day := ""
	if y, m, d := now.Date(); b.at.Before(time.Date(y, m, d, 0, 0, 0, 0, b.at.Location())) {
		day = "on " + b.at.Format("2006-01-02") + " "
	}
	what := "A part of its places has the new key"
	if b.key != "" {
		what = "The key " + b.key + " is written"
	}
	return "You began " + day + "at " + b.at.Format("15:04") + ". " + what + "; no server was seen to use it yet."
}

// resumed draws what an earlier run has begun.
func (w *wizard) resumed(s *sheet) {
	st := w.styles
	s.hang(st.Mark(steps.MarkWarn)+" ", st.Bold, w.begun.said(w.now()))
	s.blank()
	s.hang("  ", st.Muted, "Go on takes you to what is left. Nothing that is done is done again.")
	w.loginAgain(s)
}

// loginAgain warns where the next act brings a key into force that an earlier run wrote.
func (w *wizard) loginAgain(s *sheet) {
	s.blank()
	s.say(w.styles.Mark(steps.MarkWarn)+" ", lipgloss.NewStyle(), prose.Say("Once the server uses the key, everyone will have to log in again."))
}

package ui

import (
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/status"
)

// begun is an upgrade of an earlier run that did not come to its end.
type begun struct {
	at       time.Time  // of its first change
	key      string     // fingerprint of what it wrote, "" where that cannot be read
	left     steps.Name // the first step that is left to do and changes something
	rests    bool       // a rotation is between its stages: what is left has no such name
	accepted bool       // and the first of them is done
}

// begunBefore looks for one in the journal, nil when there is none.
func begunBefore(e *steps.Engine) *begun {
	run := e.Run
	if run.Journal == nil {
		return nil
	}
	rotation, rests, _ := run.Journal.Rotation()
	if run.Wrote && !rests {
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
	b := &begun{at: all[len(all)-1].At.Local(), left: steps.Restart, rests: rests, accepted: rotation.Accepted}
	if run.Journal.Delivering() || key.Len() == 0 {
		b.left = steps.Write
	}
	if key.Len() > 0 {
		b.key = run.Prints.Reprint(key).Fingerprint()
	}
	return b
}

// Begun says since when, and how far, an earlier run came that did not come to its end;
// "" when there is none. The engine has looked at the project.
func Begun(e *steps.Engine, now time.Time) string {
	if b := begunBefore(e); b != nil {
		return b.said(now)
	}
	return ""
}

// ticked reports whether what an earlier run did of a step need not be done again.
func (b *begun) ticked(p *page) bool {
	return b != nil && !b.rests && p.Number > 0 && p.Number < steps.About(b.left).Number && p.Name != steps.Distinct
}

// goOn is the button that takes it up.
func (b *begun) goOn() string {
	if b.rests {
		return "Go on"
	}
	return "Go on: " + strings.ToLower(steps.About(b.left).Title)
}

// said says since when, and how far it came.
func (b *begun) said(now time.Time) string {
	day := ""
	if y, m, d := now.Date(); b.at.Before(time.Date(y, m, d, 0, 0, 0, 0, b.at.Location())) {
		day = "on " + b.at.Format("2006-01-02") + " "
	}
	what := "A part of its places has the new key; no server was seen to use it yet."
	switch {
	case b.accepted:
		what = "The first stage of the rotation is done: every process accepts the new key. Next, they sign with it."
	case b.rests:
		what = "The first stage of the rotation, in which every process accepts the new key, is not finished."
	case b.key != "" && b.left == steps.Restart:
		what = "The key " + b.key + " is written; no server was seen to use it yet."
	}
	return "You began " + day + "at " + b.at.Format("15:04") + ". " + what
}

// resumed draws what an earlier run has begun.
func (w *wizard) resumed(s *sheet) {
	st := w.styles
	mark := steps.MarkWarn
	if w.begun.accepted {
		mark = steps.MarkOK
	}
	s.hang(st.Mark(mark)+" ", st.Bold, w.begun.said(w.now()))
	s.blank()
	if w.begun.rests {
		s.effects(steps.Plan{Effects: []prose.Text{w.facts.pays}})
		return
	}
	var tasks []string
	for _, p := range w.pages {
		switch {
		case p.Number == 0:
		case w.begun.ticked(p):
			tasks = append(tasks, st.Mark(steps.MarkOK)+" "+p.Task)
		default:
			tasks = append(tasks, st.Mark(steps.MarkPending)+" "+st.Muted.Render(p.Task))
		}
	}
	s.flow(tasks)
	s.hang("  ", st.Muted, "Go on does what is left. Start over lets you choose another key.")
	w.loginAgain(s)
}

// loginAgain warns where the next act brings a key into force that an earlier run wrote.
func (w *wizard) loginAgain(s *sheet) {
	s.blank()
	s.say(w.styles.Mark(steps.MarkWarn)+" ", lipgloss.NewStyle(), prose.Say("Once the server uses the key, everyone will have to log in again."))
}

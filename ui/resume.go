package ui

import (
	"context"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/status"
)

// Begun is an upgrade of an earlier run that did not come to its end.
type Begun struct {
	at       time.Time  // of its first change
	key      string     // fingerprint of what it wrote, "" where that cannot be read
	left     steps.Name // the first step that is left to do and asks for it
	rests    bool       // a rotation is between its stages: what is left has no such name
	accepted bool       // and the first of them is done
}

// BegunBefore looks for one in the journal, nil when there is none. The engine has looked
// at the project.
func BegunBefore(ctx context.Context, e *steps.Engine) *Begun {
	run := e.Run
	if run.Journal == nil {
		return nil
	}
	rotation, rests, _ := run.Journal.Rotation()
	if run.Wrote && !rests || rests && !run.Journal.Rotated() { // one that is only chosen has nothing to undo
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
	if !status.Begun(run, key) && !loginLeft(e, key) {
		return nil
	}
	b := &Begun{at: all[len(all)-1].At.Local(), left: steps.Write, rests: rests, accepted: rotation.Accepted}
	if !run.Journal.Delivering() && key.Len() > 0 && !rests {
		b.left = leftAfterWrite(ctx, e)
	}
	if key.Len() > 0 {
		b.key = run.Prints.Reprint(key).Fingerprint()
	}
	return b
}

// loginLeft reports whether an upgrade brought this key and stopped before the end of its
// login, and nothing else is asked for now than to come to that end.
func loginLeft(e *steps.Engine, key secret.Secret) bool {
	run := e.Run
	if run.Answers.Rotate || run.Answers.Import.Set() || !e.Has(steps.SmokeTest) || run.Options.Skip[steps.SmokeTest] {
		return false
	}
	return run.Journal.Brought(key, steps.Passed(steps.SmokeTest))
}

// leftAfterWrite is the step that is left once the key is written. Where there is nothing
// to restart, that one passes by itself.
func leftAfterWrite(ctx context.Context, e *steps.Engine) steps.Name {
	switch {
	case e.Asks(ctx, steps.Restart):
		return steps.Restart
	case e.Run.Options.Skip[steps.SmokeTest]:
		return steps.Checklist
	}
	return steps.SmokeTest
}

// ticked reports whether what an earlier run did of a step need not be done again.
func (b *Begun) ticked(p *page) bool {
	return b != nil && !b.rests && (p.Name == steps.Generate || p.Name == steps.Write && b.left != steps.Write)
}

// restarts reports whether a restart is among what is left, as far as that is known.
func (b *Begun) restarts() bool { return b.left == steps.Write || b.left == steps.Restart }

// Rotates reports whether it is a rotation in stages.
func (b *Begun) Rotates() bool { return b.rests }

// Resumption is what a person does about what was begun.
type Resumption int

const (
	GoOn      Resumption = iota // take the steps that are left
	StartOver                   // take all steps again, with its key
	Undo                        // restore what was changed
)

// Way is a resumption and the label of its button.
type Way struct {
	Resumption
	Label string
}

// Ways are the answers that a person has, the first being the one that enter takes.
func (b *Begun) Ways() []Way {
	if b.rests { // its key is chosen
		return []Way{{GoOn, "Go on"}, {Undo, "Undo"}}
	}
	return []Way{{GoOn, "Go on: " + strings.ToLower(steps.About(b.left).Title)}, {StartOver, "Start over"}, {Undo, "Undo"}}
}

// letters are the keys of the ways on the screen, in their order.
func (b *Begun) letters() (out string) {
	for _, way := range b.Ways() {
		out += strings.ToLower(way.Label[:1])
	}
	return out
}

// loginAgain warns where the next act brings a key into force that an earlier run wrote.
var loginAgain = prose.Say("Once the server uses the key, everyone will have to log in again.")

// Plan says since when, and how far it came, and what going on with it costs; pays says
// the latter of a rotation.
func (b *Begun) Plan(now time.Time, pays prose.Text) steps.Plan {
	plan := steps.Plan{Summary: prose.Of(b.said(now)), Effects: []prose.Text{pays}}
	if !b.rests {
		plan.Details = []prose.Text{prose.Say("Go on does what is left. Start over takes this key through every step again. To choose another key, undo first.")}
		plan.Effects = []prose.Text{loginAgain}
	}
	return plan
}

// said says since when, and how far it came.
func (b *Begun) said(now time.Time) string {
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
	case b.key != "" && b.left == steps.SmokeTest:
		what = "The key " + b.key + " is written; the login test is left."
	case b.key != "" && b.left != steps.Write:
		what = "The key " + b.key + " is written; no server was seen to use it yet."
	}
	return "You began " + day + "at " + b.at.Format("15:04") + ". " + what
}

// resumed draws what an earlier run has begun.
func (w *wizard) resumed(s *sheet) {
	st, plan := w.styles, w.begun.Plan(w.now(), w.facts.pays)
	mark := steps.MarkWarn
	if w.begun.accepted {
		mark = steps.MarkOK
	}
	s.hang(st.Mark(mark)+" ", st.Bold, plan.Summary.Rendered())
	s.blank()
	if !w.begun.rests {
		var tasks []string
		for _, p := range w.pages {
			switch {
			case p.Number == 0, w.facts.skip[p.Name], p.Name == steps.Restart && !w.begun.restarts():
			case w.begun.ticked(p):
				tasks = append(tasks, st.Mark(steps.MarkOK)+" "+p.Task)
			default:
				tasks = append(tasks, st.Mark(steps.MarkPending)+" "+st.Muted.Render(p.Task))
			}
		}
		s.flow(tasks)
	}
	for _, d := range plan.Details {
		s.say("  ", st.Muted, d)
	}
	s.effects(plan)
}

// resumeWays are the buttons about it behind the one that goes on.
func (w *wizard) resumeWays() (out []option) {
	act := map[Resumption]func(*wizard) tea.Cmd{
		StartOver: func(w *wizard) tea.Cmd { return w.goTo(w.at+1, true) },
		Undo:      (*wizard).askRollBack,
	}
	for _, way := range w.begun.Ways()[1:] {
		out = append(out, option{label: way.Label, act: act[way.Resumption]})
	}
	return out
}

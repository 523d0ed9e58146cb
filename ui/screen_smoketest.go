package ui

import (
	"context"
	"errors"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// The ways to log in.
const (
	tempAccount = "A throwaway account"
	ownAccount  = "An account of yours"
	noAccount   = "No login"
)

// smokeTestScreen asks which account to log in with.
type smokeTestScreen struct{ basic }

func newSmokeTest() screen { return &smokeTestScreen{basic{step: steps.SmokeTest}} }

// mayMake reports whether a throwaway account can be made: through the project's
// own Django, and in development only.
func (*smokeTestScreen) mayMake(w *wizard) bool {
	return w.facts.django && w.facts.environment == steps.DefaultEnvironment
}

// arrive plans with the account that was given, else with a throwaway one where
// that may be made, else without. After a login that was rejected it asks for the
// password again: the same one would be rejected too, and accounts lock.
func (t *smokeTestScreen) arrive(w *wizard) tea.Cmd {
	if w.facts.stage == steps.Accepting || w.page(steps.SmokeTest).again {
		return w.ask(steps.SmokeTest, nil)
	}
	given := w.facts.username != "" && w.facts.password
	if w.facts.username != "" && !given && finding.Has(w.page(steps.SmokeTest).findings, finding.LoginRejected) {
		return t.anotherAccount(w)
	}
	return t.choose(w, !given && t.mayMake(w), false)
}

// anotherAccount plans without an account, and asks for one.
func (t *smokeTestScreen) anotherAccount(w *wizard) tea.Cmd {
	cmd := t.choose(w, false, false)
	t.ask(w)
	return cmd
}

// ask opens the form for an account, with the name that is known. Its end is the test.
func (t *smokeTestScreen) ask(w *wizard) tea.Cmd {
	name := newField("User name", false, "Type the user name first")
	name.fill(w.facts.username)
	password := newField("Password", true, "Type the password")
	w.open(&form{question: "Log in with which account?", fields: []*field{name, password}, submit: func(w *wizard) tea.Cmd {
		user, typed := name.take(), password.whole()
		return t.test(w, func(r *steps.Run) {
			r.Answers.TempUser, r.Answers.Username, r.Answers.Password = false, user, r.Secret(typed)
		})
	}})
	return nil
}

// test carries the plan out, after set has put an account into the run and the plan was
// made with it. A password that was rejected is forgotten.
func (t *smokeTestScreen) test(w *wizard, set func(*steps.Run)) tea.Cmd {
	return w.start(jobApply, steps.SmokeTest, func(ctx context.Context, e *steps.Engine, emit steps.Emit, _ *report) error {
		if set != nil {
			set(e.Run)
			if _, err := e.Plan(ctx, steps.SmokeTest, emit); err != nil {
				return err
			}
		}
		err := e.Apply(ctx, steps.SmokeTest, emit)
		var failure *steps.Failure
		if errors.As(err, &failure) && finding.Has(failure.Findings, finding.LoginRejected) && !e.Run.Answers.TempUser {
			e.Run.Answers.Password = secret.Secret{}
		}
		return err
	})
}

// choose plans with a throwaway account, or without one. drop forgets the
// account that was given.
func (t *smokeTestScreen) choose(w *wizard, temp, drop bool) tea.Cmd {
	return w.ask(steps.SmokeTest, func(r *steps.Run) {
		r.Answers.TempUser = temp
		if temp || drop {
			r.Answers.Username, r.Answers.Password = "", secret.Secret{}
		}
	})
}

func (t *smokeTestScreen) came(w *wizard, r report) {
	if r.plan.Summary.Empty() {
		return
	}
	chosen := noAccount
	switch {
	case w.facts.tempUser:
		chosen = tempAccount
	case w.form != nil, w.facts.username != "" && w.facts.password:
		chosen = ownAccount
	}
	for i, o := range t.ready(w).options {
		if o.label == chosen {
			w.selected = i
		}
	}
}

func (t *smokeTestScreen) ready(w *wizard) prompt {
	if w.facts.stage == steps.Accepting {
		return t.basic.ready(w) // its login comes with the second stage
	}
	take := func(w *wizard) tea.Cmd { return t.test(w, nil) }
	p := prompt{question: "Log in with which account?", list: true}
	if t.mayMake(w) {
		p.options = append(p.options, option{label: tempAccount, note: "made for this test, then deleted", act: take,
			focus: func(w *wizard) tea.Cmd { return t.choose(w, true, false) }})
	}
	own := option{label: ownAccount, note: "asks for name and password", act: t.ask}
	if w.facts.username != "" && w.facts.password {
		own.note, own.act = "one login as "+w.facts.username, take
	}
	p.options = append(p.options, own, option{label: noAccount, note: "the other proofs need none", act: take,
		focus: func(w *wizard) tea.Cmd { return t.choose(w, false, true) }})
	return p
}

// extra are the other accounts that a login can be tried with, where one was refused or
// the proof needs one.
func (t *smokeTestScreen) extra(w *wizard, p *page) []option {
	switch {
	case w.phase(p) != failed:
		return nil
	case finding.Has(p.findings, finding.LoginRejected):
		return []option{{label: "Another account", act: t.anotherAccount}}
	case finding.Has(p.findings, finding.ProofInconclusive):
		return []option{{label: "Log in with an account", act: t.anotherAccount}}
	}
	return nil
}

func (t *smokeTestScreen) plan(w *wizard, s *sheet, p steps.Plan) {
	q := t.ready(w)
	if w.selected < len(q.options) && q.options[w.selected].label == ownAccount && !w.facts.password {
		s.hang("", w.styles.Bold, "Log in once with an account of yours.")
		s.hang("  ", w.styles.Muted, "One attempt only, since accounts lock. The password goes to the server and nowhere else.")
		return
	}
	s.plan(p)
}

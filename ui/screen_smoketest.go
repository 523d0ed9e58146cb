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
type smokeTestScreen struct {
	basic
	name, password *field
	focus          int
	typing         bool
}

func newSmokeTest() screen {
	return &smokeTestScreen{
		basic: basic{step: steps.SmokeTest},
		name:  newField("User name", false), password: newField("Password", true),
	}
}

// mayMake reports whether a throwaway account can be made: through the project's
// own Django, and in development only.
func (*smokeTestScreen) mayMake(w *wizard) bool {
	return w.facts.django && w.facts.environment == steps.DefaultEnvironment
}

// arrive plans with the account that was given, else with a throwaway one where
// that may be made, else without. After a login that was rejected it asks for the
// password again: the same one would be rejected too, and accounts lock.
func (t *smokeTestScreen) arrive(w *wizard) tea.Cmd {
	t.close()
	given := w.facts.username != "" && w.facts.password
	if w.facts.username != "" && !given && finding.Has(w.page(steps.SmokeTest).findings, finding.LoginRejected) {
		t.form(w)
		return t.choose(w, false, false)
	}
	return t.choose(w, !given && t.mayMake(w), false)
}

// form opens the fields, with the name that is known.
func (t *smokeTestScreen) form(w *wizard) {
	t.typing, t.focus = true, 0
	if w.facts.username != "" {
		t.name.set([]rune(w.facts.username))
		t.name.at, t.focus = len(t.name.text()), 1
	}
}

// test carries the plan out. A password that was rejected is forgotten.
func (t *smokeTestScreen) test(w *wizard) tea.Cmd {
	return w.start(jobApply, steps.SmokeTest, func(ctx context.Context, e *steps.Engine, emit steps.Emit, _ *report) error {
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

func (t *smokeTestScreen) planned(w *wizard, _ report) {
	chosen := noAccount
	switch {
	case w.facts.tempUser:
		chosen = tempAccount
	case t.typing, w.facts.username != "" && w.facts.password:
		chosen = ownAccount
	}
	for i, o := range t.ready(w).options {
		if o.label == chosen {
			w.selected = i
		}
	}
}

func (t *smokeTestScreen) ready(w *wizard) prompt {
	take := t.test
	p := prompt{question: "Log in with which account?", list: true}
	if t.mayMake(w) {
		p.options = append(p.options, option{tempAccount, "made for this test, then deleted", take})
	}
	own := option{ownAccount, "asks for name and password", func(w *wizard) tea.Cmd {
		t.form(w)
		return nil
	}}
	if w.facts.username != "" && w.facts.password {
		own.note, own.act = "one login as "+w.facts.username, take
	}
	p.options = append(p.options, own, option{noAccount, "the other proofs need none", take})
	return p
}

func (t *smokeTestScreen) moved(w *wizard, to int) tea.Cmd {
	switch t.ready(w).options[to].label {
	case tempAccount:
		return t.choose(w, true, false)
	case noAccount:
		return t.choose(w, false, true)
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

func (t *smokeTestScreen) fields() ([]*field, int) {
	if t.typing {
		return []*field{t.name, t.password}, t.focus
	}
	return nil, 0
}

func (t *smokeTestScreen) key(w *wizard, k tea.KeyMsg) (tea.Cmd, bool) {
	if !t.typing {
		return nil, false
	}
	all, _ := t.fields()
	switch k.String() {
	case "esc":
		t.close()
	case "tab", "down", "shift+tab", "up":
		t.focus = 1 - t.focus
	case "enter":
		switch {
		case t.name.empty():
			t.focus, w.flash = 0, "Type the user name first, or press esc."
		case t.password.empty():
			if t.focus == 1 {
				w.flash = "Type the password, or press esc."
			}
			t.focus = 1
		default:
			return t.submit(w), true
		}
	default:
		all[t.focus].key(k)
	}
	return nil, true
}

// submit hands the account over to the run and forgets it here.
func (t *smokeTestScreen) submit(w *wizard) tea.Cmd {
	name, password := t.name.take(), t.password.whole()
	t.close()
	return w.ask(steps.SmokeTest, func(r *steps.Run) {
		r.Answers.TempUser, r.Answers.Username, r.Answers.Password = false, name, r.Secret(password)
	})
}

func (t *smokeTestScreen) close() {
	t.typing, t.focus = false, 0
	t.name.reset()
	t.password.reset()
}

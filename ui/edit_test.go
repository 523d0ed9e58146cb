package ui

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
)

// A message that was broken for 76 columns is one paragraph on fewer.
func TestAMessageIsBrokenAnew(t *testing.T) {
	st := newStage(t, plainLight)
	s := newSheet(st.w.styles, 50, "")
	s.text("What\n  " + strings.Repeat("a", 59) + " b\n  c\n    d\n")
	if got := s.rows[len(s.rows)-2:]; !slices.Equal(got, []string{"  aaaaaaaaaaa b c", "    d"}) {
		t.Errorf("rows %q", s.rows)
	}
}

// planOfEdits is a plan of the key and two edits, as the run has switched them.
func planOfEdits(said map[string]bool) steps.Plan {
	p := steps.Plan{Summary: prose.Say("Write the key to .env."), File: ".env", Question: prose.Say("Write this change?"), Diff: []steps.DiffLine{{Line: 2, Op: "+", Text: "JWT_SECRET_KEY=••••"}}}
	p.Edits = []steps.Edit{
		{ID: "comments", Why: prose.Say("Move 2 comments."), Needed: true, On: true},
		{ID: "ci", Why: prose.Say("Add JWT_SECRET_KEY to ci.yml."), Diff: []steps.DiffLine{{Line: 13, Op: "+", Text: "      JWT_SECRET_KEY: ${{ secrets.JWT_SECRET_KEY }}"}}},
		{ID: "docs", Why: prose.Say("Add JWT_SECRET_KEY to README.md."), ByHand: prose.Say("Code comes by a commit.")},
		{ID: "key .env", Key: true, On: true},
	}
	for i := range p.Edits {
		if on, ok := said[p.Edits[i].ID]; ok {
			p.Edits[i].On = on
		}
	}
	return p
}

// An edit is switched by its digit, all by a, and the plan is made again with that; what is
// done by hand has none.
func TestEditsAreSwitched(t *testing.T) {
	st := newStage(t, plainLight)
	plans := 0
	st.fakes[steps.Write].plan = func(r *steps.Run) (steps.Plan, error) { plans++; return planOfEdits(r.Answers.Edits), nil }
	st.open().to(steps.Write)
	for _, c := range []struct {
		key   string
		said  map[string]bool
		plans int
	}{
		{"2", map[string]bool{"ci": true}, 2},
		{"1", map[string]bool{"ci": true, "comments": false}, 3},
		{"2", map[string]bool{"ci": false, "comments": false}, 4},
		{"a", map[string]bool{"ci": true, "comments": true}, 5},
		{"3", map[string]bool{"ci": true, "comments": true}, 5},
	} {
		st.press(c.key)
		if got := st.e.Run.Answers.Edits; !maps.Equal(got, c.said) || plans != c.plans {
			t.Errorf("after %s: %v, %d plans", c.key, got, plans)
		}
	}
	if st.fakes[steps.Write].applied > 0 {
		t.Error("something was written")
	}
}

// The checklist leads back to the edits that were not made, switched on; those that a person
// has to make are not among them.
func TestTheChecklistReviewsTheEditsThatAreLeft(t *testing.T) {
	st := newStage(t, plainLight)
	st.fakes[steps.Write].plan = func(r *steps.Run) (steps.Plan, error) {
		p := planOfEdits(r.Answers.Edits)
		p.Nothing = st.fakes[steps.Write].applied > 0 && !p.Edits[1].On
		return p, nil
	}
	st.fakes[steps.Restart].plan = func(r *steps.Run) (steps.Plan, error) {
		return steps.Plan{Summary: prose.Say("Restart."), Question: prose.Say("Restart now?"), Nothing: st.fakes[steps.Restart].applied > 0 && !r.Answers.Edits["ci"]}, nil
	}
	st.open().to(steps.SmokeTest)
	st.pickRow(noAccount)
	st.to(steps.Checklist)
	st.pick("Review 1 edit")
	if got := st.want(steps.Write, ready).e.Run.Answers.Edits; !maps.Equal(got, map[string]bool{"ci": true}) {
		t.Errorf("switched %v", got)
	}
	if st.fakes[steps.Write].applied != 1 {
		t.Error("it was written without a yes")
	}
	st.press("esc").want(steps.Checklist, done)
	if got := st.e.Run.Answers.Edits; !maps.Equal(got, map[string]bool{"ci": false}) || !strings.Contains(st.w.View(), "Review 1 edit") {
		t.Errorf("left with %v:\n%s", got, st.w.View())
	}
	st.pick("Review 1 edit")
	st.want(steps.Write, ready)
	chosen := false
	st.fakes[steps.SmokeTest].apply = func(_ context.Context, r *steps.Run, _ steps.Emit) error {
		chosen = !r.Answers.TempUser // as before, not as the page would begin
		return nil
	}
	if st.press("enter").want(steps.Restart, ready).press("enter"); !chosen { // a restart is asked about all the same
		t.Error("the login does not run again as it did")
	}
	st.want(steps.Checklist, done)
	if v := st.w.View(); st.fakes[steps.Write].applied != 3 || strings.Contains(v, "Review") {
		t.Errorf("written %d times:\n%s", st.fakes[steps.Write].applied, v)
	}
}

// What covers a page begins at its own top, however far the page was scrolled.
func TestAnOverlayBeginsAtItsTop(t *testing.T) {
	st := newStage(t, plainLight)
	st.open()
	for _, k := range []string{"?", "w", "t", "m", "b"} {
		st.w.scroll = 3
		if st.press(k); st.w.over == nil || st.w.scroll != 0 {
			t.Errorf("%s begins at row %d", k, st.w.scroll)
		}
		st.press("esc")
	}
}

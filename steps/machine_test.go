package steps

import "testing"

// every is each status and each action, so that the table test below visits
// the whole product and nothing can be allowed by forgetting it.
var (
	everyStatus = []Status{Pending, Planned, Running, Done, Skipped, Failed, Undone}
	everyAction = []Action{ActPlan, ActStart, ActSucceed, ActFail, ActStop, ActSkip, ActUndo}
)

// at makes a machine in which every step before n is done and n has status s.
func at(n Name, s Status) Machine {
	m := NewMachine()
	for _, o := range Order() {
		if o == n {
			break
		}
		m.status[o] = Done
	}
	m.status[n] = s
	return m
}

func TestEveryTransition(t *testing.T) {
	t.Parallel()
	want := map[Status]map[Action]Status{
		Pending: {ActPlan: Planned, ActSkip: Skipped},
		Planned: {ActPlan: Planned, ActStart: Running, ActSkip: Skipped, ActFail: Failed, ActStop: Pending},
		Running: {ActSucceed: Done, ActFail: Failed, ActStop: Pending},
		Done:    {ActPlan: Planned, ActUndo: Undone},
		Skipped: {ActPlan: Planned},
		Failed:  {ActPlan: Planned, ActSkip: Skipped, ActUndo: Undone},
		Undone:  {ActPlan: Planned, ActSkip: Skipped},
	}
	for _, n := range Order() {
		for _, s := range everyStatus {
			for _, a := range everyAction {
				to, allowed := want[s][a]
				if n == Preflight && a == ActSkip {
					allowed = false
				}
				m := at(n, s)
				next, err := m.Do(n, a)
				if allowed != (err == nil) {
					t.Errorf("%s %s %s: error %v, want allowed %v", n, s, a, err, allowed)
				}
				if m.Can(n, a) != allowed {
					t.Errorf("%s %s %s: Can disagrees with Do", n, s, a)
				}
				if allowed && next.Status(n) != to {
					t.Errorf("%s %s %s leads to %s, want %s", n, s, a, next.Status(n), to)
				}
				if m.Status(n) != s {
					t.Errorf("%s %s %s changed the machine it was called on", n, s, a)
				}
			}
		}
	}
}

func TestStartNeedsTheEarlierSteps(t *testing.T) {
	t.Parallel()
	for _, before := range everyStatus {
		m := at(Write, Planned)
		m.status[Generate] = before
		_, err := m.Do(Write, ActStart)
		if want := before == Done || before == Skipped; want != (err == nil) {
			t.Errorf("write starts after a generate that is %s: %v", before, err)
		}
	}
}

func TestOneStepRunsAtATime(t *testing.T) {
	t.Parallel()
	m := at(Write, Planned)
	m.status[SmokeTest] = Running
	if _, err := m.Do(Write, ActStart); err == nil {
		t.Error("write started while the smoke test ran")
	}
}

func TestLaterProofsFallWithAnEarlierStep(t *testing.T) {
	t.Parallel()
	for _, a := range []Action{ActStart, ActUndo} {
		m := at(Checklist, Done)
		m.status[Restart] = Skipped
		m.status[SmokeTest] = Failed
		m.status[Write] = map[Action]Status{ActStart: Planned, ActUndo: Done}[a]
		next, err := m.Do(Write, a)
		if err != nil {
			t.Fatal(err)
		}
		for n, want := range map[Name]Status{Generate: Done, Distinct: Pending, Restart: Skipped, SmokeTest: Pending, Checklist: Pending} {
			if got := next.Status(n); got != want {
				t.Errorf("after %s of write, %s is %s, want %s", a, n, got, want)
			}
		}
	}
}

func TestUnknownStep(t *testing.T) {
	t.Parallel()
	if _, err := NewMachine().Do("lunch", ActPlan); err == nil {
		t.Error("an unknown step was planned")
	}
}

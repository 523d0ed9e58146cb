package steps

import (
	"fmt"
	"maps"
	"slices"
)

// Status is how far one step has come.
type Status string

// The statuses of a step.
const (
	Pending Status = "pending" // not looked at yet
	Planned Status = "planned" // its plan is on the table
	Running Status = "running"
	Done    Status = "done"
	Skipped Status = "skipped" // on request; never counts as done
	Failed  Status = "failed"
	Undone  Status = "undone" // done once, and undone
)

// Action is what can happen to a step.
type Action string

// The actions.
const (
	ActPlan    Action = "plan"    // make, or make again, the plan: also the way to retry and to go back
	ActStart   Action = "start"   // apply the plan
	ActSucceed Action = "succeed" // applied and verified
	ActFail    Action = "fail"    // while planning or running
	ActStop    Action = "stop"    // the user interrupted it
	ActSkip    Action = "skip"
	ActUndo    Action = "undo"
)

// transitions is the whole of the state machine: which action leads from which
// status to which. What is not here is not allowed.
var transitions = map[Status]map[Action]Status{
	Pending: {ActPlan: Planned, ActSkip: Skipped},
	Planned: {ActPlan: Planned, ActStart: Running, ActSkip: Skipped, ActFail: Failed, ActStop: Pending},
	Running: {ActSucceed: Done, ActFail: Failed, ActStop: Pending},
	Done:    {ActPlan: Planned, ActUndo: Undone},
	Skipped: {ActPlan: Planned},
	Failed:  {ActPlan: Planned, ActSkip: Skipped, ActUndo: Undone},
	Undone:  {ActPlan: Planned, ActSkip: Skipped},
}

// guards are the conditions beyond the table, each with the reason that is
// given when it does not hold.
var guards = []struct {
	action Action
	reason string
	holds  func(m Machine, n Name) bool
}{
	{ActSkip, "the other steps work with what it finds", func(_ Machine, n Name) bool {
		return About(n).Skippable
	}},
	{ActStart, "another step is running", func(m Machine, n Name) bool {
		for other, s := range m.status {
			if other != n && s == Running {
				return false
			}
		}
		return true
	}},
	{ActStart, "an earlier step is neither done nor skipped", func(m Machine, n Name) bool {
		for _, before := range Order()[:slices.Index(Order(), n)] {
			if s := m.status[before]; s != Done && s != Skipped {
				return false
			}
		}
		return true
	}},
}

// Machine says where a run stands. It is a value: Do returns the next one and
// leaves the old one as it was. It does no I/O and knows no clock.
type Machine struct {
	status map[Name]Status
}

// NewMachine is a run of which nothing has happened.
func NewMachine() Machine {
	m := Machine{status: map[Name]Status{}}
	for _, n := range Order() {
		m.status[n] = Pending
	}
	return m
}

// Status is how far the step has come.
func (m Machine) Status(n Name) Status { return m.status[n] }

// Can reports whether Do would accept the action.
func (m Machine) Can(n Name, a Action) bool {
	_, err := m.Do(n, a)
	return err == nil
}

// Do carries one action out. When a step starts or is undone, the steps after
// it that had ended become pending again: their proof was about another state.
func (m Machine) Do(n Name, a Action) (Machine, error) {
	at := slices.Index(Order(), n)
	if at < 0 {
		return m, fmt.Errorf("no step is called %q", n)
	}
	to, ok := transitions[m.status[n]][a]
	if !ok {
		return m, fmt.Errorf("%s is %s: cannot %s", n, m.status[n], a)
	}
	for _, g := range guards {
		if g.action == a && !g.holds(m, n) {
			return m, fmt.Errorf("%s: cannot %s: %s", n, a, g.reason)
		}
	}
	next := Machine{status: maps.Clone(m.status)}
	next.status[n] = to
	if a == ActStart || a == ActUndo {
		for _, later := range Order()[at+1:] {
			if s := next.status[later]; s == Done || s == Failed {
				next.status[later] = Pending
			}
		}
	}
	return next, nil
}

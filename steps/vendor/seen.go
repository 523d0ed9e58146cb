package vendor

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/process"
	"dj/keysplit/steps/secret"
)

// Seer is a Manager of workers that can be seen to have a key. They serve no HTTP, so that
// nothing they do proves one.
type Seer interface {
	Manager
	// Seen is what was restarted just now, each with what it was given.
	Seen(ctx context.Context, run *steps.Run) ([]Sighting, error)
}

// Sighting is a process, a container or a workload that started after the write.
type Sighting struct {
	Name string // in words
	Keys Given  // the keys that this stage needs, as it was given them
	PID  int    // of a process of this machine, 0 for none
}

// Given is how the keys that a worker was given stand to those of the run.
type Given int

// The kinds.
const (
	GivenUnseen Given = iota // it reads them by itself, or what it was given cannot be seen
	GivenRight               // it was given those of the run
	GivenOther               // it was given another one, or lacks the second one
)

// givenKeys compares what a worker was given: of returns the fingerprint of a variable,
// known is false where the variable is not there or cannot be seen.
func givenKeys(run *steps.Run, of func(name string) (sum string, known bool)) Given {
	sum, known := of(run.Names().Key)
	switch {
	case !known:
		return GivenUnseen
	case sum != run.Prints.Of(run.Key):
		return GivenOther
	case !run.Stage.Both():
		return GivenRight
	}
	second, _ := run.Names().Grace()
	if sum, known = of(second); !known || sum != run.Prints.Of(run.Second) {
		return GivenOther
	}
	return GivenRight
}

// Seen reads the environment that each unit's process was started with, or where that is
// not shown what systemd gives it from its files.
func (s Units) Seen(ctx context.Context, run *steps.Run) (out []Sighting, err error) {
	for _, name := range s.Names {
		u, err := s.show(ctx, run, name)
		if err != nil {
			return out, err
		}
		pid, _ := strconv.Atoi(u.pid)
		out = append(out, Sighting{Name: secret.Inert(name + ", process " + u.pid), PID: pid, Keys: givenKeys(run, func(variable string) (string, bool) {
			if sum, set, err := process.KeyInEnvironment(pid, variable, run.Prints); err == nil && set {
				return sum, true
			}
			g, unread := givenTo(run, u, variable)
			if !g.found || unread != "" {
				return "", false
			}
			return run.Prints.Of(run.Secret(g.value)), true
		})})
	}
	return out, nil
}

// Seen reads the environment of the new containers.
func (c services) Seen(ctx context.Context, run *steps.Run) (out []Sighting, err error) {
	by, err := c.find(ctx, run)
	if err != nil {
		return nil, err
	}
	for _, name := range c.all {
		ids, err := by.containers(ctx, run, name)
		if err != nil {
			return out, err
		}
		for _, id := range ids {
			found, err := inspect(ctx, run, by, name, id)
			if err != nil {
				return out, err
			}
			out = append(out, Sighting{Name: secret.Inert("a container of " + name), Keys: givenKeys(run, func(variable string) (string, bool) {
				value, there := found.variable(variable)
				return run.Prints.Of(run.Secret(value)), there
			})})
		}
	}
	return out, nil
}

// Seen looks at which of the workloads get the Secret that the key went to: Restart has
// waited until no pod of them is older.
func (k workloads) Seen(ctx context.Context, run *steps.Run) (out []Sighting, err error) {
	object, key := secretOf(run, k.namespace)
	all, err := workloadList(ctx, run, k.namespace)
	for _, name := range k.all {
		s := Sighting{Name: secret.Inert("pods of " + name)}
		at := slices.IndexFunc(all, func(w workload) bool { return strings.EqualFold(w.name(), name) })
		if at >= 0 && object != "" && all[at].pod().reads(object, key) {
			s.Keys = GivenRight
		}
		out = append(out, s)
	}
	return out, err
}

package stepstest

import (
	"context"

	"dj/keysplit/steps"
)

// Place is a target that holds what it is told, and takes nothing.
type Place struct {
	steps.Target
	Name string
	Path string // of a file of this machine; "" for a place elsewhere
	Held steps.Held
	Err  error // of every look
}

// Spec is its name.
func (p *Place) Spec() string { return p.Name }

// Local reports whether it is a file.
func (p *Place) Local() bool { return p.Path != "" }

// File is the file.
func (p *Place) File(*steps.Run) string { return p.Path }

// Look gives what it holds.
func (p *Place) Look(context.Context, *steps.Run) (steps.Held, error) { return p.Held, p.Err }

// Places makes a run's targets of what they hold, named a, b, c and so on, and
// looks at them.
func Places(run *steps.Run, held ...steps.Held) error {
	run.Targets = nil
	for i, h := range held {
		name := string(rune('a' + i))
		if h.Where == "" {
			h.Where = "place " + name
		}
		run.Targets = append(run.Targets, &Place{Name: name, Held: h})
	}
	return run.Home().Look(context.Background())
}

package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// Name names one state of the wizard.
type Name string

// The states, in their order. Five of them are the guide's steps; preflight
// comes before and checklist after. Distinct is what the guide, the package and the
// screen call verify: here that is what every step does at its end.
const (
	Preflight Name = "preflight"
	Generate  Name = "generate"
	Write     Name = "write"
	Distinct  Name = "distinct"
	Restart   Name = "restart"
	SmokeTest Name = "smoke-test"
	Checklist Name = "checklist"
)

// Step is one part of the upgrade.
//
// Plan says what Apply would do, masked, and changes nothing. Apply does it and
// is safe to repeat: a second call finds the work done. Verify looks at the
// real thing afterwards and changes nothing. Undo reverts what Apply did in
// this run or, through the journal, in an earlier one; where there is nothing
// to revert it returns nil.
//
// A step that finds something wrong returns a *Failure; any other error is a
// fault of the machine (a full disk, a killed child). ctx ends when the user
// quits; a step then stops at the next safe place and returns ctx.Err().
type Step interface {
	Name() Name
	Plan(ctx context.Context, run *Run) (Plan, error)
	Apply(ctx context.Context, run *Run, emit Emit) error
	Verify(ctx context.Context, run *Run, emit Emit) error
	Undo(ctx context.Context, run *Run, emit Emit) error
}

// Plan is what a step would do, fit to be shown: no secret in it.
type Plan struct {
	Step     Name              `json:"step"`
	Summary  prose.Text        `json:"summary"`           // one sentence
	Nothing  bool              `json:"nothing,omitempty"` // Apply would change nothing
	Keeps    bool              `json:"-"`                 // a good key stays, which a person may still replace
	Details  []prose.Text      `json:"details,omitempty"` // lines: commands, method, way back
	Command  string            `json:"command,omitempty"` // the command that Apply runs, also one of Details; "" for none
	Effects  []prose.Text      `json:"effects,omitempty"` // what users or other people will notice
	Diff     []DiffLine        `json:"diff,omitempty"`    // of one file, masked; of several, each line names its own
	File     string            `json:"file,omitempty"`    // the file of Diff, relative to the project; the first of several
	Edits    []Edit            `json:"-"`                 // the plan of edits, the ones that are off too; Diff has those that are on
	Question prose.Text        `json:"question,omitzero"`
	Yes      string            `json:"yes,omitempty"`     // what a yes to Question is called, "" for the step's own word
	Where    string            `json:"-"`                 // the place in words where it is no file of this machine, for ProductionName
	Confirm  string            `json:"confirm,omitempty"` // what the user must type instead of a yes: the name of the environment, when it is production
	Why      string            `json:"-"`                 // why Confirm must be typed, "" for production
	ByHand   bool              `json:"-"`                 // a person carries it out, and needs the key for it; Apply takes their word
	Ends     []finding.Finding `json:"-"`                 // what the run ends with although all of this goes well, for a dry run to say
	More     bool              `json:"more,omitempty"`    // another part follows with a question of its own: after Apply the step is planned once more
}

// Offered are the edits of the plan that a person can switch: all but that of the key, which
// is what the step is for.
func (p Plan) Offered() (out []Edit) {
	for _, e := range p.Edits {
		if !e.Key {
			out = append(out, e)
		}
	}
	return out
}

// CommandDetail is the detail that says which command Apply runs.
func CommandDetail(command string) prose.Text {
	return prose.Labelled("Command", "%s", prose.Command(command))
}

// DiffLine is one line of a masked diff. Text never holds a value that could
// be a secret; Note says in words what the mask hides.
type DiffLine struct {
	Line int    `json:"line"` // 1-based, 0 for what is no line, as a mode
	Op   string `json:"op"`   // "-", "+" or " "
	Text string `json:"text"`
	Note string `json:"note,omitempty"`
	File string `json:"file,omitempty"` // "" for that of the plan
}

// Number is the line's number in a column so wide, blank where it has none.
func (d DiffLine) Number(width int) string {
	if d.Line == 0 {
		return strings.Repeat(" ", width)
	}
	return fmt.Sprintf("%*d", width, d.Line)
}

// Diffs are the parts of the plan's diff, one for each file.
func (p Plan) Diffs() []FileDiff {
	var out []FileDiff
	for _, d := range p.Diff {
		file := cmp.Or(d.File, p.File)
		if n := len(out); n == 0 || out[n-1].File != file {
			out = append(out, FileDiff{File: file})
		}
		last := &out[len(out)-1]
		last.Lines = append(last.Lines, d)
	}
	return out
}

// FileDiff is the diff of one file.
type FileDiff struct {
	File  string
	Lines []DiffLine
}

// Failure is a step's way of saying that something is wrong that a person can
// fix. The findings are its reasons; at least one is an error.
type Failure struct {
	Findings []finding.Finding
}

func (f *Failure) Error() string {
	if len(f.Findings) == 0 {
		return "the step failed"
	}
	return fmt.Sprintf("%s: %s", f.Findings[0].Code, f.Findings[0].Message.Rendered())
}

// Fail makes a *Failure of its findings.
func Fail(findings ...finding.Finding) error { return &Failure{Findings: findings} }

// ErrCancelled marks the user's own wish to stop. Such a run ends with exit
// code 130.
var ErrCancelled = errors.New("cancelled")

// UsageError is wrong usage or configuration: exit code 2. It has no text of its own.
type UsageError struct {
	err  error
	Flag string // that was given wrong, "" for none
}

// Usage makes a *UsageError of its text, as fmt.Errorf does.
func Usage(format string, args ...any) error { return UsageOf("", format, args...) }

// UsageOf is the same of one flag.
func UsageOf(flag, format string, args ...any) error {
	return &UsageError{fmt.Errorf(format, args...), flag}
}

func (e *UsageError) Error() string        { return e.err.Error() }
func (e *UsageError) Unwrap() error        { return e.err }
func (e *UsageError) Is(target error) bool { return target == ErrUsage }

// ErrUsage is what errors.Is finds in every *UsageError.
var ErrUsage error = &UsageError{err: errors.New("wrong usage")}

// BlindError kept keysplit from looking at all: no project, an unreadable file, a
// Django that does not start for another reason. Such a run ends with exit code 3. It
// has no text of its own.
type BlindError struct{ err error }

// CannotLook makes a *BlindError of its text, as fmt.Errorf does.
func CannotLook(format string, args ...any) error { return &BlindError{fmt.Errorf(format, args...)} }

func (e *BlindError) Error() string        { return e.err.Error() }
func (e *BlindError) Unwrap() error        { return e.err }
func (e *BlindError) Is(target error) bool { return target == ErrCannotLook }

// ErrCannotLook is what errors.Is finds in every *BlindError.
var ErrCannotLook error = &BlindError{errors.New("keysplit could not inspect the project")}

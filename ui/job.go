package ui

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/rollback"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/guard"
)

// A job is one use of the engine. Jobs run one after the other, each in a
// command of its own; what they do reaches the model only as messages that
// carry the job's number, so that the messages of a job that was given up are
// told apart and dropped.
type job struct {
	id     int
	kind   jobKind
	step   steps.Name
	cancel context.CancelFunc
}

type jobKind int

const (
	jobPlan    jobKind = iota // ask for a plan
	jobApply                  // carry it out and verify
	jobSkip                   // leave the step out
	jobForesee                // ask for the plan of a rollback
	jobBack                   // restore everything
	jobProve                  // the steps that are about the running server, once more
)

// writes reports whether stopping the job in the middle deserves a question.
func (j *job) writes() bool {
	return j != nil && (j.kind == jobBack || j.kind == jobApply && steps.About(j.step).Changes != "")
}

// work is what a job does. What it learns beyond the engine's state goes into
// the report.
type work func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) error

// report is what a job brings home.
type report struct {
	plan    steps.Plan
	next    *steps.Plan       // preflight: what the first step would do
	below   []string          // preflight: folders with a project below one that has none
	begun   *Begun            // preflight: what an earlier run did not bring to its end
	restart string            // preflight: what the restart will do
	canKeep bool              // generate: the key in the file is good
	staged  bool              // generate: and it can be replaced in stages
	items   []checklist.Item  // checklist: as they stand
	author  string            // checklist: who commits here
	verdict *rollback.Verdict // of a rollback
}

// The messages of a job.
type (
	eventMsg struct {
		id int
		ev steps.Event
	}
	resultMsg struct {
		id     int
		kind   jobKind
		step   steps.Name
		report report
		err    error
		facts  facts
	}
	// crashMsg is a fault of keysplit itself inside a job.
	crashMsg struct{ text string }
)

// facts is what the screens may know of the engine, copied while no job runs.
type facts struct {
	machine     steps.Machine
	folder      string // of the project, with ~ for the home folder
	environment string
	production  bool // changes there are confirmed by its name
	django      bool // the project's Django can be asked
	key         secret.Secret
	keyFrom     string
	wrote       bool
	reloads     bool         // what is restarted is a server of this machine that reads its settings again
	rollback    string       // the command that restores everything
	end         steps.Ending // how it would end now
	flags       prose.Flags  // of keysplit's commands about this run
	username    string
	password    bool // one was given
	tempUser    bool
	rotate      bool
	rotates     bool        // in stages
	stage       steps.Stage // of a rotation that logs nobody out
	grace       string      // what one means for people, in a few words
	pays        prose.Text  // and who logs in again at its end
	imported    bool
	skip        map[steps.Name]bool
	open        []finding.Finding // that are still true
}

// runner lets one job at a time use the engine.
type runner struct {
	ctx    context.Context // ends when the program does
	engine *steps.Engine
	turn   chan struct{} // holds one token while a job uses the engine
	closed atomic.Bool
	send   func(tea.Msg)
}

func newRunner(ctx context.Context, e *steps.Engine) *runner {
	return &runner{ctx: ctx, engine: e, turn: make(chan struct{}, 1)}
}

// alone makes a command that has the engine to itself.
func (r *runner) alone(do func() tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		r.turn <- struct{}{}
		defer func() { <-r.turn }()
		defer func() {
			if p := recover(); p != nil {
				msg = r.crash(guard.Of(p))
			}
		}()
		return do()
	}
}

// crash is the message of a mistake of keysplit's own, in whatever goroutine.
func (r *runner) crash(err error) crashMsg {
	return crashMsg{r.engine.Run.Redactor.Show(secret.Said(err.Error()))}
}

// command makes the command of a job.
func (r *runner) command(ctx context.Context, j *job, do work) tea.Cmd {
	return r.alone(func() tea.Msg {
		res := resultMsg{id: j.id, kind: j.kind, step: j.step}
		if r.closed.Load() || ctx.Err() != nil {
			res.err = steps.ErrCancelled
		} else {
			res.err = do(ctx, r.engine, func(ev steps.Event) { r.send(eventMsg{j.id, ev}) }, &res.report)
		}
		if errors.Is(res.err, guard.Err) {
			return r.crash(res.err)
		}
		res.facts = look(r.engine)
		return res
	})
}

// wait keeps new jobs from starting and waits for the running one, which has
// been told to stop. It reports whether the engine is free.
func (r *runner) wait(limit time.Duration) bool {
	r.closed.Store(true)
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case r.turn <- struct{}{}:
		<-r.turn
		return true
	case <-t.C:
		return false
	}
}

// look copies what the screens show. No job may be running.
func look(e *steps.Engine) facts {
	run, o, a := e.Run, e.Run.Options, e.Run.Answers
	f := facts{
		machine: e.Machine, environment: o.Environment, production: run.ProductionName() != "", django: run.Django != nil,
		key: run.Key, keyFrom: run.KeyFrom, wrote: run.Wrote, reloads: reloads(run),
		rollback: run.Command("rollback"), end: endingOf(e), flags: run.Flags(),
		username: run.Redactor.Clean(a.Username), password: a.Password.Set(), tempUser: a.TempUser,
		rotate: a.Rotate, rotates: a.Grace, stage: run.Stage, grace: run.GraceNote(), pays: run.WhoPays(), imported: a.Import.Set(), skip: map[steps.Name]bool{},
		open: e.Findings(),
	}
	for n, yes := range o.Skip {
		f.skip[n] = yes
	}
	if run.Project != nil {
		f.folder = run.Redactor.Clean(steps.Tilde(run.Project.Root))
	}
	return f
}

// reloads reports whether the restart is the usual one of development, which takes no
// longer than a start of the project's Django.
func reloads(run *steps.Run) bool {
	o := run.Options
	usual := o.Restart == nil || o.Restart.String() == "runserver"
	return usual && o.Contained == nil && len(o.Also) == 0 && o.Environment == steps.DefaultEnvironment && run.ProductionName() == ""
}

// endingOf is how the upgrade would end now: well only when each step has come to its end.
func endingOf(e *steps.Engine) steps.Ending {
	end := e.Ending(nil)
	for _, status := range end.Steps {
		end.OK = end.OK && (status == steps.Done || status == steps.Skipped)
	}
	end.Left, end.GoOn = slices.Clone(end.Left), "" // the page itself goes on
	return end
}

func stopped(err error) bool {
	return errors.Is(err, steps.ErrCancelled) || errors.Is(err, context.Canceled)
}

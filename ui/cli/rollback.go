package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/write"
	"dj/keysplit/ui"
)

func newRollback(stdio IO, o *options) *cobra.Command {
	var emergency bool
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Put everything back to the byte",
		Long: `Take back what the latest run changed: content, mode and owner of each file
become as they were, and so does each place that the key was delivered to. It
says what that is, and asks. A file that someone else has edited since is left
alone, and keysplit says so; with --force it is put back too, and the edited
version is kept. Then the server is restarted in the same way as by the upgrade.
An earlier run's change stays in force; run it again to take that back too.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if emergency {
				return runEmergency(cmd.Context(), stdio, o)
			}
			if !o.yes && (o.json || !stdio.InTTY) {
				return fmt.Errorf("%w: rollback asks before it changes anything, and nobody is there to answer: add --yes", steps.ErrUsage)
			}
			// The project's Django may not start just now: that may be the very
			// reason for going back.
			o.static, o.any = true, true
			run, err := o.run(cmd.Context(), stdio)
			if err != nil {
				return err
			}
			defer run.Close()
			if !o.yes {
				run.HandOver = handOver
			}
			return rollback(cmd.Context(), ui.NewEngine(run), o.front(stdio), o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&emergency, "emergency", false, "show the plan for taking the change of the code back, and record its 24-hour deadline")
	f.BoolVar(&o.yes, "yes", false, "ask nothing")
	f.StringArrayVar(&o.confirm, "confirm", nil, "the name of what is production, for --yes there")
	f.BoolVar(&o.force, "force", false, "put a file back although it was edited since; the edited version is kept")
	f.StringVar(&o.restart, "restart", "", "how to restart: "+restart.Ways()+" (default: as the upgrade did)")
	o.addresses(f)
	o.trusting(f)
	return cmd
}

func rollback(ctx context.Context, e *steps.Engine, f front, o *options) error {
	// The project is looked at only to find its journal: what else is wrong with
	// it is another command's business.
	_, err := e.Plan(ctx, steps.Preflight, nil)
	if err == nil {
		err = e.Apply(ctx, steps.Preflight, nil)
	}
	var failure *steps.Failure
	if err != nil && (!errors.As(err, &failure) || e.Run.Journal == nil) {
		return blind(e, f, err)
	}
	j := e.Run.Journal
	all := j.Upgrades()
	if len(all) == 0 {
		if err := j.Settle(); err != nil { // a key that was chosen and went nowhere
			return err
		}
		r := nothingToTakeBack(j)
		f.Result(r)
		if !r.OK {
			return said(errors.New("it cannot be told whether all is as it was"))
		}
		return nil
	}
	last := all[len(all)-1]
	asBefore(e.Run, last)
	plan := planBack(ctx, e.Run, all)
	f.Plan(plan)
	if err := o.agreed(ctx, e.Run, f, plan); err != nil {
		misused := errors.Is(err, steps.ErrUsage)
		if !misused || o.json { // a script waits for the last line
			f.Result(result{Stopped: !misused, Summary: "Nothing was put back."})
		}
		if misused {
			return err
		}
		return said(err)
	}
	kept, err := keepModule(e.Run, last)
	if err == nil {
		err = e.TakeBack(ctx, f.Event)
	}
	r := tookBack(e, last, err)
	if kept != "" {
		r.Next = append(r.Next, kept)
	}
	f.Result(r)
	return said(err)
}

// latest is what the latest run changed, an empty Upgrade when nothing is in force.
func latest(run *steps.Run) journal.Upgrade {
	if run.Journal != nil {
		if all := run.Journal.Upgrades(); len(all) > 0 {
			return all[len(all)-1]
		}
	}
	return journal.Upgrade{}
}

// blind ends a rollback that could not even find what there is to take back.
func blind(e *steps.Engine, f front, err error) error {
	r := resultOf(e, err)
	r.Summary, r.Next = "Nothing was put back: keysplit could not look.", nil
	if errors.Is(err, steps.ErrUsage) {
		if _, lines := f.(*jsonFront); lines {
			f.Result(r) // a script waits for the last line
		}
		return err
	}
	told := false
	for _, ev := range e.Log {
		if ev.Finding != nil && ev.Finding.Severity == finding.Error || ev.Kind == steps.EventFailed {
			f.Event(ev)
			told = true
		}
	}
	if !told {
		f.Event(steps.Event{Step: steps.Preflight, Kind: steps.EventFailed, Text: e.Run.Redactor.Clean(err.Error())})
	}
	f.Result(r)
	return said(err)
}

func nothingToTakeBack(j *journal.Journal) result {
	r := result{OK: true, Summary: "Nothing to take back: keysplit changed nothing here, or took it back already."}
	if j.Doubtful() {
		r.OK, r.Summary = false, "It cannot be told whether there is anything to take back."
		r.Next = []string{
			"A run was cut off, the file was edited since, or keysplit's notes were damaged.",
			"If .env is not as it was: its earlier versions are the files backup-* in " + j.Dir() + ".",
		}
	}
	return r
}

// asBefore has the services waited for that restart by themselves, where the
// upgrade did not come to its restart: the way of development would restart what
// runs on this machine.
func asBefore(run *steps.Run, last journal.Upgrade) {
	if run.Options.Restart != nil || run.Journal.RestartedBy() != "" || len(last.Files) > 0 {
		return
	}
	var specs []string
	for _, d := range last.Deliveries {
		if !slices.Contains(specs, d.Target) {
			specs = append(specs, d.Target)
		}
	}
	targets, _ := write.Targets(specs) // the undo itself says what is wrong with one
	run.Options.Restart = restart.For(targets)
}

// keyBefore tells whether another key signs once the upgrade is taken back, which is
// not so where it was a grace period or edited committed files, and which file then
// has no key at all. What cannot be read counts as another key.
func keyBefore(run *steps.Run, last journal.Upgrade) (anew bool, without string) {
	key := func(data []byte) secret.Secret {
		keys, err := steps.ReadKeys(run, run.Project.EnvFile.Readers[0], data)
		if err != nil {
			return secret.Secret{}
		}
		return keys.InFile.Secret
	}
	anew = len(last.Deliveries) > 0
	seen := map[string]bool{}
	for _, in := range last.Files { // the first change of a file is what it goes back to
		if in.Path != run.Project.EnvFile.Path && !slices.Contains(run.Home().Files(), in.Path) || seen[in.Path] {
			continue
		}
		seen[in.Path] = true
		before, err := run.Journal.Kept(in.BackupID)
		if err != nil {
			anew = true
			continue
		}
		now, err := file.ReadSmall(in.Path)
		was := key(before)
		anew = anew || err != nil || !was.Equal(key(now))
		if was.Len() == 0 {
			without = run.Project.Rel(in.Path)
		}
	}
	return anew, without
}

// planBack says what a rollback will do.
func planBack(ctx context.Context, run *steps.Run, all []journal.Upgrade) steps.Plan {
	last := all[len(all)-1]
	p := steps.Plan{
		Step:     steps.Write,
		Summary:  "Put back what was changed on " + day(last) + ":",
		Question: "Put this back?",
	}
	anew, without := keyBefore(run, last)
	if anew {
		p.Effects = append(p.Effects, "Tokens that were signed since then are refused: who logged in since logs in again.")
	}
	if without != "" {
		p.Effects = append(p.Effects, without+" had no JWT_SECRET_KEY before: a backend that requires one does not start with it.")
	}
	var names []string
	for _, d := range slices.Backward(last.Deliveries) {
		names = append(names, d.Target, d.Where)
		p.Details = append(p.Details, d.Where+": "+formerly(d))
	}
	for _, in := range slices.Backward(last.Files) {
		text := "content, mode and owner as before"
		switch {
		case in.Created && needed(run, in.Path):
			text = "stays, since the settings name it; without its two variables it does nothing"
		case in.Created:
			text = "removed, since keysplit made it"
		}
		p.Details = append(p.Details, run.Project.Rel(in.Path)+": "+text)
	}
	p.Details = append(p.Details, "Then: "+restart.Again(run))
	if earlier := all[:len(all)-1]; len(earlier) > 0 {
		p.Details = append(p.Details, "Stays: the earlier change of "+day(earlier[len(earlier)-1])+" ("+places(run, earlier[len(earlier)-1])+")")
	}
	if p.Confirm = run.Confirm(append(names, restart.Places(ctx, run)...)...); p.Confirm != "" {
		p.Question = "This is production. Put this back there?"
	}
	return p
}

func day(u journal.Upgrade) string { return u.At.UTC().Format("2006-01-02 15:04 MST") }

// onlyByHand tells that only a person can put the place back.
func onlyByHand(d journal.Delivery) bool {
	return d.Target == "manual" || strings.HasPrefix(d.Target, "manual:")
}

func formerly(d journal.Delivery) string {
	switch {
	case onlyByHand(d):
		return "by hand; you are told what to do"
	case d.BackupID != "":
		return "the value before"
	case d.There:
		return "stays, since the value before could not be read; you are told what to do"
	}
	return "the key is removed, since there was none"
}

// agreed asks for a yes, or for the name of what is production.
func (o *options) agreed(ctx context.Context, run *steps.Run, f front, p steps.Plan) error {
	if p.Confirm != "" {
		return o.confirmed(ctx, run, f, p, "put back")
	}
	if o.yes {
		return nil
	}
	answer, err := f.Ask(ctx, p.Question, []choice{{'y', "yes"}, {'n', "no, change nothing"}})
	if err == nil && answer != 'y' {
		err = steps.ErrCancelled
	}
	return err
}

// needed tells whether a file is the module of the grace period and the settings
// still name it: without the module the backend would not start.
func needed(run *steps.Run, path string) bool {
	if filepath.Base(path) != grace.FileName {
		return false
	}
	settings := run.Project.SettingsFile
	if settings == "" {
		return true // nobody knows, and the module alone does no harm
	}
	// Settings may be split over several files of the same folder.
	beside, err := filepath.Glob(filepath.Join(filepath.Dir(settings), "*.py"))
	if err != nil {
		return true
	}
	module := strings.TrimSuffix(grace.FileName, ".py")
	for _, name := range beside {
		if name == path {
			continue
		}
		if text, err := file.ReadSmall(name); err != nil || bytes.Contains(text, []byte(module)) {
			return true
		}
	}
	return false
}

// keepModule leaves the module of the grace period where it is when the settings
// still name it, and tells what is then left to do.
func keepModule(run *steps.Run, last journal.Upgrade) (left string, err error) {
	for _, in := range last.Files {
		if in.Created && needed(run, in.Path) {
			name := run.Project.Rel(in.Path)
			return name + " stays, since the settings name it. To be rid of it: take its three lines out of the settings, restart, then delete the file.", run.Journal.Leave(in)
		}
	}
	return "", nil
}

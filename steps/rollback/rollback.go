// Package rollback undoes what the latest run changed: it says what that is, does it,
// and says how far it came. Nothing else decides about that; the command and the
// full screen ask and show.
//
// A rollback that follows a change in the same run undoes the steps of that run. One
// in a run that has only looked undoes the latest run that the journal has.
package rollback

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/write"
)

// Rollback is one rollback of the latest run whose change is in force, or the rest of
// one that has restored everything and did not come to its end.
type Rollback struct {
	engine *steps.Engine
	last   journal.Upgrade   // empty where nothing is in force
	before []journal.Upgrade // earlier ones, which stay
	open   bool              // what is left is the restart of an earlier rollback, and its proof
}

// Of is the rollback of what the journal has by now.
func Of(e *steps.Engine) *Rollback {
	r := &Rollback{engine: e}
	if e.Run.Journal == nil {
		return r
	}
	r.before = e.Run.Journal.Upgrades()
	if r.open = e.Run.Journal.OpenRollback(steps.Restarted); r.open {
		return r
	}
	if n := len(r.before); n > 0 {
		r.last, r.before = r.before[n-1], r.before[:n-1]
	}
	return r
}

// Find looks at the project, no further than is needed to find its journal: what else
// is wrong with it is another command's business. Its error is that of the look. emit
// sees for whom it waits.
func Find(ctx context.Context, e *steps.Engine, emit steps.Emit) (*Rollback, error) {
	_, err := e.Plan(ctx, steps.Preflight, nil)
	if err == nil {
		err = e.Apply(ctx, steps.Preflight, steps.OnlyWaits(emit))
	}
	var failure *steps.Failure
	if err != nil && (!errors.As(err, &failure) || e.Run.Journal == nil) {
		return nil, err
	}
	r := Of(e)
	r.restartAsBefore()
	return r, nil
}

// restartAsBefore has the services waited for that restart by themselves, where the
// upgrade did not come to its restart: the way of development would restart what runs
// on this machine.
func (r *Rollback) restartAsBefore() {
	run := r.engine.Run
	if r.last.Run == "" || run.Options.Restart != nil || run.Journal.RestartedBy() != "" || len(r.last.Files) > 0 {
		return
	}
	var specs []string
	for _, d := range r.last.Deliveries {
		if !slices.Contains(specs, d.Target) {
			specs = append(specs, d.Target)
		}
	}
	targets, _ := write.Targets(specs) // the undo itself says what is wrong with one
	run.Options.Restart = restart.For(targets)
}

// RestartBy has it restart in another way, as --restart has it.
func (r *Rollback) RestartBy(spec string) error {
	way, err := restart.Parse(spec)
	if err == nil {
		r.engine.Run.Options.Restart = way
	}
	return err
}

// Plan says what the rollback will do.
func (r *Rollback) Plan(ctx context.Context) steps.Plan {
	run := r.engine.Run
	p := steps.Plan{
		Step:     steps.Write,
		Summary:  prose.Say("Undo what was changed on %s:", day(r.last)),
		Question: prose.Say("Undo this?"),
		Details:  r.Details(),
		Effects:  r.Effects(),
	}
	if r.open {
		p.Summary, p.Question = prose.Say("Finish the rollback: everything is restored, and the server still has to restart."), prose.Say("Finish it?")
	}
	var names []string
	for _, d := range r.last.Deliveries {
		names = append(names, d.Target, d.Where)
	}
	if p.Confirm = run.Confirm(append(names, restart.Places(ctx, run)...)...); p.Confirm != "" {
		p.Question = prose.Say("This is production. Undo this there?")
	}
	return p
}

// Details are what is done, one line each.
func (r *Rollback) Details() (lines []prose.Text) {
	run := r.engine.Run
	for _, d := range slices.Backward(r.last.Deliveries) {
		lines = append(lines, prose.Labelled(d.Where, "%s", formerly(d)))
	}
	for _, in := range slices.Backward(r.last.Files) {
		text := "content, mode and owner as before"
		switch {
		case r.stays(in):
			text = "stays, since the settings name it; without its two variables it does nothing"
		case in.Created:
			text = "removed, since keysplit made it"
		}
		lines = append(lines, prose.Labelled(run.Project.Rel(in.Path), "%s", text))
	}
	lines = append(lines, prose.Labelled("Then", "%s", restart.Again(run)))
	if run.Options.NoVerify {
		lines = append(lines, prose.Say("No server is asked which key is in force, as you chose."))
	}
	if n := len(r.before); n > 0 {
		lines = append(lines, prose.Labelled("Stays", "the earlier change from %s (%s)", day(r.before[n-1]), places(run, r.before[n-1])))
	}
	return lines
}

// Effects say what users and the backend will notice of the rollback.
func (r *Rollback) Effects() (out []prose.Text) {
	if r.last.Run == "" || r.engine.Run.Project == nil {
		return nil
	}
	before := r.keyBefore()
	if before.another {
		out = append(out, prose.Say("Anyone who logged in since then has to log in again."))
	}
	if before.without != "" {
		out = append(out, prose.Say("%s had no JWT_SECRET_KEY before: a backend that requires one will not start with it.", before.without))
	}
	if before.alike != "" {
		out = append(out, prose.Say("In %s JWT_SECRET_KEY was the same as SECRET_KEY before: a backend that requires two keys will not start with it.", before.alike))
	}
	return out
}

// formerKey is what signs after a rollback.
type formerKey struct {
	another bool   // than now
	without string // the file or place that then has no key
	alike   string // the file in which it is SECRET_KEY as well
}

// keyBefore reports whether another key signs after the rollback, which is not so
// where the run wrote a grace period or edited committed files, and names the file
// that then has no key at all, unless settings go back that did not require one. What
// cannot be read counts as another key.
func (r *Rollback) keyBefore() (out formerKey) {
	run := r.engine.Run
	for _, d := range r.last.Deliveries {
		out.another = out.another || r.anotherKey(d)
		if !d.There && !byHand(d) {
			out.without = d.Where
		}
	}
	seen, adopted := map[string]bool{}, false
	for _, in := range r.last.Files { // the first change of a file is what it goes back to
		if seen[in.Path] {
			continue
		}
		seen[in.Path] = true
		if filepath.Ext(in.Path) == ".py" {
			adopted = adopted || !in.Created // the module of a grace period is made
			continue
		}
		differs, none, alike := r.keyChange(in)
		out.another = out.another || differs
		if none {
			out.without = run.Project.Rel(in.Path)
		}
		if alike {
			out.alike = run.Project.Rel(in.Path)
		}
	}
	if adopted {
		out.without, out.alike = "", ""
	}
	return out
}

// anotherKey reports whether a place has another key after the rollback: a delivery that
// changed the grace period alone leaves the key.
func (r *Rollback) anotherKey(d journal.Delivery) bool {
	if d.PairID == "" {
		return true
	}
	run := r.engine.Run
	before, there, err := run.Journal.Before(d)
	return err != nil || !there || run.Kept().Of(run.Secret(string(before))) != d.Key
}

// keyChange reports whether a file has another key before its change in than now, whether
// it then has none where a backend reads one, and whether it is SECRET_KEY as well. What
// cannot be read has another.
func (r *Rollback) keyChange(in envfile.Intent) (differs, none, alike bool) {
	run := r.engine.Run
	var before []byte
	var err error
	if !in.Created {
		before, err = run.Journal.Kept(in.BackupID)
	}
	own := in.Path == run.Project.EnvFile.Path || slices.Contains(run.Home().Files(), in.Path)
	if err != nil {
		return own, false, false
	}
	data, err := file.ReadSmall(in.Path)
	then := keysIn(run, before)
	was, now := then.InFile.Secret, keysIn(run, data).InFile.Secret
	if !own && (now.Len() == 0 || slices.Contains(steps.JudgeKey(now), finding.JWTKeyPlaceholder)) {
		return false, false, false // it is no file that a backend reads, such as an example
	}
	return err != nil || was.Len()+now.Len() > 0 && !was.Equal(now), was.Len() == 0 && (own || now.Len() > 0),
		was.Len() > 0 && was.Equal(then.SecretKey.Secret)
}

// keysIn returns the keys that the project's first reader finds in an env file, unset for none.
func keysIn(run *steps.Run, data []byte) steps.Keys {
	if len(run.Project.EnvFile.Readers) == 0 {
		return steps.Keys{}
	}
	keys, _ := steps.ReadKeys(run, run.Project.EnvFile.Readers[0], data) // none in a file that the reader refuses
	return keys
}

// Run undoes it, restarts, asks the server, and says how that ended. The verdict's error
// is the first of those that came up; emit has seen them all.
func (r *Rollback) Run(ctx context.Context, emit steps.Emit) Verdict {
	j := r.engine.Run.Journal
	another := r.keyBefore().another
	var undone secret.Secret
	if keys, err := r.keys(ctx); err == nil && another && !r.open {
		undone = keys.InForce()
	}
	var kept prose.Text
	var err error
	switch {
	case r.open:
		err = r.engine.FinishRollback(ctx, emit)
	case j != nil:
		if err = j.BeginRollback(r.last.Run); err == nil {
			kept, err = r.keepModule()
		}
		r.failed(err, emit)
		fallthrough
	default:
		if err == nil {
			err = r.engine.Rollback(ctx, emit)
		}
	}
	proof := proof{err: err}
	if err == nil {
		proof = r.prove(ctx, another || r.open, undone, emit)
	}
	if proof.err == nil && j != nil {
		if proof.err = j.EndRollback(); proof.err != nil {
			proof.lacks = "keysplit could not note that this is done"
		}
		r.failed(proof.err, emit)
	}
	v := r.verdict(err, proof)
	if !kept.Empty() {
		v.Next = append(v.Next, kept)
	}
	return v
}

// failed says an error of the journal, or of the look at the keys: it is no step's, and nobody
// else would say it.
func (r *Rollback) failed(err error, emit steps.Emit) {
	if err != nil && !errors.Is(err, steps.ErrCancelled) {
		emit(steps.Event{Step: steps.Write, Kind: steps.EventFailed, Text: prose.Of(r.engine.Run.Show(err.Error()))})
	}
}

// byHand reports whether only a person can restore the place.
func byHand(d journal.Delivery) bool {
	return d.Target == "manual" || strings.HasPrefix(d.Target, "manual:")
}

func formerly(d journal.Delivery) string {
	switch {
	case byHand(d):
		return "by hand; you are told what to do"
	case d.BackupID != "":
		return "the previous value"
	case d.There:
		return "stays, since the previous value could not be read; you are told what to do"
	}
	return "the key is removed, since there was none"
}

// stays reports whether a file is the module of the grace period and the settings still
// name it when the rollback is done: not where they go back to a version without it.
func (r *Rollback) stays(in envfile.Intent) bool {
	run := r.engine.Run
	if !in.Created || !grace.Needed(run, in.Path) {
		return false
	}
	return !slices.ContainsFunc(r.last.Files, func(o envfile.Intent) bool {
		if o.Created || filepath.Ext(o.Path) != ".py" {
			return false
		}
		before, err := run.Journal.Kept(o.BackupID)
		return err == nil && !bytes.Contains(before, []byte(strings.TrimSuffix(grace.FileName, ".py")))
	})
}

// keepModule leaves the module of the grace period where it is when the settings
// still name it, and says what is then left to do.
func (r *Rollback) keepModule() (left prose.Text, err error) {
	run := r.engine.Run
	for _, in := range r.last.Files {
		if r.stays(in) {
			name := run.Project.Rel(in.Path)
			return prose.Say("%s stays, since the settings name it. To remove it: take its three lines out of the settings, restart, then delete the file.", name), run.Journal.Leave(in)
		}
	}
	return prose.Text{}, nil
}

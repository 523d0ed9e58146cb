// Package write is the step Write: it delivers the key to where the backend gets it.
//
// Where that is, is a target: a file, a place of one of the vendors, or one that only
// a person reaches. It plans with a masked diff, writes so that everything else in the
// place stays as it was, reads back, and can undo.
package write

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/edits"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
)

// Step is the step Write. Its zero value is ready for use.
//
// It goes in parts, each with a question of its own: first all places that
// keysplit writes to, then one by one those that only a person reaches. A yes to
// the first must not count as the word that the others are done.
type Step struct {
	targets []steps.Target // in the order in which they get the key
	from    int            // where the part of the latest plan begins
	left    int            // how many at the end still wait for their own question
}

// Name is steps.Write.
func (*Step) Name() steps.Name { return steps.Write }

// Default are the targets of a run that was given none: the backend's .env.
func Default() []steps.Target { return []steps.Target{&dotenv{spec: "dotenv"}} }

// unread is the file of --env-file where the backend does not read it, and nobody has
// said yes to that; "" else.
func unread(run *steps.Run) string {
	if run.Options.EnvFile == "" {
		return ""
	}
	name := run.Project.Rel(run.Project.EnvFile.Path)
	for _, f := range run.Project.Findings {
		if f.Code == finding.EnvFileWrongPlace && f.File == name && !slices.Contains(run.Confirmed, name) {
			return name
		}
	}
	return ""
}

// Plan asks every target what it would change, before any of them is changed, and
// plans the first part that has something to do.
func (s *Step) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	files, written, byHand := inOrder(run)
	if err := draw(ctx, run, files); err != nil {
		return steps.Plan{}, err
	}
	s.targets, s.from, s.left = slices.Concat(written, byHand), 0, 0
	if err := staged(run, s.targets); err != nil {
		return steps.Plan{}, err
	}
	plans := make([]steps.Plan, len(s.targets))
	for i, t := range s.targets {
		var err error
		if plans[i], err = t.Plan(ctx, run); err != nil {
			return plans[i], err
		}
	}
	whole := together(plans[:len(written)])
	if !whole.Nothing {
		asksFor(run, &whole, written, plans)
	}
	return s.part(whole, plans, len(written)), nil
}

// inOrder are the targets of a run by what is done with them: the files of this machine,
// all that keysplit writes to, in that order, and those that only a person reaches.
func inOrder(run *steps.Run) (files, written, byHand []steps.Target) {
	targets := run.Targets
	if len(targets) == 0 {
		targets = Default()
	}
	for _, t := range targets {
		switch _, ok := t.(*manual); {
		case ok:
			byHand = append(byHand, t)
		case t.Local():
			files = append(files, t)
		default:
			written = append(written, t)
		}
	}
	// Another place can refuse, by its compare-and-swap, what a run on another machine
	// has changed. Nothing of this machine is changed by then.
	return files, append(written, files...), byHand
}

// asksFor has a plan ask for the name of what must not be changed by a yes alone.
func asksFor(run *steps.Run, whole *steps.Plan, written []steps.Target, plans []steps.Plan) {
	var places []string // that are no files of this machine, in words
	for i, t := range written {
		if !t.Local() {
			places = append(places, t.Spec(), plans[i].Where)
		}
	}
	if name := run.Confirm(places...); name != "" {
		whole.Confirm, whole.Question = name, prose.Say("This is production. Write the key there?")
	} else if name := unread(run); name != "" {
		whole.Confirm, whole.Why = name, "the backend does not read "+name
		whole.Question = prose.Say("The backend does not read %s. Write the key there all the same?", name)
	}
}

// part is the first part of the plans that has something to do: whole is that of the first
// end of them, and each of the others is one by itself.
func (s *Step) part(whole steps.Plan, plans []steps.Plan, end int) steps.Plan {
	for ; whole.Nothing && end < len(plans); end++ {
		s.from, whole = end, plans[end]
	}
	if whole.Nothing {
		s.from = 0
		return together(plans)
	}
	s.left = len(plans) - end
	for _, next := range plans[end:] {
		if whole.More = !next.Nothing; whole.More {
			whole.Details = append(whole.Details, prose.Labelled("After that", "%s You are asked for it by itself.", next.Summary))
			break
		}
	}
	if !whole.More {
		s.left = 0 // what is left has the key already
	}
	return whole
}

// draw makes the plan of edits, which goes with the backend's own file. What was
// diagnosed is no longer so once this run has written; what committed files lack is.
func draw(ctx context.Context, run *steps.Run, files []steps.Target) error {
	found := run.Lacking
	if !run.Wrote {
		found = slices.Concat(run.Project.Findings, found)
	}
	for _, t := range files {
		d, ok := t.(interface{ ownFile(*steps.Run) *dotenv })
		if !ok {
			continue
		}
		if own := d.ownFile(run); own != nil {
			var err error
			own.draft, err = edits.Draw(ctx, run, found)
			return err
		}
	}
	return nil
}

// together makes one plan of those of several places.
func together(plans []steps.Plan) steps.Plan {
	if len(plans) == 0 {
		return steps.Plan{Nothing: true}
	}
	whole := plans[0]
	writes := 0
	for i, p := range plans {
		if !p.Nothing {
			writes++
		}
		if i == 0 {
			continue
		}
		whole.Diff = ofFile(whole)
		for _, line := range ofFile(p) {
			if !slices.Contains(whole.Diff, line) { // two places may be one file
				whole.Diff = append(whole.Diff, line)
			}
		}
		whole.File = cmp.Or(whole.File, p.File)
		whole.Edits = append(whole.Edits, p.Edits...)
		whole.Nothing = whole.Nothing && p.Nothing
		whole.Details = append(append(whole.Details, p.Summary), p.Details...)
		for _, e := range p.Effects {
			if !slices.Contains(whole.Effects, e) { // two places of a kind say the same
				whole.Effects = append(whole.Effects, e)
			}
		}
		if !p.Question.Empty() {
			whole.Question = p.Question
		}
	}
	if len(plans) > 1 && !whole.Nothing {
		whole.Details = append([]prose.Text{whole.Summary}, whole.Details...)
		whole.Summary = prose.Say("Write the key to %d places.", len(plans))
		whole.Question = prose.Say("Write the key to all of them?")
		if writes < len(plans) {
			whole.Summary = prose.Say("Write the key to %d of %d places.", writes, len(plans))
			whole.Question = prose.Say("Write the key there?")
		}
	}
	return whole
}

// ofFile has every line of a plan's diff name its file.
func ofFile(p steps.Plan) []steps.DiffLine {
	lines := slices.Clone(p.Diff)
	for i := range lines {
		lines[i].File = cmp.Or(lines[i].File, p.File)
	}
	return lines
}

// Apply writes to every target of the planned part in turn. When one fails, it
// says which ones have the key already.
func (s *Step) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if run.KeyFrom != "kept" && run.Key.Set() && run.Journal != nil {
		if err := run.Journal.Bring(run.Key); err != nil {
			return err
		}
	}
	for i := s.from; i < len(s.targets)-s.left; i++ {
		t := s.targets[i]
		var err error
		if sharesFile(run, t, s.targets[s.from:i]) {
			_, err = t.Plan(ctx, run) // the edit that was planned is of the file before the first one
		}
		if err == nil {
			err = t.Apply(ctx, run, emit)
		}
		if err != nil {
			if i > 0 {
				emit.Tell(prose.Say("These have the new key already: %s. To continue with the others: %s (it takes the same key). To go back: `keysplit rollback`", specs(s.targets[:i]), prose.Command(run.ResumeCommand())))
			}
			return err
		}
	}
	if run.Journal == nil || s.left > 0 {
		return nil
	}
	// A run that was killed right after its write did not come to note the key.
	if _, noted := run.Journal.KeySince(run.Key); run.WroteAt.IsZero() && (noted || !run.Journal.Brought(run.Key, steps.Passed(steps.Restart))) {
		return nil
	}
	offerGrace(run)
	return run.Journal.SetKey(run.Key)
}

// offerGrace tells, after a rotation, how to keep people logged in. Where the
// key before was SECRET_KEY there is nothing to keep.
func offerGrace(run *steps.Run) {
	if run.Stage == steps.Signing {
		run.Left = append(run.Left, prose.Say("Tokens of the previous key are accepted until %s. %s", run.Until.Format("2006-01-02 15:04 MST"), run.WhoPays()),
			prose.Say("To end that sooner, or to remove what is left of it afterwards: `keysplit grace --end`"))
	}
	if !run.Answers.Rotate || run.Stage != steps.NoStage {
		return
	}
	if !run.Previous.Set() {
		if !run.Home().Here() {
			run.Left = append(run.Left, prose.Say("Everyone has to log in again. The previous key is not known here, so that there can be no grace period."))
		}
		return
	}
	if keys, err := run.Home().Keys(); err != nil || keys.SecretKey.Secret.Equal(run.Previous) {
		return
	}
	run.Left = append(run.Left, prose.Say("Everyone has to log in again. To accept tokens of the previous key for 24 hours: `keysplit grace`"))
}

// sharesFile reports whether a target's file is that of one of the others, also by
// another name.
func sharesFile(run *steps.Run, t steps.Target, others []steps.Target) bool {
	return t.Local() && slices.ContainsFunc(others, func(o steps.Target) bool {
		return o.Local() && steps.SameFile(t.File(run), o.File(run))
	})
}

func specs(targets []steps.Target) string {
	var out []string
	for _, t := range targets {
		out = append(out, t.Spec())
	}
	return strings.Join(out, ", ")
}

// Verify reads every target back that has the key by now. Only when all have it is
// the chosen key forgotten, which an interrupted run would need again.
func (s *Step) Verify(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	for _, t := range s.targets[:len(s.targets)-s.left] {
		if err := t.Verify(ctx, run, emit); err != nil {
			return err
		}
	}
	if s.left > 0 {
		return nil
	}
	if err := run.Home().Look(ctx); err != nil {
		return err
	}
	if run.Journal == nil || run.Home().Sealed() {
		return nil // a key that no place shows again is kept until the backend was restarted with it
	}
	return run.Journal.Settle()
}

// Undo reverts every change of the latest upgrade that is still in force, as
// the journal has it: also that of a run that was killed. What was written last
// goes back first; one that cannot go back does not keep the others from it.
func (s *Step) Undo(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if run.Journal == nil {
		return nil
	}
	var failed []error
	for _, d := range slices.Backward(run.Journal.AppliedElsewhere()) {
		t, err := target(d.Target)
		r, ok := t.(interface {
			undo(context.Context, *steps.Run, journal.Delivery, steps.Emit) error
		})
		if !ok {
			failed = append(failed, cmp.Or(err, fmt.Errorf("%w: %s was never delivered to", journal.ErrUnusable, d.Target)))
			continue
		}
		if err := r.undo(ctx, run, d, emit); err != nil {
			failed = append(failed, err)
		}
	}
	if err := undoFiles(ctx, run, emit); err != nil {
		failed = append(failed, err)
	}
	if len(failed) == 0 || run.Options.Force {
		// With --force nothing is left that a key has to be kept for.
		failed = append(failed, run.Journal.Settle(), run.Journal.EndRotation())
	}
	return oneOf(failed)
}

// oneOf makes one error of several: the findings of all, or else the first; nil
// when none of them is one.
func oneOf(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	var found []finding.Finding
	for _, err := range errs {
		var f *steps.Failure
		if !errors.As(err, &f) {
			return errors.Join(errs...)
		}
		found = append(found, f.Findings...)
	}
	return steps.Fail(found...)
}

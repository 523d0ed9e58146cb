package write

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/sys/shell"
	"dj/keysplit/steps/trust"
)

// dotenv is the .env file that the backend reads, or one at a given path.
type dotenv struct {
	spec   string            // as --target has it
	path   string            // "" for the backend's own
	reads  []envfile.Dialect // who reads it; none for the backend's own readers
	at     *envfile.Snapshot
	change envfile.Change
	ignore *repo.Proposal // of the latest plan: git does not ignore the file, and will before the key is in it
}

func (d *dotenv) Spec() string { return d.spec }

// Local is true: it is a file.
func (d *dotenv) Local() bool { return true }

// File is the target's path.
func (d *dotenv) File(run *steps.Run) string {
	path, _ := d.file(run)
	return path
}

// own tells that it is the .env that the project's own Django reads here.
func (d *dotenv) own(run *steps.Run) bool { return d.File(run) == run.Project.EnvFile.Path }

// Look reads both keys, as the backend's reader does. What this shell sets counts
// for the backend's own file only: another one is read elsewhere.
func (d *dotenv) Look(_ context.Context, run *steps.Run) (steps.Held, error) {
	path, readers := d.file(run)
	h := steps.Held{Where: run.Project.Rel(path), Readable: true}
	at, err := envfile.Open(path)
	if err != nil {
		return h, run.Refused(path, err)
	}
	if !at.Exists {
		return h, nil
	}
	reading := run
	if !d.own(run) {
		reading = &steps.Run{Options: run.Options, Prints: run.Prints, Environ: func(string) (string, bool) { return "", false }}
	}
	keys, err := steps.ReadKeys(reading, readers[0], at.Data)
	if err != nil {
		return h, steps.Fail(finding.New(finding.KeyUnread, fmt.Sprintf("%s cannot read the file at all.", readers[0])).At(h.Where, 0))
	}
	h.Key, h.There = keys.InFile.Secret, keys.InFile.Secret.Set()
	h.SecretKey, h.Others = keys.SecretKey.Secret, keys.Others
	return h, nil
}

// file names the target's path and its readers.
func (d *dotenv) file(run *steps.Run) (string, []envfile.Dialect) {
	if d.path == "" || d.path == run.Project.EnvFile.Path {
		return run.Project.EnvFile.Path, run.Project.EnvFile.Readers
	}
	path, readers := d.path, d.reads
	if !filepath.IsAbs(path) {
		path = filepath.Join(run.Project.Root, path)
	}
	if len(readers) == 0 {
		readers = run.Project.EnvFile.Readers
	}
	return path, readers
}

// open reads the file as it is now. For the backend's own file it must still be
// as preflight saw it: what was diagnosed is what gets mended.
func (d *dotenv) open(run *steps.Run) error {
	path, _ := d.file(run)
	at, err := envfile.Open(path)
	if err != nil {
		return run.Refused(path, err)
	}
	if seen := run.Project.EnvFile.At; seen != nil && d.own(run) && !run.Wrote {
		if seen.Exists != at.Exists || string(seen.Data) != string(at.Data) {
			return steps.Fail(finding.New(finding.EnvFileChanged, "").At(run.Project.Rel(path), 0))
		}
	}
	if !at.Exists {
		if f := run.Project.MissingFile(path); !f.Fixable {
			return steps.Fail(f)
		}
	}
	d.at = at
	return nil
}

// Plan makes the edit and shows it masked.
func (d *dotenv) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	d.change, d.ignore = envfile.Change{}, nil
	if from, ok := run.Home().Brings(run.Key); ok && d.own(run) {
		return steps.Plan{Summary: "The backend gets the key from " + from + ". Nothing to write to " + run.Project.Rel(d.File(run)) + ".", Nothing: true}, nil
	}
	if d.own(run) && run.Home().File() == "" {
		return steps.Plan{Summary: run.Home().Kept() + " Nothing to write.", Nothing: true}, nil
	}
	if err := d.open(run); err != nil {
		return steps.Plan{}, err
	}
	path, readers := d.file(run)
	rel := run.Project.Rel(path)
	if !run.Key.Set() { // none was chosen
		return steps.Plan{Summary: "No key was chosen in " + steps.About(steps.Generate).Called() + ", so " + rel + " stays as it is.", Nothing: true, File: rel}, nil
	}
	ops := append(d.repairs(run), envfile.Set{Name: run.Names().Key, Value: run.Key.Reveal()})
	change, err := envfile.Edit(d.at.Data, envfile.For{Readers: readers, Env: run.LookupEnv}, ops...)
	if err != nil {
		return steps.Plan{}, fmt.Errorf("edit %s: %w", rel, err)
	}
	if err := change.Verify(); err != nil {
		return steps.Plan{}, fmt.Errorf("edit %s: %w", rel, err)
	}
	d.change = change
	if len(change.Diff) == 0 {
		return steps.Plan{Summary: rel + " holds the key already. Nothing to write.", Nothing: true, File: rel}, nil
	}
	if err := d.at.Writable(); err != nil {
		return steps.Plan{}, run.Refused(path, err)
	}
	note, err := mayHold(ctx, run, path)
	if err != nil {
		return steps.Plan{}, err
	}
	p := steps.Plan{
		Summary:  "Write the key to " + rel + ".",
		Effects:  note,
		File:     rel,
		Diff:     mask(change, run.Names(), run.Key),
		Question: "Write this change?",
		Details: []prose.Text{
			prose.Labelled("Backup", "kept in keysplit's own folder, mode 0600. Undo with: `keysplit rollback`"),
			prose.Labelled("Method", "temporary file, fsync, rename. Every other byte stays."),
		},
	}
	if d.ignore = d.unignored(run); d.ignore != nil {
		for _, line := range d.ignore.Diff {
			line.File = run.Project.Rel(d.ignore.Path)
			p.Diff = append(p.Diff, line)
		}
	}
	if !d.at.Exists {
		p.Summary = "Make " + rel + " with the key in it."
		p.Details = []prose.Text{prose.Say("Mode 0600. Undo with: `keysplit rollback`")}
	}
	return p, nil
}

// unignored is the line that keeps git from picking up the file with the key, nil where
// it does not. A committed file is edited in development only: elsewhere code comes by a
// commit.
func (d *dotenv) unignored(run *steps.Run) *repo.Proposal {
	if run.Elsewhere() != "" || !d.own(run) {
		return nil
	}
	for _, f := range run.Project.Findings {
		if f.Code == finding.EnvFileNotIgnored && f.Fixable {
			if p, ok := repo.Propose(run, f); ok {
				return &p
			}
		}
	}
	return nil
}

// mayHold refuses a file that git tracks: a secret in it is everybody's who has the
// repository. notes are what is worth knowing about that before the file is written.
func mayHold(ctx context.Context, run *steps.Run, path string) (notes []prose.Text, err error) {
	f, tracked, known := trust.Tracked(ctx, run, path, true)
	switch {
	case tracked && f.Severity == finding.Error:
		return nil, steps.Fail(f)
	case tracked:
		return []prose.Text{f.Message}, nil
	case !known:
		return []prose.Text{prose.Say("Git does not answer here, so keysplit does not know whether it tracks %s.", run.Project.Rel(path))}, nil
	}
	return nil, nil
}

// repairs are the edits that preflight's findings about this file ask for,
// beside setting the key itself. Their lines count in the file as it is.
func (d *dotenv) repairs(run *steps.Run) []envfile.Op {
	if !d.own(run) || !d.at.Exists {
		return nil
	}
	rel := run.Project.Rel(run.Project.EnvFile.Path)
	var ops []envfile.Op
	var seen []int
	for _, f := range run.Project.Findings {
		if !f.Fixable || f.File != rel || f.Line == 0 || slices.Contains(seen, f.Line) || run.Wrote {
			continue
		}
		switch f.Code {
		case finding.LineGlued:
			ops = append(ops, envfile.Split{Line: f.Line, Name: run.Names().Key})
		case finding.LineBare, finding.JWTKeyDuplicate:
			ops = append(ops, envfile.Drop{Line: f.Line})
		default:
			continue
		}
		seen = append(seen, f.Line)
	}
	return ops
}

// Apply replaces the file.
func (d *dotenv) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if len(d.change.Diff) == 0 {
		return nil
	}
	path, _ := d.file(run)
	if d.ignore != nil { // first, so that the key is at no time in a file that git picks up
		if err := d.ignore.Apply(ctx, run); err != nil {
			return err
		}
		run.Fixed(d.ignore.Finding)
		emit.Check("write .gitignore", steps.MarkOK, "wrote "+run.Project.Rel(d.ignore.Path), "git ignores "+run.Project.Rel(path))
	}
	out, err := run.Journal.Replace(ctx, d.at, d.change.New)
	if out.Changed() {
		run.MarkWritten()
	}
	if err != nil {
		return run.Refused(path, err)
	}
	if out.InPlace {
		emit.Progress(run.Project.Rel(path) + " is mounted on its own and cannot be renamed over: it was overwritten in place, which is not atomic.")
	}
	if out.Holder != "" {
		emit.Progress("A lock on the folder of " + run.Project.Rel(path) + " was held for too long by " + out.Holder + ". keysplit went on without it: no edit is lost by that.")
	}
	if out.Lost != "" {
		emit.Progress(run.Project.Rel(path) + " lost what this user may not set: " + out.Lost + ". For a label of SELinux, run: " + shell.Join("restorecon", path))
	}
	emit.Check("write "+run.Project.Rel(path), steps.MarkOK, "wrote "+run.Project.Rel(path), steps.Extent(d.change.Old, d.change.New, 0))
	return nil
}

// Verify reads the file again, as every reader does.
func (d *dotenv) Verify(_ context.Context, run *steps.Run, emit steps.Emit) error {
	if !run.Key.Set() {
		return nil
	}
	path, readers := d.file(run)
	if from, ok := run.Home().Brings(run.Key); ok && d.own(run) {
		emit.Check(steps.LinesReadBack+run.Project.Rel(path), steps.MarkOK, from+" holds the key", "fingerprint "+run.Key.Fingerprint()+"; no file sets one")
		return nil
	}
	at, err := envfile.Open(path)
	if err != nil {
		return run.Refused(path, err)
	}
	for _, r := range readers {
		vars, err := envfile.Read(r, at.Data, run.LookupEnv)
		if err != nil {
			return fmt.Errorf("read %s back as %s does: %w", run.Project.Rel(path), r, err)
		}
		if v, says := vars.Says(run.Names().Key); !says || !run.Prints.Secret(v).Equal(run.Key) {
			return steps.Fail(finding.New(finding.KeyUnread, fmt.Sprintf("After writing, %s still reads another value.", r)).At(run.Project.Rel(path), 0))
		}
	}
	emit.Check(steps.LinesReadBack+run.Project.Rel(path), steps.MarkOK, "read back "+run.Project.Rel(path), fmt.Sprintf("fingerprint %s, as %s reads it", run.Key.Fingerprint(), readers[0]))
	return nil
}

// undoFiles reverts the changes of the latest upgrade, the last one first.
func undoFiles(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if run.Journal == nil {
		return nil
	}
	applied := run.Journal.Applied()
	for _, in := range slices.Backward(applied) {
		if _, err := run.Journal.Revert(ctx, in, run.Options.Force); err != nil {
			return edited(run, run.Refused(in.Path, err))
		}
		text, detail := " is restored exactly", "content, mode and owner as before"
		if in.Created {
			text, detail = " is gone again", "keysplit made it"
		}
		emit.Check("undo "+in.ID, steps.MarkOK, run.Project.Rel(in.Path)+text, detail)
		run.MarkWritten()
	}
	return nil
}

// edited gives the advice that fits a rollback, where running it again as it is
// would be refused again.
func edited(run *steps.Run, err error) error {
	var failure *steps.Failure
	if !errors.As(err, &failure) || !finding.Has(failure.Findings, finding.EnvFileChanged) {
		return err
	}
	f := failure.Findings[0]
	f.Why = prose.Say("It holds an edit that was made after keysplit wrote it. Restoring the file would lose that edit, so nothing was changed.")
	return steps.Fail(f.WithFix(finding.Do("Keep the edit and take the JWT_SECRET_KEY line out by hand, or run `keysplit rollback --force`: the edited version is then kept in %s.", run.Journal.Dir())))
}

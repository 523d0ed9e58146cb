package write

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/edits"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/trust"
)

// dotenv is the .env file that the backend reads, or one at a given path.
type dotenv struct {
	spec  string            // as --target has it
	path  string            // "" for the backend's own
	reads []envfile.Dialect // who reads it; none for the backend's own readers
	draft *steps.Draft      // of the backend's own file, with the edits before that of the key; nil for none
	made  []steps.Edit      // of the latest plan: what Apply writes
}

func (d *dotenv) Spec() string { return d.spec }

// Local is true: it is a file.
func (d *dotenv) Local() bool { return true }

// File is the target's path.
func (d *dotenv) File(run *steps.Run) string {
	path, _ := d.file(run)
	return path
}

// ReadBy is who reads the file, where that is known without the project.
func (d *dotenv) ReadBy() []envfile.Dialect { return d.reads }

// own reports whether it is the .env that the project's own Django reads here.
func (d *dotenv) own(run *steps.Run) bool { return d.File(run) == run.Project.EnvFile.Path }

// ownFile is the target where it is the backend's own file, nil where it is another one.
func (d *dotenv) ownFile(run *steps.Run) *dotenv {
	if !d.own(run) {
		return nil
	}
	return d
}

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
		reading = &steps.Run{Options: run.Options, Found: steps.Found{Project: run.Project}, Prints: run.Prints, Environ: func(string) (string, bool) { return "", false }}
	}
	keys, err := steps.ReadKeys(reading, readers[0], at.Data)
	if err != nil {
		return h, steps.Fail(finding.New(finding.KeyUnread, fmt.Sprintf("%s cannot read the file at all.", readers[0])).At(h.Where, 0))
	}
	h.Key, h.There = keys.InFile.Secret, keys.InFile.Secret.Set()
	h.SecretKey, h.Others = keys.SecretKey.Secret, keys.Others
	return h, nil
}

// Variables are what the file sets for the process that is given it.
func (d *dotenv) Variables(run *steps.Run) (map[string]string, bool) {
	path, readers := d.file(run)
	at, err := envfile.Open(path)
	if err != nil || !at.Exists {
		return nil, false
	}
	vars, err := envfile.Read(readers[0], at.Data, func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, false
	}
	out := map[string]string{}
	for _, name := range vars.Names() {
		value, known := vars.Says(name)
		if !known {
			return nil, false
		}
		out[name] = value
	}
	return out, true
}

// file names the target's path and its readers.
func (d *dotenv) file(run *steps.Run) (string, []envfile.Dialect) {
	if d.path == "" || d.path == run.Project.EnvFile.Path {
		return run.Project.EnvFile.Path, run.Project.EnvFile.Readers
	}
	path, readers := file.From(run.Project.Root, d.path), d.reads
	switch {
	case len(readers) > 0:
	case slices.Contains(run.Project.UnitFiles, path):
		readers = []envfile.Dialect{envfile.Systemd}
	default:
		readers = run.Project.EnvFile.Readers
	}
	return path, readers
}

// open reads the file as it is now. For the backend's own file it must still be
// as preflight saw it: what was diagnosed is what gets fixed.
func (d *dotenv) open(run *steps.Run, draft *steps.Draft) (*envfile.Snapshot, error) {
	path, _ := d.file(run)
	at, err := draft.Found(path)
	if err != nil {
		return nil, run.Refused(path, err)
	}
	if seen := run.Project.EnvFile.At; seen != nil && d.own(run) && !run.Wrote {
		if seen.Exists != at.Exists || string(seen.Data) != string(at.Data) {
			return nil, steps.Fail(finding.New(finding.EnvFileChanged, "").At(run.Project.Rel(path), 0))
		}
	}
	if now, err := draft.Read(path); err == nil && now == nil {
		// An edit of the draft makes it from its example, where there is one.
		if f := run.MissingFile(path); !f.Fixable || steps.SampleOf(path) != "" {
			return nil, steps.Fail(f)
		}
	}
	return at, nil
}

// Plan offers the edit of the key's line behind those of the draft, and shows what all
// of them do.
func (d *dotenv) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	draft := d.draft
	if d.draft, d.made = nil, nil; draft == nil {
		draft, _ = steps.Draw(ctx, run, nil, nil) // an empty one, of no makers
	}
	p, err := d.key(run, draft)
	if err != nil {
		return p, err
	}
	p.Edits = draft.Edits
	if d.made = draft.On(); len(d.made) == 0 {
		p.Summary, p.Nothing, p.Details = p.Summary.Then(prose.Say("Nothing to write.")), true, nil
		return p, nil
	}
	if slices.ContainsFunc(d.made, func(e steps.Edit) bool { return e.Secret }) {
		if p.Effects, err = d.mayWrite(ctx, run, draft); err != nil {
			return steps.Plan{}, err
		}
	}
	p.Diff = edits.Diffs(run, d.made)
	p.File = p.Diff[0].File
	return p, nil
}

// key offers the edit that gives the file the run's key, where it is to hold one. The
// plan says what comes of it.
func (d *dotenv) key(run *steps.Run, draft *steps.Draft) (steps.Plan, error) {
	path, readers := d.file(run)
	rel := run.Project.Rel(path)
	p := steps.Plan{File: rel, Question: prose.Say("Write this change?"), Details: []prose.Text{
		prose.Labelled("Backup", "kept in keysplit's own folder, mode 0600. Undo with: `keysplit rollback`"),
		prose.Labelled("Method", "temporary file, fsync, rename. Every other byte stays."),
	}}
	others := len(draft.On())
	switch from, ok := run.Home().Brings(run.Key); {
	case ok && d.own(run):
		p.Summary, p.File = prose.Say("The backend gets the key from %s.", from), ""
		return p, nil
	case d.own(run) && run.Home().File() == "":
		p.Summary, p.File = run.Home().Kept(), ""
		return p, nil
	}
	at, err := d.open(run, draft)
	if err != nil {
		return p, err
	}
	if !run.Key.Set() { // none was chosen
		p.Summary = prose.Say("No key was chosen in %s, so %s gets none.", steps.About(steps.Generate).Called(), rel)
		return p, nil
	}
	now, _ := draft.Read(path) // open has read it
	ops := append([]envfile.Op{envfile.Set{Name: run.Names().Key, Value: run.Key.Reveal()}}, secondKey(run)...)
	change, err := envfile.Edit(now, envfile.For{Readers: readers, Env: run.LookupEnv}, ops...)
	if err != nil {
		return p, fmt.Errorf("edit %s: %w", rel, err)
	}
	if p.Summary = prose.Say("%s holds the key already.", rel); len(change.Diff) == 0 {
		if others > 0 {
			p.Summary = p.Summary.Then(prose.Say("Make %s.", steps.Plural(others, "edit")))
		}
		return p, nil
	}
	_, err = draft.Offer(steps.Edit{
		ID: "key " + rel, Key: true, File: path, Is: change.New, Secret: true, Needed: true,
		Why: prose.Say("Set JWT_SECRET_KEY to the key of this run."), Diff: edits.Diff(run, now, change.New), Closes: d.closes(run, rel),
	})
	p.Summary = prose.Say("%s%s.", writing(run), rel)
	if !at.Exists && now == nil {
		p.Summary = prose.Say("Make %s with the key in it.", rel)
		p.Details = []prose.Text{prose.Say("Mode 0600. Undo with: `keysplit rollback`")}
	}
	if others > 0 {
		p.Summary = p.Summary.Then(prose.Say("Make %s.", steps.Plural(others, "other edit")))
	}
	return p, err
}

// closes are the findings that the key in the file fixes.
func (d *dotenv) closes(run *steps.Run, rel string) (out []finding.Finding) {
	for _, f := range run.Project.Findings {
		if f.FixedBySteps() && f.File == rel && edits.OfKey(f.Code) {
			out = append(out, f)
		}
	}
	return out
}

// mayWrite refuses a file that cannot be written, or that may not hold a secret.
func (d *dotenv) mayWrite(ctx context.Context, run *steps.Run, draft *steps.Draft) ([]prose.Text, error) {
	path, _ := d.file(run)
	at, err := draft.Found(path)
	if err == nil {
		err = at.Writable()
	}
	if err != nil {
		return nil, run.Refused(path, err)
	}
	return mayHold(ctx, run, path)
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

// Apply writes the edits.
func (d *dotenv) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if len(d.made) == 0 {
		return nil
	}
	if err := run.WriteEdits(ctx, d.made, emit); err != nil {
		return err
	}
	for _, e := range d.made {
		for _, f := range e.Closes {
			run.Fixed(f)
		}
	}
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
		vars, _ := envfile.Read(r, at.Data, run.LookupEnv) // nothing of a file that the reader refuses
		if v, says := vars.Says(run.Names().Key); !says || !run.Prints.Secret(v).Equal(run.Key) {
			return steps.Fail(finding.New(finding.KeyUnread, fmt.Sprintf("After writing, %s still reads another value.", r)).At(run.Project.Rel(path), 0))
		}
		if err := readSecond(run, vars, r, run.Project.Rel(path)); err != nil {
			return err
		}
	}
	emit.Check(steps.LinesReadBack+run.Project.Rel(path), steps.MarkOK, "read back "+run.Project.Rel(path), fmt.Sprintf("fingerprint %s, %s", run.Key.Fingerprint(), run.Project.ReadAs(path, readers[0])))
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

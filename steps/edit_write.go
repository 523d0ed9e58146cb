package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/sys/shell"
)

// WriteEdits makes the edits that are on: each file once, as the last of its edits has
// it, through the journal. Every file is compared with what the plan saw before any is
// changed, and once more when it is. Where one cannot be written, those before it are
// restored, and the error is why. A run that is killed in between leaves each file old or
// new: the next plan has the edits that are left, and belongs to the same upgrade.
//
// The order is one in which the backend can start at any time: what keeps git and builds
// away from a secret, the files with secrets, all others, the Python files (runserver
// reloads with each of them), and last those with which the settings insist on more.
func (r *Run) WriteEdits(ctx context.Context, edits []Edit, emit Emit) error {
	files, err := filesOf(edits)
	if err != nil {
		return err
	}
	var targets []string
	for i := range files {
		if err := files[i].open(r); err != nil {
			return err
		}
		targets = append(targets, files[i].at.Target)
	}
	if err := r.Journal.BeginPlan(targets); err != nil {
		return err
	}
	before := r.Journal.Applied()
	for _, f := range files {
		if err := f.write(ctx, r, emit); err != nil {
			made := slices.DeleteFunc(r.Journal.Applied(), func(in envfile.Intent) bool {
				return slices.ContainsFunc(before, func(b envfile.Intent) bool { return b.ID == in.ID })
			})
			return errors.Join(err, r.unwrite(context.WithoutCancel(ctx), made, emit))
		}
	}
	return nil
}

// written is one file of a plan: the first of its edits with the bytes and the mode of the last.
type written struct {
	Edit
	at *envfile.Snapshot
}

// FilesOf is what edits that are on do to each file in all, in the order in which they are
// written. Those of another version of a file are left out: WriteEdits refuses them.
func FilesOf(edits []Edit) (out []Edit) {
	files, _ := filesOf(edits)
	for _, f := range files {
		out = append(out, f.Edit)
	}
	return out
}

// filesOf are the files of the edits that are on, in the order in which they are written.
func filesOf(edits []Edit) ([]written, error) {
	var files []written
	for _, e := range edits {
		if !e.On {
			continue
		}
		at := slices.IndexFunc(files, func(f written) bool { return f.File == e.File })
		if at < 0 {
			files = append(files, written{Edit: e})
			continue
		}
		f := &files[at]
		if !bytes.Equal(f.Is, e.Was) {
			return nil, fmt.Errorf("the edit %s is of another version of %s", e.ID, e.File)
		}
		f.Is, f.Secret, f.Needed, f.Refuses = e.Is, f.Secret || e.Secret, f.Needed || e.Needed, f.Refuses || e.Refuses
		if e.Mode != 0 {
			f.Mode = e.Mode
		}
	}
	slices.SortStableFunc(files, func(a, b written) int { return a.rank() - b.rank() })
	return files, nil
}

func (e Edit) rank() int {
	name := filepath.Base(e.File)
	switch {
	case e.Refuses:
		return 4
	case filepath.Ext(name) == ".py":
		return 3
	case e.Secret:
		return 1
	case name == ".gitignore" || name == ".dockerignore":
		return 0
	}
	return 2
}

// isRead reports whether the backend reads the file at its start, and gets another content.
func (f *written) isRead() bool {
	return (f.Secret || f.Needed || f.Refuses || filepath.Ext(f.File) == ".py") && !bytes.Equal(f.Was, f.Is)
}

// open reads the file once more, and refuses one that is not as the plan saw it.
func (f *written) open(r *Run) (err error) {
	if f.Secret {
		f.at, err = envfile.Open(f.File)
	} else {
		f.at, err = r.OpenInTree(f.File)
	}
	if err != nil {
		return r.Refused(f.File, err)
	}
	if f.at.Exists != (f.Was != nil) || !bytes.Equal(f.at.Data, f.Was) {
		return Fail(finding.New(finding.EnvFileChanged, r.Project.Rel(f.File)+" changed since it was looked at.").At(r.Project.Rel(f.File), 0))
	}
	return r.Refused(f.File, f.at.Writable())
}

func (f *written) write(ctx context.Context, r *Run, emit Emit) error {
	mode := f.Mode
	if mode == 0 && !f.at.Exists && !f.Secret {
		mode = 0o644
	}
	out, err := r.Journal.ReplaceAs(ctx, f.at, f.Is, mode)
	switch {
	case !out.Changed():
	case f.isRead():
		r.MarkWritten()
	default:
		r.Wrote = true // a server that is older has the key all the same
	}
	if err != nil {
		return r.Refused(f.File, err)
	}
	name := r.Project.Rel(f.File)
	if out.InPlace {
		emit.Progress(name + " is mounted on its own and cannot be renamed over: it was overwritten in place, which is not atomic.")
	}
	if out.Holder != "" {
		emit.Progress("A lock on the folder of " + name + " was held for too long by " + out.Holder + ". keysplit went on without it: no edit is lost by that.")
	}
	if out.Lost != "" {
		emit.Progress(name + " lost what this user may not set: " + out.Lost + ". For a label of SELinux, run: " + shell.Join("restorecon", f.File))
	}
	emit.Check("write "+name, MarkOK, "wrote "+name, Extent(f.Was, f.Is, mode))
	if filepath.Base(f.File) == ".envrc" {
		left := prose.Say("direnv loads the changed %s when you allow it: %s", name, prose.Shell("direnv", "allow", FromHere(f.File)))
		emit.Tell(left)
		r.Left = append(r.Left, left)
	}
	return nil
}

// unwrite restores what a plan had written before one of its files failed.
func (r *Run) unwrite(ctx context.Context, made []envfile.Intent, emit Emit) error {
	for _, in := range slices.Backward(made) {
		if _, err := r.Journal.Revert(ctx, in, false); err != nil {
			emit.Tell(prose.Say("%s could not be restored. To undo what this run wrote: %s", r.Project.Rel(in.Path), prose.Command(r.Command("rollback"))))
			return r.Refused(in.Path, err)
		}
		emit.Check("undo "+in.ID, MarkOK, r.Project.Rel(in.Path)+" is restored exactly", "since the plan could not be written whole")
	}
	return nil
}

// Extent says how many lines a change of a file touches. A last line that only gets its
// line end is not one.
func Extent(was, is []byte, mode fs.FileMode) string {
	added, removed := 0, 0
	for _, c := range Compare(was, is) {
		if !c.FinalNewline {
			added, removed = added+len(c.Added), removed+len(c.Removed)
		}
	}
	switch {
	case added == 0 && removed == 0 && mode != 0:
		return fmt.Sprintf("mode %04o", mode)
	case removed == 0:
		return Plural(added, "line") + " added"
	}
	return Plural(max(added, removed), "line") + " changed"
}

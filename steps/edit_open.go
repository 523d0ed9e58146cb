package steps

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// OpenInTree reads a file (absolute path) of the project's work tree, if there is one,
// and refuses every way to it that is a link or leads out. The snapshot keeps that: a
// link that takes the file's place later is a change that is found before anything is
// written. What is refused is a *TreeError or an *envfile.RefusedError.
func (r *Run) OpenInTree(path string) (*envfile.Snapshot, error) {
	top, err := filepath.EvalSymlinks(r.Project.TopLevel)
	if err != nil {
		return nil, &TreeError{r.Project.Rel(path) + " cannot be read"}
	}
	name, err := filepath.Rel(r.Project.TopLevel, path)
	if err != nil || !filepath.IsLocal(name) {
		if name, err = filepath.Rel(top, path); err != nil || !filepath.IsLocal(name) {
			return nil, &TreeError{path + " is outside of the repository"}
		}
	}
	if isLink(top, name) {
		return nil, &TreeError{filepath.ToSlash(name) + " is a symbolic link, or in a folder that is one"}
	}
	at, err := envfile.Open(filepath.Join(top, name))
	var refused *envfile.RefusedError
	switch {
	case errors.As(err, &refused):
		refused.Path = filepath.ToSlash(name)
		return nil, refused
	case err != nil:
		return nil, &TreeError{filepath.ToSlash(name) + " cannot be read"}
	case at.Target != filepath.Join(top, name):
		return nil, &TreeError{filepath.ToSlash(name) + " was changed by another program just now"}
	}
	return at, nil
}

// TreeError says why a file of the work tree is not read or written.
type TreeError struct{ why string }

func (e *TreeError) Error() string { return e.why }

// isLink reports whether a part of a path below top is a symbolic link.
func isLink(top, name string) bool {
	for part := name; part != "."; part = filepath.Dir(part) {
		if info, err := os.Lstat(filepath.Join(top, part)); err == nil && info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0 {
			return true
		}
	}
	return false
}

// Refused turns a refusal to read or write a file into the finding that explains it; any
// other error stays, and nil is nil.
func (r *Run) Refused(path string, err error) error {
	name := r.Project.Rel(path)
	var out *TreeError
	if errors.As(err, &out) {
		return Fail(finding.New(finding.EnvFileNotRegular, secret.Inert(out.why)+".").At(name, 0))
	}
	var refused *envfile.RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	code := finding.EnvFileNotRegular
	switch refused.Reason {
	case envfile.ReasonNoFolder:
		return Fail(NoFolder(path))
	case envfile.ReasonUnreadable:
		code = finding.EnvFileUnreadable
	case envfile.ReasonNameTooLong, envfile.ReasonNameNotText:
		return Fail(finding.New(finding.EnvFileUnreadable, refused.What()+".").At(name, 0).
			WithFix(prose.Sentence(refused.Advice())))
	case envfile.ReasonReadOnly, envfile.ReasonFolderReadOnly, envfile.ReasonReadOnlySystem, envfile.ReasonCannotKeep, envfile.ReasonImmutable, envfile.ReasonAppendOnly:
		said := *refused
		said.Path = name
		return Fail(finding.New(finding.EnvFileReadOnly, said.What()+".").At(name, 0).WithFix(prose.Sentence(refused.Advice())))
	case envfile.ReasonNoRoom:
		said := *refused
		said.Path = name
		return Fail(finding.New(finding.DiskFull, said.What()+".").At(name, 0))
	case envfile.ReasonBackupDamaged:
		return Fail(finding.New(finding.BackupDamaged, refused.Error()).At(name, 0).
			WithFix(finding.Do("Restore it by hand. The backups are in %s.", r.Journal.Dir())))
	case envfile.ReasonChanged, envfile.ReasonForeign, envfile.ReasonLocked:
		code = finding.EnvFileChanged
	}
	return Fail(finding.New(code, refused.Error()).At(name, 0))
}

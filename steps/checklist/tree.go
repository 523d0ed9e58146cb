package checklist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"dj/keysplit/steps"
)

// The bounds of the look at the files. A file over file.MaxRead is not read.
const (
	maxEntries = 200_000 // names passed on the way
	maxFiles   = 2_000   // files of one kind that are read
)

// tree is the files below the top level that matter here, in lexical order.
type tree struct {
	files   map[kind][]string // absolute
	partial map[kind]string   // why not everything was looked at, "" when all was
	closed  []string          // folders that this user may not open, relative
}

// skipped are folders of other people's files, and of what tools make.
var skipped = []string{
	".git", ".hg", ".svn", "node_modules", "bower_components", "vendor", "site-packages", "__pycache__",
	".venv", "venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".terraform",
}

// walk lists the files below top. It follows no link to a folder, opens no
// file, and passes over repositories' own data, virtual environments and
// packages. Names come in lexical order, so that two looks see the same.
func walk(ctx context.Context, top string) (tree, error) {
	t := tree{files: map[kind][]string{}, partial: map[kind]string{}}
	passed := 0
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if path == top {
				return steps.CannotLook("list the project's files: %w", err)
			}
			t.closed = append(t.closed, relative(top, path))
			return nil
		}
		if passed++; passed > maxEntries {
			for _, k := range []kind{envFile, pipeline, document} {
				t.incomplete(k, fmt.Sprintf("there are more than %d files", maxEntries))
			}
			return filepath.SkipAll
		}
		if d.IsDir() {
			if path != top && foreign(path, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		k := kindOf(relative(top, path))
		if k == other || !d.Type().IsRegular() && (k != envFile || isFolder(path)) {
			return nil
		}
		if len(t.files[k]) == maxFiles {
			t.incomplete(k, fmt.Sprintf("there are more than %d to read", maxFiles))
			return nil
		}
		t.files[k] = append(t.files[k], path)
		return nil
	})
	return t, err
}

func (t *tree) incomplete(k kind, why string) {
	if t.partial[k] == "" {
		t.partial[k] = "not every file was looked at: " + why
	}
}

// unseen tells about folders that could not be opened. As a rule they are a
// database's, and nothing that this user's backend could read, so they leave no
// item open; but they are named.
func (t tree) unseen() []Evidence {
	if len(t.closed) == 0 {
		return nil
	}
	return []Evidence{{Text: "not looked into, since this user may not open it: " + several(t.closed)}}
}

// foreign tells whether a folder holds nothing of the project's own.
func foreign(path, name string) bool {
	if slices.Contains(skipped, name) {
		return true
	}
	_, err := os.Lstat(filepath.Join(path, "pyvenv.cfg"))
	return err == nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func relative(top, path string) string {
	rel, err := filepath.Rel(top, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}

// whyUnread says in a few words why a file could not be read. It names no path,
// since the caller does.
func whyUnread(err error) string {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "it does not exist, or links to nothing"
	case errors.Is(err, fs.ErrPermission):
		return "this user may not read it"
	case errors.As(err, &path):
		return path.Err.Error()
	}
	return err.Error()
}

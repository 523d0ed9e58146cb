package repo

import (
	"context"
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

// Tree is the files below the top level that matter here, in lexical order.
type Tree struct {
	Files   map[Kind][]string // absolute
	Shared  []string          // those of Files[EnvFile] that git tracks or would
	Partial map[Kind]string   // why not everything was looked at, "" when all was
	Closed  []string          // folders that this user may not open, relative
}

// skipped are folders of other people's files, and of what tools make.
var skipped = []string{
	".git", ".hg", ".svn", "node_modules", "bower_components", "vendor", "site-packages", "__pycache__",
	".venv", "venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".terraform",
}

// Walk lists the files below top that git does not ignore. It follows no link to a folder, opens no
// file, and passes over repositories' own data, virtual environments and
// packages. Names come in lexical order, so that two looks see the same.
func Walk(ctx context.Context, top string) (Tree, error) {
	t := Tree{Files: map[Kind][]string{}, Partial: map[Kind]string{}}
	passed := 0
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if path == top {
				return steps.CannotLook("list the project's files: %w", err)
			}
			t.Closed = append(t.Closed, Relative(top, path))
			return nil
		}
		if passed++; passed > maxEntries {
			for _, k := range []Kind{EnvFile, Pipeline, Document} {
				t.Incomplete(k, fmt.Sprintf("there are more than %d files", maxEntries))
			}
			return filepath.SkipAll
		}
		if d.IsDir() {
			if path != top && Foreign(path, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		k := KindOf(Relative(top, path))
		if k == Other || !d.Type().IsRegular() && (k != EnvFile || isFolder(path)) {
			return nil
		}
		if len(t.Files[k]) == maxFiles {
			t.Incomplete(k, fmt.Sprintf("there are more than %d to read", maxFiles))
			return nil
		}
		t.Files[k] = append(t.Files[k], path)
		return nil
	})
	if err == nil {
		t.dropIgnored(ctx, top)
	}
	return t, err
}

// Incomplete notes why the look at a kind of files is not whole. The first reason stays.
func (t *Tree) Incomplete(k Kind, why string) {
	if t.Partial[k] == "" {
		t.Partial[k] = "not every file was looked at: " + why
	}
}

// Foreign reports whether a folder holds nothing of the project's own.
func Foreign(path, name string) bool {
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

// Relative is path below top, with slashes.
func Relative(top, path string) string {
	rel, err := filepath.Rel(top, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}

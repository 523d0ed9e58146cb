package steps

import (
	"os"
	"path/filepath"
	"strings"

	"dj/keysplit/steps/sys/file"
)

// FromHere is an absolute path as a command has it that is typed into the shell that
// keysplit was started from: relative to its folder, unless that would lead up by
// more than two folders.
func FromHere(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	return from(here, path)
}

// GitFolder is what git -C takes for a work tree in commands that are typed into that
// shell: "" where keysplit was started in the work tree.
func GitFolder(top string) string {
	if here, err := filepath.EvalSymlinks("."); err == nil {
		if here, err = filepath.Abs(here); err == nil {
			if file.Within(top, here) {
				return ""
			}
		}
	}
	return FromHere(top)
}

func from(here, path string) string {
	if resolved, err := filepath.EvalSymlinks(here); err == nil {
		here = resolved
	}
	rel, err := filepath.Rel(here, path)
	if err != nil || filepath.IsAbs(rel) {
		return path
	}
	up := filepath.Join("..", "..", "..")
	if len(rel) >= len(up) && rel[:len(up)] == up {
		return path
	}
	return rel
}

// Tilde is a path as a person reads it: the home folder is ~.
func Tilde(path string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(home, path); err == nil && filepath.IsLocal(rel) {
		return strings.TrimSuffix("~/"+filepath.ToSlash(rel), "/.")
	}
	return path
}

// Package file reads files that anybody may have put there: none of them can
// hang or flood keysplit.
package file

import (
	"embed"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// From is a path as it counts from a folder. On Windows a path that begins with a separator and names no drive is on
// the folder's own: such paths are in files that systems share.
func From(folder, path string) string {
	switch {
	case filepath.IsAbs(path):
		return path
	case path != "" && os.IsPathSeparator(path[0]):
		return filepath.VolumeName(folder) + path
	}
	return filepath.Join(folder, path)
}

// Resolved is a path without links; its last parts need not exist.
func Resolved(path string) string {
	rest := ""
	for at := path; ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(real, rest)
		}
		if at == filepath.Dir(at) {
			return path
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
}

// Within reports whether a path is a folder or lies in it, by their names alone.
func Within(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}

// Glob returns the files of a folder that a pattern matches, with slashes, as in fs.Glob; none where the folder cannot be
// read. What a folder's own name has of a pattern's signs counts for itself.
func Glob(folder, pattern string) (files []string) {
	names, _ := fs.Glob(os.DirFS(folder), pattern) // the patterns are well formed
	for _, name := range names {
		files = append(files, filepath.Join(folder, filepath.FromSlash(name)))
	}
	return files
}

// MaxRead is the largest file, in bytes, that ReadSmall reads.
const MaxRead = 1 << 20

// ReadSmall reads a regular file of at most MaxRead bytes; links are followed.
// It opens nothing else, so that a pipe cannot hold it up.
func ReadSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxRead+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxRead {
		return nil, errors.New("it is larger than 1 MiB")
	}
	return data, nil
}

// Joined is the text of the files in a folder that is embedded in the program, one after
// the other in the order of their names.
func Joined(files embed.FS, folder string) (text []byte) {
	parts, _ := files.ReadDir(folder) // it is a part of this program
	for _, part := range parts {
		one, _ := files.ReadFile(folder + "/" + part.Name())
		text = append(text, one...)
	}
	return text
}

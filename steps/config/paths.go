package config

import (
	"os"
	"path/filepath"
	"strings"
)

// from makes the paths of the file's specs, which are relative to the file itself,
// relative to another folder: the project's, from which specs count everywhere else.
func (c Config) from(folder string) Config {
	for name, e := range c.Environments {
		for i, spec := range e.Targets {
			e.Targets[i] = c.spec(folder, spec, []string{"dotenv", "compose"})
		}
		if strings.ContainsRune(e.Restart, '#') {
			e.Restart = c.spec(folder, e.Restart, []string{"compose"})
		}
		c.Environments[name] = e
	}
	return c
}

// spec is a spec with its path from another folder, as it is when it has none: the
// kinds are those whose argument begins with one, up to a number sign.
func (c Config) spec(folder, spec string, kinds []string) string {
	for _, kind := range kinds {
		argument, ok := strings.CutPrefix(spec, kind+":")
		if !ok || argument == "" {
			continue
		}
		path, rest := argument, ""
		if i := strings.IndexByte(argument, '#'); i >= 0 && kind == "compose" {
			path, rest = argument[:i], argument[i:]
		}
		if path == "" || filepath.IsAbs(path) || os.IsPathSeparator(path[0]) {
			return spec
		}
		path = filepath.Join(filepath.Dir(c.Path), filepath.FromSlash(path))
		if rel, err := filepath.Rel(folder, path); err == nil {
			path = filepath.ToSlash(rel)
		}
		return kind + ":" + path + rest
	}
	return spec
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

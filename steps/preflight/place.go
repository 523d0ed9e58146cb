package preflight

import (
	"os"
	"path/filepath"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/sys/file"
)

// place is where the backend's reader finds its file, as far as its sources
// tell.
type place struct {
	path   string // absolute; the file need not exist
	found  string // how, in words
	hidden string // a settings.ini that the reader finds first, "" for none
	hides  string // a .env with keys in it, further up, that is never read
	none   bool   // the reader is told to open a file that is not there, or none
}

// guess works out which file the reader opens. env are the variables of this process.
func guess(p *steps.Project, d envfile.Dialect, user source, env func(string) (string, bool)) place {
	usual := place{path: filepath.Join(p.Root, ".env"), found: "beside manage.py"}
	if d == envfile.Shell {
		return usual
	}
	switch path, told := (told{p, user, env}).file(d); {
	case path != "":
		return place{path: path, found: string(d) + " reads it"}
	case told:
		usual.none = true
		return usual
	}
	switch d {
	case envfile.Decouple:
		return decoupleSearch(p, user.folder())
	case envfile.DjangoEnviron:
		return place{path: filepath.Join(user.folder(), ".env"), found: string(d) + " reads it"}
	}
	for dir := user.folder(); ; dir = filepath.Dir(dir) {
		if path := filepath.Join(dir, ".env"); isFile(path) {
			return place{path: path, found: string(d) + " finds it"}
		}
		if dir == filepath.Dir(dir) {
			return usual
		}
	}
}

// decoupleSearch walks as decouple does: from the folder of the module that
// asks, upward; in each folder settings.ini before .env; the first one wins.
func decoupleSearch(p *steps.Project, from string) place {
	for dir := from; ; dir = filepath.Dir(dir) {
		env, ini := filepath.Join(dir, ".env"), filepath.Join(dir, "settings.ini")
		switch {
		case isFile(ini):
			if !isFile(env) {
				env = filepath.Join(p.Root, ".env")
			}
			return place{path: env, found: "decouple would read it", hidden: ini}
		case isFile(env):
			return place{path: env, found: "decouple reads it", hides: hiddenBy(p, env)}
		}
		// decouple looks at every folder but the root of the file system.
		if parent := filepath.Dir(dir); parent == dir || parent == filepath.Dir(parent) {
			break
		}
	}
	path := filepath.Join(p.Root, ".env")
	if !file.Within(p.Root, from) {
		path = filepath.Join(from, ".env")
	}
	return place{path: path, found: "where decouple will look"}
}

// hiddenBy looks for a .env further up that has SECRET_KEY or the key, where
// the one that is read has neither.
func hiddenBy(p *steps.Project, env string) string {
	if holdsKeys(p.Names, env) {
		return ""
	}
	for _, dir := range upward(filepath.Dir(env), p.TopLevel)[1:] {
		if up := filepath.Join(dir, ".env"); isFile(up) && holdsKeys(p.Names, up) {
			return up
		}
	}
	return ""
}

// holdsKeys reports whether a file sets one of the two keys.
func holdsKeys(names steps.Names, path string) bool {
	return sets(path, func(name string) bool { return names.IsKey(name) || names.IsSecretKey(name) })
}

// sets reports whether a file sets a variable whose name is wanted.
func sets(path string, wanted func(name string) bool) bool {
	for _, l := range envfile.Parse(readSome(path)).Lines() {
		if l.Kind == envfile.Assignment && !l.Inside && wanted(l.Name) {
			return true
		}
	}
	return false
}

// astray looks for a .env with keys in a direct sub folder of the project, where
// the reader never looks. It is asked only when the reader finds none.
func astray(p *steps.Project) string {
	if path := filepath.Join(p.TopLevel, ".env"); isFile(path) && holdsKeys(p.Names, path) {
		return path
	}
	entries, _ := os.ReadDir(p.Root)
	for _, e := range entries {
		if path := filepath.Join(p.Root, e.Name(), ".env"); isFile(path) && holdsKeys(p.Names, path) {
			return path
		}
	}
	return ""
}

package preflight

import (
	"os"
	"path/filepath"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

// place is where the backend's reader finds its file, as far as its sources
// tell.
type place struct {
	path   string // absolute; the file need not exist
	found  string // how, in words
	hidden string // a settings.ini that the reader finds first, "" for none
	hides  string // a .env with keys in it, further up, that is never read
}

// guess works out which file the reader opens.
func guess(p *steps.Project, d envfile.Dialect, user source) place {
	usual := place{path: filepath.Join(p.Root, ".env"), found: "beside manage.py"}
	if d == envfile.Shell {
		return usual
	}
	if path := namedInCall(p, d, user); path != "" {
		return place{path: path, found: string(d) + " reads it"}
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
	if !within(p.Root, from) {
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

var (
	fileFolder = lazyregexp.New(`(?m)^[ \t]*(\w+)[ \t]*(?::[^=\n]*)?=[ \t]*([^\n]*__file__[^\n]*)$`)
	parents    = lazyregexp.New(`\.parents\[(\d)\]`)
	callStart  = map[envfile.Dialect]*lazyregexp.Regexp{
		envfile.Decouple:      lazyregexp.New(`(?:RepositoryEnv\(|search_path\s*=\s*|AutoConfig\(\s*)`),
		envfile.DjangoEnviron: lazyregexp.New(`read_env\s*\(`),
		envfile.PythonDotenv:  lazyregexp.New(`(?:load_dotenv|dotenv_values|read_dotenv|read_env)\s*\(|\benv_file\s*=\s*|\bdotenv_path\s*=\s*`),
	}
	literal = lazyregexp.New(`['"]([^'"\n]+)['"]`)
	word    = lazyregexp.New(`[A-Za-z_]\w*`)
)

// namedInCall evaluates the usual ways of writing the file's path in the
// reader's call: BASE_DIR / ".env", os.path.join(BASE_DIR, ".env"), a literal.
// It returns "" where there is none that it understands.
func namedInCall(p *steps.Project, d envfile.Dialect, user source) string {
	folders := map[string]string{}
	for _, m := range fileFolder.FindAllStringSubmatch(user.text, -1) {
		up := strings.Count(m[2], ".parent") - strings.Count(m[2], ".parents") + strings.Count(m[2], "dirname(")
		if n := parents.FindStringSubmatch(m[2]); n != nil {
			up += int(n[1][0]-'0') + 1
		}
		dir := user.path
		for range up {
			dir = filepath.Dir(dir)
		}
		folders[m[1]] = dir
	}
	at := callStart[d].FindStringIndex(user.text)
	if at == nil {
		return ""
	}
	call := argument(user.text[at[1]:])
	base := p.Root // a relative path counts from the folder that manage.py runs in
	known := false
	for _, w := range word.FindAllString(literal.ReplaceAllString(call, ""), -1) {
		if dir, ok := folders[w]; ok {
			base, known = dir, true
		}
	}
	path := base
	for _, m := range literal.FindAllStringSubmatch(call, -1) {
		if known || filepath.IsLocal(m[1]) {
			path = filepath.Join(path, filepath.FromSlash(m[1]))
		} else if filepath.IsAbs(m[1]) {
			path = m[1]
		}
	}
	switch {
	case path == base && !known, strings.Contains(call, "find_dotenv"):
		return ""
	case path == base && d == envfile.Decouple, isFolder(path):
		return filepath.Join(path, ".env")
	case path == base:
		return ""
	}
	return path
}

// argument is the first argument of a call whose opening bracket was just
// passed, or the rest of the line.
func argument(text string) string {
	depth := 0
	for i, r := range text {
		switch {
		case r == '(' || r == '[':
			depth++
		case (r == ')' || r == ']') && depth == 0, r == ',' && depth == 0, r == '\n' && depth == 0 && i > 0 && strings.TrimSpace(text[:i]) != "":
			return text[:i]
		case r == ')' || r == ']':
			depth--
		}
	}
	return text
}

// astray looks for a .env with keys in a direct sub folder of the project, where
// the reader never looks. It is asked only when the reader finds none.
func astray(p *steps.Project) string {
	if path := filepath.Join(p.TopLevel, ".env"); isFile(path) && holdsKeys(p.Names, path) {
		return path
	}
	entries, err := os.ReadDir(p.Root)
	if err != nil {
		return ""
	}
	for _, e := range entries {
		if path := filepath.Join(p.Root, e.Name(), ".env"); isFile(path) && holdsKeys(p.Names, path) {
			return path
		}
	}
	return ""
}

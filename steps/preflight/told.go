package preflight

import (
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

var (
	fileFolder = lazyregexp.New(`(?m)^[ \t]*(\w+)[ \t]*(?::[^=\n]*)?=[ \t]*([^\n]*__file__[^\n]*)$`)
	parents    = lazyregexp.New(`\.parents\[(\d)\]`)
	pathMinus  = lazyregexp.New(`__file__\)\s*-\s*(\d)`) // django-environ's Path
	callStart  = map[envfile.Dialect]*lazyregexp.Regexp{
		envfile.Decouple:      lazyregexp.New(`(?:RepositoryEnv\(|[(,]\s*search_path\s*=\s*|AutoConfig\(\s*)`),
		envfile.DjangoEnviron: lazyregexp.New(`read_env\s*\(`),
		envfile.PythonDotenv:  lazyregexp.New(`(?:load_dotenv|dotenv_values|read_dotenv|read_env)\s*\((?:\s*(?:dotenv_path|path)\s*=\s*)?|\benv_file\s*=\s*|[(,]\s*dotenv_path\s*=\s*`),
	}
	literal = lazyregexp.New(`['"]([^'"\n]+)['"]`)
	word    = lazyregexp.New(`[A-Za-z_]\w*`)
	// askedPath is a path that a variable of the environment says: its name is none.
	askedPath     = lazyregexp.New(`(?:environ(?:\.get)?|getenv|\benv(?:\.\w+)?|\bconfig)\s*[(\[]\s*['"](\w+)['"](?:\s*\])?`)
	looped        = lazyregexp.New(`(?m)^[ \t]*for[ \t]+(\w+)[ \t]+in[ \t]+((?:[^:\n]|\n[ \t]+[^\n]*,|\n[ \t]*[\])])*):`)
	otherArgument = lazyregexp.New(`^(?:override|overwrite|verbose|encoding|interpolate|recurse|stream)\s*=`)
	ifThere       = lazyregexp.New(`\bif\b[^\n]*(?:exists|isfile|is_file)\b`)
)

// told is what the settings tell a reader of the file that it opens.
type told struct {
	project *steps.Project
	user    source
	env     func(name string) (string, bool)
}

// file evaluates the usual ways of writing the file's path in the reader's call:
// BASE_DIR / ".env", os.path.join(BASE_DIR, ".env"), a literal, a variable of the
// environment, a name that is assigned one of these or goes through a list of them. The
// first one that is there counts, else the first. told is true with path "" where the
// reader is told a file, and none of it is known or will be opened.
func (t told) file(d envfile.Dialect) (path string, told bool) {
	at := callStart[d].FindStringIndex(t.user.text)
	if at == nil {
		return "", false
	}
	call := strings.TrimSpace(argument(t.user.text[at[1]:]))
	if call == "" || call == "None" || strings.Contains(call, "find_dotenv") || otherArgument.MatchString(call) {
		return "", false
	}
	folders := t.folders()
	expressions := []string{call}
	if onlyName.MatchString(call) && folders[call] == "" {
		expressions = append(valuesOf(t.user.text, call), t.listed(call)...)
	}
	w := t.weigh(d, folders, expressions)
	switch {
	case w.found:
		return w.path, true
	case w.path != "" && len(expressions) > 1:
		return "", true // of several, none is there
	case w.path != "" && !runsAlways(t.user.text, at[0]) && !ifThere.MatchString(t.user.text) && !isThere(w.path):
		return "", true // a switch decides, and it is off as a rule
	case w.path != "":
		return w.path, true
	case slices.Equal(expressions, []string{call}) && w.asks == 1:
		return "", false // the reader is told nothing, and searches
	}
	return "", w.asks > 0 || w.lost || len(expressions) > 1
}

// weighed is what expressions of one path come to.
type weighed struct {
	path  string // of the first that is a file, else of the first that may become one
	found bool   // it is a file
	asks  int    // how many wait for a variable of the environment that is not set
	lost  bool   // one is in a folder that is not there
}

func (t told) weigh(d envfile.Dialect, folders map[string]string, expressions []string) (w weighed) {
	for _, expression := range expressions {
		expression, whole := t.answered(expression)
		if !whole {
			w.asks++
			continue
		}
		switch found := t.evaluate(d, folders, expression); {
		case found == "":
		case !isFolder(filepath.Dir(found)):
			w.lost = true
		case isFile(found):
			return weighed{path: found, found: true}
		case w.path == "":
			w.path = found
		}
	}
	return w
}

// folders are the names that are assigned a folder by the place of the settings.
func (t told) folders() map[string]string {
	folders := map[string]string{}
	for _, m := range fileFolder.FindAllStringSubmatch(t.user.text, -1) {
		up := strings.Count(m[2], ".parent") - strings.Count(m[2], ".parents") + strings.Count(m[2], "dirname(")
		for _, where := range []*lazyregexp.Regexp{parents, pathMinus} {
			if n := where.FindStringSubmatch(m[2]); n != nil {
				up += int(n[1][0] - '0')
				if where == parents {
					up++
				}
			}
		}
		dir := t.user.path
		for range up {
			dir = filepath.Dir(dir)
		}
		folders[m[1]] = dir
	}
	return folders
}

// listed are the expressions of the lists that a name goes through.
func (t told) listed(name string) (all []string) {
	for _, m := range looped.FindAllStringSubmatch(t.user.text, -1) {
		if m[1] != name {
			continue
		}
		for rest := strings.Trim(strings.TrimSpace(m[2]), "[]()"); rest != ""; {
			item := argument(rest)
			if all = append(all, item); len(item) == len(rest) {
				break
			}
			rest = rest[len(item)+1:]
		}
	}
	return all
}

// answered is an expression with the values of the variables of the environment in it.
// whole is false where one has none, and nothing stands in for it.
func (t told) answered(expression string) (out string, whole bool) {
	at := askedPath.FindStringSubmatchIndex(expression)
	if at == nil {
		return expression, true
	}
	before, rest := expression[:at[0]], expression[at[1]:]
	if value, set := t.env(expression[at[2]:at[3]]); set && value != "" {
		return before + `"` + value + `"`, true
	}
	return before + rest, literal.MatchString(rest)
}

// evaluate is the path that an expression of literals and folders stands for, "" where
// it is not understood.
func (t told) evaluate(d envfile.Dialect, folders map[string]string, expression string) string {
	base := t.project.Root // a relative path counts from the folder that manage.py runs in
	known := false
	for _, w := range word.FindAllString(literal.ReplaceAllString(expression, ""), -1) {
		if dir, ok := folders[w]; ok {
			base, known = dir, true
		}
	}
	path := base
	for _, m := range literal.FindAllStringSubmatch(expression, -1) {
		switch {
		case strings.ContainsAny(m[1], "{%"):
			return "" // only running it fills it in
		case filepath.IsAbs(m[1]):
			path = m[1]
		case known || filepath.IsLocal(m[1]) || strings.HasPrefix(m[1], ".."):
			path = filepath.Join(path, filepath.FromSlash(m[1]))
		}
	}
	switch {
	case path == base && !known:
		return ""
	case path == base && d == envfile.Decouple, isFolder(path) && !strings.HasPrefix(filepath.Base(path), ".env"):
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

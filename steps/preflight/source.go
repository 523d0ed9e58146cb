package preflight

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

// source is one Python file of the settings, for reading without running it.
type source struct {
	path string
	text string // comments taken out; line numbers as in the file
}

// folder is where the file lies.
func (s source) folder() string { return filepath.Dir(s.path) }

// maxSources bounds how many files of one project are followed.
const maxSources = 30

var (
	importFrom    = lazyregexp.New(`(?m)^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\(?[^\n]*)`)
	readerImports = []struct {
		dialect envfile.Dialect
		is      *lazyregexp.Regexp
	}{
		{envfile.Decouple, lazyregexp.New(`(?m)^[ \t]*(?:from|import)[ \t]+decouple\b`)},
		{envfile.DjangoEnviron, lazyregexp.New(`(?m)^[ \t]*(?:from|import)[ \t]+environ\b`)},
		{envfile.PythonDotenv, lazyregexp.New(`(?m)^[ \t]*(?:from|import)[ \t]+(?:dotenv|environs|pydantic_settings|dynaconf)\b`)},
	}
)

func newSource(path string) source {
	return source{path: path, text: withoutComments(string(readSome(path)))}
}

func fileOf(base string) string {
	for _, f := range []string{base + ".py", filepath.Join(base, "__init__.py")} {
		if isFile(f) {
			return f
		}
	}
	return ""
}

// follower follows the imports of one settings module within the project.
type follower struct {
	root  string
	seen  map[string]bool
	found []source
}

func (t *follower) follow(path string) {
	if t.seen[path] || len(t.seen) >= maxSources {
		return
	}
	t.seen[path] = true
	s := newSource(path)
	for _, m := range importFrom.FindAllStringSubmatch(s.text, -1) {
		for _, f := range t.imported(s, m[1], m[2], m[3]) {
			t.follow(f)
		}
	}
	t.found = append(t.found, s)
}

// imported gives the project's files that one from-import names.
func (t *follower) imported(s source, dots, module, what string) []string {
	base := t.root
	if dots != "" {
		base = s.folder()
		for range len(dots) - 1 {
			base = filepath.Dir(base)
		}
	}
	base = filepath.Join(base, filepath.FromSlash(strings.ReplaceAll(module, ".", "/")))
	var out []string
	if f := fileOf(base); f != "" && base != t.root {
		out = append(out, f)
	}
	for _, word := range strings.FieldsFunc(what, func(r rune) bool { return strings.ContainsRune("(), \t", r) }) {
		if f := fileOf(filepath.Join(base, word)); f != "" && (dots != "" || module != "") {
			out = append(out, f)
		}
	}
	return out
}

// withoutComments blanks what follows a # that stands outside of a string, and
// whole lines inside triple quotes.
func withoutComments(text string) string {
	var out strings.Builder
	quote := ""
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case quote != "" && rest[0] == '\\' && len(rest) > 1:
			keepPart(&out, rest[:2], len(quote) == 3)
			i += 2
			continue
		case quote != "" && (strings.HasPrefix(rest, quote) || len(quote) == 1 && rest[0] == '\n'):
			n := len(quote)
			if rest[0] == '\n' {
				n = 1
			}
			keepPart(&out, rest[:n], false)
			quote = ""
			i += n
			continue
		case quote != "":
			keepPart(&out, rest[:1], len(quote) == 3)
		case strings.HasPrefix(rest, `"""`), strings.HasPrefix(rest, `'''`):
			quote = rest[:3]
			out.WriteString(quote)
			i += 3
			continue
		case rest[0] == '"' || rest[0] == '\'':
			quote = rest[:1]
			out.WriteByte(rest[0])
		case rest[0] == '#':
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			i += n
			continue
		default:
			out.WriteByte(rest[0])
		}
		i++
	}
	return out.String()
}

func keepPart(out *strings.Builder, part string, blank bool) {
	if blank {
		part = strings.Map(func(r rune) rune {
			if r == '\n' {
				return r
			}
			return ' '
		}, part)
	}
	out.WriteString(part)
}

// readerOf is the library that reads the .env, and the first file that uses it.
// Without any it is the shell or the container that fills the environment.
func readerOf(sources []source) (envfile.Dialect, source) {
	for _, r := range readerImports {
		for _, s := range sources {
			if r.is.MatchString(s.text) && usesReader(r.dialect, s.text) {
				return r.dialect, s
			}
		}
	}
	return envfile.Shell, source{}
}

var readerUse = map[envfile.Dialect]*lazyregexp.Regexp{
	envfile.Decouple:      lazyregexp.New(`\b\w*[cC]onfig\w*\(|\benv\w*\(`),
	envfile.DjangoEnviron: lazyregexp.New(`read_env\s*\(`),
	envfile.PythonDotenv:  lazyregexp.New(`(?:load_dotenv|dotenv_values|read_dotenv|read_env)\s*\(|\benv_file\s*=|\bload_dotenv\s*=\s*True`),
}

func usesReader(d envfile.Dialect, text string) bool { return readerUse[d].MatchString(text) }

// composeReads reports whether a compose file of the project hands the .env to a
// container, which makes compose its second reader.
func composeReads(p *steps.Project, env string) bool {
	for _, dir := range upward(p.Root, p.TopLevel) {
		for _, file := range composeFiles(dir) {
			rel, err := filepath.Rel(dir, env)
			if err != nil {
				continue
			}
			entry := regexp.MustCompile(`env_file:(?:\s*|\s*\n(?:\s*-[^\n]*\n)*?\s*-\s*)["']?(?:\./)?` +
				regexp.QuoteMeta(filepath.ToSlash(rel)) + `["']?\s*(?:\n|$)`)
			if entry.Match(readSome(file)) {
				return true
			}
		}
	}
	return false
}

// composeFiles are the compose files of a folder, by their names.
func composeFiles(dir string) (files []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		name := e.Name()
		if (strings.HasPrefix(name, "docker-compose") || strings.HasPrefix(name, "compose")) && (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")) {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files
}

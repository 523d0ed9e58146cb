package preflight

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/repo"
)

// hand is a file whose variables what starts the backend may hand over.
type hand struct {
	path   string
	by     string          // the file that says so, relative to the top level
	reader envfile.Dialect // the nearest to what reads it
	sure   bool            // it is handed over, there or not, with a key in it or without
}

var (
	// A package among what is required hands over nothing.
	handsEnv = lazyregexp.New(`(?i)(?:^|[\s"'=/])\.env\b|(?:^|[\s_])dotenv(?:[\s:_-]|$)|\benvfile\b|\bhoncho\b`)
	// handsOver is a line by which just, make, Task, mise, dotenv, uv, PDM, poe or an
	// editor hands over the variables of a file.
	handsOver = lazyregexp.New(`(?i)^set[ \t]+dotenv-(?:load|filename|path)\b|^[ \t]*-?s?include[ \t]+\S*\.env|^[ \t]*dotenv:|\b_\.file\b|\benv[_-]?file\b|\bdotenv[ \t]+(?:-\S+[ \t]+\S+[ \t]+)?run\b`)
	// handsNone is what such a line says that hands nothing to a backend that runs here.
	handsNone = lazyregexp.New(`:=[ \t]*false|\b(?:docker|compose|podman)\b`)
	shellsIn  = lazyregexp.New(`(?:^|[\s;&"'@])(?:\.|source)[ \t]+["']?[\w./-]*\.env\b`)
	comment   = lazyregexp.New(`^[ \t]*(?:#|//)`)
	honcho    = lazyregexp.New(`\b(?:honcho|foreman)\b`)
	envNamed  = lazyregexp.New(`(?:[\w.-]+/)*[\w-]*\.env\b(?:\.[\w-]+)*`)
)

// handedOver reports whether something that starts the backend may hand it a .env.
func handedOver(p *steps.Project) bool {
	for _, dir := range upward(p.Root, p.TopLevel) {
		if isFile(filepath.Join(dir, "Pipfile")) {
			return true
		}
		for _, name := range steps.Starters {
			if handsEnv.Match(readSome(filepath.Join(dir, filepath.FromSlash(name)))) {
				return true
			}
		}
	}
	return false
}

// handed is the file whose variables what starts the backend hands over: one that is there
// before one that is not, a .env before another. ok is false for none, and for a backend
// in a container, which its own service hands them to.
func (d *diagnosis) handed() (found hand, ok bool) {
	var all []hand
	p, inside := d.project, len(pythonCommand(d.run)) > 1
	for _, dir := range upward(p.Root, p.TopLevel) {
		if env := filepath.Join(dir, ".env"); composeReads(p, env) {
			all = append(all, hand{env, "Docker Compose", envfile.Compose, false})
		}
		for _, name := range append([]string{"Pipfile"}, steps.Starters...) {
			// What direnv loads is told by the variables that are here.
			if path := filepath.Join(dir, filepath.FromSlash(name)); !inside && name != ".envrc" && isFile(path) {
				all = append(all, d.handedBy(dir, path)...)
			}
		}
	}
	all = slices.DeleteFunc(all, func(h hand) bool {
		return repo.IsSample(filepath.Base(h.path)) || !h.sure && !holdsKeys(d.run.Names(), h.path)
	})
	best := -1
	for _, h := range all {
		score := 0
		if isFile(h.path) {
			score += 2
		}
		if filepath.Base(h.path) == ".env" {
			score++
		}
		if score > best {
			found, best = h, score
		}
	}
	return found, best >= 0
}

// handedBy are the files that one starter names. What runs a Procfile, and pipenv, read the
// .env beside it.
func (d *diagnosis) handedBy(dir, starter string) (all []hand) {
	base, text := filepath.Base(starter), string(readSome(starter))
	by := hand{by: d.project.Rel(starter), reader: envfile.PythonDotenv, path: filepath.Join(dir, ".env")}
	switch lower := strings.ToLower(base); {
	case lower == "pipfile", strings.HasPrefix(lower, "procfile"):
		by.sure = isFile(by.path)
		all = append(all, by)
	case strings.HasSuffix(lower, "justfile"), strings.HasPrefix(lower, "taskfile"), strings.HasSuffix(lower, "mise.toml"):
		by.reader = envfile.Godotenv // the nearest: all fill in $NAME
	}
	for line := range strings.Lines(text) {
		h, named := by, strings.Join(envNamed.FindStringSubmatch(line), "")
		if comment.MatchString(line) {
			continue
		}
		switch h.sure = handsOver.MatchString(line) && !handsNone.MatchString(line); {
		case shellsIn.MatchString(line):
			h.reader, h.sure = envfile.Shell, true
		case !h.sure && named == "":
			continue
		}
		if named != "" {
			h.path = filepath.Join(dir, filepath.FromSlash(named))
		}
		all = append(all, h)
	}
	return all
}

// agreed is a value that honcho and foreman agree on. To honcho a # begins a comment even
// inside a word, quotes may stand anywhere, and white space goes; to foreman there are no
// comments, and quotes count around all of the value.
var agreed = lazyregexp.New(`^(?:'[^']*'|"(?:[^"\\]|\\.)*"|[^\s'"\\#]*)$`)

// plainInProcfile reports whether what runs a Procfile agrees on a line of the .env beside
// it, or hands none over: it does to settings that read no file, and where a starter says so
// before the settings read the file themselves.
func (d *diagnosis) plainInProcfile(file *envfile.File, line int) bool {
	dir, base := filepath.Split(d.project.EnvFile.Path)
	if base != ".env" || !isFile(filepath.Join(dir, "Procfile")) && !isFile(filepath.Join(dir, "Procfile.dev")) {
		return true
	}
	if !d.project.EnvFile.Sourced && !slices.ContainsFunc(steps.Starters, func(name string) bool {
		return honcho.Match(readSome(filepath.Join(dir, filepath.FromSlash(name))))
	}) {
		return true
	}
	for _, l := range file.Lines() {
		if _, written, _ := bytes.Cut(l.Raw, []byte("=")); l.Num == line && !agreed.Match(bytes.TrimSpace(written)) {
			return false
		}
	}
	return true
}

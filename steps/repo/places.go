package repo

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

// File is what one file says about the two keys.
type File struct {
	places []place // that provide SECRET_KEY, in order
	key    int     // the first line that names JWT_SECRET_KEY, from 1; 0 for none
	broken bool    // it should parse, and does not
}

// place is one that provides SECRET_KEY.
type place struct {
	line    int // from 1
	reached bool
	uses    []setting // in a file that was parsed: each use of it
}

// Read reads a pipeline, compose file or manifest, or else a document or example.
// In YAML each job, service or container counts for itself, with all that it merges; elsewhere one mention of
// JWT_SECRET_KEY is good for the whole file. A comment in a pipeline says nothing. around is
// what else is there; nil for a file by itself.
func Read(names steps.Names, pipeline bool, file string, data []byte, around *Around) *File {
	return wordsOf(names).beside(around).read(pipeline, file, data)
}

func (v *vocabulary) read(pipeline bool, name string, data []byte) *File {
	if pipeline && isYAML(name) {
		data = bytes.TrimPrefix(data, byteOrderMark)
		p, err := v.parseFile(data)
		if err != nil && !includes.Match(data) {
			p, err = v.parseFile(withoutTemplates(data))
		}
		if err == nil {
			return v.reach(name, p.settings)
		}
		f := v.readLines(pipeline, name, data)
		if f.broken = !template.Match(data); f.broken {
			for i := range f.places {
				f.places[i].reached = false // by nothing: no program reads the file
			}
		}
		return f
	}
	return v.readLines(pipeline, name, data)
}

var byteOrderMark = []byte("\ufeff")

var (
	// A template that takes something in from elsewhere may set anything.
	includes = lazyregexp.New(`\{\{-?\s*(?:include|template)\b`)
	template = lazyregexp.New(`\{\{|\{%`)
	// A line of a template that is no more than that, and a part of one.
	templateLine = lazyregexp.New(`(?m)^[ \t]*(?:\{\{[^}\n]*\}\}|\{%[^%\n]*%\})[ \t]*(\r?)$`)
	templatePart = lazyregexp.New(`\{\{[^}\n]*\}\}|\{%[^%\n]*%\}`)
)

// withoutTemplates puts something of the same lines and columns in the place of what Helm, Jinja and Go fill in, so that
// the rest can be parsed. It is for reading only.
func withoutTemplates(data []byte) []byte {
	data = templateLine.ReplaceAll(data, []byte("$1"))
	return templatePart.ReplaceAllFunc(data, func(part []byte) []byte { return bytes.Repeat([]byte("x"), len(part)) })
}

// readLines reads a file of which no more is known than its lines.
func (v *vocabulary) readLines(pipeline bool, file string, data []byte) *File {
	f := &File{}
	r := lineReader{vocabulary: v, file: file, grammar: grammarOf(pipeline, file, data), exports: exportsEach.Match(data)}
	num := 0
	for l := range bytes.Lines(data) {
		num++
		line := strings.TrimSpace(string(l))
		if pipeline {
			line = uncommented(line)
		}
		if r.provides(line) {
			f.places = append(f.places, place{line: num})
		}
		if f.key == 0 && v.In([]byte(line)) && v.mentions.MatchString(line) {
			f.key = num
		}
	}
	for i := range f.places {
		f.places[i].reached = f.key > 0
	}
	return f
}

// What is under one of these names is set for all that is beside the name: env of a workflow or job, variables in GitLab
// and Azure, environment in compose and CircleCI.
var shared = []string{"env", "envVars", "variables", "environment", "global", "before_script"}

// reach finds the places that JWT_SECRET_KEY reaches: those in the block that it is in, those below that, those that are
// beside the block where its name is a shared one, and those directly in a block around it.
func (v *vocabulary) reach(file string, settings []setting) *File {
	f := &File{}
	below, around := f.keyed(settings)
	index := map[*yaml.Node]int{}
	for _, s := range settings {
		if _, known := index[s.node]; !known && !s.key && !s.in.build && !v.ofOthers(file, s) {
			index[s.node] = len(f.places)
			f.places = append(f.places, place{line: s.line, reached: true})
		}
	}
	for _, s := range settings {
		i, known := index[s.node]
		if s.key || !known {
			continue
		}
		reached := around[s.in] || s.in.build
		for at := s.in; at != nil && !reached; at = at.up {
			reached = below[at] || v.fromFile(file, at) || v.borrows(file, at, around, f.key > 0)
		}
		f.places[i].reached = f.places[i].reached && reached
		f.places[i].uses = append(f.places[i].uses, s)
	}
	slices.SortStableFunc(f.places, func(a, b place) int { return a.line - b.line })
	return f
}

// fromFile reports whether a frame gets the key from a file of variables, as far as that can
// be told.
func (v *vocabulary) fromFile(compose string, f *frame) bool {
	return slices.ContainsFunc(f.envFiles, func(path string) bool { return v.around.brings(compose, path) })
}

// keyed notes the first line that has JWT_SECRET_KEY, and returns the frames that give it to what is below them, and
// those around them.
func (f *File) keyed(settings []setting) (below, around map[*frame]bool) {
	below, around = map[*frame]bool{}, map[*frame]bool{}
	for _, s := range settings {
		if !s.key || s.in.build {
			continue
		}
		if f.key == 0 || s.line < f.key {
			f.key = s.line
		}
		below[s.in] = true
		if slices.Contains(shared, s.in.name) {
			below[s.in.up] = true
		}
		for at := s.in; at != nil && !around[at]; at = at.up {
			around[at] = true
		}
	}
	return below, around
}

// Provides is the first line that provides SECRET_KEY, from 1; 0 for none.
func (f *File) Provides() int {
	if len(f.places) == 0 {
		return 0
	}
	return f.places[0].line
}

// Lacks is the first line that provides SECRET_KEY where JWT_SECRET_KEY does not
// reach, from 1; 0 for none.
func (f *File) Lacks() int {
	for _, p := range f.places {
		if !p.reached {
			return p.line
		}
	}
	return 0
}

// Broken reports whether the file is YAML that does not parse, and no template. What gets which key there is unknown.
func (f *File) Broken() bool { return f.broken }

// Key is the first line that names JWT_SECRET_KEY, from 1; 0 for none.
func (f *File) Key() int { return f.key }

// IsCompose reports whether a file is one of Docker Compose, by its name (without folders) or its content.
func IsCompose(base string, data []byte) bool {
	base = strings.ToLower(base)
	if strings.HasPrefix(base, "docker-compose") || strings.HasPrefix(base, "compose.") {
		return true
	}
	if !isYAML(base) || !bytes.Contains(data, []byte("services:")) {
		return false
	}
	docs, err := parseYAML(bytes.TrimPrefix(data, byteOrderMark))
	if err != nil || len(docs) != 1 || len(docs[0].Content) == 0 {
		return false
	}
	for _, m := range members(docs[0].Content[0]) {
		switch m.key.Value {
		case "jobs", "apiVersion", "on", "steps", "stages":
			return false
		}
	}
	for _, m := range members(docs[0].Content[0]) {
		if m.key.Value != "services" {
			continue
		}
		for _, service := range members(m.value) {
			for _, of := range members(service.value) {
				if of.key.Value == "image" || of.key.Value == "build" {
					return true
				}
			}
		}
	}
	return false
}

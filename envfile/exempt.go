package envfile

import (
	"bytes"
	"iter"
	"maps"
	"slices"
	"strings"
)

// exemption has the names that an edit may change, as any reader may call them.
type exemption struct {
	gone    map[string]bool // may change and may vanish
	changed map[string]bool // may change, since their value refers to one of gone
}

func newExemption(name string) *exemption {
	// "" is what godotenv and compose call a last line without = and newline.
	return &exemption{gone: map[string]bool{name: true, "": true}, changed: map[string]bool{}}
}

// line exempts every name that some reader sees in a line that is replaced.
func (x *exemption) line(l *Line) {
	text := l.Text()
	if l.Kind == Assignment {
		sep := "="
		if l.Colon {
			sep = ":"
		}
		key, _, _ := strings.Cut(text, sep)
		yaml, _, _ := strings.Cut(key, ":") // godotenv and compose end a name there
		x.spelling(key)
		x.spelling(yaml)
		x.gone[l.Name] = true
		if l.Colon {
			key, _, _ = strings.Cut(text, "=") // where decouple ends it
			x.spelling(key)
		}
		return
	}
	word, _, _ := strings.Cut(strings.TrimSpace(text), "#")
	x.spelling(word)
}

func (x *exemption) spelling(key string) {
	key = strings.TrimFunc(key, pythonSpace)
	x.gone[key] = true
	_, bare := splitExport(key)
	x.gone[bare] = true
}

// references exempts the values that expand a changed name, and those that
// expand one of these in turn.
func (x *exemption) references(f *File) {
	if bytes.IndexByte(f.data, '$') < 0 {
		return
	}
	users := map[string][]string{} // the variables whose lines refer to a name
	owner := ""
	for _, l := range f.Lines() {
		if l.Kind == Assignment && !l.Inside {
			owner = l.Name
		}
		for name := range references(l.Text()) {
			users[name] = append(users[name], owner)
			if l.Inside && l.Kind == Assignment {
				users[name] = append(users[name], l.Name)
			}
		}
	}
	next := slices.Collect(maps.Keys(x.gone))
	for len(next) > 0 {
		name := next[len(next)-1]
		next = next[:len(next)-1]
		if name == "" {
			continue
		}
		for _, user := range users[name] {
			if !x.gone[user] && !x.changed[user] {
				x.changed[user] = true
				next = append(next, user)
			}
		}
	}
}

// references are the names that stand behind a $, with or without brackets.
func references(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, after, ok := strings.Cut(text, "$")
			if !ok {
				return
			}
			text = strings.TrimLeft(after, "${(")
			if n := nameLength(text); n > 0 && !yield(text[:n]) {
				return
			}
		}
	}
}

// as reports whether a variable reads as before. What the shell says counts alike whether it is known or stated.
func (v Var) as(before Var) bool {
	says := func(v Var) bool { return v.State == Known || v.State == Stated }
	return v == before || says(v) && says(before) && v.Value == before.Value
}

// harmed returns the first name whose reading an edit must not change and did,
// and false where there is none. A name that is new is no harm: a line that was
// swallowed by another may come back.
func (x *exemption) harmed(before, after Vars) (name string, harmed bool) {
	for name, v := range before {
		w, ok := after[name]
		if same := ok && (w.as(v) || x.changed[name]); !same && !x.gone[name] {
			return name, true
		}
	}
	return "", false
}

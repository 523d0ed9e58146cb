package envfile

import (
	"bytes"
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
	x.spelling(text)
	word, _, _ := strings.Cut(strings.TrimSpace(text), "#")
	x.spelling(word)
}

func (x *exemption) spelling(key string) {
	key = strings.TrimFunc(key, pythonSpace)
	x.gone[key] = true
	_, bare := splitExport([]byte(key))
	x.gone[bare] = true
}

// references exempts the values that expand a changed name, and those that
// expand one of these in turn.
func (x *exemption) references(f *File) {
	if bytes.IndexByte(f.data, '$') < 0 {
		return
	}
	type dollar struct{ name, text string }
	var dollars []dollar
	owner := ""
	for i := range f.lines {
		l := &f.lines[i]
		if l.Kind == Assignment && !l.Inside {
			owner = l.Name
		}
		if bytes.IndexByte(l.Raw, '$') >= 0 {
			dollars = append(dollars, dollar{owner, string(l.Raw)})
			if l.Inside && l.Kind == Assignment {
				dollars = append(dollars, dollar{l.Name, string(l.Raw)})
			}
		}
	}
	for grown := true; grown; {
		grown = false
		for _, d := range dollars {
			if !x.gone[d.name] && !x.changed[d.name] && x.refers(d.text) {
				x.changed[d.name], grown = true, true
			}
		}
	}
}

// refers tells whether a $NAME or ${NAME in text means an exempt name.
func (x *exemption) refers(text string) bool {
	for {
		_, after, ok := strings.Cut(text, "$")
		if !ok {
			return false
		}
		text = after
		name := strings.TrimLeft(after, "${(")
		name = name[:nameLength(name)]
		if name != "" && (x.gone[name] || x.changed[name]) {
			return true
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
		if x.gone[name] {
			continue
		}
		w, ok := after[name]
		if !ok || !w.as(v) && !x.changed[name] {
			return name, true
		}
	}
	return "", false
}

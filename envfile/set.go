package envfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// wish is what a Set must achieve.
type wish struct{ name, value string }

// metBy reports whether dialect dia reads the wish from the draft.
func (w *wish) metBy(d *draft, dia Dialect) bool {
	r := d.read(dia)
	v, ok := r.vars[w.name]
	said := v.State == Known || v.State == Stated && dia == Shell
	return r.err == nil && ok && said && v.Value == w.value
}

// unmet returns the first reader in use that does not read the wish from the
// draft, or "".
func (w *wish) unmet(d *draft) Dialect {
	for _, dia := range d.by.Readers {
		if !w.metBy(d, dia) {
			return dia
		}
	}
	return ""
}

func (op Set) apply(d *draft) (*draft, error) {
	if !IsName(op.Name) {
		return nil, errors.New("cannot set a variable: the name must be letters, digits and underscores, and not begin with a digit")
	}
	if !utf8.ValidString(op.Value) || strings.ContainsAny(op.Value, "\n\r\x00") {
		return nil, fmt.Errorf("cannot set %s: the value has a line break, a NUL, or bytes that are not UTF-8", op.Name)
	}
	w := &wish{op.Name, op.Value}
	if w.unmet(d) == "" {
		return d, nil
	}
	forms := w.forms(d.by)
	if len(forms) == 0 {
		return nil, fmt.Errorf("cannot set %s: there is no way to quote the value that all of %v read alike", op.Name, d.by.Readers)
	}
	gone := newExemption(op.Name)
	target := d.target(op.Name)
	if target >= 0 {
		l := d.file().Line(target)
		gone.line(&l)
	}
	gone.references(d.file())
	cuts := d.ways(op.Name, forms, target)
	t := d.trial(w, gone)
	if next := t.first(func(yield func(*draft) bool) {
		for _, c := range cuts {
			if next := d.with(c...); next != nil && !yield(next) {
				return
			}
		}
	}); next != nil {
		return next, nil
	}
	return nil, t.blocked(d.with(cuts[0]...))
}

// ways returns all the ways to write a line that gives name one of the forms, best
// first: in place of the line at index target, where that is not -1, then as a new one.
func (d *draft) ways(name string, forms []string, target int) (ways [][]cut) {
	for _, form := range forms {
		texts := []string{name + "=" + form}
		if d.exports() || target >= 0 && d.file().Line(target).Export {
			texts = []string{"export " + texts[0], texts[0]}
		}
		if target >= 0 {
			ways = append(ways, d.replacements(target, texts)...)
		}
		for _, text := range texts {
			ways = append(ways, d.additions(text)...)
		}
	}
	return ways
}

// forms returns the ways to write the value that all readers read alike, the
// plainest first. Single quotes serve the most readers.
func (w *wish) forms(by For) []string {
	v := w.value
	all := []string{v}
	if v != "" && !SafeUnquoted(v) {
		escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(v)
		all = []string{"'" + v + "'", `"` + v + `"`, `"` + escaped + `"`, v, "'" + strings.ReplaceAll(v, `'`, `'\''`) + "'"}
	}
	var good []string
	for _, form := range all {
		if w.unmet(newDraft([]byte(w.name+"="+form+"\n"), by)) == "" {
			good = append(good, form)
		}
	}
	return good
}

// target returns the index of the last line that sets name, or -1.
func (d *draft) target(name string) int {
	for i := d.file().Len() - 1; i >= 0; i-- {
		if l := d.file().Line(i); l.Kind == Assignment && !l.Inside && l.Name == name {
			return i
		}
	}
	return -1
}

// exports reports whether a line should have export for the sake of a shell that
// reads the file without set -a: at least half of the others have it.
func (d *draft) exports() bool {
	exported, plain := 0, 0
	for _, l := range d.file().Lines() {
		switch {
		case l.Kind != Assignment || l.Inside:
		case l.Export:
			exported++
		default:
			plain++
		}
	}
	return exported > 0 && exported >= plain && slices.Contains(d.by.Readers, Shell)
}

// ends returns the line ends to try for a line that would have the given one: it, and
// LF, which the shell needs.
func (d *draft) ends(own string) []string {
	switch {
	case own == "\n" || own == "":
		return []string{own}
	case slices.Contains(d.by.Readers, Shell):
		return []string{"\n"}
	}
	return []string{own, "\n"}
}

// replacements returns the ways to put one of the texts in place of the
// assignment at index i, with all the lines of its value, best first.
func (d *draft) replacements(i int, texts []string) (ways [][]cut) {
	head := ""
	if i == 0 && d.file().BOM() {
		head = string(utf8BOM)
	}
	n := d.last(i) - i
	for _, text := range texts {
		for _, end := range d.ends(d.file().Line(i + n - 1).End()) {
			ways = append(ways, []cut{{i, n, []string{head + text + end}}})
		}
	}
	return ways
}

// additions returns the ways to add a line, best first: at the end; before the
// first assignment; at the end with an empty line between, which ends a value
// or a comment that a backslash would continue; and behind one of the last
// lines, which serves where something after them is left open.
func (d *draft) additions(text string) (ways [][]cut) {
	file := d.file()
	first := file.Len()
	for i, l := range file.Lines() {
		if l.Kind == Assignment {
			first = i
			break
		}
	}
	// Each costs a reading of the file.
	tries := min(16, max(2, 2*MaxSize/(len(d.data)+1)))
	for _, end := range d.ends(d.file().newline()) {
		ways = append(ways, d.atEnd(text+end))
		if first < file.Len() && (first > 0 || !file.BOM()) {
			ways = append(ways, []cut{{at: first, add: []string{text + end}}})
		}
		ways = append(ways, d.atEnd(end, text+end))
		for i := file.Len() - 1; i > max(0, file.Len()-tries); i-- {
			if i != first && file.marks[i] != inside && file.Line(i-1).End() != "" {
				ways = append(ways, []cut{{at: i, add: []string{text + end}}})
			}
		}
	}
	return ways
}

// atEnd adds lines behind the last one, which gets the newline it lacks.
func (d *draft) atEnd(add ...string) []cut {
	n := d.file().Len()
	if d.file().FinalNewline() {
		return []cut{{at: n, add: add}}
	}
	end := d.ends(d.file().newline())[0]
	return []cut{{at: n - 1, n: 1, add: append([]string{string(d.file().Line(n-1).Raw) + end}, add...)}}
}

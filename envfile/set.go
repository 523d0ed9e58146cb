package envfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// wish is what a Set must achieve.
type wish struct {
	name, value string
	readers     []Dialect
}

// metBy tells whether every reader reads the wish from the draft, and else
// which one does not, with its error if it refuses the file.
func (w *wish) metBy(d *draft) (ok bool, dia Dialect, err error) {
	for _, dia := range w.readers {
		r := d.read(dia)
		if v, known := r.vars.Get(w.name); r.err != nil || !known || v != w.value {
			return false, dia, r.err
		}
	}
	return true, "", nil
}

func (op Set) apply(d *draft) (*draft, error) {
	if !IsName(op.Name) {
		return nil, errors.New("cannot set a variable: the name must be letters, digits and underscores, and not begin with a digit")
	}
	if !utf8.ValidString(op.Value) || strings.ContainsAny(op.Value, "\n\r\x00") {
		return nil, fmt.Errorf("cannot set %s: the value has a line break, a NUL, or bytes that are not UTF-8", op.Name)
	}
	w := &wish{op.Name, op.Value, op.Readers}
	if len(w.readers) == 0 {
		w.readers = djangoReaders()
	}
	if ok, _, _ := w.metBy(d); ok {
		return d, nil
	}
	forms := w.forms()
	if len(forms) == 0 {
		return nil, fmt.Errorf("cannot set %s: there is no way to quote the value that all of %v read alike", op.Name, w.readers)
	}
	target := d.target(op.Name)
	gone := newExemption(op.Name)
	if target >= 0 {
		gone.line(&d.file.lines[target])
	}
	gone.references(d.file)
	var cuts [][]cut
	for _, form := range forms {
		if target >= 0 {
			cuts = append(cuts, d.replacements(target, op.Name, form)...)
		}
		cuts = append(cuts, d.additions(op.Name+"="+form)...)
	}
	var second *draft
	for _, c := range cuts {
		next := d.with(c...)
		if next == nil {
			continue
		}
		if ok, _, _ := w.metBy(next); !ok {
			continue
		}
		if d.harm(next, gone, d.served(w.readers)) == nil {
			return next, nil
		}
		if second == nil && d.harm(next, gone, w.readers) == nil {
			second = next
		}
	}
	if second != nil {
		return second, nil
	}
	return nil, d.blocked(w, d.with(cuts[0]...))
}

// forms returns the ways to write the value that all readers read alike, the
// plainest first. Single quotes serve the most readers.
func (w *wish) forms() []string {
	v := w.value
	all := []string{v}
	if v != "" && !SafeUnquoted(v) {
		escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(v)
		all = []string{"'" + v + "'", `"` + v + `"`, `"` + escaped + `"`, v, "'" + strings.ReplaceAll(v, `'`, `'\''`) + "'"}
	}
	var good []string
	for _, form := range all {
		alone := newDraft([]byte(w.name + "=" + form + "\n"))
		if ok, _, _ := w.metBy(alone); ok {
			good = append(good, form)
		}
	}
	return good
}

// target returns the index of the line to replace, or -1: the last that sets
// name, or, if there is none, the last that sets it in another case.
func (d *draft) target(name string) int {
	found, folded := -1, -1
	for i := range d.file.lines {
		switch l := &d.file.lines[i]; {
		case l.Kind != Assignment || l.Inside:
		case l.Name == name:
			found = i
		case strings.EqualFold(l.Name, name):
			folded = i
		}
	}
	if found >= 0 {
		return found
	}
	return folded
}

// replacements returns the ways to put the assignment in place of the one at
// index i, best first: with export where it stood, then plain; the whole of a
// value of several lines, then its first line alone; each with the line's own
// end, then with LF, which the shell needs.
func (d *draft) replacements(i int, name, form string) (ways [][]cut) {
	l := &d.file.lines[i]
	head := ""
	if i == 0 && d.file.BOM() {
		head = string(utf8BOM)
	}
	texts := []string{head + name + "=" + form}
	if l.Export {
		texts = []string{head + "export " + name + "=" + form, texts[0]}
	}
	for _, n := range []int{d.last(i) - i, 1} {
		end := d.file.lines[i+n-1].End()
		for _, text := range texts {
			ways = append(ways, []cut{{i, n, []string{text + end}}})
			if end == "\r\n" || end == "\r" {
				ways = append(ways, []cut{{i, n, []string{text + "\n"}}})
			}
		}
		if n == 1 {
			break
		}
	}
	return ways
}

// additions returns the ways to add a line, best first: at the end; before the
// first assignment; at the end with an empty line between, which ends a value
// or a comment that a backslash would continue; and behind one of the last
// lines, which serves where something after them is left open.
func (d *draft) additions(text string) (ways [][]cut) {
	lines := d.file.lines
	ends := []string{d.file.newline()}
	if ends[0] != "\n" {
		ends = append(ends, "\n")
	}
	first := len(lines)
	for i := range lines {
		if lines[i].Kind == Assignment {
			first = i
			break
		}
	}
	const tries = 16 // each costs a reading of the file in every dialect
	for _, end := range ends {
		ways = append(ways, d.atEnd(text+end))
		if first < len(lines) && (first > 0 || !d.file.BOM()) {
			ways = append(ways, []cut{{at: first, add: []string{text + end}}})
		}
		ways = append(ways, d.atEnd(end, text+end))
		for i := len(lines) - 1; i > max(0, len(lines)-tries); i-- {
			if i != first && !lines[i].Inside && lines[i-1].End() != "" {
				ways = append(ways, []cut{{at: i, add: []string{text + end}}})
			}
		}
	}
	return ways
}

// atEnd adds lines behind the last one, which gets the newline it lacks.
func (d *draft) atEnd(add ...string) []cut {
	n := len(d.file.lines)
	if d.file.FinalNewline() {
		return []cut{{at: n, add: add}}
	}
	return []cut{{at: n - 1, n: 1, add: append([]string{string(d.file.lines[n-1].Raw) + d.file.newline()}, add...)}}
}

// choose returns the first candidate that changes no reading but the exempt
// ones: in every dialect, or failing that in those Django uses.
func (d *draft) choose(what string, readers []Dialect, gone *exemption, candidates ...*draft) (*draft, error) {
	if readers == nil {
		readers = djangoReaders()
	}
	for _, dialects := range [][]Dialect{d.served(readers), readers} {
		for _, next := range candidates {
			if next != nil && d.harm(next, gone, dialects) == nil {
				return next, nil
			}
		}
	}
	for _, next := range candidates {
		if next != nil {
			h := d.harm(next, gone, readers)
			h.Op = what
			return nil, h
		}
	}
	return nil, &BlockedError{Op: what, Reason: "the line ends of the file do not allow it"}
}

// served returns the dialects in which no other variable should change: all of
// them, but not the shell in a file with CR LF throughout, every value of which
// it reads with a CR, unless it is one of the readers.
func (d *draft) served(readers []Dialect) []Dialect {
	all := Dialects()
	if d.file.CRLF() && !slices.Contains(readers, Shell) {
		all = slices.DeleteFunc(all, func(dia Dialect) bool { return dia == Shell })
	}
	return all
}

// harm reads the draft before and after in the given dialects. It returns the
// first reading that the edit must not change and would.
func (d *draft) harm(next *draft, gone *exemption, dialects []Dialect) *BlockedError {
	d.readAll(dialects)
	next.readAll(dialects)
	for _, dia := range dialects {
		before := d.read(dia)
		if before.err != nil {
			continue
		}
		after := next.read(dia)
		if after.err != nil {
			return &BlockedError{Reader: dia, Reason: "it would refuse the file afterwards", Line: next.lineOf(errorLine(after.err) - 1)}
		}
		if name, harmed := gone.harmed(before.vars, after.vars); harmed {
			return &BlockedError{Reader: dia, Reason: "another variable would change", Line: d.lineOf(d.settingLine(name))}
		}
	}
	return nil
}

// settingLine returns the index of the last line that sets a name, or of the
// last line where none is seen to.
func (d *draft) settingLine(name string) int {
	for i := len(d.file.lines) - 1; i >= 0; i-- {
		if d.file.lines[i].Name == name {
			return i
		}
	}
	return len(d.file.lines) - 1
}

func errorLine(err error) int {
	var r *ReadError
	if errors.As(err, &r) {
		return r.Line
	}
	return 1
}

// blocked tells which line keeps the wish from being met at its usual place.
func (d *draft) blocked(w *wish, next *draft) error {
	e := &BlockedError{Op: "set " + w.name}
	if next == nil {
		next = d
	}
	met, dia, err := w.metBy(next)
	switch {
	case err != nil:
		e.Reader, e.Line = dia, next.lineOf(errorLine(err)-1)
		var r *ReadError
		if errors.As(err, &r) {
			e.Reason = r.Reason
		}
	case !met:
		e.Reader, e.Line = dia, d.lineOf(d.openLine())
	default:
		gone := newExemption(w.name)
		gone.references(d.file)
		if h := d.harm(next, gone, w.readers); h != nil {
			h.Op = e.Op
			return h
		}
		e.Line = d.lineOf(d.openLine())
	}
	return e
}

// openLine returns the index of the line that most likely swallows what follows
// it: an open quote, else a backslash at a line's end, else the last line.
func (d *draft) openLine() int {
	for i := range d.file.lines {
		if d.file.lines[i].Unbalanced {
			return i
		}
	}
	for i := len(d.file.lines) - 1; i >= 0; i-- {
		raw := d.file.lines[i].Raw
		if bytes.HasSuffix(raw[:len(raw)-len(lineEnd(raw))], []byte{'\\'}) {
			return i
		}
	}
	return len(d.file.lines) - 1
}

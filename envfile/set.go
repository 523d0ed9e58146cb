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
type wish struct{ name, value string }

// unmet returns the first reader in use that does not read the wish from the
// draft, or "".
func (w *wish) unmet(d *draft) Dialect {
	for _, dia := range d.by.Readers {
		r := d.read(dia)
		v := r.vars[w.name]
		said := v.State == Known || v.State == Stated && dia == Shell
		if _, ok := r.vars[w.name]; r.err != nil || !ok || !said || v.Value != w.value {
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
	target := d.target(op.Name)
	gone := newExemption(op.Name)
	if target >= 0 {
		gone.line(&d.file.lines[target])
	}
	gone.references(d.file)
	var cuts [][]cut
	for _, form := range forms {
		texts := []string{op.Name + "=" + form}
		if d.exports() || target >= 0 && d.file.lines[target].Export {
			texts = []string{"export " + texts[0], texts[0]}
		}
		if target >= 0 {
			cuts = append(cuts, d.replacements(target, texts)...)
		}
		for _, text := range texts {
			cuts = append(cuts, d.additions(text)...)
		}
	}
	var second *draft
	for _, c := range cuts {
		next := d.with(c...)
		if next == nil || w.unmet(next) != "" {
			continue
		}
		if d.harm(next, gone, d.served()) == nil {
			return next, nil
		}
		if second == nil && d.harm(next, gone, d.by.Readers) == nil {
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
	for i := len(d.file.lines) - 1; i >= 0; i-- {
		if l := &d.file.lines[i]; l.Kind == Assignment && !l.Inside && l.Name == name {
			return i
		}
	}
	return -1
}

// exports reports whether a line should have export for the sake of a shell that
// reads the file without set -a: at least half of the others have it.
func (d *draft) exports() bool {
	exported, plain := 0, 0
	for i := range d.file.lines {
		switch l := &d.file.lines[i]; {
		case l.Kind != Assignment || l.Inside:
		case l.Export:
			exported++
		default:
			plain++
		}
	}
	return exported > 0 && exported >= plain && slices.Contains(d.by.Readers, Shell)
}

// replacements returns the ways to put one of the texts in place of the
// assignment at index i, with all the lines of its value, best first: each with
// the line's own end, then with LF, which the shell needs.
func (d *draft) replacements(i int, texts []string) (ways [][]cut) {
	head := ""
	if i == 0 && d.file.BOM() {
		head = string(utf8BOM)
	}
	n := d.last(i) - i
	end := d.file.lines[i+n-1].End()
	for _, text := range texts {
		ways = append(ways, []cut{{i, n, []string{head + text + end}}})
		if end == "\r\n" || end == "\r" {
			ways = append(ways, []cut{{i, n, []string{head + text + "\n"}}})
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
// ones: in every dialect, or failing that in those in use.
func (d *draft) choose(what string, gone *exemption, candidates ...*draft) (*draft, error) {
	candidates = slices.DeleteFunc(candidates, func(next *draft) bool { return next == nil })
	for _, dialects := range [][]Dialect{d.served(), d.by.Readers} {
		for _, next := range candidates {
			if d.harm(next, gone, dialects) == nil {
				return next, nil
			}
		}
	}
	if len(candidates) == 0 {
		return nil, &BlockedError{Op: what, Reason: "the line ends of the file do not allow it"}
	}
	h := d.harm(candidates[0], gone, d.by.Readers)
	h.Op = what
	return nil, h
}

// served returns the dialects in which no other variable should change: all of
// them, but not the shell in a file with CR LF throughout, every value of which
// it reads with a CR, unless it is one of the readers in use.
func (d *draft) served() []Dialect {
	all := Dialects()
	if d.file.CRLF() && !slices.Contains(d.by.Readers, Shell) {
		all = slices.DeleteFunc(all, func(dia Dialect) bool { return dia == Shell })
	}
	return all
}

// harm reads the draft before and after in the given dialects. It returns the
// first reading that the edit must not change and would.
func (d *draft) harm(next *draft, gone *exemption, dialects []Dialect) *BlockedError {
	for _, dia := range dialects {
		before := d.once(dia)
		if before.err != nil {
			continue
		}
		after := next.once(dia)
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

// blocked says which line keeps the wish from being met at its usual place.
func (d *draft) blocked(w *wish, next *draft) error {
	e := &BlockedError{Op: "set " + w.name}
	if next == nil {
		next = d
	}
	if e.Reader = w.unmet(next); e.Reader == "" {
		gone := newExemption(w.name)
		gone.references(d.file)
		if h := d.harm(next, gone, d.by.Readers); h != nil {
			h.Op = e.Op
			return h
		}
		e.Line = d.lineOf(d.openLine())
		return e
	}
	r := next.read(e.Reader)
	why := r.doubt
	if r.err != nil && !errors.As(r.err, &why) || why == nil {
		e.Line = d.lineOf(d.openLine())
		return e
	}
	e.Line, e.Reason = next.lineOf(why.Line-1), why.Reason
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

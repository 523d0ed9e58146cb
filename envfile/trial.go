package envfile

import (
	"bytes"
	"errors"
	"iter"
	"slices"
)

// trial reads candidates for a draft until one is found that reads right.
type trial struct {
	from *draft
	wish *wish // what each reader in use must read; nil for nothing
	gone *exemption
	// order begins with the readers in use, and after a candidate that did not serve
	// with the dialect that said so: it will most likely say the same of the next.
	order []Dialect
	blame Dialect // the first reader in use that a candidate did not serve
}

func (d *draft) trial(w *wish, gone *exemption) *trial {
	order := slices.Clone(d.by.Readers)
	for _, dia := range d.served() {
		if !slices.Contains(order, dia) {
			order = append(order, dia)
		}
	}
	return &trial{from: d, wish: w, gone: gone, order: order}
}

// first returns the first candidate that serves the readers in use and changes
// nothing else in any dialect, or failing that in any reader in use; nil for none.
func (t *trial) first(candidates iter.Seq[*draft]) (second *draft) {
	for next := range candidates {
		serves, harms := t.try(next, second == nil)
		switch {
		case serves && !harms:
			return next
		case serves && second == nil:
			second = next
		}
	}
	return second
}

// try reports whether the candidate serves the readers in use, and whether it harms
// another dialect. Where it harms one, whether it serves is found out only if that matters.
func (t *trial) try(next *draft, matters bool) (serves, harms bool) {
	for _, dia := range slices.Clone(t.order) {
		used := slices.Contains(t.from.by.Readers, dia)
		switch {
		case !used && harms:
			continue
		case t.right(next, dia, used):
			continue
		}
		i := slices.Index(t.order, dia)
		t.order = slices.Insert(slices.Delete(t.order, i, i+1), 0, dia)
		if used && t.blame == "" {
			t.blame = dia
		}
		if used || !matters {
			return false, true
		}
		harms = true
	}
	return true, harms
}

func (t *trial) right(next *draft, dia Dialect, used bool) bool {
	if used && t.wish != nil && !t.wish.metBy(next, dia) {
		return false
	}
	return t.from.harm(next, t.gone, []Dialect{dia}) == nil
}

// choose returns the first candidate that changes no reading but the exempt
// ones: in every dialect, or failing that in those in use.
func (d *draft) choose(what string, gone *exemption, candidates ...*draft) (*draft, error) {
	candidates = slices.DeleteFunc(candidates, func(next *draft) bool { return next == nil })
	if next := d.trial(nil, gone).first(slices.Values(candidates)); next != nil {
		return next, nil
	}
	if len(candidates) == 0 {
		return nil, &BlockedError{Op: what, Reason: "the line ends of the file do not allow it"}
	}
	h := d.harm(candidates[0], gone, d.by.Readers)
	h.Op = what
	return nil, h
}

// many is more assignments than a file of settings has. To read so many twice in every dialect takes seconds.
const many = 1 << 15

// served returns the dialects in which no other variable should change: all of
// them, but not the shell in a file with CR LF throughout, every value of which
// it reads with a CR, unless it is one of the readers in use. In a file of very
// many assignments they are the readers in use.
func (d *draft) served() []Dialect {
	all := Dialects()
	if bytes.Count(d.data, []byte{'='}) > many {
		return d.by.Readers
	}
	if d.file().CRLF() && !slices.Contains(d.by.Readers, Shell) {
		all = slices.DeleteFunc(all, func(dia Dialect) bool { return dia == Shell })
	}
	return all
}

// harm reads the draft before and after in the given dialects. It returns the
// first reading that the edit must not change and would.
func (d *draft) harm(next *draft, gone *exemption, dialects []Dialect) *BlockedError {
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
	for i := d.file().Len() - 1; i >= 0; i-- {
		if d.file().Line(i).Name == name {
			return i
		}
	}
	return d.file().Len() - 1
}

func errorLine(err error) int {
	var r *ReadError
	if errors.As(err, &r) {
		return r.Line
	}
	return 1
}

// blocked says which line keeps the wish from being met at its usual place, which
// next has, or nil where that cannot be written.
func (t *trial) blocked(next *draft) error {
	d, e := t.from, &BlockedError{Op: "set " + t.wish.name, Reader: t.blame}
	if next == nil || t.blame == "" {
		next, e.Reader = d, t.wish.unmet(d)
	}
	if t.wish.metBy(next, e.Reader) {
		if h := d.harm(next, t.gone, []Dialect{e.Reader}); h != nil {
			h.Op = e.Op
			return h
		}
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
	for i, mark := range d.file().marks {
		if mark == unbalanced {
			return i
		}
	}
	for i := d.file().Len() - 1; i >= 0; i-- {
		raw := d.file().Line(i).Raw
		if bytes.HasSuffix(raw[:len(raw)-len(lineEnd(raw))], []byte{'\\'}) {
			return i
		}
	}
	return d.file().Len() - 1
}

package envfile

import (
	"bytes"
	"fmt"
	"strings"
)

// Lift puts the comment behind a value on a line of its own, above. To a reader that
// takes the comment for a part of the value this changes the value, and to no other.
// Line counts as in the file that was given to Edit, from 1.
type Lift struct {
	Line int
}

// Behind is the comment behind the value of an assignment, as a person means it: from a #
// after white space on, outside of quotes. value is what stands before it, as decouple
// would read that. ok is false where there is none.
func (l Line) Behind() (value, comment string, ok bool) {
	from, at := l.behind()
	if at < 0 {
		return "", "", false
	}
	text := l.Text()
	return unquote(strings.TrimFunc(text[from:at], pythonSpace)), text[at:], true
}

// behind is where the value begins in the line, and where the comment behind it does; -1
// where there is none.
func (l Line) behind() (from, at int) {
	if l.Kind != Assignment || l.Inside || l.Last != l.Num || l.Unbalanced {
		return 0, -1
	}
	text := []byte(l.Text())
	sep := "="
	if l.Colon {
		sep = ":"
	}
	from = bytes.Index(text, []byte(sep)) + 1
	i := from + len(text[from:]) - len(bytes.TrimLeft(text[from:], " \t"))
	if i < len(text) && (text[i] == '"' || text[i] == '\'') {
		for quote, j := text[i], i+1; j < len(text); j++ {
			if text[j] == quote && text[j-1] != '\\' {
				i = j + 1
				break
			}
		}
	}
	for ; i < len(text); i++ {
		if text[i] == '#' && i > from && (text[i-1] == ' ' || text[i-1] == '\t') {
			return from, i
		}
	}
	return 0, -1
}

func (op Lift) apply(d *draft) (*draft, error) {
	i, err := d.index(op.Line)
	if err != nil {
		return nil, err
	}
	l := d.file().Line(i)
	what := fmt.Sprintf("move the comment of line %d", op.Line)
	_, at := l.behind()
	if at < 0 {
		return nil, &BlockedError{Op: what, Reason: "there is no comment behind its value"}
	}
	if i == 0 && d.file().BOM() {
		return nil, &BlockedError{Op: what, Line: op.Line, Reason: "the byte order mark goes first"}
	}
	end, raw := l.End(), l.Raw[:at]
	indent := raw[:len(raw)-len(bytes.TrimLeft(raw, " \t"))]
	comment := string(l.Raw[at : len(l.Raw)-len(end)])
	above := end
	if above == "" {
		above = d.file().newline()
	}
	lifted := newExemption("")
	lifted.line(&l)
	lifted.references(d.file())
	for name := range lifted.gone { // it may change, and may not vanish
		if name != "" {
			lifted.changed[name] = true
			delete(lifted.gone, name)
		}
	}
	value := string(bytes.TrimRight(raw, " \t")) + end
	return d.choose(what, lifted, d.with(cut{i, 1, []string{string(indent) + strings.TrimRight(comment, " \t") + above, value}}))
}

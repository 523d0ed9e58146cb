package adopt

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// change is one part of a file that gets another text: the bytes from start to end.
type change struct {
	start, end int
	text       string
}

var (
	errLines = errors.New("the line ends are not those of one system")
	errPlace = errors.New("the place is not in the file")
	errOther = errors.New("more would change than the new lines")
)

const byteOrderMark = "\ufeff"

// edit is the file with the block in it. Its own line ends, its byte order mark and the
// missing end of its last line stay, and so does every byte outside of the changes.
func (m manner) edit(was []byte) ([]byte, error) {
	changes, err := m.changes(was)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(changes, func(a, b change) int { return a.start - b.start })
	var is []byte
	at := 0
	for _, c := range changes {
		if c.start < at || c.end < c.start || c.end > len(was) {
			return nil, errPlace
		}
		is = append(append(is, was[at:c.start]...), c.text...)
		at = c.end
	}
	is = append(is, was[at:]...)
	if !onlyThese(was, is, changes) {
		return nil, errOther
	}
	return is, nil
}

// onlyThese reports whether is differs from was in nothing but the changes, which are in
// their order.
func onlyThese(was, is []byte, changes []change) bool {
	for _, c := range slices.Backward(changes) {
		tail := was[c.end:]
		if !bytes.HasSuffix(is, tail) {
			return false
		}
		is, was = is[:len(is)-len(tail)], was[:c.start]
		if !bytes.HasSuffix(is, []byte(c.text)) {
			return false
		}
		is = is[:len(is)-len(c.text)]
	}
	return bytes.Equal(was, is)
}

// text is a file by its lines.
type text struct {
	data   []byte
	starts []int // of each line; the byte order mark is before the first one
	eol    string
}

func read(data []byte) (text, error) {
	t := text{data: data, eol: "\n"}
	n := bytes.Count(data, []byte("\r\n"))
	if n > 0 {
		if t.eol = "\r\n"; n != bytes.Count(data, []byte("\n")) {
			return t, errLines
		}
	}
	if bytes.Count(data, []byte("\r")) != n {
		return t, errLines
	}
	first := 0
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		first = len(byteOrderMark)
	}
	t.starts = []int{first}
	for i, b := range data {
		if b == '\n' && i+1 < len(data) {
			t.starts = append(t.starts, i+1)
		}
	}
	return t, nil
}

// blank reports whether a line is empty, or is none.
func (t text) blank(line int) bool {
	if line < 1 || line > len(t.starts) {
		return true
	}
	end := len(t.data)
	if line < len(t.starts) {
		end = t.starts[line]
	}
	return len(bytes.TrimSpace(t.data[t.starts[line-1]:end])) == 0
}

// offset is where a column of a line is.
func (t text) offset(line, column int) (int, error) {
	if line < 1 || line > len(t.starts) || t.starts[line-1]+column > len(t.data) {
		return 0, errPlace
	}
	return t.starts[line-1] + column, nil
}

// before is the change that puts lines before a line, or behind the last one.
func (t text) before(line int, lines []string) (change, error) {
	if line < 1 || line > len(t.starts)+1 {
		return change{}, errPlace
	}
	joined := strings.Join(lines, t.eol)
	if line <= len(t.starts) {
		at := t.starts[line-1]
		return change{at, at, joined + t.eol}, nil
	}
	if n := len(t.data); n > 0 && t.data[n-1] != '\n' {
		return change{n, n, t.eol + joined}, nil
	}
	return change{len(t.data), len(t.data), joined + t.eol}, nil
}

// changes are the spans that get another text, the imports and the block.
func (m manner) changes(was []byte) ([]change, error) {
	t, err := read(was)
	if err != nil {
		return nil, err
	}
	var out []change
	block := indented(m.Base, m.lines())
	for _, s := range m.Spans {
		c, err := t.span(s, map[string]string{"variable": m.Var, "none": "None", "read": m.reading(m.key, "None"), "block": strings.Join(block, t.eol)}[s.Role])
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if lines := m.imports(); len(lines) > 0 {
		if m.Imports.Gap {
			lines = append([]string{""}, lines...)
		}
		if m.Imports.Behind && !t.blank(m.Imports.After+1) {
			lines = append(lines, "")
		}
		c, err := t.before(m.Imports.After+1, lines)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if m.Block > 0 {
		if m.Read && !t.blank(m.Block-1) && m.Tail != "apps" {
			block = append([]string{""}, block...)
		}
		if !t.blank(m.Block) && !m.Class {
			block = append(block, "")
		}
		c, err := t.before(m.Block, block)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func (t text) span(s span, text string) (change, error) {
	start, err := t.offset(s.Line, s.Column)
	end, endErr := t.offset(s.EndLine, s.EndColumn)
	return change{start, end, text}, errors.Join(err, endErr)
}

func indented(by string, lines []string) (out []string) {
	for _, l := range lines {
		if l != "" {
			l = by + l
		}
		out = append(out, l)
	}
	return out
}

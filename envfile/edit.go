package envfile

import (
	"bytes"
	"fmt"
	"strings"
)

// For says whom an edit has to serve.
type For struct {
	// Readers are those in use: each must read the result right. None stands for decouple, python-dotenv and
	// django-environ.
	Readers []Dialect
	// Env is the environment in which they read, see Read.
	Env func(name string) (value string, ok bool)
}

// Op is one edit: a Set, a Split or a Drop.
type Op interface {
	apply(d *draft) (*draft, error)
}

// Set gives Name the value Value.
//
// Where the name is set already, in any spelling a person would take for it (NAME=, export NAME=, " NAME = ", NAME: value),
// the last such line is replaced in place, since every reader takes the last. Where it is not, a new line goes to the end
// of the file, with export where a shell reads the file and its other lines have that. Comments stay as they are, also one
// that holds a placeholder of the same name.
//
// The result is read back before it is accepted: every reader in use must give Name exactly Value (what Shell can only
// state counts), and no other variable may change in any dialect, or, where that cannot be had, in any reader in use.
// Where the usual place reads wrong (below a value that ends in a backslash, say) another is tried.
//
// A value that is not SafeUnquoted is quoted as the readers need it. A value with a line break or NUL is refused.
type Set struct {
	Name  string
	Value string
}

// Split makes two lines of one to which NAME=value was glued for want of a
// final newline, as in DEBUG=TrueNAME=value. Line counts as in the file that
// was given to Edit, from 1.
type Split struct {
	Line int
	Name string
}

// Drop takes out a Bare line, such as a raw key without a name, or an assignment
// whose name is set again below, where every reader takes the last, with all the
// lines of its value. Such an assignment stays where a reader in use would miss
// something else without it: it does no harm. Line counts as in the file that was
// given to Edit, from 1.
type Drop struct {
	Line int
}

// Edit applies ops in order and returns the result, or the first error; then
// nothing is changed. An edit that changes nothing gives a Change with Old and
// New alike and no Diff. Errors name lines, never their content.
func Edit(data []byte, by For, ops ...Op) (Change, error) {
	if len(by.Readers) == 0 {
		by.Readers = djangoReaders()
	}
	d := newDraft(data, by)
	for _, op := range ops {
		next, err := op.apply(d)
		if err != nil {
			return Change{}, err
		}
		d = next
	}
	c := newChange(data, d)
	if err := c.Verify(); err != nil {
		return Change{}, err
	}
	return c, nil
}

// BlockedError says why an edit cannot be made so that it reads right.
type BlockedError struct {
	Op     string  // what was to be done, such as "set NAME"
	Line   int     // the line in the way, as the file was given to Edit; 0 if none
	Reader Dialect // the reader that would read it wrong; empty if none
	Reason string
}

func (e *BlockedError) Error() string {
	s := "cannot " + e.Op
	if e.Reader != "" {
		s += fmt.Sprintf(" so that %s reads it right", e.Reader)
	}
	if e.Line > 0 {
		s += fmt.Sprintf(": line %d is in the way", e.Line)
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// draft is the file between two edits: its bytes, and where its lines come from. Drafts are not changed but replaced.
type draft struct {
	by       For
	data     []byte
	origin   []piece
	parsed   *File
	readings map[Dialect]result
}

// piece is n lines in a row that had the numbers from from on at the start, or are new, where that is 0.
type piece struct{ from, n int }

// result is what one dialect makes of a draft.
type result struct {
	vars  Vars
	doubt *ReadError // of Shell: why vars are not Known
	err   error
}

func newDraft(data []byte, by For) *draft {
	return &draft{by: by, data: data, origin: []piece{{1, countLines(data)}}, readings: map[Dialect]result{}}
}

// file returns the lines of the draft: of many a candidate nobody asks for them.
func (d *draft) file() *File {
	if d.parsed == nil {
		d.parsed = Parse(d.data)
	}
	return d.parsed
}

// remembered bounds, in bytes, the file of which all readings are kept: those of a large one would fill the memory, so
// that only the last is.
const remembered = 1 << 16

// read returns what dialect dia makes of the draft.
func (d *draft) read(dia Dialect) result {
	r, ok := d.readings[dia]
	if !ok {
		if len(d.data) > remembered {
			clear(d.readings)
		}
		r.vars, r.doubt, r.err = read(dia, d.data, d.by.Env)
		d.readings[dia] = r
	}
	return r
}

// cut is a run of lines to take out, by index, and the lines to put there.
type cut struct {
	at, n int
	add   []string
}

// with returns the draft with the cuts made, which are in order and apart.
// A line that only gained a final newline keeps its origin. It returns nil
// where the pieces do not make the lines they should: LF put after a lone CR.
func (d *draft) with(cuts ...cut) *draft {
	var out bytes.Buffer
	out.Grow(len(d.data) + 256)
	file, at, next := d.file(), 0, &draft{by: d.by, readings: map[Dialect]result{}}
	keep := func(to int) {
		out.Write(d.data[file.starts[at]:file.starts[to]])
		next.origin = append(next.origin, d.origins(at, to)...)
	}
	for _, c := range cuts {
		keep(c.at)
		for i, line := range c.add {
			from := 0
			if i < c.n && strings.HasPrefix(line, string(file.Line(c.at+i).Raw)) {
				from = d.origins(c.at+i, c.at+i+1)[0].from
			}
			out.WriteString(line)
			next.origin = append(next.origin, piece{from, 1})
		}
		at = c.at + c.n
	}
	keep(file.Len())
	lines := 0
	for _, p := range next.origin {
		lines += p.n
	}
	if next.data = out.Bytes(); countLines(next.data) != lines {
		return nil
	}
	return next
}

// origins returns where the lines from index at up to index to come from.
func (d *draft) origins(at, to int) (from []piece) {
	start := 0
	for _, p := range d.origin {
		if first, end := max(at, start), min(to, start+p.n); first < end {
			if p.from > 0 {
				p.from += first - start
			}
			from = append(from, piece{p.from, end - first})
		}
		start += p.n
	}
	return from
}

// index returns the index of the line that had the number line at the start.
func (d *draft) index(line int) (int, error) {
	start := 0
	for _, p := range d.origin {
		if p.from > 0 && line >= p.from && line < p.from+p.n {
			return start + line - p.from, nil
		}
		start += p.n
	}
	return 0, fmt.Errorf("there is no line %d to edit", line)
}

// lineOf returns the first number of the line at index i, or the nearest above.
func (d *draft) lineOf(i int) (line int) {
	for _, p := range d.origins(0, i+1) {
		if p.from > 0 {
			line = p.from + p.n - 1
		}
	}
	return line
}

// last returns the index after the last line of the value that begins at i.
func (d *draft) last(i int) int { return d.file().Line(i).Last }

func (op Split) apply(d *draft) (*draft, error) {
	i, err := d.index(op.Line)
	if err != nil {
		return nil, err
	}
	l := d.file().Line(i)
	what := fmt.Sprintf("split line %d before %s", op.Line, op.Name)
	eq := bytes.IndexByte(l.Raw, '=')
	at := -1
	if IsName(op.Name) && l.Kind == Assignment && eq >= 0 {
		if at = bytes.Index(l.Raw[eq+1:], []byte(op.Name+"=")); at >= 0 {
			at += eq + 1
		}
	}
	if at < 0 {
		return nil, &BlockedError{Op: what, Reason: "the name is not behind another assignment there"}
	}
	end := l.End()
	if end == "" {
		end = d.file().newline()
	}
	gone := newExemption(op.Name)
	gone.line(&l)
	gone.references(d.file())
	return d.choose(what, gone, d.with(cut{i, 1, []string{string(l.Raw[:at]) + end, string(l.Raw[at:])}}))
}

func (op Drop) apply(d *draft) (*draft, error) {
	i, err := d.index(op.Line)
	if err != nil {
		return nil, err
	}
	l := d.file().Line(i)
	what := fmt.Sprintf("drop line %d", op.Line)
	gone := newExemption("")
	switch {
	case l.Inside:
		return nil, &BlockedError{Op: what, Reason: "it is a part of the value above it"}
	case l.Kind == Bare:
		gone.line(&l)
	case l.Kind != Assignment || !d.setBelow(l):
		return nil, &BlockedError{Op: what, Reason: "it is neither a line without a name nor one whose name is set again below"}
	}
	// The whole of a value of several lines goes: its other lines mean nothing
	// alone. To decouple the padding of a wrapped base64 value is a name of its own.
	for k := i + 1; k < l.Last; k++ {
		inside := d.file().Line(k)
		if _, value, found := strings.Cut(inside.Text(), "="); found && strings.Trim(value, `="' `) == "" {
			gone.line(&inside)
		}
	}
	next, err := d.choose(what, gone, d.with(cut{at: i, n: l.Last - i}))
	if err != nil && l.Kind == Assignment {
		return d, nil
	}
	return next, err
}

// setBelow reports whether a line behind l sets its name again.
func (d *draft) setBelow(l Line) bool {
	for i := l.Num; i < d.file().Len(); i++ {
		if o := d.file().Line(i); o.Kind == Assignment && !o.Inside && o.Name == l.Name {
			return true
		}
	}
	return false
}

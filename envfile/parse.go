package envfile

import (
	"bytes"
	"iter"
	"strings"
	"unicode"
)

// Kind says what a line is to the person who wrote it.
type Kind uint8

// The kinds of line. Assignment covers every spelling a person uses to set a
// name, also those that some readers do not understand.
const (
	Blank      Kind = iota // nothing but white space (and a byte order mark)
	Comment                // the first character is #
	Assignment             // NAME=value, export NAME=value, or NAME: value
	Bare                   // anything else: readers skip it, or refuse the file
)

// Line is one physical line. A line ends at LF, CR LF, or a CR alone, as in
// Python's universal newlines.
type Line struct {
	Num int    // 1-based
	Raw []byte // with its line end; shares memory with the parsed data
	// Name is the name a person meant: without white space, export or a
	// byte order mark. It is empty unless Kind is Assignment.
	Name string
	// Value is what stands after the = or the colon, without white space
	// around it and without one pair of quotes that encloses all of it: the
	// reading of decouple. Of a value of several lines it is the first.
	Value string
	// Last is the number of the line on which the value ends: Num, unless a
	// quoted value spans several lines.
	Last   int
	Kind   Kind
	Export bool // "export" stands before the name
	Colon  bool // NAME: value, without =
	// Inside reports whether the line lies in a quoted value that began on an
	// earlier line. Readers that know only single lines (decouple,
	// django-environ, docker) still take it for a line of its own, so Kind
	// and Name are filled as if it were.
	Inside bool
	// Unbalanced reports whether the value opens a quote that nothing closes: the
	// next one of its kind, if there is one, is followed by more text.
	Unbalanced bool
}

// End returns the line's own line end: "\n", "\r\n", "\r", or "" for a last
// line without one.
func (l Line) End() string { return string(lineEnd(l.Raw)) }

// Text returns the line without its line end.
func (l Line) Text() string { return string(l.Raw[:len(l.Raw)-len(lineEnd(l.Raw))]) }

// File is a parsed .env file. It keeps every byte of its input, and of its lines only where they begin: a file of 1 MiB
// may have a million.
type File struct {
	data   []byte
	text   string // data, for the names and values to share
	starts []int  // where each line begins, and at last the end
	marks  []byte // of each line inside or unbalanced, or nothing
}

// What a line alone does not say.
const (
	inside     = 1 // Line.Inside
	unbalanced = 2 // Line.Unbalanced
)

var utf8BOM = []byte("\xef\xbb\xbf")

// Parse splits data into lines. It never fails: whatever is not understood is a Bare line. Time and memory are linear
// in len(data). The File shares memory with data, which must not change.
func Parse(data []byte) *File {
	n := countLines(data)
	f := &File{data: data, text: string(data), starts: make([]int, 1, n+1), marks: make([]byte, n)}
	for at := 0; at < len(data); {
		at += lineLength(data[at:])
		f.starts = append(f.starts, at)
	}
	f.markSpans()
	return f
}

// Bytes returns exactly the data that was parsed.
func (f *File) Bytes() []byte { return f.data }

// Len returns the number of lines.
func (f *File) Len() int { return len(f.marks) }

// Line returns the line at index i, from 0.
func (f *File) Line(i int) Line {
	from, to := f.starts[i], f.starts[i+1]
	l := classify(i+1, f.data[from:to:to], f.text[from:to])
	l.Inside, l.Unbalanced = f.marks[i] == inside, f.marks[i] == unbalanced
	for l.Last = l.Num; !l.Inside && l.Last < len(f.marks) && f.marks[l.Last] == inside; {
		l.Last++
	}
	return l
}

// Lines returns all lines, in order, each with its index.
func (f *File) Lines() iter.Seq2[int, Line] {
	return func(yield func(int, Line) bool) {
		for i := 0; i < f.Len() && yield(i, f.Line(i)); i++ {
		}
	}
}

// BOM reports whether the file begins with a UTF-8 byte order mark.
func (f *File) BOM() bool { return bytes.HasPrefix(f.data, utf8BOM) }

// CRLF reports whether the file has line ends and every one of them is CR LF.
func (f *File) CRLF() bool {
	n := strings.Count(f.text, "\r\n")
	return n > 0 && n == strings.Count(f.text, "\n") && n == strings.Count(f.text, "\r")
}

// FinalNewline reports whether the last line has a line end. An empty file has
// no unfinished line, so it counts as ended.
func (f *File) FinalNewline() bool { return len(f.data) == 0 || len(lineEnd(f.data)) > 0 }

// newline returns the line end for a new line: CR LF where the whole file has
// it, else LF, which every reader understands.
func (f *File) newline() string {
	if f.CRLF() {
		return "\r\n"
	}
	return "\n"
}

// lineLength returns the length of the first line of b with its line end.
func lineLength(b []byte) int {
	for i, c := range b {
		switch {
		case c == '\r' && i+1 < len(b) && b[i+1] == '\n':
			return i + 2
		case c == '\r' || c == '\n':
			return i + 1
		}
	}
	return len(b)
}

// cutLine takes the first line, with its line end, off the front of b.
func cutLine(b *[]byte) []byte {
	n := lineLength(*b)
	line := (*b)[:n:n]
	*b = (*b)[n:]
	return line
}

// countLines returns the number of lines that Parse makes of data.
func countLines(data []byte) (n int) {
	for len(data) > 0 {
		cutLine(&data)
		n++
	}
	return n
}

func lineEnd(raw []byte) []byte {
	switch n := len(raw); {
	case n >= 2 && raw[n-2] == '\r' && raw[n-1] == '\n':
		return raw[n-2:]
	case n >= 1 && (raw[n-1] == '\n' || raw[n-1] == '\r'):
		return raw[n-1:]
	}
	return nil
}

// classify says what a line is, of which text is the same as raw.
func classify(num int, raw []byte, text string) Line {
	l := Line{Num: num, Raw: raw}
	text = text[:len(text)-len(lineEnd(raw))]
	if num == 1 {
		text = strings.TrimPrefix(text, string(utf8BOM))
	}
	text = strings.TrimFunc(text, pythonSpace)
	sep := strings.IndexAny(text, "=:")
	switch {
	case len(text) == 0:
		l.Kind = Blank
		return l
	case text[0] == '#':
		l.Kind = Comment
		return l
	case sep < 0:
		l.Kind = Bare
		return l
	}
	if text[sep] == ':' {
		// NAME: value, as in YAML. A colon anywhere else (an address, a
		// Windows path) is just a character.
		after := text[sep+1:]
		if _, name := splitExport(text[:sep]); IsName(name) && (len(after) == 0 || after[0] == ' ' || after[0] == '\t') {
			l.Colon = true
		} else if sep = strings.IndexByte(text, '='); sep < 0 {
			l.Kind = Bare
			return l
		}
	}
	l.Export, l.Name = splitExport(text[:sep])
	l.Kind = Assignment
	l.Value = unquote(strings.TrimFunc(text[sep+1:], pythonSpace))
	return l
}

// splitExport takes the word export off the front of what stands before the =.
func splitExport(key string) (export bool, name string) {
	key = strings.TrimFunc(key, pythonSpace)
	if rest, ok := strings.CutPrefix(key, "export"); ok {
		if t := strings.TrimLeftFunc(rest, pythonSpace); len(t) > 0 && len(t) < len(rest) {
			return true, t
		}
	}
	return false, key
}

// unquote drops one pair of equal quotes that encloses the value.
func unquote(v string) string {
	if n := len(v); n >= 2 && v[0] == v[n-1] && (v[0] == '\'' || v[0] == '"') {
		return v[1 : n-1]
	}
	return v
}

// IsName reports whether name is a portable variable name: a letter or an
// underscore, then letters, digits and underscores, all ASCII.
func IsName(name string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// SafeUnquoted reports whether value is of the one form that every reader reads
// alike without quotes: one or more of A-Z, a-z, 0-9, underscore and hyphen.
func SafeUnquoted(value string) bool {
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c != '_' && c != '-' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return value != ""
}

// pythonSpace is the white space of Python's str.strip, which has four
// separators more than Go's.
func pythonSpace(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
}

// markSpans finds the quoted values of several lines. The search for a closing
// quote stops at the next one of its kind, which a line that opens such a
// quote holds itself; so all searches together are linear.
func (f *File) markSpans() {
	for i := 0; i < f.Len(); {
		l, start := f.Line(i), f.starts[i]
		i++
		if l.Kind != Assignment || l.Colon {
			continue
		}
		value := bytes.TrimLeft(l.Raw[bytes.IndexByte(l.Raw, '=')+1:], " \t")
		end, closed := f.closing(start + len(l.Raw) - len(value))
		switch {
		case end < 0: // not quoted
		case !closed:
			f.marks[i-1] = unbalanced
		default:
			for ; i < f.Len() && f.starts[i] <= end; i++ {
				f.marks[i] = inside
			}
		}
	}
}

// closing looks for the end of a quoted value that begins at open. It returns
// -1 where no quote stands there. A quote that closes on a later line counts
// only if nothing but a comment follows it there: else the first line merely
// has a stray quote.
func (f *File) closing(open int) (end int, closed bool) {
	if open >= len(f.data) || f.data[open] != '"' && f.data[open] != '\'' {
		return -1, false
	}
	quote, i := f.data[open], open+1
	for {
		n := bytes.IndexByte(f.data[i:], quote)
		if n < 0 {
			return 0, false
		}
		i += n + 1
		if f.data[i-2] != '\\' {
			break
		}
	}
	if !bytes.ContainsAny(f.data[open:i], "\r\n") {
		return i - 1, true
	}
	rest := f.data[i:]
	rest = rest[:lineLength(rest)]
	after := strings.TrimSpace(string(rest))
	return i - 1, after == "" || after[0] == '#'
}

package repo

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
)

// insertion is text that comes into a file.
type insertion struct {
	at   int // the byte that it comes before
	text string
}

func (in insertion) in(data []byte) []byte {
	return slices.Concat(data[:in.at], []byte(in.text), data[in.at:])
}

// edited is a file with what was inserted, in the offsets of the new version.
type edited struct {
	data []byte
	done []insertion
}

// insert makes one more insertion.
func (e *edited) insert(in insertion) {
	e.data = in.in(e.data)
	for i := range e.done {
		if e.done[i].at >= in.at {
			e.done[i].at += len(in.text)
		}
	}
	e.done = append(e.done, in)
}

// maxEdits is how many places of one file are edited.
const maxEdits = 50

// editYAML adds JWT_SECRET_KEY to each place of a YAML file that lacks it and for which a value is sure. Each insertion is
// verified by itself; a place for which none passes is left.
func (v *vocabulary) editYAML(code finding.Code, file string, data []byte) *edited {
	e := &edited{data: data}
	if bytes.HasPrefix(data, byteOrderMark) || otherBreaks.Match(data) {
		return e // the parser counts its lines and columns otherwise
	}
	now, err := v.parseFile(data)
	left := 0 // how many places above cannot be edited
	for range maxEdits {
		if err != nil {
			return e
		}
		var open []place
		for _, p := range v.reach(file, now.settings).places {
			if !p.reached {
				open = append(open, p)
			}
		}
		if left >= len(open) {
			return e
		}
		if after := e.place(v, code, file, open[left], now); after != nil {
			now = after
		} else {
			left++
		}
	}
	return e
}

// otherBreaks are what YAML takes for the end of a line, and hardly anything else does.
var otherBreaks = lazyregexp.New("\r(?:[^\n]|$)|\u0085|\u2028|\u2029")

// stray counts where the key is given to something else than the processes that run the project.
func stray(code finding.Code, file string, settings []setting) (n int) {
	for _, s := range settings {
		if s.key && !isEnvironment(code, file, s) {
			n++
		}
	}
	return n
}

// place edits one place, if it can be, and returns the file as it is then. The key must not become stray in more places
// than it is: what is written once may be merged in several.
func (e *edited) place(v *vocabulary, code finding.Code, file string, p place, now *parsed) *parsed {
	s := p.uses[0]
	for _, use := range p.uses {
		if use.form != s.form || !isEnvironment(code, file, use) {
			return nil
		}
	}
	for _, in := range (&spot{vocabulary: v, data: e.data, setting: s, eol: lineEnd(e.data)}).candidates(code, file) {
		after, err := v.parseFile(in.in(e.data))
		if err != nil || !v.addsEntry(now.docs, after.docs) {
			continue
		}
		if stray(code, file, after.settings) > stray(code, file, now.settings) {
			return nil
		}
		e.insert(in)
		return after
	}
	return nil
}

// environmentName is the name of a mapping or list of variables.
var environmentName = lazyregexp.New(`(?:^|[-_.a-zA-Z])(?i:env|environment|environments|variables|vars|envs)$`)

// isEnvironment reports whether what is set is set for processes that run the project: not for the build of an image, a
// matrix, the secrets that another workflow is given.
func isEnvironment(code finding.Code, file string, s setting) bool {
	if s.in.build {
		return false
	}
	if code == compose {
		up := s.in.up // services.NAME.environment
		return s.in.name == "environment" && up != nil && up.up != nil && up.up.name == "services" && up.up.up != nil && up.up.up.up == nil
	}
	for at := s.in; at != nil; at = at.up {
		if at.name == "matrix" || at.name == "secrets" || at.name == "inputs" {
			return false
		}
	}
	name := s.in.named()
	if s.form == command {
		return name == "commands" || strings.HasSuffix(name, "script") || strings.HasSuffix(name, "install")
	}
	if s.form == item && (file == ".travis.yml" || file == ".travis.yaml") {
		return name == "global" // elsewhere each item is a build of its own
	}
	return environmentName.MatchString(name) || name == "global"
}

// spot is a setting in its file.
type spot struct {
	vocabulary *vocabulary
	data       []byte
	setting
	eol string
}

func lineEnd(data []byte) string {
	if bytes.Contains(data, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// offset is where a node begins, -1 where there is no such place. The parser counts characters.
func (s *spot) offset(n *yaml.Node) int {
	start := s.lineStart(n.Line)
	if start < 0 {
		return -1
	}
	for range n.Column - 1 {
		if start >= len(s.data) || s.data[start] == '\n' {
			return -1
		}
		_, size := utf8.DecodeRune(s.data[start:])
		start += size
	}
	return start
}

// lineStart is where a line begins, counted from 1; -1 for none. The end of a file without a last line end is none.
func (s *spot) lineStart(line int) int {
	at := 0
	for range line - 1 {
		i := bytes.IndexByte(s.data[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	return at
}

// candidates are the insertions to try, the nicest first: below the entry, behind it, before it.
func (s *spot) candidates(code finding.Code, file string) (all []insertion) {
	if s.form == entry {
		return s.copies()
	}
	at := s.offset(s.node)
	if at < 0 {
		return nil
	}
	flow := s.parent.Style&yaml.FlowStyle != 0
	new, end := s.entry(at, code, file, flow)
	if new == "" {
		return nil
	}
	start := s.lineStart(s.node.Line)
	prefix := string(s.data[start:at])
	if flow {
		return s.inFlow(new, prefix, at, end)
	}
	if !blockPrefix.MatchString(prefix) {
		return nil
	}
	column := len(prefix) // of the pair, or of the dash
	if s.form != pair {
		column = strings.LastIndexByte(prefix, '-')
		if column < 0 {
			return nil
		}
		new = prefix[column:] + new
	}
	indent := strings.ReplaceAll(prefix[:column], "-", " ")
	for _, line := range []int{s.node.Line + 1, s.lastLine(column) + 1} {
		all = append(all, s.below(line, indent+new))
	}
	return append(all, insertion{start + column, new + s.eol + indent})
}

// below is a line of its own at a line's place.
func (s *spot) below(line int, text string) insertion {
	if at := s.lineStart(line); at >= 0 && (at < len(s.data) || bytes.HasSuffix(s.data, []byte("\n"))) {
		return insertion{at, text + s.eol}
	}
	return insertion{len(s.data), s.eol + text}
}

// blockPrefix is what is before a name in block style.
var blockPrefix = lazyregexp.New(`^ *(?:-  *)*$`)

// lastLine is the last line of what is indented by more than a column, below the setting.
func (s *spot) lastLine(column int) int {
	last, line := s.node.Line, s.node.Line
	start := s.lineStart(line + 1)
	if start < 0 {
		return last
	}
	for l := range bytes.Lines(s.data[start:]) {
		line++
		text := bytes.TrimSpace(l)
		if len(text) == 0 {
			continue
		}
		if len(l)-len(bytes.TrimLeft(l, " ")) <= column {
			break
		}
		last = line
	}
	return last
}

// inFlow is where a new entry can come in {...} or [...].
func (s *spot) inFlow(new, prefix string, at, end int) (all []insertion) {
	ownLine := strings.TrimSpace(prefix) == ""
	if end > 0 {
		if ownLine {
			all = append(all, insertion{end, "," + s.eol + prefix + new})
		} else {
			all = append(all, insertion{end, ", " + new})
		}
	}
	if ownLine {
		return append(all, insertion{at, new + "," + s.eol + prefix})
	}
	return append(all, insertion{at, new + ", "})
}

var (
	colon      = lazyregexp.New(`^ *: *$`)
	emptyValue = lazyregexp.New(`^(?: *: *)?`)
)

// entry is the new entry in the form of the one there is at an offset, "" where no value is sure; and where that one
// ends, 0 where that is not sure.
func (s *spot) entry(at int, code finding.Code, file string, flow bool) (new string, end int) {
	end = s.scalarEnd(at, s.node)
	if s.form != pair {
		n := target(s.node)
		text, ok := s.vocabulary.newItem(code, file, n.Value)
		if !ok {
			return "", 0
		}
		return quoted(text, n.Style, flow), end
	}
	if end == 0 || end-at-len(s.node.Value) != 0 && end-at-len(s.node.Value) != 2 {
		return "", 0 // a name with an anchor, a tag or escapes
	}
	value, ok := s.vocabulary.newValue(code, file, s.value)
	if !ok {
		return "", 0
	}
	sign, from := ": ", s.offset(s.value)
	valueEnd := 0
	if s.value.Kind == yaml.ScalarNode && s.value.Value == "" && s.value.Style == 0 { // nothing, not even quotes
		valueEnd = end + len(emptyValue.Find(s.data[end:]))
	} else if s.value.Line == s.node.Line && from > end {
		if between := string(s.data[end:from]); colon.MatchString(between) && (between[len(between)-1] == ' ' || flow) {
			sign = between
		}
		valueEnd = s.scalarEnd(from, s.value)
	}
	name := strings.Replace(string(s.data[at:end]), s.node.Value, s.vocabulary.Key, 1)
	return name + sign + quoted(value, s.value.Style, flow), valueEnd
}

// scalarEnd is where a scalar on one line ends, 0 where that is not sure.
func (s *spot) scalarEnd(at int, n *yaml.Node) int {
	rest := s.data[at:]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	switch {
	case n.Kind == yaml.AliasNode:
		if bytes.HasPrefix(rest, []byte("*"+n.Value)) {
			return at + 1 + len(n.Value)
		}
	case len(rest) == 0 || n.Kind != yaml.ScalarNode:
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 && (rest[0] == '"' || rest[0] == '\''):
		if m := quotedScalar.Find(rest); m != nil {
			return at + len(m)
		}
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && n.Value != "" && bytes.HasPrefix(rest, []byte(n.Value)):
		return at + len(n.Value)
	}
	return 0
}

var quotedScalar = lazyregexp.New(`^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')`)

// quoted gives a value the quotes that another one has, and those that {...} needs. No value here has a quote in it.
func quoted(value string, as yaml.Style, flow bool) string {
	switch {
	case strings.ContainsAny(value, `"'`):
		return value // a command; what it cannot stand in is found out when it is parsed
	case as&yaml.SingleQuotedStyle != 0:
		return "'" + value + "'"
	case as&yaml.DoubleQuotedStyle != 0, flow && strings.ContainsAny(value, "{}[],$"):
		return `"` + value + `"`
	}
	return value
}

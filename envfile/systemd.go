package envfile

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// readSystemd models EnvironmentFile= of systemd 252. Quoted and unquoted
// pieces may follow one another, a backslash takes the next character as it
// is, and a backslash at the end of a line, even of a comment, joins the next
// line to it. (Since version 254 a comment is not continued.) Names that are
// not portable are dropped.
func readSystemd(data []byte) (Vars, error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return nil, &ReadError{Systemd, lineAt(data, i), "a NUL character"}
	}
	p := systemdParser{vars: varsOf(data)}
	state := systemdBeforeName
	for i, c := range data {
		if p.at = i; state != nil {
			state = state(&p, c)
		}
		if p.invalid {
			return nil, &ReadError{Systemd, lineAt(data, max(i-1, 0)), "a character that is not valid UTF-8 text"}
		}
	}
	if p.inValue {
		if p.push(); p.invalid {
			return nil, &ReadError{Systemd, lineAt(data, len(data)), "a character that is not valid UTF-8 text"}
		}
	}
	return p.vars, nil
}

type systemdParser struct {
	vars    Vars
	name    []byte
	value   []byte
	keep    int // length of value without the white space after it
	at      int
	inValue bool
	chomp   bool // value may end in white space that does not count
	invalid bool
}

type systemdState func(*systemdParser, byte) systemdState

func systemdSpace(c byte) bool   { return c == ' ' || c == '\t' || systemdNewline(c) }
func systemdNewline(c byte) bool { return c == '\n' || c == '\r' }

func systemdBeforeName(p *systemdParser, c byte) systemdState {
	switch {
	case c == '#' || c == ';':
		return systemdComment
	case systemdSpace(c):
		return systemdBeforeName
	}
	p.name = append(p.name[:0], c)
	return systemdName
}

func systemdName(p *systemdParser, c byte) systemdState {
	switch {
	case systemdNewline(c):
		return systemdBeforeName
	case c == '=':
		p.value, p.keep, p.inValue = p.value[:0], 0, true
		return systemdBeforeValue
	}
	p.name = append(p.name, c)
	return systemdName
}

// systemdBeforeValue is also the state after a closing quote.
func systemdBeforeValue(p *systemdParser, c byte) systemdState {
	p.chomp = false
	switch {
	case systemdNewline(c):
		p.keep = len(p.value)
		return p.push()
	case c == '\'':
		return systemdSingle
	case c == '"':
		return systemdDouble
	case c == '\\':
		return systemdEscape
	case systemdSpace(c):
		return systemdBeforeValue
	}
	p.add(c)
	p.chomp = true
	return systemdValue
}

func systemdValue(p *systemdParser, c byte) systemdState {
	switch {
	case systemdNewline(c):
		return p.push()
	case c == '\\':
		p.keep = len(p.value)
		return systemdEscape
	case systemdSpace(c):
		p.value = append(p.value, c)
		return systemdValue
	}
	p.add(c)
	return systemdValue
}

func systemdEscape(p *systemdParser, c byte) systemdState {
	p.chomp = true
	if !systemdNewline(c) {
		p.add(c)
	}
	return systemdValue
}

func systemdSingle(p *systemdParser, c byte) systemdState {
	if c == '\'' {
		return systemdBeforeValue
	}
	p.add(c)
	return systemdSingle
}

func systemdDouble(p *systemdParser, c byte) systemdState {
	switch c {
	case '"':
		return systemdBeforeValue
	case '\\':
		return systemdDoubleEscape
	}
	p.add(c)
	return systemdDouble
}

func systemdDoubleEscape(p *systemdParser, c byte) systemdState {
	switch {
	case strings.IndexByte("\"\\`$", c) >= 0:
		p.add(c)
	case c != '\n':
		p.add('\\')
		p.add(c)
	}
	return systemdDouble
}

func systemdComment(_ *systemdParser, c byte) systemdState {
	switch {
	case c == '\\':
		return systemdCommentEscape
	case systemdNewline(c):
		return systemdBeforeName
	}
	return systemdComment
}

func systemdCommentEscape(*systemdParser, byte) systemdState { return systemdComment }

func (p *systemdParser) add(c byte) {
	p.value = append(p.value, c)
	p.keep = len(p.value)
}

// push ends an assignment.
func (p *systemdParser) push() systemdState {
	p.inValue = false
	value := p.value
	if p.chomp {
		value = value[:p.keep]
	}
	name := strings.TrimRight(string(p.name), " \t\n\r")
	if !systemdText(string(p.name)) || !systemdText(string(p.value)) {
		p.invalid = true
		return nil
	}
	if IsName(name) {
		p.vars.set(name, string(value))
	}
	return systemdBeforeName
}

// systemdText reports whether systemd takes s for UTF-8: it refuses the code
// points that Unicode reserves as no characters.
func systemdText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r >= 0xfdd0 && r <= 0xfdef || r&0xfffe == 0xfffe {
			return false
		}
	}
	return true
}

package envfile

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
)

// readCompose models compose-go's reader, as docker compose uses it for .env
// and env_file: NAME=value or NAME: value, quotes over several lines, escapes
// in double quotes, and ${NAME} with the shell's fallback forms, where the
// process environment beats the lines above.
func readCompose(data []byte, env environ) (Vars, error) {
	text := string(bytes.TrimPrefix(data, utf8BOM))
	p := composeParser{text: text, rest: text, vars: Vars{}, env: env}
	for p.nextStatement() {
		if reason := p.statement(); reason != "" {
			return nil, &ReadError{Compose, lineAt([]byte(text), len(text)-len(p.rest)), reason}
		}
	}
	return p.vars, nil
}

type composeParser struct {
	text, rest string
	vars       Vars
	env        environ
}

func (p *composeParser) nextStatement() bool {
	for {
		p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace)
		if !strings.HasPrefix(p.rest, "#") {
			return p.rest != ""
		}
		p.rest = p.rest[lineTail(p.rest):]
	}
}

// statement reads one assignment. It returns why the file is refused, or "".
func (p *composeParser) statement() (reason string) {
	s := p.rest
	if t, ok := strings.CutPrefix(s, "export"); ok && t != "" && strings.IndexByte("\t\n\f\r ", t[0]) >= 0 {
		s = strings.TrimLeftFunc(t, composeSpace)
	}
	if s == "" {
		return "the word export without a name"
	}
	name, after, inherited := "", 0, false
scan:
	for i, r := range s {
		switch {
		case r == '=' || r == ':' || r == '\n':
			name, after, inherited = s[:i], i+1, r == '\n'
			break scan
		case composeSpace(r) || unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("_.-[]", r):
		default:
			return "a character that a name cannot have"
		}
	}
	name = strings.TrimRightFunc(name, unicode.IsSpace)
	if strings.Contains(name, " ") {
		return "a name with a space in it"
	}
	s = strings.TrimLeftFunc(s[after:], composeSpace)
	if inherited {
		if value, ok := p.env(name); ok {
			p.vars.set(name, value)
		}
		p.rest = s
		return ""
	}
	value, rest, reason := p.value(s)
	if reason != "" {
		return reason
	}
	p.vars.set(name, value)
	p.rest = rest
	return ""
}

func (p *composeParser) value(s string) (value, rest, reason string) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		value, rest, _ = strings.Cut(s, "\n")
		value, _, _ = strings.Cut(value, " #")
		value, reason = composeExpand(strings.TrimRightFunc(value, unicode.IsSpace), p.lookup)
		return value, rest, reason
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			value = b.String()
			if s[0] == '"' {
				value, reason = composeExpand(composeUnescape(value), p.lookup)
			}
			return value, s[i+1:], reason
		case s[i] == '\\' && i+1 < len(s):
			// Only the quote itself loses its backslash here.
			if i++; s[i] != s[0] {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", "a quote that nothing closes"
}

// composeSpace is white space that does not end a line.
func composeSpace(r rune) bool {
	return strings.ContainsRune("\t\v\f\r \u0085\u00a0", r)
}

func (p *composeParser) lookup(name string) (string, bool) {
	if v, ok := p.env(name); ok {
		return v, true
	}
	v, ok := p.vars[name]
	return v.Value, ok
}

// composeUnescape resolves the escapes of a double-quoted value. An escaped
// dollar becomes two, which composeExpand makes one.
func composeUnescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	const known, meaning = `abfnrtv"\`, "\a\b\f\n\r\t\v\"\\"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch k := strings.IndexByte(known, s[i]); {
		case k >= 0:
			b.WriteByte(meaning[k])
		case s[i] == '$':
			b.WriteString("$$")
		case s[i] == '0':
			// \0 and up to three more digits. With all three they are an
			// octal number; otherwise the zero is lost and the rest stays.
			end := i + 1
			for end < len(s) && end < i+4 && s[end] >= '0' && s[end] <= '9' {
				end++
			}
			if n, err := strconv.ParseUint(s[i+1:end], 8, 8); err == nil && end == i+4 {
				b.WriteRune(rune(n))
			} else {
				b.WriteString(`\` + s[i+1:end])
			}
			i = end - 1
		default:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// composeExpand replaces $NAME, ${NAME} and ${NAME op word}, where op is one of
// :- - :+ + :? ? and $$ stands for $. It returns why the file is refused, or "".
func composeExpand(s string, lookup environ) (value, reason string) {
	if strings.IndexByte(s, '$') < 0 {
		return s, ""
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 || i+1 == len(s) {
			b.WriteString(s)
			return b.String(), ""
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		switch n := nameLength(s); {
		case s[0] == '$':
			b.WriteByte('$')
			s = s[1:]
		case n > 0:
			v, _ := lookup(s[:n])
			b.WriteString(v)
			s = s[n:]
		case s[0] == '{':
			length, ok := composeBraced(s)
			if !ok {
				return "", "a variable in braces that is not well formed"
			}
			v, reason := composeFallback(s[1:length-1], lookup)
			if reason != "" {
				return "", reason
			}
			b.WriteString(v)
			s = s[length:]
		default:
			b.WriteByte('$')
		}
	}
}

// composeBraced returns the length of the expression in braces at the start of
// s. It must close on its own line; braces in it nest.
func composeBraced(s string) (int, bool) {
	n := nameLength(s[1:])
	after := s[1+n:]
	switch {
	case n == 0 || after == "":
		return 0, false
	case after[0] == '}':
		return n + 2, true
	}
	after = strings.TrimPrefix(after, ":")
	if after == "" || strings.IndexByte("-+?", after[0]) < 0 {
		return 0, false
	}
	line := s[:lineTail(s)]
	last := strings.LastIndexByte(line, '}')
	if last < len(s)-len(after) {
		return 0, false
	}
	depth := 0
	for i := 0; i <= last; i++ {
		switch s[i] {
		case '}':
			if depth--; depth == 0 {
				return i + 1, true
			}
		case '{':
			depth++
			i++ // as compose-go does: the character after a brace is not looked at
		}
	}
	return last + 1, true
}

func composeFallback(expr string, lookup environ) (value, reason string) {
	n := nameLength(expr)
	value, ok := lookup(expr[:n])
	if n == len(expr) {
		return value, ""
	}
	op, colon := strings.CutPrefix(expr[n:], ":")
	word := op[1:]
	present := ok && (!colon || value != "")
	switch {
	case op[0] == '+' && present, op[0] == '-' && !present:
		return composeExpand(word, lookup)
	case op[0] == '?' && !present:
		return "", "a variable that it requires and that is not set"
	}
	return value, ""
}

// nameLength returns the length of the variable name that s begins with.
func nameLength(s string) int {
	n := 0
	for n < len(s) && IsName(s[n:n+1]) || n > 0 && n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

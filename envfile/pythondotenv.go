package envfile

import (
	"strings"
	"unicode/utf8"
)

// readPythonDotenv models python-dotenv's load_dotenv without override: in an
// expansion of ${NAME} the process environment beats the lines above.
// A statement that it does not understand is skipped to the end of its line.
func readPythonDotenv(data []byte, env environ) (Vars, error) {
	text, err := pythonText(PythonDotenv, data)
	if err != nil {
		return nil, err
	}
	vars := varsOf(data)
	for p := (dotenvParser{s: text}); p.s != ""; {
		name, value, ok := p.statement()
		switch {
		case !ok:
			p.skipLine()
		case name == "":
		case value == nil:
			vars[name] = Var{State: Null}
		default:
			vars.set(name, dotenvExpand(*value, vars, env))
		}
	}
	for name, v := range vars {
		if _, set := env(name); !set && v.State == Known && strings.IndexByte(name+v.Value, 0) >= 0 {
			return nil, &ReadError{PythonDotenv, lineAt(data, strings.IndexByte(text, 0)), "a NUL character in a variable, which the environment does not take"}
		}
	}
	return vars, nil
}

// dotenvParser holds the text that is still to be read; its line ends are LF.
type dotenvParser struct{ s string }

// statement reads one binding, comment or blank end. name is empty where there
// is none; value is nil where the name stands alone; ok is false on a syntax
// error, with the parser left where it was found.
func (p *dotenvParser) statement() (name string, value *string, ok bool) {
	p.s = strings.TrimLeftFunc(p.s, pythonSpace)
	if p.s == "" {
		return "", nil, true
	}
	if rest, found := strings.CutPrefix(p.s, "export"); found {
		if t := strings.TrimLeftFunc(rest, dotenvBlank); len(t) < len(rest) {
			p.s = t
		}
	}
	if name, ok = p.key(); !ok {
		return "", nil, false
	}
	p.skipBlanks()
	if strings.HasPrefix(p.s, "=") {
		p.s = p.s[1:]
		p.skipBlanks()
		v, ok := p.value()
		if !ok {
			return "", nil, false
		}
		value = &v
	}
	if t := strings.TrimLeftFunc(p.s, dotenvBlank); strings.HasPrefix(t, "#") {
		p.s = t[lineTail(t):]
	}
	p.skipBlanks()
	if p.s != "" {
		if p.s[0] != '\n' {
			return "", nil, false
		}
		p.s = p.s[1:]
	}
	return name, value, true
}

func (p *dotenvParser) key() (name string, ok bool) {
	switch {
	case p.s == "":
		return "", false
	case p.s[0] == '#':
		return "", true
	case p.s[0] == '\'':
		end := strings.IndexByte(p.s[1:], '\'')
		if end <= 0 {
			return "", false
		}
		name, p.s = p.s[1:1+end], p.s[end+2:]
		return name, true
	}
	end := strings.IndexFunc(p.s, func(r rune) bool { return r == '=' || r == '#' || pythonSpace(r) })
	if end < 0 {
		end = len(p.s)
	}
	name, p.s = p.s[:end], p.s[end:]
	return name, end > 0
}

func (p *dotenvParser) value() (string, bool) {
	switch {
	case p.s == "" || p.s[0] == '\n':
		return "", true
	case p.s[0] == '\'' || p.s[0] == '"':
		end := dotenvClosing(p.s)
		if end < 0 {
			return "", false
		}
		inner, quote := p.s[1:end], p.s[0]
		p.s = p.s[end+1:]
		return dotenvUnescape(inner, quote), true
	}
	line := p.s[:lineTail(p.s)]
	p.s = p.s[len(line):]
	for at := 0; ; {
		i := strings.IndexByte(line[at:], '#')
		if i < 0 {
			break
		}
		if r, _ := utf8.DecodeLastRuneInString(line[:at+i]); at+i > 0 && pythonSpace(r) {
			line = line[:at+i]
			break
		}
		at += i + 1
	}
	return strings.TrimRightFunc(line, pythonSpace), true
}

// dotenvClosing returns the index of the quote that closes the one at s[0]: the
// first without a backslash before it, and failing that the last at all.
func dotenvClosing(s string) int {
	last := -1
	for i := 1; ; {
		n := strings.IndexByte(s[i:], s[0])
		if n < 0 {
			return last
		}
		last = i + n
		if last == 1 || s[last-1] != '\\' {
			return last
		}
		i = last + 1
	}
}

func dotenvUnescape(s string, quote byte) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	known, meaning := `\'`, `\'`
	if quote == '"' {
		known, meaning = `\'"abfnrtv`, "\\'\"\a\b\f\n\r\t\v"
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if k := strings.IndexByte(known, s[i+1]); k >= 0 {
				b.WriteByte(meaning[k])
				i++
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// dotenvExpand replaces ${NAME} and ${NAME:-default}; a bare $NAME is text.
func dotenvExpand(s string, vars Vars, env environ) string {
	var b strings.Builder
	for {
		start := strings.Index(s, "${")
		if start < 0 {
			break
		}
		end := strings.IndexByte(s[start:], '}')
		if end < 0 {
			break
		}
		name, fallback, ok := strings.Cut(s[start+2:start+end], ":")
		if ok && !strings.HasPrefix(fallback, "-") {
			// No variable: a name has no colon. One may begin behind this $.
			b.WriteString(s[:start+2])
			s = s[start+2:]
			continue
		}
		b.WriteString(s[:start])
		s = s[start+end+1:]
		value, found := env(name)
		if !found {
			var v Var
			if v, found = vars[name]; found {
				value = v.Value
			} else if ok {
				value = fallback[1:]
			}
		}
		b.WriteString(value)
	}
	b.WriteString(s)
	return b.String()
}

func (p *dotenvParser) skipBlanks() { p.s = strings.TrimLeftFunc(p.s, dotenvBlank) }

func (p *dotenvParser) skipLine() {
	p.s = p.s[lineTail(p.s):]
	p.s = strings.TrimPrefix(p.s, "\n")
}

// lineTail returns the length of s up to its first LF.
func lineTail(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

func dotenvBlank(r rune) bool { return r != '\n' && pythonSpace(r) }

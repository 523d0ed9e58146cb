package envfile

import "strings"

// expandValue expands what stands after the = of an assignment.
func (sh *shell) expandValue(s string) Var {
	if strings.HasPrefix(s, "~") || strings.Contains(s, ":~") {
		sh.expand(s)
		return Var{State: Unknown} // a home folder
	}
	return sh.expand(s)
}

// expand removes quotes and expands variables, without splitting words.
func (sh *shell) expand(s string) Var {
	e := shellExpansion{sh: sh}
	if e.text(s, false); e.unknown {
		return Var{State: Unknown}
	}
	return Var{Value: e.b.String()}
}

type shellExpansion struct {
	sh      *shell
	b       strings.Builder
	unknown bool
}

// text expands a text; inDouble tells that it stands between double quotes.
func (e *shellExpansion) text(s string, inDouble bool) {
	for i := 0; i < len(s); {
		n := shellUnit(s[i:], inDouble)
		if n < 0 {
			n = len(s) - i // only in text that bash would refuse as well
			e.unknown = true
		}
		e.unit(s[i:i+n], s[i:], inDouble, &n)
		i += n
	}
}

// unit expands one piece as shellUnit cuts it. A variable without braces is cut
// as a lone $; then *n is set to its whole length.
func (e *shellExpansion) unit(u, rest string, inDouble bool, n *int) {
	switch {
	case u[0] == '\\' && len(u) == 2:
		if inDouble && strings.IndexByte("$`\"\\\n", u[1]) < 0 {
			e.b.WriteByte('\\')
		}
		if u[1] != '\n' {
			e.b.WriteByte(u[1])
		}
	case u[0] == '\'' && !inDouble:
		e.b.WriteString(u[1 : len(u)-1])
	case u[0] == '"' && !inDouble:
		e.text(u[1:len(u)-1], true)
	case u[0] == '"': // quotes of a fallback in braces, which stands in quotes itself
	case u[0] == '`':
		e.substitution(u[1 : len(u)-1])
	case u[0] != '$':
		e.b.WriteString(u)
	case len(u) == 1:
		*n = 1 + e.variable(rest[1:], inDouble)
	case u[1] == '{':
		e.braces(u[2:len(u)-1], inDouble)
	case u[1] == '(' && !strings.HasPrefix(u, "$(("):
		e.substitution(u[2 : len(u)-1])
	default: // arithmetic, $'...', or $$
		e.unknown = true
	}
}

// substitution handles the text of a command substitution: its output cannot
// be known, and whether it is well formed only where it is plain.
func (e *shellExpansion) substitution(body string) {
	e.unknown = true
	for i := 0; i < len(body); i++ {
		if c := body[i]; !SafeUnquoted(body[i:i+1]) && strings.IndexByte(" ./:,=%@+", c) < 0 {
			e.sh.unknowable = true
		}
	}
}

// variable expands the name at the start of s, behind a $, and returns how much
// of s it took.
func (e *shellExpansion) variable(s string, inDouble bool) int {
	n := nameLength(s)
	switch {
	case n > 0:
		e.value(e.sh.lookup(s[:n]))
		return n
	case s != "" && strings.IndexByte("0123456789@*#?-$!", s[0]) >= 0:
		e.unknown = true
		return 1
	case s != "" && s[0] == '"' && !inDouble:
		return 0 // $"..." is a text to translate: the quotes follow
	}
	e.b.WriteByte('$')
	return 0
}

func (e *shellExpansion) value(v Var, _ bool) {
	e.unknown = e.unknown || v.State != Known
	e.b.WriteString(v.Value)
}

// braces expands what stands between ${ and }.
func (e *shellExpansion) braces(expr string, inDouble bool) {
	n := nameLength(expr)
	if n == 0 || n < len(expr) && strings.IndexByte(":-=+?", expr[n]) < 0 {
		// A length, a pattern, an array, or nothing that bash accepts: the
		// last ends the reading, so what follows is in doubt as well.
		e.unknown, e.sh.unknowable = true, true
		return
	}
	v, ok := e.sh.lookup(expr[:n])
	if n == len(expr) {
		e.value(v, ok)
		return
	}
	op, colon := strings.CutPrefix(expr[n:], ":")
	if op == "" || strings.IndexByte("-=+?", op[0]) < 0 {
		e.unknown, e.sh.unknowable = true, true // ${NAME:1}, a part of the value
		return
	}
	if v.State != Known {
		e.unknown = true
		return
	}
	present := ok && (!colon || v.Value != "")
	switch {
	case op[0] == '+' && !present:
	case op[0] == '+' || op[0] == '-' && !present:
		e.text(op[1:], inDouble)
	case op[0] == '=' && !present:
		inner := shellExpansion{sh: e.sh}
		inner.text(op[1:], inDouble)
		v = Var{Value: inner.b.String()}
		if inner.unknown {
			v = Var{State: Unknown}
		}
		e.sh.vars[expr[:n]] = v
		e.value(v, true)
	case op[0] == '?' && !present:
		e.sh.stopped = true // bash gives up here
	default:
		e.value(v, true)
	}
}

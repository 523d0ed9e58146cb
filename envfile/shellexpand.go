package envfile

import (
	"slices"
	"strings"
)

// shellExpansion is a word without its quotes and with its variables replaced.
type shellExpansion struct {
	shellValue
	splits bool // as a word of export it may become several, or the name of a file
}

type shellExpander struct {
	sh *shell
	b  strings.Builder
	shellExpansion
}

// expand expands a word. It is also how the text of a command that is not followed is looked through for what ends the
// shell.
func (sh *shell) expand(word string) shellExpansion {
	e := shellExpander{sh: sh}
	e.walk(word, false)
	e.text = e.b.String()
	if strings.HasPrefix(word, "~") || strings.Contains(word, "=~") || strings.Contains(word, ":~") {
		e.unknown = true // a home folder
	}
	// bash and dash use some bytes to mark places in a text.
	if strings.ContainsAny(word, "\x01\x7f") {
		e.unknown = true
	}
	return e.shellExpansion
}

// walk expands a text; inDouble says that it is between double quotes.
func (e *shellExpander) walk(s string, inDouble bool) {
	for len(s) > 0 {
		n := shellUnit(s, inDouble, 0)
		if n < 0 {
			e.unknown = true // in the word of a command that is not followed
			return
		}
		switch unit := s[:n]; {
		case s[0] == '\\' && n == 2:
			if inDouble && strings.IndexByte("$`\"\\\n", s[1]) < 0 {
				e.b.WriteByte('\\')
			}
			if s[1] != '\n' {
				e.b.WriteByte(s[1])
			}
		case s[0] == '\'' && !inDouble:
			e.b.WriteString(unit[1 : n-1])
		case s[0] == '"' && !inDouble:
			e.walk(unit[1:n-1], true)
		case s[0] == '`':
			e.substitution(unit[1 : n-1])
		case s[0] == '$':
			n = e.dollar(s, n, inDouble)
		default:
			e.splits = e.splits || !inDouble && strings.IndexByte("*?[{", s[0]) >= 0
			e.b.WriteByte(s[0])
		}
		s = s[n:]
	}
}

// dollar expands what begins with the $ at the start of s, of which shellUnit takes n bytes. It returns its length.
func (e *shellExpander) dollar(s string, n int, inDouble bool) int {
	name := s[1 : 1+nameLength(s[1:])]
	switch {
	case name != "":
		e.value(name, inDouble)
		return 1 + len(name)
	case n > 2 && s[1] == '{':
		e.braces(s[2:n-1], inDouble)
	case n > 2 && s[1] == '(' && s[2] != '(':
		e.substitution(s[2 : n-1])
	case n > 2: // arithmetic, or $'...', which dash does not know
		e.unknown = true
		e.sh.doubts("an expansion that keysplit does not follow")
	case len(s) > 1 && strings.IndexByte("0123456789@*#?-$!", s[1]) >= 0:
		e.unknown, e.splits = true, true
		return 2
	case len(s) > 1 && s[1] == '"' && !inDouble:
		e.unknown = true // $"...": bash drops the $, dash keeps it
	default:
		e.b.WriteByte('$')
	}
	return n
}

// value writes the value of a variable.
func (e *shellExpander) value(name string, inDouble bool) {
	v, _ := e.sh.lookup(name)
	e.unknown = e.unknown || v.State != Known
	e.write(v.Value, inDouble)
}

func (e *shellExpander) write(text string, inDouble bool) {
	e.splits = e.splits || !inDouble && strings.ContainsAny(text, " \t\n*?[\\")
	e.b.WriteString(text)
}

// substitution stands for the output of a command, which cannot be known. Whether that command is well formed, without
// which the shell reads nothing of the file, is known only where it is plain.
func (e *shellExpander) substitution(body string) {
	e.unknown, e.splits = true, true
	words := strings.Fields(body)
	odd := func(w string) bool {
		_, reserved := shellReserved[w]
		return reserved || !SafeUnquoted(strings.Map(func(r rune) rune {
			if strings.ContainsRune("./:,=%@+", r) {
				return '-'
			}
			return r
		}, w))
	}
	if strings.Contains(body, "\n") || slices.ContainsFunc(words, odd) {
		e.sh.doubts("a command substitution that keysplit does not follow")
	}
}

// braces expands what is between ${ and }.
func (e *shellExpander) braces(expr string, inDouble bool) {
	name := expr[:nameLength(expr)]
	op, colon := strings.CutPrefix(expr[len(name):], ":")
	switch {
	case name != "" && name == expr:
		e.value(name, inDouble)
		return
	case name == "" || op == "" || strings.IndexByte("-+?", op[0]) < 0 || strings.ContainsAny(op, "$`\\'\"{}~"):
		e.unknown = true
		e.sh.doubts("an expansion that keysplit does not follow")
		return
	}
	v, ok := e.sh.lookup(name)
	present := ok && (!colon || v.Value != "")
	switch {
	case v.State != Known:
		e.unknown = true
		if op[0] == '?' {
			e.sh.doubts("a variable that it requires and that may not be set")
		}
	case op[0] == '?' && !present:
		e.sh.stops("a variable that it requires and that is not set")
	case op[0] == '+' && present, op[0] == '-' && !present:
		e.write(op[1:], inDouble)
	case op[0] != '+':
		e.write(v.Value, inDouble)
	}
}

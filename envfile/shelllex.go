package envfile

import (
	"slices"
	"strings"
)

// shellCommand is one simple command: its words with their quotes.
type shellCommand struct {
	joined     string // what stands before it: "", "&&" or "||"
	words      []string
	redirected bool // takes its input from a file
	subshell   bool // in a pipeline or in the background: it sets nothing here
}

// shellLexer splits shell text into lines of commands, as bash does before it
// runs any of a line.
type shellLexer struct {
	s  string
	at int
}

// line reads one complete line of commands. more is false at the end of the
// text and after a syntax error, where bash gives up; the faulty line is then
// not run at all.
func (x *shellLexer) line() (list []shellCommand, more bool) {
	c := shellCommand{}
	pipe := false
	end := func(next string) bool {
		if len(c.words) == 0 && !c.redirected {
			return false
		}
		c.subshell = c.subshell || pipe
		list = append(list, c)
		pipe = false
		c = shellCommand{joined: next}
		return true
	}
	for {
		x.blanks()
		if x.at >= len(x.s) {
			if !end("") && (pipe || c.joined != "") {
				return nil, false // a list that is not finished
			}
			return list, false
		}
		switch op := x.operator(); op {
		case "":
			w, ok := x.word()
			first := len(c.words) == 0
			if !ok || first && shellCloses(w) {
				return nil, false
			}
			c.words = append(c.words, w)
			if first && slices.Contains(shellReserved, w) {
				return append(list, c), true // run refuses it
			}
		case "\n":
			if !end("") && (pipe || c.joined != "") {
				continue // a list may go on after && || and |
			}
			if len(list) == 0 {
				continue
			}
			return list, true
		case ";":
			if !end("") {
				return nil, false
			}
		case "&":
			c.subshell = true
			if !end("") {
				return nil, false
			}
			for i := len(list) - 1; list[i].joined != "" && i > 0; i-- {
				list[i-1].subshell = true // a && b & goes to the background as a whole
			}
		case "&&", "||":
			if !end(op) {
				return nil, false
			}
		case "|", "|&":
			c.subshell = true
			joined := c.joined
			if !end(joined) {
				return nil, false
			}
			pipe = true
		case "(":
			if n := len(c.words); n == 0 || strings.HasSuffix(c.words[n-1], "=") && x.s[x.at-2] == '=' {
				c.words = []string{op} // a subshell or an array: run refuses it
				return append(list, c), true
			}
			x.blanks()
			if shellAssignment(c.words[0]) > 0 || x.operator() != ")" || len(c.words) > 1 {
				return nil, false
			}
			c.words = []string{"function"}
			return append(list, c), true
		case ">", ">>", ">|", "<", "<>", ">&", "<&", "&>", "&>>":
			x.blanks()
			if x.at >= len(x.s) || x.operator() != "" {
				return nil, false
			}
			if _, ok := x.word(); !ok {
				return nil, false
			}
			c.redirected = true
		case "<<", "<<<", "<<-", "<(", ">(":
			c.words = []string{"("} // not followed
			return append(list, c), true
		default: // ) ;; and the like, where no command opened them
			return nil, false
		}
	}
}

// shellCloses has the words that end a compound command: at the start of a
// command of their own they are a syntax error.
func shellCloses(w string) bool {
	switch w {
	case "then", "else", "elif", "fi", "do", "done", "esac", "}":
		return true
	}
	return false
}

// blanks skips spaces, tabs, joined lines and comments.
func (x *shellLexer) blanks() {
	for x.at < len(x.s) {
		switch rest := x.s[x.at:]; {
		case rest[0] == ' ' || rest[0] == '\t':
			x.at++
		case strings.HasPrefix(rest, "\\\n"):
			x.at += 2
		case rest[0] == '#':
			x.at += lineTail(rest)
			return
		default:
			return
		}
	}
}

var shellOperators = []string{"<<<", "<<-", "&>>", ";;&", "&&", "||", "|&", ";;", ";&", ">>", ">|", "<>", ">&", "<&", "&>",
	"<<", "<(", ">(", "\n", ";", "&", "|", "(", ")", "<", ">"}

// operator consumes the operator at the current place, if one stands there.
func (x *shellLexer) operator() string {
	if x.at < len(x.s) && strings.IndexByte("\n;&|()<>", x.s[x.at]) >= 0 {
		for _, op := range shellOperators {
			if strings.HasPrefix(x.s[x.at:], op) {
				x.at += len(op)
				return op
			}
		}
	}
	return ""
}

// word reads one word, quotes and all, but without joined lines; ok is false
// where a quote or bracket in it is never closed.
func (x *shellLexer) word() (w string, ok bool) {
	start := x.at
	for x.at < len(x.s) && strings.IndexByte(" \t\n;&|()<>", x.s[x.at]) < 0 {
		if strings.HasPrefix(x.s[x.at:], "\\\n") {
			w += x.s[start:x.at]
			x.at += 2
			start = x.at
			continue
		}
		n := shellUnit(x.s[x.at:], false)
		if n < 0 {
			return "", false
		}
		x.at += n
	}
	return w + x.s[start:x.at], true
}

// shellUnit returns the length of the quoted piece, expansion, escape or
// single character at the start of s, or -1 where it is not closed.
func shellUnit(s string, inDouble bool) int {
	switch {
	case s[0] == '\\':
		return min(2, len(s))
	case s[0] == '\'' && !inDouble:
		if i := strings.IndexByte(s[1:], '\''); i >= 0 {
			return i + 2
		}
		return -1
	case s[0] == '"' && !inDouble:
		for i := 1; i < len(s); {
			if s[i] == '"' {
				return i + 1
			}
			n := shellUnit(s[i:], true)
			if n < 0 {
				return -1
			}
			i += n
		}
		return -1
	case s[0] == '`':
		for i := 1; i < len(s); i++ {
			if s[i] == '`' {
				return i + 1
			}
			if s[i] == '\\' {
				i++
			}
		}
		return -1
	case s[0] != '$' || len(s) == 1:
		return 1
	}
	closing := byte(0)
	switch s[1] {
	case '$':
		return 2
	case '(':
		closing = ')'
	case '{':
		closing = '}'
	case '[':
		closing = ']'
	case '\'':
		if inDouble {
			return 1
		}
		for i := 2; i < len(s); i++ {
			if s[i] == '\'' {
				return i + 1
			}
			if s[i] == '\\' {
				i++
			}
		}
		return -1
	default:
		return 1
	}
	n := shellSkip(s[1:], closing)
	if n < 0 {
		return -1
	}
	return n + 1
}

// shellSkip returns the length of the bracketed text at the start of s, to its
// closing bracket and with all that nests in it, or -1.
func shellSkip(s string, closing byte) int {
	opening, depth := s[0], 0
	for i := 0; i < len(s); {
		switch s[i] {
		case closing:
			if depth--; depth == 0 {
				return i + 1
			}
			i++
			continue
		case opening:
			if depth == 0 || opening != '{' {
				depth++
			}
			i++
			continue
		}
		n := shellUnit(s[i:], false)
		if n < 0 {
			return -1
		}
		i += n
	}
	return -1
}

package envfile

import (
	"slices"
	"strings"
)

// shellCommand is one simple command: its words, quotes and all.
type shellCommand struct {
	words []string
	// certain reports that it runs, and in the shell itself: it is in no list with && or ||, in no pipeline, not in
	// the background, and in no compound command.
	certain bool
}

// shellLexer cuts shell text into lines of commands as bash does before it runs any of a line. Compound commands are
// not parsed: their words come out as commands that are not certain, and doubt says so.
type shellLexer struct {
	s     string
	at    int
	doubt string   // why bash or dash may see other commands than these; "" for none
	fault string   // why the shell gives up at the last line; "" for none
	open  []string // what closes the compound commands that are open
}

// shellReserved are the words that begin or continue a compound command, with what closes it.
var shellReserved = map[string]string{
	"if": "fi", "while": "done", "until": "done", "for": "done", "select": "done", "case": "esac", "{": "}",
	"then": "", "else": "", "elif": "", "do": "", "!": "", "time": "", "function": "", "coproc": "",
	"fi": "", "done": "", "esac": "", "}": "", "[[": "",
}

// line reads the next line of commands, which is longer than one where a list or a compound command is. more is false
// at the end of the text and after a fault, where the shell gives up; it then runs nothing of the line.
func (x *shellLexer) line() (list []shellCommand, more bool) {
	l := shellLine{lex: x}
	for {
		token, op := x.token()
		switch {
		case x.fault != "":
		case len(l.list) > maxReferences:
			x.fault = "more commands on a line than keysplit follows"
		case !op:
			l.word(token)
		case token == "" || token == "\n":
			done := l.newline()
			if token == "" && (!done || len(x.open) > 0) {
				x.fault = "a command that is not finished"
			} else if token == "" || done && len(l.list) > 0 {
				for i := range l.list {
					l.list[i].certain = l.list[i].certain && !l.background
				}
				return l.list, token != ""
			}
		default:
			l.operator(token)
		}
		if x.fault != "" {
			return nil, false
		}
	}
}

// shellLine is a line of commands while it is read.
type shellLine struct {
	lex     *shellLexer
	list    []shellCommand
	now     shellCommand
	pending bool // a list that goes on: && || or | came last
	bound   bool // the command hangs on the one before it
	// background says that a command of the line is in the background, which takes with it the list that it ends.
	background bool
}

// end ends the command. It reports whether there was one.
func (l *shellLine) end(certain bool) bool {
	if len(l.now.words) == 0 {
		return false
	}
	l.now.certain = certain && !l.bound && len(l.lex.open) == 0
	l.list = append(l.list, l.now)
	l.now, l.bound, l.pending = shellCommand{}, false, false
	return true
}

// newline reports whether the line is complete.
func (l *shellLine) newline() bool {
	l.end(true)
	return !l.pending && len(l.lex.open) == 0
}

func (l *shellLine) word(w string) {
	if end, reserved := shellReserved[w]; reserved && len(l.now.words) == 0 {
		l.reserved(w, end)
		return
	}
	l.now.words = append(l.now.words, w)
}

// reserved handles a word of a compound command. What follows it is a command again.
func (l *shellLine) reserved(w, end string) {
	x := l.lex
	x.doubt = "a compound command"
	l.pending = false
	switch {
	case end != "":
		x.open = append(x.open, end)
	case w == "fi" || w == "done" || w == "esac" || w == "}":
		x.close(w)
	case w == "time" || w == "coproc" || w == "!" || w == "function":
		l.bound = true
	case w == "[[":
		l.now.words = append(l.now.words, w)
	case len(x.open) == 0:
		x.fault = "a word that only a compound command has"
	}
}

func (x *shellLexer) close(w string) {
	n := len(x.open) - 1
	switch {
	case n >= 0 && x.open[n] == w:
		x.open = x.open[:n]
	case n >= 0 && x.open[n] == "esac" && w == ")": // behind a pattern
	default:
		x.fault = "the end of something that was not begun"
	}
}

func (l *shellLine) operator(op string) {
	x := l.lex
	switch op {
	case ";", "&":
		if !l.end(op == ";") && len(x.open) == 0 {
			x.fault = "nothing before a " + op
		}
		l.background = l.background || op == "&"
	case "&&", "||", "|", "|&":
		if !l.end(op[0] != '|' || op == "||") && len(x.open) == 0 {
			x.fault = "nothing before a " + op
		}
		l.pending, l.bound = true, true
	case "(", "<(", ">(":
		// A subshell, a function or an array. dash refuses the last; each assignment of the line is in doubt.
		x.doubt = "parentheses, which keysplit does not follow"
		l.pending = false
		l.end(false)
		x.open = append(x.open, ")")
	case ")":
		l.end(false)
		x.close(op)
		l.bound = true
	case ";;", ";&", ";;&":
		l.end(false)
		x.doubt = "a compound command"
	default:
		l.redirection(op)
	}
}

// redirection leaves out the file, and the number before the operator. Whether it can be opened decides whether the
// command is carried out.
func (l *shellLine) redirection(op string) {
	x := l.lex
	if n := len(l.now.words); n > 0 && x.at > len(op) && strings.Trim(l.now.words[n-1], "0123456789") == "" && x.s[x.at-len(op)-1] != ' ' {
		l.now.words = l.now.words[:n-1]
	}
	x.doubt = "a redirection"
	if _, isOp := x.token(); isOp || op == "<<" || op == "<<-" {
		x.fault = "a redirection that keysplit does not follow"
	}
}

var shellOperators = []string{"<<<", "<<-", "&>>", ";;&", "&&", "||", "|&", ";;", ";&", ">>", ">|", "<>", ">&", "<&", "&>",
	"<<", "<(", ">(", "\n", ";", "&", "|", "(", ")", "<", ">"}

// token returns the next word, or the next operator; the operator "" stands for the end. A word keeps its quotes but
// not its joined lines.
func (x *shellLexer) token() (text string, op bool) {
	x.blanks()
	if x.at == len(x.s) {
		return "", true
	}
	if strings.IndexByte("\n;&|()<>", x.s[x.at]) >= 0 {
		i := slices.IndexFunc(shellOperators, func(op string) bool { return strings.HasPrefix(x.s[x.at:], op) })
		x.at += len(shellOperators[i])
		return shellOperators[i], true
	}
	start, joined := x.at, []byte(nil)
	for x.at < len(x.s) && strings.IndexByte(" \t\n;&|()<>", x.s[x.at]) < 0 {
		if strings.HasPrefix(x.s[x.at:], "\\\n") {
			joined = append(joined, x.s[start:x.at]...)
			x.at += 2
			start = x.at
			continue
		}
		n := shellUnit(x.s[x.at:], false, 0)
		if n < 0 {
			x.fault = "a quote or a bracket that nothing closes, or too many inside of one another"
			return "", false
		}
		x.at += n
	}
	if joined == nil {
		return x.s[start:x.at], false
	}
	return string(append(joined, x.s[start:x.at]...)), false
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

// shellUnit returns the length of the quoted piece, expansion, escape or single character at the start of s, or -1
// where it is not closed, or has more than maxNested such inside of one another, from depth on.
func shellUnit(s string, inDouble bool, depth int) int {
	switch {
	case s[0] == '\\':
		return min(2, len(s))
	case s[0] == '\'' && !inDouble:
		return shellUntil(s, 1, '\'', false)
	case s[0] == '`':
		return shellUntil(s, 1, '`', true)
	case s[0] == '"' && !inDouble:
		return shellNest(s, 1, '"', depth)
	case s[0] != '$' || len(s) == 1:
		return 1
	case s[1] == '$':
		return 2
	case s[1] == '\'' && !inDouble:
		return shellUntil(s, 2, '\'', true)
	case s[1] == '(':
		return shellNest(s, 2, ')', depth)
	case s[1] == '{':
		return shellNest(s, 2, '}', depth)
	case s[1] == '[':
		return shellNest(s, 2, ']', depth)
	}
	return 1
}

// shellUntil returns the length of s up to and with the first end at i or behind it, or -1. escapes says whether a
// backslash guards the character behind it.
func shellUntil(s string, i int, end byte, escapes bool) int {
	for ; i < len(s); i++ {
		if s[i] == end {
			return i + 1
		}
		if escapes && s[i] == '\\' {
			i++
		}
	}
	return -1
}

// shellNest is shellUntil for text in which quotes and expansions count, and parentheses in pairs.
func shellNest(s string, i int, end byte, depth int) int {
	for depth < maxNested && i < len(s) {
		if s[i] == end {
			return i + 1
		}
		n := 0
		if s[i] == '(' && end == ')' {
			if n = shellNest(s[i:], 1, end, depth+1); n < 0 {
				return -1
			}
		} else if n = shellUnit(s[i:], end == '"', depth+1); n < 0 {
			return -1
		}
		i += n
	}
	return -1
}

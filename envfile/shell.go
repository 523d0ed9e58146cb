package envfile

import (
	"bytes"
	"slices"
	"strings"
)

// readShell models bash with set -a and the file sourced. It runs nothing.
// Assignments, quotes, export, unset, lists with && and ||, and the plain
// expansions of variables are followed. A value that holds a command
// substitution or another expansion with an outside effect is Unknown. A
// command of the file, such as the second word of K=a b, is taken to be one
// that sets no variable. Compound commands (if, for, functions) and builtins
// that can set anything are answered with a *ReadError: only running would
// tell. As in bash, a syntax error ends the reading and keeps what was set
// before it, without an error.
func readShell(data []byte, env environ) (Vars, error) {
	if bytes.Count(data, []byte{0}) > 256 {
		return nil, &ReadError{Shell, 1, "too many NUL characters: the shell takes it for a program"}
	}
	text := string(bytes.ReplaceAll(data, []byte{0}, nil)) // bash drops them
	sh := shell{lex: shellLexer{s: text}, vars: Vars{}, env: env}
	for !sh.stopped {
		from := sh.lex.at
		list, more := sh.lex.line()
		if sh.run(list); sh.unknowable {
			return nil, &ReadError{Shell, 1 + strings.Count(text[:from], "\n"), "a command whose effect only running it would show"}
		}
		if !more {
			break
		}
	}
	return sh.vars, nil
}

type shell struct {
	lex        shellLexer
	vars       Vars
	env        environ
	stopped    bool
	unknowable bool
}

// tri is a truth value that may not be known.
type tri int

const (
	no tri = iota
	yes
	maybe
)

// run executes the commands of one line.
func (sh *shell) run(list []shellCommand) {
	for _, c := range list {
		if c.compound() {
			sh.unknowable = true // nothing of a line runs before all of it is read
			return
		}
	}
	status, reached := yes, yes
	for i := 0; i < len(list) && !sh.stopped && !sh.unknowable; i++ {
		switch c := list[i]; {
		case c.joined == "&&":
			reached = and(reached, status)
		case c.joined == "||":
			reached = and(reached, not(status))
		default:
			reached = yes
		}
		if reached == no {
			// The list goes on with the status it has: false && a || b.
			reached = yes
			continue
		}
		result := sh.command(list[i], reached)
		if reached == maybe {
			result = maybe
		}
		status, reached = result, yes
	}
}

func not(t tri) tri {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return maybe
}

func and(a, b tri) tri {
	switch {
	case a == no || b == no:
		return no
	case a == yes && b == yes:
		return yes
	}
	return maybe
}

// shellReserved begin a compound command; shellSetters are builtins that can
// set variables, or end the shell, in ways that are not followed here.
var (
	shellReserved = strings.Fields("if while until for select case function { ! [[ time coproc (")
	shellSetters  = strings.Fields("eval . source set read readarray mapfile printf getopts let local readonly " +
		"shopt trap alias unalias exec exit break continue builtin command enable wait")
)

// command executes one simple command and returns whether it succeeds.
func (sh *shell) command(c shellCommand, reached tri) tri {
	n := 0
	for n < len(c.words) && shellAssignment(c.words[n]) > 0 {
		n++
	}
	if c.redirected && n == len(c.words) && n > 0 {
		reached = maybe // the file to read from may not be there
	}
	args, name := c.words[n:], ""
	if len(args) > 0 {
		name = sh.expand(args[0]).Value
		if strings.ContainsAny(args[0], "$`") || slices.Contains(shellSetters, name) {
			sh.unknowable = true
			return maybe
		}
	}
	if c.subshell {
		return maybe
	}
	if len(args) == 0 {
		result := yes
		for _, w := range c.words[:n] {
			if sh.assign(w, reached) != Known {
				result = maybe
			}
		}
		return result
	}
	for _, w := range c.words[:n] {
		sh.expand(w) // for the sake of ${NAME:=value}: the assignment itself does not last
	}
	switch name {
	case "export", "declare", "typeset":
		return sh.export(args[1:], reached)
	case "unset":
		return sh.unset(args[1:], reached)
	case "return":
		if sh.stopped = reached == yes; !sh.stopped {
			sh.unknowable = true
		}
		return maybe
	}
	for _, w := range args {
		sh.expand(w)
	}
	switch name {
	case "true", ":":
		return yes
	case "false":
		return no
	}
	return maybe
}

func (sh *shell) export(args []string, reached tri) tri {
	result := yes
	for _, w := range args {
		switch {
		case w == "-x" || w == "--" || IsName(w):
		case shellAssignment(w) > 0:
			if sh.assign(w, reached) != Known {
				result = maybe
			}
		case strings.ContainsAny(w, "$`-"):
			sh.unknowable = true
		default:
			result = no // not an identifier: an error, and the rest goes on
		}
	}
	return result
}

func (sh *shell) unset(args []string, reached tri) tri {
	for _, w := range args {
		switch {
		case w == "-v" || w == "--":
		case !IsName(w):
			sh.unknowable = true
		case reached == yes:
			delete(sh.vars, w)
			if _, ok := sh.env(w); ok {
				sh.unknowable = true // an unset of the environment is not modelled
			}
		default:
			sh.vars[w] = Var{State: Unknown}
		}
	}
	return maybe
}

// compound tells whether the command begins a compound one, or sets an element
// of an array, which may have blanks in its subscript.
func (c shellCommand) compound() bool {
	for i, w := range c.words {
		if i == 0 && slices.Contains(shellReserved, w) || strings.HasPrefix(w[nameLength(w):], "[") && nameLength(w) > 0 {
			return true
		}
		if shellAssignment(w) == 0 {
			break
		}
	}
	return false
}

// shellAssignment returns the length of NAME= or NAME+= at the start of a word,
// or 0.
func shellAssignment(word string) int {
	n := nameLength(word)
	rest := strings.TrimPrefix(word[n:], "+")
	if n == 0 || !strings.HasPrefix(rest, "=") {
		return 0
	}
	return len(word) - len(rest) + 1
}

func (sh *shell) assign(word string, reached tri) VarState {
	n := nameLength(word)
	name, op := word[:n], word[n:shellAssignment(word)]
	if shellSpecial(name) {
		sh.unknowable = true // read-only, or with a meaning of its own
		return Unknown
	}
	v := sh.expandValue(word[n+len(op):])
	if op == "+=" {
		old, _ := sh.lookup(name)
		if old.State != Known {
			v = Var{State: Unknown}
		} else if v.State == Known {
			v.Value = old.Value + v.Value
		}
	}
	if reached != yes {
		v = Var{State: Unknown}
	}
	if !sh.stopped {
		sh.vars[name] = v
	}
	return v.State
}

// lookup returns the variable as the file has set it, else the environment's.
func (sh *shell) lookup(name string) (v Var, ok bool) {
	if v, ok = sh.vars[name]; ok {
		return v, true
	}
	if shellSpecial(name) {
		return Var{State: Unknown}, true
	}
	value, ok := sh.env(name)
	return Var{Value: value}, ok
}

// shellSpecial has the names that bash itself sets, changes or guards.
func shellSpecial(name string) bool {
	switch name {
	case "_", "COLUMNS", "COMP_WORDBREAKS", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID", "FUNCNAME",
		"GROUPS", "HISTCMD", "HOSTNAME", "HOSTTYPE", "IFS", "LINENO", "LINES", "MACHTYPE", "OLDPWD", "OPTARG",
		"OPTERR", "OPTIND", "OSTYPE", "PIPESTATUS", "POSIXLY_CORRECT", "PPID", "PS4", "PWD", "RANDOM", "REPLY",
		"SECONDS", "SHELL", "SHELLOPTS", "SHLVL", "SRANDOM", "TERM", "UID":
		return true
	}
	return strings.HasPrefix(name, "BASH")
}

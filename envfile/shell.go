package envfile

import (
	"bytes"
	"slices"
	"strings"
)

// readShell models set -a and the file sourced, by bash or by dash: which of the two it is, nobody knows. It runs
// nothing. What it follows are the lines that a .env has: assignments, quotes, export, unset, set -a, the plain
// expansions of variables, and commands that set nothing, such as the second word of K=a b.
//
// Anything else is answered with a doubt: the reason, and the first line for which it holds. Each value is then Stated
// and no longer Known. It is what bash makes of the line, provided that what was not followed changes nothing.
func readShell(data []byte, env environ) (vars Vars, doubt *ReadError) {
	sh := shell{vars: varsOf(data), env: env, all: true}
	sh.lex.s = string(bytes.ReplaceAll(data, []byte{0}, nil)) // as both do
	if len(data)-len(sh.lex.s) > 256 {
		sh.stops("too many NUL characters: bash takes it for a program")
	}
	for more := true; more && !sh.stopped; {
		sh.from = sh.lex.at
		var list []shellCommand
		list, more = sh.lex.line()
		if sh.lex.doubt != "" {
			sh.doubts(sh.lex.doubt)
			sh.lex.doubt = ""
		}
		for i := 0; i < len(list) && !sh.stopped; i++ {
			sh.command(list[i])
		}
	}
	if sh.lex.fault != "" {
		sh.stops(sh.lex.fault)
	}
	for name, v := range sh.vars {
		if v.State == Known && sh.doubt != nil {
			v.State = Stated
			sh.vars[name] = v
		}
	}
	return sh.vars, sh.doubt
}

type shell struct {
	lex     shellLexer
	from    int // where the line began
	vars    Vars
	env     environ
	all     bool // each variable that is set is exported
	doubt   *ReadError
	stopped bool
}

// doubts notes the first reason why a value may be another one.
func (sh *shell) doubts(reason string) {
	if sh.doubt == nil {
		rest := sh.lex.s[sh.from:]
		first := len(sh.lex.s) - len(strings.TrimLeft(rest, " \t\n"))
		sh.doubt = &ReadError{Shell, 1 + strings.Count(sh.lex.s[:first], "\n"), reason}
	}
}

// stops ends the reading: nothing behind this place is read, which counts for more than any doubt.
func (sh *shell) stops(reason string) {
	sh.doubt = nil
	sh.doubts(reason)
	sh.stopped = true
}

const onlyRunning = "a command whose effect only running it would show"

var (
	// shellSetters are builtins of bash or dash that can set variables, end the shell or change how it reads.
	shellSetters = strings.Fields("eval . source readonly read readarray mapfile printf getopts let local declare typeset " +
		"shopt trap alias unalias exec exit return break continue shift builtin command enable wait kill logout suspend [[")
	// shellEnds are those of them behind which nothing is read.
	shellEnds = strings.Fields("exit return exec logout")
	// shellSpecial are builtins that POSIX calls special: what stands before them lasts in dash, and an error of
	// theirs ends it.
	shellSpecial = strings.Fields(": . break continue eval exec exit export readonly return set shift times trap unset")
	// shellVariables are the names that bash or dash sets, changes or guards itself.
	shellVariables = strings.Fields("_ COLUMNS COMP_WORDBREAKS DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME GROUPS " +
		"HISTCMD IFS LINENO LINES OLDPWD OPTARG OPTERR OPTIND PIPESTATUS POSIXLY_CORRECT PPID PS4 PWD RANDOM REPLY SECONDS " +
		"SHELLOPTS SHLVL SRANDOM UID")
	// shellDefaults are the names that only bash sets where they are not set yet.
	shellDefaults = strings.Fields("HOSTNAME HOSTTYPE MACHTYPE OSTYPE SHELL TERM PATH PS1 PS2")
)

// command runs one simple command.
func (sh *shell) command(c shellCommand) {
	n := 0
	for n < len(c.words) && shellAssignment(c.words[n]) > 0 {
		n++
	}
	args := c.words[n:]
	if len(args) == 0 {
		for _, w := range c.words {
			sh.assign(w, c.certain)
		}
		return
	}
	name, plain := sh.name(args[0])
	if !plain {
		sh.opaque(args)
		return
	}
	if slices.Contains(shellSpecial, name) && n > 0 {
		sh.opaque(c.words)
		return
	}
	for _, w := range c.words[:n] {
		sh.expand(w)
		sh.guards(w[:nameLength(w)])
	}
	sh.call(name, args, c.certain)
}

// name returns the name of the command that a word stands for. plain is false where it is
// another one, or an element of an array.
func (sh *shell) name(word string) (name string, plain bool) {
	first := sh.expand(word)
	name = first.text
	n := nameLength(name)
	return name, !first.unknown && !strings.ContainsAny(word, "$`*?{") && (n == 0 || !strings.HasPrefix(name[n:], "["))
}

// call runs the command name; args begins with its own word.
func (sh *shell) call(name string, args []string, certain bool) {
	switch {
	case name == "export":
		sh.export(args[1:], certain)
	case name == "unset":
		sh.unset(args[1:], certain)
	case name == "set" && certain && slices.Contains([]string{"-a", "+a", "-o allexport", "+o allexport"}, strings.Join(args[1:], " ")):
		sh.all = args[1][0] == '-'
	case name == "set" || slices.Contains(shellSetters, name):
		sh.opaque(args)
		if certain && slices.Contains(shellEnds, name) && (len(args) > 1 || name != "exec") {
			sh.stops("the end of the reading")
		}
	default:
		for _, w := range args {
			sh.expand(w)
		}
	}
}

// opaque stands for a command that is not followed. The names that it has as words are Unknown from here on.
func (sh *shell) opaque(words []string) {
	sh.doubts(onlyRunning)
	for _, w := range words {
		if name := w[:nameLength(w)]; name != "" && (name == w || strings.ContainsAny(w[len(name):len(name)+1], "=+[")) {
			if _, ok := sh.vars[name]; ok || name != w {
				sh.vars[name] = Var{State: Unknown}
			}
		}
	}
}

func (sh *shell) export(args []string, certain bool) {
	for _, w := range args {
		v := sh.expand(w)
		name, value, found := strings.Cut(v.text, "=")
		switch {
		case !IsName(name) || v.unknown && !found || v.splits && shellAssignment(w) == 0:
			sh.opaque(args) // an option, or an error that ends dash
			return
		case found:
			sh.set(name, shellValue{value, v.unknown || v.splits}, certain)
		case sh.vars[name].State == Unknown:
		case !sh.all:
			if _, ok := sh.vars[name]; ok {
				sh.vars[name] = Var{State: Unknown}
			}
		}
	}
}

func (sh *shell) unset(args []string, certain bool) {
	for _, w := range args {
		_, inherited := sh.env(w)
		switch {
		case !IsName(w) || slices.Contains(shellVariables, w):
			sh.opaque(args)
			return
		case certain && !inherited:
			delete(sh.vars, w)
		default:
			sh.vars[w] = Var{State: Unknown}
		}
	}
}

// shellAssignment returns the length of NAME= or NAME+= at the start of a word, or 0.
func shellAssignment(word string) int {
	n := nameLength(word)
	rest := strings.TrimPrefix(word[n:], "+")
	if n == 0 || !strings.HasPrefix(rest, "=") {
		return 0
	}
	return len(word) - len(rest) + 1
}

func (sh *shell) assign(word string, certain bool) {
	n := shellAssignment(word)
	name := word[:nameLength(word)]
	v := sh.expand(word[n:])
	v.unknown = v.unknown || n > len(name)+1 || !sh.all // dash knows no +=
	sh.set(name, v.shellValue, certain)
}

type shellValue struct {
	text    string
	unknown bool
}

// guards reports whether the shell has something to say about a variable that is set.
func (sh *shell) guards(name string) bool {
	guarded := slices.Contains(shellVariables, name) || strings.HasPrefix(name, "BASH")
	if guarded {
		sh.doubts("a variable that the shell guards")
	}
	return guarded
}

func (sh *shell) set(name string, v shellValue, certain bool) {
	v.unknown = sh.guards(name) || v.unknown
	if sh.vars[name] = (Var{Value: v.text}); v.unknown || !certain {
		sh.vars[name] = Var{State: Unknown}
	}
}

// lookup returns the variable as the file has set it, else the environment's.
func (sh *shell) lookup(name string) (v Var, ok bool) {
	if v, ok = sh.vars[name]; ok {
		return v, true
	}
	value, ok := sh.env(name)
	if slices.Contains(shellVariables, name) || strings.HasPrefix(name, "BASH") || !ok && slices.Contains(shellDefaults, name) {
		return Var{State: Unknown}, true
	}
	return Var{Value: value}, ok
}

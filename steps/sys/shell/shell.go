// Package shell writes command lines that a person can paste into a shell: a POSIX
// one, or PowerShell on Windows.
package shell

import (
	"runtime"
	"strings"

	"dj/keysplit/steps/internal/lazyregexp"
)

// dialect is how a shell wants its words.
type dialect struct {
	plain  *lazyregexp.Regexp // words that it reads nothing into
	quote  string             // what a quote within quotes becomes
	call   string             // what goes before a program whose name is quoted
	unset  func(name string) string
	feeder func(d dialect, file string, words []string) string
}

var (
	posix = dialect{
		plain: lazyregexp.New(`^[A-Za-z0-9_@%+=:,./-]+$`),
		quote: `'\''`,
		unset: func(name string) string { return "unset " + name },
		feeder: func(d dialect, file string, words []string) string {
			return d.join(words) + " < " + d.join([]string{file})
		},
	}
	powerShell = dialect{
		plain: lazyregexp.New(`^[A-Za-z0-9_%+=:./\\-]+$`), // a comma makes a list, @ takes one apart
		quote: `''`,
		call:  "& ",
		unset: func(name string) string { return "Remove-Item Env:" + name },
		// PowerShell has no "<", and its pipes add a line end to what they carry.
		feeder: func(d dialect, file string, words []string) string {
			line := make([]string, 0, len(words))
			for _, w := range append(words[:len(words):len(words)], file) {
				if !d.plain.MatchString(w) {
					w = `"` + w + `"`
				}
				line = append(line, w)
			}
			return "cmd /c " + d.quoted(strings.Join(line[:len(words)], " ")+" < "+line[len(words)])
		},
	}
)

func own() dialect {
	if runtime.GOOS == "windows" {
		return powerShell
	}
	return posix
}

// Join returns the command line of the given words, each in quotes where the shell
// would change it.
func Join(words ...string) string { return own().join(words) }

// Fed is the command line of words that reads a file as its standard input, byte for
// byte.
func Fed(file string, words ...string) string { return own().feeder(own(), file, words) }

// Unset is the command that takes a variable out of the shell's environment.
func Unset(name string) string { return own().unset(name) }

func (d dialect) quoted(word string) string {
	return "'" + strings.ReplaceAll(word, "'", d.quote) + "'"
}

func (d dialect) join(words []string) string {
	line := make([]string, len(words))
	for i, w := range words {
		if !d.plain.MatchString(w) {
			if w = d.quoted(w); i == 0 && len(words) > 1 {
				w = d.call + w
			}
		}
		line[i] = w
	}
	return strings.Join(line, " ")
}

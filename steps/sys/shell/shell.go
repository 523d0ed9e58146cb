// Package shell writes command lines that a person can paste into a shell.
package shell

import (
	"regexp"
	"strings"
)

// plainWord is what no shell reads anything into.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// Join returns the command line of the given words, each in quotes where a
// POSIX shell would change it.
func Join(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if !plainWord.MatchString(w) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted[i] = w
	}
	return strings.Join(quoted, " ")
}

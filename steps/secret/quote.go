package secret

import (
	"strconv"
	"strings"
	"unicode"

	"dj/keysplit/steps/internal/lazyregexp"
)

// random are the runs of a text that can be made at random.
var random = lazyregexp.New(`[A-Za-z0-9_+-]{12,}`)

// Quote puts what a person or a configuration wrote in quotes, so that an error can
// name it: a secret that went to the wrong place is masked, as far as it looks like
// one by what stands before it or by its letters and digits.
func Quote(text string) string {
	text = unnamed(Inert(text))
	return strconv.Quote(random.ReplaceAllStringFunc(text, func(run string) string {
		if n := turns(run); 6*n >= len(run) || n > 3 && len(run) >= 24 {
			return "****"
		}
		return run
	}))
}

// unnamed masks what is a secret by what stands around it.
func unnamed(text string) string { return open.ReplaceAllString(text, "${1}${3}${4}****${2}") }

// turns counts where a digit stands beside a letter, or a capital behind a small
// letter. Random text turns at every second or third character, names of things seldom.
func turns(run string) (n int) {
	last := rune('_')
	for _, c := range run {
		letters := unicode.IsLetter(last) && unicode.IsLetter(c)
		switch {
		case strings.ContainsRune("_+-", last) || strings.ContainsRune("_+-", c):
		case !letters && (unicode.IsLetter(last) || unicode.IsLetter(c)), letters && unicode.IsLower(last) && unicode.IsUpper(c):
			n++
		}
		last = c
	}
	return n
}

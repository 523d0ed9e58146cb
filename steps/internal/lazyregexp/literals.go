package lazyregexp

import (
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// maxLiterals is how many literals a text is searched for. With more, the expression
// itself is as fast.
const maxLiterals = 8

// literalsOf are literals of which every match of an expression has one in it, nil where
// that is not known. What is wrong with the expression, compiling it will say.
func literalsOf(text string) []string {
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil
	}
	if literals := needed(re); len(literals) <= maxLiterals {
		return literals
	}
	return nil
}

func needed(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 && !slices.Contains(re.Rune, utf8.RuneError) { // which bytes that are no UTF-8 match
			return []string{string(re.Rune)}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return needed(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return needed(re.Sub[0])
		}
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			literals := needed(sub)
			if literals == nil {
				return nil
			}
			all = append(all, literals...)
		}
		return all
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if literals := needed(sub); shortest(literals) > shortest(best) && len(literals) <= maxLiterals {
				best = literals
			}
		}
		return best
	}
	return nil
}

// shortest is the length of the shortest of some texts, 0 for none.
func shortest(texts []string) int {
	least := 0
	for _, t := range texts {
		if least == 0 || len(t) < least {
			least = len(t)
		}
	}
	return least
}

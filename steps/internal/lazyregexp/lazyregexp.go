// Package lazyregexp compiles a regular expression when it is first needed. Compiled at
// the start, those of all packages take longer than all else that --version does. And few
// texts have in them what most expressions look for: one without a literal that each
// match must have is passed over at a glance.
package lazyregexp

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
)

// Regexp is a regular expression that is compiled when it is first used, by whichever
// of the methods of regexp.Regexp that it has.
type Regexp struct {
	compiled func() *regexp.Regexp
	literals func() []string // of which every match has one in it; nil where none is known
}

// New returns the expression. What is wrong with it panics at its first use.
func New(text string) *Regexp {
	return &Regexp{
		compiled: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) }),
		literals: sync.OnceValue(func() []string { return literalsOf(text) }),
	}
}

// in reports whether a text may have a match in it.
func (r *Regexp) in(s string) bool {
	literals := r.literals()
	for _, l := range literals {
		if strings.Contains(s, l) {
			return true
		}
	}
	return literals == nil
}

// inBytes is in for bytes.
func (r *Regexp) inBytes(b []byte) bool {
	literals := r.literals()
	for _, l := range literals {
		if bytes.Contains(b, []byte(l)) {
			return true
		}
	}
	return literals == nil
}

// MatchString is that of regexp.Regexp, and so are the others.
func (r *Regexp) MatchString(s string) bool { return r.in(s) && r.compiled().MatchString(s) }

// Match is that of regexp.Regexp.
func (r *Regexp) Match(b []byte) bool { return r.inBytes(b) && r.compiled().Match(b) }

// Find is that of regexp.Regexp.
func (r *Regexp) Find(b []byte) []byte {
	if !r.inBytes(b) {
		return nil
	}
	return r.compiled().Find(b)
}

// FindAllStringSubmatchIndex is that of regexp.Regexp.
func (r *Regexp) FindAllStringSubmatchIndex(s string, n int) [][]int {
	if !r.in(s) {
		return nil
	}
	return r.compiled().FindAllStringSubmatchIndex(s, n)
}

// FindAllStringIndex is that of regexp.Regexp.
func (r *Regexp) FindAllStringIndex(s string, n int) [][]int {
	if !r.in(s) {
		return nil
	}
	return r.compiled().FindAllStringIndex(s, n)
}

// FindStringSubmatch is that of regexp.Regexp.
func (r *Regexp) FindStringSubmatch(s string) []string {
	if !r.in(s) {
		return nil
	}
	return r.compiled().FindStringSubmatch(s)
}

// FindStringSubmatchIndex is that of regexp.Regexp.
func (r *Regexp) FindStringSubmatchIndex(s string) []int {
	if !r.in(s) {
		return nil
	}
	return r.compiled().FindStringSubmatchIndex(s)
}

// ReplaceAll is that of regexp.Regexp.
func (r *Regexp) ReplaceAll(b, repl []byte) []byte {
	if !r.inBytes(b) {
		return bytes.Clone(b)
	}
	return r.compiled().ReplaceAll(b, repl)
}

// ReplaceAllFunc is that of regexp.Regexp.
func (r *Regexp) ReplaceAllFunc(b []byte, f func([]byte) []byte) []byte {
	if !r.inBytes(b) {
		return bytes.Clone(b)
	}
	return r.compiled().ReplaceAllFunc(b, f)
}

// ReplaceAllString is that of regexp.Regexp.
func (r *Regexp) ReplaceAllString(s, repl string) string {
	if !r.in(s) {
		return s
	}
	return r.compiled().ReplaceAllString(s, repl)
}

// FindAllString is that of regexp.Regexp.
func (r *Regexp) FindAllString(s string, n int) []string {
	if !r.in(s) {
		return nil
	}
	return r.compiled().FindAllString(s, n)
}

// FindAllStringSubmatch is that of regexp.Regexp.
func (r *Regexp) FindAllStringSubmatch(s string, n int) [][]string {
	if !r.in(s) {
		return nil
	}
	return r.compiled().FindAllStringSubmatch(s, n)
}

// FindStringIndex is that of regexp.Regexp.
func (r *Regexp) FindStringIndex(s string) []int {
	if !r.in(s) {
		return nil
	}
	return r.compiled().FindStringIndex(s)
}

// Split is that of regexp.Regexp.
func (r *Regexp) Split(s string, n int) []string { return r.compiled().Split(s, n) }

// ReplaceAllStringFunc is that of regexp.Regexp.
func (r *Regexp) ReplaceAllStringFunc(s string, f func(string) string) string {
	if !r.in(s) {
		return s
	}
	return r.compiled().ReplaceAllStringFunc(s, f)
}

package secret

import (
	"crypto/sha256"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"dj/keysplit/steps/internal/lazyregexp"
)

// window is how many bytes of a secret in a row count as shown.
const window = 8

// most bounds the pieces that are kept: secrets of about a megabyte, or 32 MB of
// memory. What is learned beyond it is known as a whole only.
const most = 1 << 20

//go:embed words.txt
var wordList string

// Words lists words of Python, Django and their messages, in lower case.
func Words() string { return wordList }

var words = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(wordList) {
		all[w] = true
	}
	return all
})

// index knows secrets by their pieces, and the names that are no secret.
type index struct {
	mu     sync.RWMutex
	pieces map[uint64]level // every 8 bytes, in lower case, as a number
	short  map[string]bool  // shorter secrets, in lower case
	names  map[string]bool
	marks  map[string]map[[8]byte]bool // hashes of pieces, by their key
	seen   map[string]bool             // what was learned, so that it is done once
}

// level is what a piece was cut from. The higher one counts.
type level byte

const (
	none    level = iota
	comment       // of a file: its ordinary words are no secret
	value
)

func (x *index) cut(text string, from level) {
	var last uint64
	for i, c := range []byte(lowerASCII(text)) {
		last = last<<8 | uint64(c)
		if i >= window-1 && len(x.pieces) < most {
			x.pieces[last] = max(x.pieces[last], from)
		}
	}
}

// Allow makes names known that stay readable, even as a part of a secret: those of
// modules, variables, files and hosts. Each word of a name counts.
func (r *Redactor) Allow(names ...string) {
	x := r.index()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range names {
		for _, w := range tokens(name) {
			x.names[lowerASCII(name[w.start:w.end])] = true
		}
	}
}

type span struct{ start, end int }

// tokens are the words of a text: letters, digits and _.
func tokens(text string) []span {
	var out []span
	start := -1
	for i, c := range text {
		if c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) {
			if start < 0 {
				start = i
			}
		} else if start >= 0 {
			out, start = append(out, span{start, i}), -1
		}
	}
	if start >= 0 {
		out = append(out, span{start, len(text)})
	}
	return out
}

// hide masks each run of pieces of secrets in a text.
func (r *Redactor) hide(text string) string {
	x := r.known
	if x == nil {
		return text
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	low := lowerASCII(text)
	hidden := make([]level, len(text))
	var last uint64
	for i := range len(low) {
		last = last<<8 | uint64(low[i])
		if i < window-1 {
			continue
		}
		from := x.pieces[last]
		if from != value && x.marked(low[i-window+1:i+1]) {
			from = value
		}
		if from != none {
			for j := i - window + 1; j <= i; j++ {
				hidden[j] = max(hidden[j], from)
			}
		}
	}
	for s := range x.short {
		for at := 0; ; {
			found := strings.Index(low[at:], s)
			if found < 0 {
				break
			}
			at += found
			if end := at + len(s); !wordEndsAt(low[:at]) && !wordBeginsAt(low[end:]) {
				fill(hidden[at:end], value)
			}
			at++
		}
	}
	if slices.Max(append(hidden, none)) == none {
		return text
	}
	x.excuse(low, hidden)
	return masked(text, hidden)
}

// marked reports whether a piece is known by its hash.
func (x *index) marked(piece string) bool {
	for key, sums := range x.marks {
		if sum := sha256.Sum256([]byte(key + piece)); sums[[8]byte(sum[:8])] {
			return true
		}
	}
	return false
}

// excuse uncovers names, and ordinary words: those of comments, and of a value
// those that stand alone. With more of the value beside it, a word may be a part of
// a pass phrase.
func (x *index) excuse(low string, hidden []level) {
	all := tokens(low)
	was := slices.Clone(hidden)
	for n, t := range all {
		w := low[t.start:t.end]
		if slices.Max(was[t.start:t.end]) == none || !x.names[w] && !words()[w] {
			continue
		}
		alone := slices.Max(was[t.start:t.end]) == comment ||
			(n == 0 || was[all[n-1].end-1] != value || slices.Contains(was[all[n-1].end:t.start], none)) &&
				(n == len(all)-1 || was[all[n+1].start] != value || slices.Contains(was[t.end:all[n+1].start], none))
		if x.names[w] || alone {
			fill(hidden[t.start:t.end], none)
		}
	}
}

func fill(hidden []level, l level) {
	for i := range hidden {
		hidden[i] = l
	}
}

// masked replaces the hidden runs. A short one without a letter or digit is only
// what stands between names.
func masked(text string, hidden []level) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		end := i + 1
		for end < len(text) && ((hidden[end] == none) == (hidden[i] == none) || !utf8.RuneStart(text[end])) {
			end++
		}
		run := text[i:end]
		if hidden[i] != none && (len(run) >= window || strings.ContainsFunc(run, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) })) {
			run = "****"
		}
		out.WriteString(run)
		i = end
	}
	return out.String()
}

var (
	// chunk is a piece of a line between spaces: what opens it, and what closes it,
	// stays.
	chunk = lazyregexp.New("^([][(){}<>'\"`,;:.!?=]{0,3})(.*?)([][(){}<>'\"`,;:.!?=]{0,3})$")
	// constant is how settings and variables are named.
	constant = lazyregexp.New(`^[A-Z]{2,}(?:_[A-Z]{2,})+$`)
	address  = lazyregexp.New(`^\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?$`)
	masks    = lazyregexp.New(`\*{4}(?:[\s'"]*\*{4})+`)
)

// wordsOf keeps of a text the chunks that are made of known words and names.
func (r *Redactor) wordsOf(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		parts := strings.Fields(line)
		for j, part := range parts {
			m := chunk.FindStringSubmatch(part)
			if m == nil || r.fits(m[2]) || j > 0 && (parts[j-1] == "table:" || parts[j-1] == "relation") && r.fits(strings.ReplaceAll(m[2], "_", " ")) {
				continue // a table is named by words, too: APP_MODEL
			}
			// NAME=value: the name is worth having.
			name, _, is := strings.Cut(m[2], "=")
			if m[2] = "****"; is && r.fits(name) {
				m[2] = name + "=****"
			}
			parts[j] = m[1] + m[2] + m[3]
		}
		lines[i] = indent + masks.ReplaceAllString(strings.Join(parts, " "), "****")
	}
	return strings.Join(lines, "\n")
}

// fits reports whether every word of a chunk is known. Digits fit as a number that
// counts something, and not as a code.
func (r *Redactor) fits(part string) bool {
	digits := 0
	for _, t := range tokens(part) {
		w := lowerASCII(part[t.start:t.end])
		switch {
		case constant.MatchString(part[t.start:t.end]) || words()[w] || r.known != nil && r.known.has(w):
		case strings.Trim(w, "0123456789") == "":
			digits += len(w)
		default:
			return false
		}
	}
	return digits <= 4 || address.MatchString(part)
}

func (x *index) has(name string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.names[name]
}

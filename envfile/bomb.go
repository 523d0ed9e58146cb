package envfile

import (
	"bytes"
	"strings"
)

// maxExpanded bounds, in bytes, what the variables of one file may expand to
// together.
const maxExpanded = 4 * MaxSize

// maxNested bounds how many references may be inside of one another.
const maxNested = 50

// maxReferences bounds the references of a file that a library expands: compose-go and
// godotenv take a microsecond or two for each, which a file of 1 MiB may have half a million of.
const maxReferences = 1 << 17

const tooMany = "more references to other variables than keysplit follows"

// tooManyReferences returns the line, from 1, of the first reference beyond maxReferences,
// 0 for none. Like expandsTooFar it counts without looking at quotes.
func tooManyReferences(data []byte) int {
	at, n := 0, 0
	for line := range bytes.Lines(data) {
		at++
		if n += bytes.Count(line, []byte{'$'}); n > maxReferences {
			return at
		}
	}
	return 0
}

// uncommented returns a large file with its comments blanked: compose-go and godotenv go a level deeper on their stack
// for each comment, which half a million of them fill with 128 MB. It goes as far as the file is as every reader takes
// it for sure: to the first line that may open a quote that goes on.
func uncommented(data []byte) []byte {
	if len(data) <= remembered || bytes.IndexByte(data, '#') < 0 {
		return data
	}
	out, at := bytes.Clone(data), 0
	for _, l := range Parse(data).Lines() {
		quoted := l.Inside || l.Last != l.Num
		switch {
		case l.Unbalanced || l.Colon || l.End() == "\r" || quoted && bytes.IndexByte(l.Raw, '\\') >= 0:
			return out
		case !quoted && bytes.HasPrefix(bytes.TrimLeft(l.Raw, " \t"), []byte{'#'}):
			copy(out[at:], bytes.Repeat([]byte{' '}, len(l.Raw)-len(l.End())))
		}
		at += len(l.Raw)
	}
	return out
}

// expandsTooFar reports whether the references of a file could grow past
// maxExpanded, or are nested too deeply, and from which line on (1-based). Forty lines of A=$A$A make
// every reader that expands run out of memory, and some take minutes over a line
// of ${A:-${A:-... It only counts, and rather too much than too little: quotes and
// escapes are not looked at.
func expandsTooFar(data []byte) (line int, tooFar bool) {
	if bytes.IndexByte(data, '$') < 0 {
		return 0, false
	}
	sizes := map[string]int{}
	name, total := "", 0
	for raw := range bytes.Lines(data) {
		line++
		text := string(raw)
		if nested(text) > maxNested {
			return line, true
		}
		size := len(text)
		for rest := text; ; {
			at := strings.IndexByte(rest, '$')
			if at < 0 {
				break
			}
			rest = strings.TrimPrefix(rest[at+1:], "{")
			size = min(size+sizes[rest[:nameLength(rest)]], maxExpanded+1)
		}
		if before, _, found := strings.Cut(text, "="); found {
			name = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(before), "export "))
			sizes[name] = size
		} else {
			sizes[name] = min(sizes[name]+size, maxExpanded+1) // a value over several lines
		}
		if total = min(total+size, maxExpanded+1); total > maxExpanded {
			return line, true
		}
	}
	return 0, false
}

// nested returns how many references of a text are inside of one another.
func nested(text string) (most int) {
	depth := 0
	for i := range len(text) {
		switch {
		case text[i] == '{' && i > 0 && text[i-1] == '$':
			depth++
			most = max(most, depth)
		case text[i] == '}':
			depth = max(depth-1, 0)
		}
	}
	return most
}

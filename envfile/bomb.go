package envfile

import (
	"bytes"
	"regexp"
	"strings"
)

// maxExpanded bounds, in bytes, what the variables of one file may expand to
// together.
const maxExpanded = 4 * MaxSize

var reference = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// expandsTooFar tells whether the references of a file could grow past
// maxExpanded, and from which line on (1-based). Forty lines of A=$A$A make
// every reader that expands run out of memory. It only counts, and rather too
// much than too little: quotes and escapes are not looked at.
func expandsTooFar(data []byte) (line int, tooFar bool) {
	if bytes.IndexByte(data, '$') < 0 {
		return 0, false
	}
	sizes := map[string]int{}
	name, total := "", 0
	for raw := range bytes.Lines(data) {
		line++
		text := string(raw)
		size := len(text)
		for _, r := range reference.FindAllStringSubmatch(text, -1) {
			size = min(size+sizes[r[1]], maxExpanded+1)
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

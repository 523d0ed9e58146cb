// Where a file provides SECRET_KEY is found here, and whether JWT_SECRET_KEY
// reaches the same process there.
package repo

import (
	"bytes"
	"path"
	"regexp"
	"strings"

	"dj/keysplit/steps"
)

var (
	// In a pipeline every mention counts but references such as
	// secrets.SECRET_KEY and ${SECRET_KEY}: what those give is named otherwise.
	pipelineSets = regexp.MustCompile(`(?:^|[^A-Za-z0-9_.${])SECRET_KEY\b|\{\s*["']?SECRET_KEY["']?\s*:`)
	// A document may speak about SECRET_KEY; it tells how to set it with an
	// equals sign, a colon, or a table.
	documentSets = regexp.MustCompile("(?:^|[^A-Za-z0-9_.])SECRET_KEY[\"'`*]*\\s*(?:=(?:[^=]|$)|:|\\|)")
	names        = regexp.MustCompile(`\b` + steps.KeyName + `\b`)

	// What a block below one of these names sets is set for all that stands beside
	// the name: env of a workflow or job, variables in GitLab and Azure, environment
	// in compose and CircleCI.
	shared = regexp.MustCompile(`^(?:-\s+)?(?:env|envVars|variables|environment|global|before_script)\s*:`)
	// With these a block gets what stands elsewhere in the file: merge keys and
	// aliases of YAML, whole Secrets, a job's environment file, templates.
	borrows = regexp.MustCompile(`<<\s*:|(?:[:,\[]|-)\s+\*\w|\benvFrom\b|\bfromGroup\b|\bGITHUB_ENV\b|^(?:-\s+)?extends\s*:|\{\{-?\s*(?:include|template)\b`)
	// The name of an item that does not stand on the item's first line.
	itemName = regexp.MustCompile(`^["']?(?:name|key)["']?\s*:`)
)

// File is what one file says about the two keys.
type File struct {
	sets    []int  // lines that provide SECRET_KEY, from 0
	reached []bool // of each line: JWT_SECRET_KEY reaches it
	key     int    // the first line that names JWT_SECRET_KEY, from 0; -1 for none
}

// Read reads a pipeline, compose file or manifest, or else a document or example.
// In YAML each job, service or container counts for itself; elsewhere one mention
// of JWT_SECRET_KEY is good for the whole file. A comment in a pipeline says
// nothing.
func Read(pipeline bool, file string, data []byte) *File {
	f := &File{key: -1}
	sets := documentSets
	if pipeline {
		sets = pipelineSets
	}
	var lines []string
	var keys []int
	wide := !pipeline || path.Ext(file) != ".yml" && path.Ext(file) != ".yaml"
	for l := range bytes.Lines(data) {
		text := strings.TrimRight(string(l), " \t\r\n")
		if pipeline {
			text = uncommented(text)
		}
		at := len(lines)
		lines = append(lines, text)
		if sets.MatchString(strings.TrimSpace(text)) {
			f.sets = append(f.sets, at)
		}
		if names.MatchString(text) {
			keys = append(keys, at)
		}
		wide = wide || borrows.MatchString(strings.TrimSpace(text))
	}
	f.reached = make([]bool, len(lines))
	if len(keys) == 0 {
		return f
	}
	f.key = keys[0]
	if wide {
		for i := range f.reached {
			f.reached[i] = true
		}
		return f
	}
	f.reach(lines, keys)
	return f
}

func uncommented(line string) string {
	if text := strings.TrimSpace(line); strings.HasPrefix(text, "#") || strings.HasPrefix(text, "//") {
		return ""
	}
	line, _, _ = strings.Cut(line, " #")
	return strings.TrimRight(line, " \t")
}

// reach marks the lines that JWT_SECRET_KEY reaches: those in its own block, those
// below its block, and, where its block is one that is shared, those beside it.
func (f *File) reach(lines []string, keys []int) {
	above := parents(lines)
	below := map[int]bool{}  // whatever is below one of these is reached
	beside := map[int]bool{} // what is directly below one of these is reached
	for _, k := range keys {
		f.reached[k] = true
		own := above[k]
		below[own] = true
		if own >= 0 && shared.MatchString(strings.TrimSpace(lines[own])) {
			below[above[own]] = true
		}
		for p := own; !beside[p]; p = above[p] {
			beside[p] = true
			if p < 0 {
				break
			}
		}
	}
	under := make([]bool, len(lines)) // an ancestor is in below
	for i := range lines {
		p := above[i]
		under[i] = below[p] || p >= 0 && lines[p] != "---" && under[p]
		f.reached[i] = f.reached[i] || under[i] || beside[p]
	}
}

// parents is, for each line of a YAML file, the line that it stands below: the
// nearest one before it that is indented less, -1 for none. An item's dash counts
// as half a column, since items may stand in the column of their list's name. The
// mark between two documents stands above all of the second one.
func parents(lines []string) []int {
	out := make([]int, len(lines))
	var open []int // lines that the next may stand below, outermost first
	column := func(i int) int {
		text := strings.TrimLeft(lines[i], " ")
		n := 2 * (len(lines[i]) - len(text))
		switch {
		case lines[i] == "---":
			return -1
		case strings.HasPrefix(text, "- "), text == "-":
			return n + 1
		}
		return n
	}
	for i, l := range lines {
		if l == "" {
			out[i] = -1
			if len(open) > 0 {
				out[i] = open[len(open)-1]
			}
			continue
		}
		for len(open) > 0 && column(open[len(open)-1]) >= column(i) {
			open = open[:len(open)-1]
		}
		out[i] = -1
		if len(open) > 0 {
			out[i] = open[len(open)-1]
		}
		if p := out[i]; p >= 0 && strings.HasPrefix(strings.TrimLeft(lines[p], " "), "-") && lines[p] != "---" && itemName.MatchString(strings.TrimLeft(l, " ")) {
			out[i] = out[p] // the item is the variable
		}
		open = append(open, i)
	}
	return out
}

// Provides is the first line that provides SECRET_KEY, from 1; 0 for none.
func (f *File) Provides() int {
	if len(f.sets) == 0 {
		return 0
	}
	return f.sets[0] + 1
}

// Lacks is the first line that provides SECRET_KEY where JWT_SECRET_KEY does not
// reach, from 1; 0 for none.
func (f *File) Lacks() int {
	for _, i := range f.sets {
		if !f.reached[i] {
			return i + 1
		}
	}
	return 0
}

// Key is the first line that names JWT_SECRET_KEY, from 1; 0 for none.
func (f *File) Key() int { return f.key + 1 }

// Reaches tells whether JWT_SECRET_KEY reaches a line, counted from 1.
func (f *File) Reaches(line int) bool { return f.reached[line-1] }

// Package repo is about the committed files: which there are (Walk), where one of them provides SECRET_KEY and not JWT_SECRET_KEY (pipelines,
// compose files, manifests, example files, documents), and the edits that add it.
//
// The rules of an edit:
//
//   - It only inserts, beside the entry that provides SECRET_KEY and in its own form. Every other byte stays.
//   - A structured file is parsed before and after. An edit whose result does not parse, or says anything else than one
//     entry of JWT_SECRET_KEY more, is not made, and neither is one of a file that does not parse before (a template). The
//     place then stays open.
//   - It never holds a secret: these files are committed. What it writes is a
//     reference to where the value comes from, or a placeholder that everyone can
//     see is one (and that keysplit refuses as a key). In a script it is a command
//     that makes a key there and then.
//   - It reads and writes through no link, and nothing outside of the work tree: a clone may hold a link to any file.
//   - Where an entry of that kind would be a guess or do harm (a value in a Secret's
//     manifest, a Secret's key whose new name is not sure, the build of an image, which would keep the value), there is no
//     proposal, and the finding says what to do by hand.
//
// The edits are offered to the plan of edits, see Makers.
package repo

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
)

// edit makes the edit that a finding asks for. It is nil where there is none.
func (v *vocabulary) edit(f finding.Finding, data []byte) *edited {
	if steps.IsEncrypted(data) {
		return nil // its checksum would no longer fit
	}
	switch f.Code {
	case sample, docs:
		return v.editLines(f, data, v.example)
	case ci, compose, kubernetes:
		if isYAML(f.File) {
			return v.editYAML(f.Code, f.File, data)
		}
		if steps.IsDockerfile(filepath.Base(f.File)) {
			return v.editImage(data)
		}
		if f.Code == ci {
			return v.editLines(f, data, v.initialisation)
		}
	case ignored:
		return addLine(data, "/"+special.ReplaceAllString(f.File, `\$0`))
	}
	return nil
}

// runs reports whether the finding is about a file that sets variables itself, and
// none that tells people to.
func runs(c finding.Code) bool { return c != sample && c != docs }

// editLines applies a rule to every line of a file in which no more than lines is known, where JWT_SECRET_KEY does not
// reach it.
func (v *vocabulary) editLines(f finding.Finding, data []byte, rule func(file, line string) []string) *edited {
	e := &edited{data: data}
	lacking := map[int]bool{}
	for _, p := range v.read(runs(f.Code), f.File, data).places {
		lacking[p.line] = !p.reached
	}
	eol := lineEnd(data)
	num, at := 0, 0
	for l := range bytes.Lines(data) {
		num++
		at += len(l)
		if !lacking[num] {
			continue
		}
		line := strings.TrimRight(string(l), "\r\n")
		add := rule(f.File, line)
		if len(add) == 0 {
			continue
		}
		in := insertion{at, strings.Join(add, eol) + eol}
		if len(line) == len(l) { // the last line, without a line end
			in.text = eol + in.text
		}
		if after := in.in(e.data); v.fits(f, e.data, after) {
			e.insert(in)
			at += len(in.text)
		}
	}
	return e
}

// fits reports whether an edit adds one setting and changes nothing else, as far as the format can be parsed. Documents
// cannot be.
func (v *vocabulary) fits(f finding.Finding, before, after []byte) bool {
	switch f.Code {
	case docs:
		return true
	case sample:
		return slices.Equal(v.assignments(before), slices.DeleteFunc(v.assignments(after), v.IsKey))
	}
	return v.verify(f.File, before, after) == nil
}

// assignments are the settings of an example file: the name and the first line of each, and how many lines it has.
func (v *vocabulary) assignments(data []byte) (all []string) {
	for _, l := range envfile.Parse(data).Lines() {
		switch {
		case l.Inside || l.Kind != envfile.Assignment:
		case v.IsKey(l.Name):
			all = append(all, l.Name)
		default:
			all = append(all, fmt.Sprintf("%s=%s %d", l.Name, l.Value, l.Last-l.Num))
		}
	}
	return all
}

// special are the characters that mean something in a .gitignore.
var special = lazyregexp.New(`[\\*?\[\]# !]`)

// addLine adds a line to a .gitignore or .dockerignore.
func addLine(data []byte, line string) *edited {
	e := &edited{data: data}
	eol := lineEnd(data)
	there := slices.Contains(strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n"), line)
	if there || strings.ContainsAny(line, "\r\n") {
		return nil // once more would change nothing: a line below it undoes it
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		line = eol + line
	}
	e.insert(insertion{len(data), line + eol})
	return e
}

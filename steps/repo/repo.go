// Package repo is about the committed files. It proposes edits for the rest of the house: pipelines, compose
// files, manifests, example files and documents that provide SECRET_KEY and not
// JWT_SECRET_KEY.
//
// The rules of a proposal:
//
//   - It only inserts lines, each below the one that provides SECRET_KEY, in that
//     line's own indentation, quotes and line ending. Every other byte stays.
//   - It never holds a secret: these files are committed. What it writes is a
//     reference to where the value comes from, or a placeholder that everyone can
//     see is one (and that keysplit refuses as a key). In a script it is a command
//     that makes a key there and then.
//   - Where a line of that kind would be a guess or do harm (a value in a Secret's
//     manifest, a Secret's key whose new name is not sure, a variable that an image
//     would keep), there is no proposal, and the finding says what to do by hand.
//
// A proposal is applied through the journal, so that a rollback takes it back.
package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
)

// Proposal is one edit of one file, for one finding.
type Proposal struct {
	Finding finding.Finding
	Path    string // absolute
	Diff    []steps.DiffLine
	Left    int // a line that still lacks the key afterwards, and is mended by hand; 0 for none

	at  *envfile.Snapshot
	new []byte
}

// Apply makes the edit. A file that may not be written, or was changed since it was
// looked at, is left alone; the error is then a *steps.Failure that says so beside
// what the finding says. The run needs a journal.
func (p Proposal) Apply(ctx context.Context, run *steps.Run) error {
	_, err := run.Journal.Publish(ctx, p.at, p.new)
	var refused *envfile.RefusedError
	if errors.As(err, &refused) {
		f := p.Finding.WithSeverity(finding.Error)
		f.Message += " It was not edited: " + strings.ReplaceAll(refused.Error(), p.Path, run.Project.Rel(p.Path)) + "."
		f.Fixable = false
		return steps.Fail(f)
	}
	return err
}

// Propose makes the edit that a finding asks for. ok is false where there is
// none: the finding is about something else, or has to be mended by hand.
func Propose(run *steps.Run, f finding.Finding) (p Proposal, ok bool) {
	edit := editOf[f.Code]
	if edit == nil || f.File == "" {
		return p, false
	}
	p.Finding, p.Path = f, filepath.Join(run.Project.TopLevel, filepath.FromSlash(f.File))
	if f.Code == "env-file-not-ignored" {
		p.Path = filepath.Join(run.Project.TopLevel, ".gitignore")
	}
	at, err := envfile.Open(p.Path)
	if err != nil || !at.Exists && f.Code != "env-file-not-ignored" || len(at.Data) > file.MaxRead {
		return p, false
	}
	p.at = at
	p.new, p.Diff = edit(f, at.Data)
	if f.Code != "env-file-not-ignored" {
		p.Left = Read(runs(f.Code), f.File, p.new).Lacks()
	}
	return p, len(p.Diff) > 0
}

// editOf names what is done about a finding.
var editOf = map[finding.Code]func(f finding.Finding, data []byte) ([]byte, []steps.DiffLine){
	"example-missing-key":    insert(example),
	"docs-missing-key":       insert(example),
	"ci-missing-key":         insert(pipeline),
	"compose-missing-key":    insert(compose),
	"kubernetes-missing-key": insert(manifest),
	"env-file-not-ignored":   ignore,
}

// runs tells whether the finding is about a file that sets variables itself, and
// none that tells people to.
func runs(c finding.Code) bool { return c != "example-missing-key" && c != "docs-missing-key" }

// rule makes the lines to insert below one line, none where it does not apply.
// below are the lines that follow it.
type rule func(file, line string, below []string) (lines []string, skip int)

// insert applies a rule to every line of the file that JWT_SECRET_KEY does not reach.
func insert(r rule) func(finding.Finding, []byte) ([]byte, []steps.DiffLine) {
	return func(f finding.Finding, data []byte) ([]byte, []steps.DiffLine) {
		var lines []string
		for l := range bytes.Lines(data) {
			lines = append(lines, string(l))
		}
		var out bytes.Buffer
		var diff []steps.DiffLine
		text := Read(runs(f.Code), f.File, data)
		num, pending, wait := 0, []string(nil), -1
		flush := func(eol string) {
			for _, l := range pending {
				num++
				out.WriteString(l + eol)
				diff = append(diff, steps.DiffLine{Line: num, Op: "+", Text: l})
			}
			pending, wait = nil, -1
		}
		for i, l := range lines {
			line := strings.TrimRight(l, "\r\n")
			eol := l[len(line):]
			out.WriteString(l)
			num++
			if wait < 0 && !text.Reaches(i+1) {
				if add, skip := r(path.Base(f.File), line, lines[i+1:]); len(add) > 0 {
					pending, wait = add, skip
				}
			}
			if wait == 0 {
				if !strings.HasSuffix(eol, "\n") { // the last line, without a line end
					eol = "\n"
					if bytes.Contains(data, []byte("\r\n")) {
						eol = "\r\n"
					}
					out.WriteString(eol)
				}
				flush(eol)
			} else if wait > 0 {
				wait--
			}
		}
		return out.Bytes(), diff
	}
}

// ignore adds a line to .gitignore for the .env of the finding, and makes the file
// where there is none.
func ignore(f finding.Finding, data []byte) ([]byte, []steps.DiffLine) {
	eol := "\n"
	if bytes.Contains(data, []byte("\r\n")) {
		eol = "\r\n"
	}
	out := bytes.Clone(data)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, eol...)
	}
	line := "/" + regexp.MustCompile(`[\\*?\[\]# !]`).ReplaceAllString(f.File, `\$0`)
	there := slices.Contains(strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n"), line)
	if there || strings.ContainsAny(f.File, "\r\n") {
		return nil, nil // once more would change nothing: a line below it takes it back
	}
	return append(out, line+eol...), []steps.DiffLine{{Line: bytes.Count(out, []byte("\n")) + 1, Op: "+", Text: line}}
}

// Describe says in one line what a proposal does, and what it leaves.
func (p Proposal) Describe(run *steps.Run) string {
	n := len(p.Diff)
	lines := "1 line"
	if n != 1 {
		lines = fmt.Sprintf("%d lines", n)
	}
	text := fmt.Sprintf("%s: %s added", secret.Inert(run.Project.Rel(p.Path)), lines)
	if p.Left > 0 {
		text += fmt.Sprintf(", line %d is left for you", p.Left)
	}
	return text
}

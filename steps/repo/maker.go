package repo

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
)

// Makers make the edits of committed files.
var Makers = []steps.Maker{{Codes: []finding.Code{ignored, inContext, ci, compose, kubernetes, sample, docs}, Make: offer}}

const inContext = finding.EnvFileInBuildContext

// offer offers the edit of each file. A file that is not edited is left: its finding, or
// Fix, says why.
func offer(_ context.Context, run *steps.Run, found []finding.Finding, d *steps.Draft) error {
	var done []string
	for _, f := range found {
		path, ok := fileOf(run, f)
		if !ok {
			continue
		}
		if _, err := run.OpenInTree(path); err != nil {
			continue
		}
		now, err := d.Read(path)
		if err != nil {
			continue
		}
		id := string(f.Code) + " " + run.Project.Rel(path)
		v := wordsOf(run.Names())
		e := v.edit(f, now)
		if f.Code == inContext {
			e = addLine(now, "**/"+filepath.Base(run.Project.EnvFile.Path))
		}
		if now == nil && f.Code != ignored && f.Code != inContext || len(now) > file.MaxRead || e == nil || len(e.done) == 0 || slices.Contains(done, id) {
			continue
		}
		done = append(done, id)
		edit := steps.Edit{ID: id, File: path, Is: e.data, On: f.Code == ignored, Why: v.why(f, run.Project.Rel(path), e.data), Closes: []finding.Finding{f}, Diff: steps.DiffOf(now, e.data, shown)}
		if run.Elsewhere() != "" {
			edit.ByHand = prose.Say("Code reaches %s by a commit: make this edit in development.", run.Options.Environment)
		}
		if _, err := d.Offer(edit); err != nil {
			return err
		}
	}
	return nil
}

// fileOf is the file that is edited for a finding, absolute.
func fileOf(run *steps.Run, f finding.Finding) (path string, ok bool) {
	if f.File == "" {
		return "", false
	}
	path = filepath.FromSlash(f.File)
	if !filepath.IsAbs(path) {
		path = filepath.Join(run.Project.TopLevel, path)
	}
	switch f.Code {
	case ignored:
		return filepath.Join(run.Project.TopLevel, ".gitignore"), f.Fixable
	case inContext:
		return filepath.Join(filepath.Dir(path), ".dockerignore"), true
	}
	return path, true
}

// why says what an edit does, and what it leaves.
func (v *vocabulary) why(f finding.Finding, name string, after []byte) prose.Text {
	switch f.Code {
	case ignored:
		return prose.Say("Have git ignore %s.", f.File)
	case inContext:
		return prose.Say("Keep the .env out of the image: add it to %s.", name)
	}
	why := prose.Say("Add JWT_SECRET_KEY to %s.", name)
	if left := v.read(runs(f.Code), f.File, after).Lacks(); left > 0 {
		why = why.Then(prose.Say("Line %d is left for you.", left))
	}
	return why
}

// shown is a line of a committed file, fit to be shown: what may be a secret is masked.
func shown(line string) (text, note string) { return Shown(line), "" }

var (
	sensitive = lazyregexp.New(`(?i)((?:secret|key|token|passw(?:or)?d|pwd|credential|dsn|auth)\w*["']?\s*[:=]\s*)(\S.*)$`)
	inURL     = lazyregexp.New(`(\w+://[^\s:/@]*:)[^\s@/]+@`)
	public    = lazyregexp.New(`^["']?(?:\$|\{\{|<|"?\$\{|throwaway-|REQUIRED-)`)
)

// Shown is a line of a committed file with what may be a secret masked: the value of a
// name that sounds like one, unless it is a reference or a placeholder of keysplit's own,
// and a password in an address.
func Shown(line string) string {
	line = secret.Inert(strings.TrimRight(line, "\r\n"))
	if m := sensitive.FindStringSubmatchIndex(line); m != nil && !public.MatchString(line[m[4]:m[5]]) {
		line = line[:m[4]] + "••••"
	}
	return inURL.ReplaceAllString(line, "$1••••@")
}

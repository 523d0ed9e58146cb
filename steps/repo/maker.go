package repo

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/envfile"
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

// offer offers the edit of each file. A file that is not edited is left: Refused says why.
func offer(_ context.Context, run *steps.Run, found []finding.Finding, d *steps.Draft) error {
	v := wordsOf(run.Names()).beside(AroundOf(run))
	for _, f := range found {
		path, at, err := open(run, f)
		if at == nil || err != nil {
			continue
		}
		now, err := d.Read(path)
		if err != nil || now == nil && f.Code != ignored && f.Code != inContext || len(now) > file.MaxRead {
			continue
		}
		name := run.Project.Rel(path)
		id := string(f.Code) + " " + name
		if f.Code == ignored { // each of its lines is for another file
			id = string(f.Code) + " " + f.File
		}
		e := v.edit(f, now)
		if f.Code == inContext {
			e = addLine(now, "**/"+special.ReplaceAllString(filepath.Base(run.Project.EnvFile.Path), `\$0`))
		}
		if e == nil || len(e.done) == 0 || len(e.data) > envfile.MaxSize || slices.ContainsFunc(d.Edits, func(o steps.Edit) bool { return o.ID == id }) {
			continue // an edit is about every line of its file
		}
		edit := steps.Edit{ID: id, File: path, Is: e.data, On: f.Code == ignored || run.Adopted != nil, Closes: []finding.Finding{f}, Diff: steps.DiffOf(now, e.data, shown(run))}
		edit.Why = v.why(f, name, e.data)
		if run.Elsewhere() != "" {
			edit.ByHand = prose.Say("Code reaches %s by a commit: make this edit in development.", run.Options.Environment)
		}
		if _, err := d.Offer(edit); err != nil {
			return err
		}
	}
	return nil
}

// open reads the file that is edited for a finding; no snapshot and no error where there
// is none.
func open(run *steps.Run, f finding.Finding) (path string, at *envfile.Snapshot, err error) {
	path, ok := fileOf(run, f)
	if !ok {
		return "", nil, nil
	}
	at, err = run.OpenInTree(path)
	if err == nil {
		err = at.Writable()
	}
	var refused *envfile.RefusedError
	if errors.As(err, &refused) {
		refused.Path = run.Project.Rel(path)
	}
	return path, at, err
}

// Refused is the finding of a file that would be edited and cannot be: it says beside what
// is wrong why keysplit does not fix it.
func Refused(run *steps.Run, f finding.Finding) (finding.Finding, bool) {
	if !slices.Contains(Makers[0].Codes, f.Code) {
		return f, false
	}
	_, _, err := open(run, f)
	if err == nil {
		return f, false
	}
	f = f.WithSeverity(finding.Error).NotFixable()
	f.Message = prose.Say("%s It was not edited: %s.", f.Message, secret.Inert(err.Error()))
	return f, true
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
		return filepath.Join(run.Project.TopLevel, ".gitignore"), true
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

// shown makes a line of a committed file fit to be shown: what may be a secret, and
// what is known to be one, is masked.
func shown(run *steps.Run) func(line string) (text, note string) {
	return func(line string) (string, string) { return run.Redactor.HideKnown(Shown(line)), "" }
}

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

package edits

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// env is the .env of a run, as its edits need it.
type env struct {
	run  *steps.Run
	path string
	rel  string // as findings have it
	by   envfile.For
}

func envOf(run *steps.Run) env {
	e := run.Project.EnvFile
	return env{run, e.Path, run.Project.Rel(e.Path), envfile.For{Readers: e.Readers, Env: run.LookupEnv}}
}

// offer offers an edit of the file.
func (e env) offer(d *steps.Draft, edit steps.Edit) (on bool, err error) {
	was, err := d.Read(e.path)
	if err != nil {
		return false, err
	}
	edit.ID += " " + e.rel
	edit.File, edit.Secret = e.path, true
	edit.Diff = Diff(e.run, was, edit.Is)
	return d.Offer(edit)
}

// Diff shows what differs between two versions of a .env file, masked.
func Diff(run *steps.Run, was, is []byte) []steps.DiffLine {
	run.Redactor.LearnFile(was)
	known := publicOf(run.Project.EnvFile.Path)
	return steps.DiffOf(text(was), text(is), func(line string) (string, string) { return mask(run, known, line) })
}

// fromSample makes the file from the example beside it, with a SECRET_KEY of its own and
// each comment that its reader would take for a part of a value on a line of its own.
func fromSample(_ context.Context, run *steps.Run, found []finding.Finding, d *steps.Draft) error {
	e := envOf(run)
	sample := steps.SampleOf(e.path)
	if sample == "" || !found[0].Fixable {
		return nil
	}
	data, err := d.Read(sample)
	if err != nil {
		return nil // it is not a file that can be read: the finding says what to do
	}
	is, err := e.copied(text(data))
	if err != nil {
		return nil
	}
	why := prose.Say("Make %s from %s, with a SECRET_KEY of its own.", e.rel, run.Project.Rel(sample))
	if left := e.placeholders(is); len(left) > 0 {
		why = why.Then(prose.Say("These are still placeholders: %s.", strings.Join(left, ", ")))
	}
	_, err = e.offer(d, steps.Edit{ID: string(finding.EnvFileMissing), Is: is, Needed: true, Why: why, Closes: found})
	return err
}

// copied is an example as a file that is in use.
func (e env) copied(data []byte) ([]byte, error) {
	c, err := envfile.Edit(data, e.by, e.lifts(data)...)
	if err != nil {
		return nil, err
	}
	names := e.run.Names()
	asked := e.run.Project.Names.SecretKey != ""
	for _, l := range envfile.Parse(c.New).Lines() {
		asked = asked || l.Kind == envfile.Assignment && names.IsSecretKey(l.Name)
	}
	if !asked {
		return c.New, nil
	}
	made, err := envfile.Edit(c.New, e.by, envfile.Set{Name: names.SecretKey, Value: e.run.FreshSecretKey().Reveal()})
	return made.New, err
}

// lifts are the edits for all comments that the reader takes for a part of a value.
func (e env) lifts(data []byte) (ops []envfile.Op) {
	vars, err := envfile.Read(e.by.Readers[0], data, e.by.Env)
	if err != nil {
		return nil
	}
	for _, l := range envfile.Parse(data).Lines() {
		_, comment, ok := l.Behind()
		if value, _ := vars.Says(l.Name); ok && strings.HasSuffix(value, strings.TrimSpace(comment)) {
			ops = append(ops, envfile.Lift{Line: l.Num})
		}
	}
	return ops
}

// placeholders are the names whose values nobody can have meant.
func (e env) placeholders(data []byte) (all []string) {
	names := e.run.Names()
	for _, l := range envfile.Parse(data).Lines() {
		if l.Kind == envfile.Assignment && !l.Inside && steps.Placeholder(l.Value) && !names.IsKey(l.Name) && !slices.Contains(all, l.Name) {
			all = append(all, secret.Inert(l.Name))
		}
	}
	return all
}

// decode makes UTF-8 without a mark of a file.
func decode(_ context.Context, run *steps.Run, found []finding.Finding, d *steps.Draft) error {
	e := envOf(run)
	now, err := d.Read(e.path)
	if err != nil || now == nil {
		return err
	}
	found = slices.DeleteFunc(slices.Clone(found), func(f finding.Finding) bool { return f.File != e.rel })
	is, from := envfile.Decoded(now)
	if len(found) == 0 || from == "" {
		return nil
	}
	why := prose.Say("Convert %s from %s to UTF-8. No value changes.", e.rel, from)
	if from == envfile.WithMark {
		why = prose.Say("Remove the byte order mark, which belongs to the first name for most readers.")
	}
	_, err = e.offer(d, steps.Edit{ID: "encoding", Is: is, Needed: len(finding.Errors(found)) > 0, Why: why, Closes: found})
	return err
}

// text is what can be read of a file for a diff.
func text(data []byte) []byte {
	if utf, from := envfile.Decoded(data); from != "" {
		return utf
	}
	return data
}

// group is what one edit does to lines.
type group struct {
	id     string
	needed bool
	why    func(n int) prose.Text
	is     func(finding.Finding) bool
	op     func(line int) envfile.Op
}

// groups are the edits of lines, in the order of the plan.
func (e env) groups() []group {
	ofCode := func(code finding.Code) func(finding.Finding) bool {
		return func(f finding.Finding) bool { return f.Code == code }
	}
	comments := func(severity func(finding.Severity) bool) func(finding.Finding) bool {
		return func(f finding.Finding) bool { return f.Code == finding.ValueInlineComment && severity(f.Severity) }
	}
	lift := func(line int) envfile.Op { return envfile.Lift{Line: line} }
	return []group{
		{string(finding.LineGlued), true, func(n int) prose.Text { return prose.Say("Split %s.", steps.Plural(n, "line")) }, ofCode(finding.LineGlued),
			func(line int) envfile.Op { return envfile.Split{Line: line, Name: e.run.Names().Key} }},
		{string(finding.LineBare), true, func(n int) prose.Text {
			return prose.Say("Remove %s that holds a value without a name.", steps.Plural(n, "line"))
		}, ofCode(finding.LineBare),
			func(line int) envfile.Op { return envfile.Drop{Line: line} }},
		{string(finding.JWTKeyDuplicate), true, func(int) prose.Text { return prose.Say("Keep one line for JWT_SECRET_KEY: the one that counts.") }, ofCode(finding.JWTKeyDuplicate),
			func(line int) envfile.Op { return envfile.Drop{Line: line} }},
		{string(finding.ValueInlineComment), true, func(n int) prose.Text {
			return prose.Say("Move %s that follow values to lines of their own: the settings cannot read the values with them.", steps.Plural(n, "comment"))
		}, comments(func(s finding.Severity) bool { return s == finding.Error }), lift},
		{string(finding.ValueInlineComment) + " optional", false, func(n int) prose.Text {
			return prose.Say("Move %s that follow values to lines of their own: %s reads them as part of the value.", steps.Plural(n, "comment"), e.by.Readers[0])
		}, comments(func(s finding.Severity) bool { return s != finding.Error }), lift},
	}
}

// lines makes the edits of single lines. All of them count the lines of the file as the
// edits before them leave it, which changed no number.
func lines(_ context.Context, run *steps.Run, found []finding.Finding, d *steps.Draft) error {
	e := envOf(run)
	base, err := d.Read(e.path)
	if err != nil || base == nil {
		return err
	}
	var made []envfile.Op // by the edits that are on
	for _, g := range e.groups() {
		ops, closed, is := e.possible(base, made, found, g)
		if len(ops) == 0 {
			continue
		}
		on, err := e.offer(d, steps.Edit{ID: g.id, Is: is, Needed: g.needed, Why: g.why(len(ops)), Closes: closed})
		if err != nil {
			return err
		}
		if on {
			made = append(made, ops...)
		}
	}
	return nil
}

// A group is left to a person where it has more lines than most: such a file is no .env
// that somebody keeps, and each line is tried with every reader. tries is how often the
// edits of one group are tried: in halves, so that a line that has to stay costs few.
const most, tries = 100, 30

// possible are the edits of a group that can be made after those that are on, one a
// line, and the file as they leave it.
func (e env) possible(base []byte, made []envfile.Op, found []finding.Finding, g group) (ops []envfile.Op, closed []finding.Finding, is []byte) {
	var all []finding.Finding
	seen := map[int]bool{}
	for _, f := range found {
		if g.is(f) && f.Fixable && f.File == e.rel && f.Line != 0 && !seen[f.Line] {
			seen[f.Line] = true
			all = append(all, f)
		}
	}
	if len(all) > most {
		return nil, nil, nil
	}
	tried := 0
	var try func([]finding.Finding)
	try = func(some []finding.Finding) {
		if len(some) == 0 || tried == tries {
			return
		}
		tried++
		more := slices.Clone(ops)
		for _, f := range some {
			more = append(more, g.op(f.Line))
		}
		c, err := envfile.Edit(base, e.by, slices.Concat(made, more)...)
		switch {
		case err == nil:
			ops, closed, is = more, append(closed, some...), c.New
		case len(some) > 1: // a reader would read another line wrong: that one is left, and said
			try(some[:len(some)/2])
			try(some[len(some)/2:])
		}
	}
	try(all)
	return ops, closed, is
}

// secretKey gives the file a generated SECRET_KEY, where it has none or one that
// everybody knows.
func secretKey(_ context.Context, run *steps.Run, found []finding.Finding, d *steps.Draft) error {
	e := envOf(run)
	for _, f := range found {
		if f.File != e.rel || !f.Fixable {
			continue
		}
		now, err := d.Read(e.path)
		if err != nil || now == nil {
			return err
		}
		c, err := envfile.Edit(now, e.by, envfile.Set{Name: run.Names().SecretKey, Value: run.FreshSecretKey().Reveal()})
		if err != nil {
			return nil // the finding says what to do by hand
		}
		why := prose.Say("Set SECRET_KEY to a generated value. This ends all sessions.")
		if f.Code == finding.SecretKeyMissing {
			why = prose.Say("Set SECRET_KEY, which is missing, to a generated value.")
		}
		_, err = e.offer(d, steps.Edit{ID: string(f.Code), Is: c.New, Needed: f.Severity == finding.Error, Why: why, Closes: []finding.Finding{f}})
		return err
	}
	return nil
}

// permissions takes the file away from other users: 640 where its group is not the
// owner's own and may read it now, as a server's group has to; else 600.
func permissions(_ context.Context, run *steps.Run, found []finding.Finding, d *steps.Draft) error {
	e := envOf(run)
	at, err := d.Found(e.path)
	if err != nil || !at.Exists || found[0].File != e.rel || at.ACL != nil {
		return err
	}
	now, _ := d.Read(e.path) // as it was found
	mode := at.Mode &^ fs.FileMode(0o077)
	if at.Mode&0o040 != 0 && at.GID != at.UID {
		mode |= 0o040
	}
	_, err = e.offer(d, steps.Edit{
		ID: string(finding.EnvFilePermissions), Is: now, Mode: mode, Closes: found[:1],
		Why: prose.Say("Let nobody but its owner%s read %s: mode %04o.", map[bool]string{true: " and its group"}[mode&0o040 != 0], filepath.Base(e.path), mode),
	})
	return err
}

// leftover takes the two variables of a grace period that is over out of the file. The
// backend refuses the previous key already, so that it needs no restart.
func leftover(_ context.Context, run *steps.Run, found []finding.Finding, d *steps.Draft) error {
	e := envOf(run)
	if !found[0].Fixable {
		return nil
	}
	now, err := d.Read(e.path)
	if err != nil || now == nil {
		return err
	}
	key, until := run.Names().Grace()
	change, err := envfile.Edit(now, e.by, envfile.Unset{Name: key}, envfile.Unset{Name: until})
	if err != nil {
		return nil // the finding says how to remove them
	}
	why := prose.Say("Take out %s and %s: the grace period is over, and the previous key is refused.", key, until)
	_, err = e.offer(d, steps.Edit{ID: string(finding.GraceOver), Is: change.New, Why: why, Closes: found})
	return err
}

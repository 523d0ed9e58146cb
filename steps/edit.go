package steps

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// Edit is one change of one file, as a plan offers it. A plan is the list of them: the
// needed ones are on, the others can be switched on, and what is on is written by
// Run.WriteEdits as one run, which one rollback undoes.
type Edit struct {
	ID      string      // the same whenever the plan is made again: the code and the file, as a rule
	File    string      // absolute
	Was     []byte      `json:"-"` // the whole file, as the edits before this one leave it; nil: there is none
	Is      []byte      `json:"-"` // as it will be
	Mode    fs.FileMode // permissions that it gets; 0: those it has, and for a new file 0600 where it is Secret, else 0644
	Secret  bool        // the file may hold secrets: Diff is masked, and no patch has it
	Key     bool        // it is that of the key's line, which no person switches
	Refuses bool        // the backend does not start with this edit alone: it is written last
	Why     prose.Text  // one sentence: what it does, and for what
	Needed  bool        // the backend does not start without it
	On      bool        // it will be made
	ByHand  prose.Text  // why keysplit shows it here and does not make it; empty where it does
	Closes  []finding.Finding
	Diff    []DiffLine // two lines around each change, masked where one may hold a secret
}

// Maker makes the edits for findings of some codes.
type Maker struct {
	Codes []finding.Code
	// Make offers the edits that these findings ask for, one by one: each is of the files
	// as Draft.Read has them at that time. A finding for which no edit is sure is left.
	// It changes nothing, and an error ends the plan.
	Make func(ctx context.Context, run *Run, found []finding.Finding, d *Draft) error
}

// Draft is a plan of edits in the making: the edits so far, and the files as those of
// them that are on leave them.
type Draft struct {
	Edits []Edit
	run   *Run
	files map[string]drafted
}

// drafted is a file of a draft.
type drafted struct {
	at  *envfile.Snapshot
	now []byte // nil: there is none
}

// Draw makes the plan of edits for findings: the makers take their turns in their
// order. The needed edits are on, and with Options.Fix all others; Answers.Edits
// has what a person said of one of them.
func Draw(ctx context.Context, run *Run, makers []Maker, found []finding.Finding) (*Draft, error) {
	d := &Draft{run: run, files: map[string]drafted{}}
	for _, m := range makers {
		var theirs []finding.Finding
		for _, f := range found {
			if slices.Contains(m.Codes, f.Code) {
				theirs = append(theirs, f)
			}
		}
		if len(theirs) == 0 {
			continue
		}
		if err := m.Make(ctx, run, theirs, d); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Read is a file (absolute path) as the edits so far leave it, nil where there is none.
// What cannot be edited is an *envfile.RefusedError.
func (d *Draft) Read(path string) ([]byte, error) {
	f, err := d.file(path)
	return f.now, err
}

// Found is the file itself, as it is before all edits.
func (d *Draft) Found(path string) (*envfile.Snapshot, error) {
	f, err := d.file(path)
	return f.at, err
}

func (d *Draft) file(path string) (drafted, error) {
	path = filepath.Clean(path)
	if f, ok := d.files[path]; ok {
		return f, nil
	}
	at, err := envfile.Open(path)
	if err != nil {
		return drafted{}, err
	}
	f := drafted{at: at, now: contentOf(at)}
	d.files[path] = f
	return f, nil
}

// contentOf is what a file holds, nil where there is none.
func contentOf(at *envfile.Snapshot) []byte {
	if at.Exists && at.Data == nil {
		return []byte{}
	}
	return at.Data
}

// Offer takes an edit of a file into the plan, and reports whether it is on. Its Was is
// set here, and On where it is needed or a person has switched it. An edit that changes
// nothing is none.
func (d *Draft) Offer(e Edit) (on bool, err error) {
	e.File = filepath.Clean(e.File)
	f, err := d.file(e.File)
	if err != nil {
		return false, err
	}
	e.Was = f.now
	if e.Mode == 0 && e.Was != nil && bytes.Equal(e.Was, e.Is) {
		return false, nil
	}
	if slices.ContainsFunc(d.Edits, func(o Edit) bool { return o.ID == e.ID }) {
		return false, fmt.Errorf("two edits are called %s", e.ID)
	}
	// Once the settings require the key, what lacks it would stop.
	e.On = e.On || e.Needed || d.run.Options.Fix || d.run.Adopted != nil && e.Mode == 0
	if on, said := d.run.Answers.Edits[e.ID]; said {
		e.On = on
	}
	e.On = e.On && e.ByHand.Empty()
	if e.On {
		f.now = e.Is
		d.files[e.File] = f
	}
	d.Edits = append(d.Edits, e)
	return e.On, nil
}

// On are the edits that will be made.
func (d *Draft) On() []Edit {
	return slices.DeleteFunc(slices.Clone(d.Edits), func(e Edit) bool { return !e.On })
}

// Trial is what the settings can be tried with before the edits are made.
func (d *Draft) Trial() Trial {
	files := map[string][]byte{}
	for _, e := range d.On() {
		files[e.File] = e.Is
	}
	return Trial{Files: files}
}

package checklist

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/secret"
)

// proof is one piece of recorded evidence, and whether it still counts.
type proof struct {
	journal.Evidence
	step      steps.Name
	time      time.Time
	key       string // fingerprint of the key that was in force then
	gone      string // why it counts no more, "" when it does
	restarted bool   // gone, since the server was restarted: a later proof with the same key makes it count again
}

// past is what the journal knows.
type past struct {
	proofs  map[steps.Name]*proof    // the latest of each step
	login   *proof                   // the latest of the smoke test that had an account
	said    map[int]*proof           // the latest word of a person on each item
	skipped map[steps.Name]bool      // steps that were left out last time
	failed  map[steps.Name]time.Time // steps whose last end was a failure, and when
	key     string                   // fingerprint of the key in force
	edits   map[string]bool          // changes, by ID, that are no part of an upgrade: see holdsNoKey; and a grace period
	wrote   bool                     // the step that writes the key ran at some time
	writing bool                     // it is at it
	testing bool                     // the smoke test is at it
	tried   bool                     // and has told of the keys
	beside  bool                     // what was undone last was one of edits
}

// stepOf is the step whose failure puts a person's word on an item in doubt.
var stepOf = map[int]steps.Name{4: steps.Restart, 5: steps.SmokeTest, 6: steps.SmokeTest}

// recall reads the journal from the oldest entry to the newest, and then holds
// what is left against the files as they are now.
func recall(run *steps.Run, key secret.Secret) past {
	p := past{proofs: map[steps.Name]*proof{}, said: map[int]*proof{}, skipped: map[steps.Name]bool{}, failed: map[steps.Name]time.Time{}, edits: map[string]bool{}}
	if run.Journal == nil {
		return p
	}
	for _, e := range run.Journal.Entries() {
		p.take(e)
	}
	for _, pr := range p.all() {
		if pr.gone != "" {
			continue
		}
		for _, f := range pr.Files {
			if journal.SumFile(run.Kept(), f.Path) != f {
				pr.gone = restsOn(run, f.Path) + pr.since(" changed")
				break
			}
		}
		if pr.Key != "" && pr.gone == "" && pr.Key != run.Kept().Reprint(key).Fingerprint() {
			pr.gone = "the key was" + pr.since(" replaced")
		}
	}
	return p
}

// restsOn names a file that a proof rests on: one that pip keeps stands for the version.
func restsOn(run *steps.Run, path string) string {
	if base := filepath.Base(path); base == "METADATA" || base == "PKG-INFO" {
		name, _, _ := strings.Cut(filepath.Base(filepath.Dir(path)), "-")
		return "the version of " + name
	}
	return run.Project.Rel(path)
}

// since says when something happened that ends a proof. Of a person's word the time
// is told beside it.
func (pr *proof) since(what string) string {
	if pr.Item > 0 {
		return what + " since"
	}
	return what + " after " + stamp(pr.time)
}

func (p *past) all() []*proof {
	var out []*proof
	if p.login != nil && p.login != p.proofs[steps.SmokeTest] {
		out = append(out, p.login)
	}
	for _, pr := range p.proofs {
		out = append(out, pr)
	}
	for _, pr := range p.said {
		out = append(out, pr)
	}
	return out
}

func (p *past) take(e journal.Entry) {
	step := steps.Name(e.Step)
	switch e.Kind {
	case journal.KindEvidence:
		pr := &proof{Evidence: *e.Evidence, step: step, time: e.Time, key: p.key}
		if e.Evidence.Item > 0 {
			pr.step = stepOf[e.Evidence.Item]
			p.said[e.Evidence.Item] = pr
			return
		}
		p.proofs[step] = pr
		if step == steps.SmokeTest {
			p.tried = p.testing
			p.smokeTested(pr)
		}
	case journal.KindKey:
		p.key = e.Key
	case journal.KindBegin:
		p.edits[e.Intent.ID] = holdsNoKey(e.Intent.Path) || p.wrote && !p.writing
	case journal.KindReverted:
		if p.edits[e.ID] {
			p.beside = true
			return
		}
		p.beside = false
		p.void(steps.Write, true, "the upgrade was undone at "+exact(e.Time))
	case journal.KindStatus:
		p.takeStatus(step, steps.Status(e.Status), e.Time)
	}
}

// takeStatus takes up a status of a step, and when it had it.
func (p *past) takeStatus(step steps.Name, status steps.Status, at time.Time) {
	p.skipped[step] = status == steps.Skipped
	loginAlone := step == steps.SmokeTest && status == steps.Failed && p.tried
	if step == steps.SmokeTest {
		p.testing, p.tried = status == steps.Running, false
	}
	if loginAlone && !p.proofs[step].failed(steps.LineLogin) {
		return // the account was made to wait, which says nothing against what was seen before
	}
	p.note(step, status, at)
	beside := p.beside
	p.beside = beside && status == steps.Undone
	switch {
	case status == steps.Undone && beside:
		if step == steps.Restart {
			p.restarted("the server was restarted again at " + exact(at))
		}
	case loginAlone:
		for _, pr := range []*proof{p.login, p.said[5]} {
			if pr != nil && pr != p.proofs[step] {
				pr.gone, pr.restarted = "the login failed at "+exact(at), false
			}
		}
	case status == steps.Failed:
		p.void(step, true, "the step "+steps.About(step).Title+" failed at "+exact(at))
	case status == steps.Undone:
		p.void(step, true, "the step "+steps.About(step).Title+" was undone at "+exact(at))
	case step == steps.Restart && status == steps.Running:
		// What the smoke test saw was the server before.
		p.restarted("the server was restarted again at " + exact(at))
	}
}

// note keeps what is asked of a status later.
func (p *past) note(step steps.Name, status steps.Status, at time.Time) {
	switch status {
	case steps.Failed:
		p.failed[step] = at
	case steps.Done, steps.Skipped, steps.Undone:
		delete(p.failed, step)
	}
	if step == steps.Write && status != steps.Undone {
		p.writing, p.wrote = status == steps.Running, true
	}
}

// smokeTested takes up a smoke test. One without an account leaves the login of an
// earlier one in force, as long as the key is the same and the server was shown to
// sign with it; whether the files are the same is seen at the end.
func (p *past) smokeTested(pr *proof) {
	switch {
	case pr.ok(steps.LineLogin) && !(pr.Own && p.login != nil && !p.login.Own), p.login == nil, p.login.key != p.key:
		p.login = pr
	case p.login.restarted && pr.ok(steps.LineFresh) && !pr.Own:
		p.login.gone, p.login.restarted = "", false
	}
}

// restarted marks what the smoke test saw of the server before.
func (p *past) restarted(why string) {
	for _, pr := range p.all() {
		if pr.Item == 0 && pr.step == steps.SmokeTest && pr.gone == "" {
			pr.gone, pr.restarted = why, true
		}
	}
}

// holdsNoKey tells of the files that are edited for the rest of the house, and of
// keysplit's own: what their edits and their way back change is no proof.
func holdsNoKey(path string) bool {
	base := filepath.Base(path)
	k := repo.KindOf(base)
	return k == repo.Pipeline || k == repo.Document || base == ".gitignore" || base == "keysplit.toml"
}

// void marks what was shown by a step or a later one, and with words what
// people said about them.
func (p *past) void(from steps.Name, words bool, why string) {
	at := slices.Index(steps.Order(), from)
	for _, pr := range p.all() {
		if pr.step == "" || slices.Index(steps.Order(), pr.step) < at || pr.Item > 0 && !words {
			continue
		}
		pr.gone, pr.restarted = why, false
	}
}

// line is a check line of the latest proof of a step, as long as that counts.
func (p past) line(step steps.Name, id string) (journal.CheckLine, bool) {
	return p.proofs[step].line(id)
}

// line is a check line of a proof that counts.
func (pr *proof) line(id string) (journal.CheckLine, bool) {
	if pr == nil || pr.gone != "" {
		return journal.CheckLine{}, false
	}
	i := slices.IndexFunc(pr.Checks, func(c journal.CheckLine) bool { return c.ID == id })
	if i < 0 {
		return journal.CheckLine{}, false
	}
	return pr.Checks[i], true
}

// own reports whether the latest proof of a step, as long as it counts, is of a server
// that keysplit started.
func (p past) own(step steps.Name) bool {
	pr := p.proofs[step]
	return pr != nil && pr.gone == "" && pr.Own
}

// ok reports whether a line passed.
func (p past) ok(step steps.Name, id string) bool { return p.proofs[step].ok(id) }

func (pr *proof) ok(id string) bool {
	l, found := pr.line(id)
	return found && steps.Mark(l.Mark) == steps.MarkOK
}

// failed reports whether a line shows a failure.
func (pr *proof) failed(id string) bool {
	l, found := pr.line(id)
	return found && steps.Mark(l.Mark) == steps.MarkFailed
}

// evidence turns those of the lines that passed into evidence.
func (p past) evidence(step steps.Name, ids ...string) []Evidence {
	return p.proofs[step].evidence(ids...)
}

func (pr *proof) evidence(ids ...string) []Evidence {
	var out []Evidence
	for _, id := range ids {
		if l, found := pr.line(id); found && steps.Mark(l.Mark) == steps.MarkOK {
			text := l.Text
			if l.Detail != "" {
				text += ": " + l.Detail
			}
			out = append(out, Evidence{Text: text, Check: checked(pr.step, id), Server: pr.Server, Commit: pr.Commit, Time: pr.time})
		}
	}
	return out
}

// checked names a line of proof of a step.
func checked(step steps.Name, id string) string { return string(step) + " " + id }

// evidenceOf is the evidence of the lines whose ID begins with a prefix.
func (p past) evidenceOf(step steps.Name, prefix string) []Evidence {
	pr := p.proofs[step]
	if pr == nil || pr.gone != "" {
		return nil
	}
	var ids []string
	for _, c := range pr.Checks {
		if strings.HasPrefix(c.ID, prefix) {
			ids = append(ids, c.ID)
		}
	}
	return p.evidence(step, ids...)
}

// missing says why there is no proof of a step.
func (p past) missing(step steps.Name) string {
	switch pr := p.proofs[step]; {
	case pr != nil && pr.gone != "":
		return pr.gone
	case p.skipped[step]:
		return "the step " + steps.About(step).Title + " was skipped"
	}
	return "the step " + steps.About(step).Title + " has not passed yet"
}

// exact is for times that stand beside another one of the same minute.
func exact(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

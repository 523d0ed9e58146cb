package checklist

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/repo"
)

// State is how an item stands.
type State string

// The states of an item.
const (
	Done     State = "done"     // a machine has seen it
	Attested State = "attested" // a person has said it
	Open     State = "open"
)

// Report is the checklist at one time. Its names are part of the JSON that
// `report --json` prints and do not change.
type Report struct {
	Schema      int               `json:"schema"`
	Project     string            `json:"project"` // the top level's name and the folder below it
	Environment string            `json:"environment"`
	Time        time.Time         `json:"time"`
	Keysplit    string            `json:"keysplit,omitempty"` // the version that looked; see Sign
	Machine     string            `json:"machine,omitempty"`  // where it looked
	Commit      string            `json:"commit,omitempty"`   // of the project, short
	Changed     *bool             `json:"changed,omitempty"`  // tracked files differ from the commit
	Complete    bool              `json:"complete"`           // every item is done or attested
	Items       []Item            `json:"items"`              // always nine
	Findings    []finding.Finding `json:"findings"`
	Team        string            `json:"team,omitempty"` // the message to the team, where it was asked for

	names steps.Names
}

// Item is one of the nine.
type Item struct {
	Number   int        `json:"number"` // 1 to 9
	Title    string     `json:"title"`
	State    State      `json:"state"`
	Reason   string     `json:"reason,omitempty"` // why it is open
	Next     prose.Text `json:"next,omitzero"`    // what to do then, and the command that attests the item
	Todo     prose.Text `json:"-"`                // Next without that command, where there is a button for it
	Awaits   bool       `json:"-"`                // a server of the person's own, on which it is to be proved
	Evidence []Evidence `json:"evidence"`
	// Against is what was seen that says the contrary of an open item, "" where something
	// is only missing: a person who signs it off is asked about that.
	Against string `json:"against,omitempty"`
}

// Evidence is one thing that was seen, where, when and by which check; or said,
// when, by whom and with which note.
type Evidence struct {
	Text   string    `json:"text"`
	short  string    // Text where an item is told in a line, "" for one that is no more than a detail
	Check  string    `json:"check,omitempty"`  // "files", "environment", or the step and its check line
	File   string    `json:"file,omitempty"`   // relative to the top level
	Line   int       `json:"line,omitempty"`   // 1-based
	Server string    `json:"server,omitempty"` // the address that was asked
	Commit string    `json:"commit,omitempty"` // that the project was at when it was seen or said
	Time   time.Time `json:"time"`
	By     string    `json:"by,omitempty"`
	Note   string    `json:"note,omitempty"`
}

// look is everything that the items are judged by.
type look struct {
	tree   repo.Tree
	envs   envs
	places map[repo.Kind][]place
	past   past
	idle   bool // no shared key of the settings signs tokens
	here   bool // the environment keeps its keys in the .env of this machine

	development bool // the environment is that one
}

// FirstAttestable is the first item that a person's word can tick: what the
// files show by themselves needs nobody's word.
const FirstAttestable = 4

// Look judges the nine items as they stand at the given time. It reads files
// and the journal, if the run has one, and changes nothing. Errors wrap
// steps.ErrCannotLook, or are that of ctx.
func Look(ctx context.Context, run *steps.Run, at time.Time) (Report, error) {
	l, err := take(ctx, run)
	if err != nil {
		return Report{}, err
	}
	p := run.Project
	r := Report{
		Schema: 1, Project: path.Join(filepath.Base(p.TopLevel), repo.Relative(p.TopLevel, p.Root)),
		Environment: environment(run), Time: at.UTC().Truncate(time.Second), Complete: true, Findings: []finding.Finding{}, names: run.Names(),
	}
	for i, it := range items {
		v := it.judge(l)
		item := Item{Number: i + 1, Title: strings.ReplaceAll(it.title, "`", ""), State: Done, Evidence: v.evidence}
		for n := range item.Evidence {
			if ev := &item.Evidence[n]; ev.Time.IsZero() {
				ev.Check, ev.Time = cmp.Or(ev.Check, "files"), r.Time
			}
		}
		if v.why != "" {
			item.State, item.Reason, item.Todo, item.Against, item.Awaits = Open, v.why, run.Fit(v.next), l.against(item.Number), v.awaits
			item.Next = item.Todo.Then(run.Fit(howToAttest(item.Number)))
		}
		l.addWord(&item)
		r.Complete = r.Complete && item.State != Open
		r.Items = append(r.Items, item)
	}
	for _, k := range []repo.Kind{repo.Pipeline, repo.Document} {
		for _, pl := range l.places[k] {
			if !pl.inOrder() {
				r.Findings = append(r.Findings, pl.finding())
			}
		}
	}
	r.clean(run)
	return r, nil
}

// against is what was seen against an item: by the item itself, or the failure of a step
// that would have shown it.
func (l *look) against(number int) string {
	if seen := items[number-1].judge(l).against; seen != "" {
		return seen
	}
	last, ok := stepOf[number]
	for _, n := range steps.Order() {
		failed := l.past.failed[n]
		if ok && !failed.IsZero() && slices.Contains([]steps.Name{steps.Distinct, steps.Restart, last}, n) {
			return "the step " + steps.About(n).Title + " failed at " + exact(failed)
		}
	}
	return ""
}

// howToAttest is the command for an item that a person may tick.
func howToAttest(item int) prose.Text {
	if item < FirstAttestable {
		return prose.Text{}
	}
	return prose.Labelled("To sign off", "%s", prose.Command(fmt.Sprintf("keysplit report --attest %d --by NAME --note TEXT", item)))
}

func take(ctx context.Context, run *steps.Run) (*look, error) {
	if run.Project == nil {
		return nil, steps.CannotLook("no project is known")
	}
	t, err := repo.Walk(ctx, run.Project.TopLevel)
	if err != nil {
		return nil, err
	}
	l := &look{envs: readEnvs(run, t), places: map[repo.Kind][]place{}, idle: run.Project.SplitsNothing(), here: run.Home().Here(), development: run.Elsewhere() == ""}
	for _, k := range []repo.Kind{repo.Pipeline, repo.Document} {
		if !l.idle {
			l.places[k] = findPlaces(run, &t, k)
		}
	}
	l.tree = t
	l.past = recall(run, l.envs.key)
	return l, ctx.Err()
}

func environment(run *steps.Run) string {
	if run.Options.Environment == "" {
		return steps.DefaultEnvironment
	}
	return run.Options.Environment
}

// addWord adds what a person said. It ticks an item that the machine leaves
// open, as long as it still counts.
func (l *look) addWord(it *Item) {
	word := l.past.said[it.Number]
	if word == nil {
		return
	}
	gone := word.gone
	for _, p := range l.places[kindOfItem(it.Number)] {
		known := false
		for _, f := range word.Files {
			known = known || f.Path == p.sum.Path
		}
		if gone == "" && !known && !p.inOrder() {
			gone = p.file + " sets SECRET_KEY since"
		}
	}
	if gone != "" {
		if it.State == Open {
			it.Reason = fmt.Sprintf("%s said so at %s, but %s; %s", word.By, exact(word.time), gone, it.Reason)
		}
		return
	}
	text := "signed off"
	if word.Against != "" {
		text = "signed off against the evidence (" + word.Against + ")"
	}
	it.Evidence = append(it.Evidence, Evidence{Text: text, Commit: word.Commit, Time: word.time.Truncate(time.Second), By: word.By, Note: word.Note})
	if it.State == Open {
		it.State, it.Reason, it.Next, it.Todo = Attested, "", prose.Text{}, prose.Text{}
	}
}

// kindOfItem is the kind of file that an item is about.
func kindOfItem(number int) repo.Kind {
	switch number {
	case 7:
		return repo.Pipeline
	case 8:
		return repo.Document
	}
	return repo.Other
}

// clean passes every text through the redactor and onto one line: names of
// files, and what people wrote, may hold anything.
func (r *Report) clean(run *steps.Run) {
	c := func(s *string) { *s = strings.ReplaceAll(run.Show(*s), "\n", " ") }
	all := func(t prose.Text) prose.Text {
		return t.Clean(func(s string) string { c(&s); return s })
	}
	c(&r.Project)
	c(&r.Environment)
	for i := range r.Items {
		it := &r.Items[i]
		c(&it.Title)
		c(&it.Reason)
		c(&it.Against)
		it.Next, it.Todo = all(it.Next), all(it.Todo)
		if it.Evidence == nil {
			it.Evidence = []Evidence{}
		}
		for n := range it.Evidence {
			ev := &it.Evidence[n]
			for _, s := range []*string{&ev.Text, &ev.File, &ev.Server, &ev.Commit, &ev.By, &ev.Note} {
				c(s)
			}
		}
	}
	for i := range r.Findings {
		r.Findings[i] = run.ShowFinding(r.Findings[i])
		c(&r.Findings[i].File)
		r.Findings[i].Message = all(r.Findings[i].Message)
	}
}

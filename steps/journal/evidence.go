package journal

import (
	"bytes"
	"encoding/json"
	"fmt"

	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
)

// Evidence is what one step saw, or what one person said, kept in the journal
// so that a later process can tell what was proven and whether it still holds.
// Of a step it has Checks, of a person Item, By and Note. Files are those that
// it rests on: when one of them changes, the evidence is about another state.
type Evidence struct {
	Checks    []CheckLine `json:"checks,omitempty"`
	Restarted bool        `json:"restarted,omitempty"` // the run had seen a new server process by then
	Server    string      `json:"server,omitempty"`    // address of the server that answered
	Own       bool        `json:"own,omitempty"`       // that one was started by keysplit, for the run alone
	Item      int         `json:"item,omitempty"`      // of the checklist, 1 to 9
	By        string      `json:"by,omitempty"`
	Note      string      `json:"note,omitempty"`
	Key       string      `json:"key,omitempty"`     // short fingerprint of the key that it is about
	Commit    string      `json:"commit,omitempty"`  // that the project was at
	Against   string      `json:"against,omitempty"` // of a person's word: what was seen then that says the contrary
	Files     []FileSum   `json:"files,omitempty"`
	As        string      `json:"as,omitempty"` // on disk, in place of Files: the sum of those of an earlier entry
}

// CheckLine is one line of proof as it stood at the end of its step.
type CheckLine struct {
	ID     string `json:"id"`
	Mark   string `json:"mark"` // as the event had it
	Text   string `json:"text"`
	Detail string `json:"detail,omitempty"`
}

// FileSum is a file by its keyed fingerprint, "" when it could not be read.
type FileSum struct {
	Path string `json:"path"` // absolute
	Sum  string `json:"sum"`
}

// Record keeps evidence in the journal. The step is "" for what a person said.
func (j *Journal) Record(step string, ev Evidence) error {
	if sum := j.sumOf(ev.Files); j.rests[sum] != nil {
		ev.As = sum
	}
	return j.append(Entry{Kind: KindEvidence, Step: step, Evidence: &ev})
}

// sumOf is one fingerprint of many.
func (j *Journal) sumOf(files []FileSum) string {
	var all bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&all, "%s\x00%s\x00", f.Path, f.Sum)
	}
	return j.prints.Sum(all.Bytes())
}

// MarshalJSON leaves out the files that an earlier entry has: the evidence of a run
// rests on the same ones as a rule, and they may be many.
func (ev Evidence) MarshalJSON() ([]byte, error) {
	type fields Evidence
	if ev.As != "" {
		ev.Files = nil
	}
	return json.Marshal(fields(ev))
}

// rest keeps what an entry's evidence rests on, and gives it to one that has it from an
// earlier entry. Where that was lost, it is not known, and the entry is lost as well.
func (j *Journal) rest(e Entry) bool {
	switch {
	case e.Evidence == nil:
	case e.Evidence.As != "":
		e.Evidence.Files = j.rests[e.Evidence.As]
		return e.Evidence.Files != nil
	case len(e.Evidence.Files) > 0:
		if j.rests == nil {
			j.rests = map[string][]FileSum{}
		}
		j.rests[j.sumOf(e.Evidence.Files)] = e.Evidence.Files
	}
	return true
}

// SumFile fingerprints a file as it is now.
func SumFile(f secret.Fingerprinter, path string) FileSum {
	data, err := file.ReadSmall(path)
	if err != nil {
		return FileSum{Path: path}
	}
	return FileSum{Path: path, Sum: f.Sum(data)}
}

package journal

import (
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
	Key       string      `json:"key,omitempty"` // short fingerprint of the key that it is about
	Files     []FileSum   `json:"files,omitempty"`
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
	return j.append(Entry{Kind: "evidence", Step: step, Evidence: &ev})
}

// SumFile fingerprints a file as it is now.
func SumFile(f secret.Fingerprinter, path string) FileSum {
	data, err := file.ReadSmall(path)
	if err != nil {
		return FileSum{Path: path}
	}
	return FileSum{Path: path, Sum: f.Sum(data)}
}

package steps

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Evidence is what one step saw, or what one person said, kept in the journal
// so that a later process can tell what was proven and whether it still holds.
// Of a step it has Checks, of a person Item, By and Note. Files are those that
// it rests on: when one of them changes, the evidence is about another state.
type Evidence struct {
	Checks    []CheckLine `json:"checks,omitempty"`
	Restarted bool        `json:"restarted,omitempty"` // the run had seen a new server process by then
	Server    string      `json:"server,omitempty"`    // address of the server that answered
	Item      int         `json:"item,omitempty"`      // of the checklist, 1 to 9
	By        string      `json:"by,omitempty"`
	Note      string      `json:"note,omitempty"`
	Key       string      `json:"key,omitempty"` // short fingerprint of the key that it is about
	Files     []FileSum   `json:"files,omitempty"`
}

// CheckLine is one line of proof as it stood at the end of its step.
type CheckLine struct {
	ID     string `json:"id"`
	Mark   Mark   `json:"mark"`
	Text   string `json:"text"`
	Detail string `json:"detail,omitempty"`
}

// FileSum is a file by its keyed fingerprint, "" when it could not be read.
type FileSum struct {
	Path string `json:"path"` // absolute
	Sum  string `json:"sum"`
}

// Record keeps evidence in the journal. The step is "" for what a person said.
func (j *Journal) Record(n Name, ev Evidence) error {
	return j.append(Entry{Kind: "evidence", Step: n, Evidence: &ev})
}

// MaxRead is the largest file, in bytes, that ReadSmall reads.
const MaxRead = 1 << 20

// ReadSmall reads a regular file of at most MaxRead bytes; links are followed.
// It opens nothing else, so that a pipe cannot hold it up.
func ReadSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxRead+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxRead {
		return nil, errors.New("it is larger than 1 MiB")
	}
	return data, nil
}

// SumFile fingerprints a file as it is now.
func SumFile(f Fingerprinter, path string) FileSum {
	data, err := ReadSmall(path)
	if err != nil {
		return FileSum{Path: path}
	}
	return FileSum{Path: path, Sum: f.Sum(data)}
}

// ProofFiles fingerprints what the proofs of the steps rest on: the .env, the
// settings, and every other file that the reader opened.
func ProofFiles(run *Run) []FileSum {
	paths := []string{run.Project.SettingsFile}
	paths = append(paths, run.Files()...) // the local .env is another environment's where no target is it
	if run.Project.Facts != nil {
		paths = append(paths, run.Project.Facts.ReaderFiles...)
	}
	var sums []FileSum
	seen := map[string]bool{"": true}
	for _, path := range paths {
		if !seen[path] && filepath.IsAbs(path) {
			seen[path] = true
			sums = append(sums, SumFile(run.Prints, path))
		}
	}
	return sums
}

// record keeps the check lines of a step that has just ended well. Preflight
// looks at what is there before anything is changed, and the checklist at what
// the others recorded: neither proves anything.
func (e *Engine) record(n Name) error {
	if e.Run.Journal == nil || e.Run.Project == nil || About(n).Number == 0 {
		return nil
	}
	var lines []CheckLine
	at := map[string]int{}
	for _, ev := range e.Log {
		switch {
		case ev.Step != n:
		case ev.Kind == EventStarted:
			lines, at = nil, map[string]int{}
		case ev.Kind == EventCheck:
			i, ok := at[ev.ID]
			if !ok {
				i = len(lines)
				at[ev.ID] = i
				lines = append(lines, CheckLine{})
			}
			lines[i] = CheckLine{ID: ev.ID, Mark: ev.Mark, Text: ev.Text, Detail: ev.Detail}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	ev := Evidence{Checks: lines, Restarted: e.Run.Restarted, Files: ProofFiles(e.Run)}
	switch n {
	case Restart:
		ev.Server = e.Run.servers(e.Run.URL)
	case SmokeTest:
		ev.Server = e.Run.servers(e.Run.Asked...)
	}
	return e.Run.Journal.Record(n, ev)
}

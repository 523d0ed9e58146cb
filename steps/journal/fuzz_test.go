package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever the journal's file holds, opening it and asking it for everything
// does not panic, and recovering touches no file but those that it names.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"time":"2026-01-02T03:04:05Z","kind":"begin","intent":{"id":"x","path":"/p","target":"/p","new_sum":"1"}}` + "\n" + `{"kind":"end","id":"x","outcome":{"state":"replaced"}}` + "\n"))
	f.Add([]byte(`{"kind":"deliver","delivery":{"id":"a","target":"aws:x"}}` + "\n" + `{"kind":"chosen","id":"backup-x"}` + "\n" + `{"kind":"emergency"}` + "\n{"))
	f.Add([]byte("\n\n\x00\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		state, project := stateFolder(t), t.TempDir()
		j, err := state.Open(project, "development")
		if err != nil {
			t.Fatal(err)
		}
		first, err := os.ReadFile(j.path())
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			var e Entry
			if json.Unmarshal(line, &e) == nil { // a seal lets it in
				if line, err = j.seal(e); err != nil {
					t.Fatal(err)
				}
				line = append(line, '\n')
			}
			first = append(first, line...)
		}
		if err := os.WriteFile(j.path(), first, 0o600); err != nil {
			t.Fatal(err)
		}
		if j, err = state.Open(project, "development"); err != nil {
			return
		}
		// A foreign path must not lead anywhere on this machine.
		if !strings.ContainsAny(string(data), `/\`) {
			_, _ = j.Recover(context.Background()) // it may well refuse
		}
		_, _, _ = j.Applied(), j.Deliveries(), j.Doubtful()
		_, _ = j.Chosen(nil)
		_, _ = j.KeySince(j.Prints().Secret("x"))
		_, _ = j.Emergency()
		if err := j.SetStatus("write", "done"); err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob(filepath.Join(project, "*")); len(left) != 0 {
			t.Errorf("made %v", left)
		}
	})
}

package steps

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// Whatever the journal's file holds, opening it and asking it for everything
// does not panic, and recovering touches no file but those that it names.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"time":"2026-01-02T03:04:05Z","kind":"begin","intent":{"id":"x","path":"/p","target":"/p","new_sum":"1"}}` + "\n" + `{"kind":"end","id":"x","outcome":{"state":"replaced"}}` + "\n"))
	f.Add([]byte(`{"kind":"deliver","delivery":{"id":"a","target":"aws:x"}}` + "\n" + `{"kind":"chosen","id":"backup-x"}` + "\n" + `{"kind":"emergency"}` + "\n{"))
	f.Add([]byte("\n\n\x00\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		t.Setenv("KEYSPLIT_STATE_DIR", filepath.Join(t.TempDir(), "state"))
		project := t.TempDir()
		j, err := OpenJournal(project, DefaultEnvironment)
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
		if j, err = OpenJournal(project, DefaultEnvironment); err != nil {
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
		if err := j.SetStatus(Write, Done); err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob(filepath.Join(project, "*")); len(left) != 0 {
			t.Errorf("made %v", left)
		}
	})
}

// Foreign text that was cleaned holds no secret, and nothing that a terminal
// obeys.
func FuzzClean(f *testing.F) {
	const secret = "S3cret-value-of-a-key"
	f.Add("a " + secret + " b")
	f.Add("S3cret-\x1b[31mvalue-of-\u202ea-key \x1b]52;c;x\a \x9b31m\xff")
	f.Add("s3CRET-VALUE-OF-A-KEY\r\n\b\b")
	f.Fuzz(func(t *testing.T, text string) {
		var r Redactor
		r.Add(NewFingerprinter([]byte("a key")).Secret(secret))
		out := r.Clean(text)
		if strings.Contains(strings.ToLower(out), strings.ToLower(secret)) {
			t.Error("the secret is still there")
		}
		for _, c := range out {
			if c != '\n' && c != '\t' && (unicode.Is(unicode.Cc, c) || unicode.Is(unicode.Cf, c)) {
				t.Errorf("%U is still there", c)
			}
		}
	})
}

// Any text can be pasted.
func FuzzRecognise(f *testing.F) {
	f.Add([]byte("django.core.exceptions.ImproperlyConfigured: JWT_SECRET_KEY must be set"))
	f.Add([]byte("decouple.UndefinedValueError: JWT_SECRET_KEY not found. Declare it as envvar"))
	f.Add([]byte("\x1b[31m\xff\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, code := range Recognise(text) {
			if _, ok := LookUp(code); !ok {
				t.Errorf("%s is not in the catalogue", code)
			}
		}
	})
}

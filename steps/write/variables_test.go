package write

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/stepstest"
)

// What a file gives to a process is known where the file is there and can be read.
func TestTheVariablesOfAFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text   string
		reader envfile.Dialect
		gone   bool
		want   map[string]string // nil where it is not known
	}{
		"as it says":         {"A=1\nB=two\n", envfile.Decouple, false, map[string]string{"A": "1", "B": "two"}},
		"empty":              {"", envfile.Decouple, false, map[string]string{}},
		"not there":          {"A=1\n", envfile.Decouple, true, nil},
		"not readable":       {"A=\x00\n", envfile.PythonDotenv, false, nil},
		"a command's output": {"A=$(date)\n", envfile.Shell, false, nil},
	} {
		run := stepstest.NewRun(t, c.text, nil, c.reader)
		if c.gone {
			if err := os.Remove(filepath.Join(run.Project.Root, ".env")); err != nil {
				t.Fatal(err)
			}
		}
		if got, known := (&dotenv{}).Variables(run); known != (c.want != nil) || !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, known %t", name, got, known)
		}
	}
}

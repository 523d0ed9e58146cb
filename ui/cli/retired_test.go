package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// retired are the phrases of testdata/retired.txt, each with what is said in its place.
func retired(t *testing.T) (*regexp.Regexp, map[string]string) {
	list, err := os.ReadFile("testdata/retired.txt")
	if err != nil {
		t.Fatal(err)
	}
	instead, any := map[string]string{}, []string{}
	for line := range strings.Lines(string(list)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		phrase, better, ok := strings.Cut(line, " -> ")
		if !ok {
			t.Fatalf("retired.txt: %q says nothing in its place", line)
		}
		instead[phrase] = better
		any = append(any, regexp.QuoteMeta(phrase))
	}
	return regexp.MustCompile(`(?i)\b(` + strings.Join(any, "|") + `)\b`), instead
}

// sentences are the texts of one file that people may read, each with its line: the
// strings of Go that have a space in them, and every line of a document.
func sentences(t *testing.T, path string) map[int]string {
	out := map[int]string{}
	if filepath.Ext(path) != ".go" {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		number := 0
		for line := range strings.Lines(string(data)) {
			number++
			out[number] = line
		}
		return out
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(text, " ") {
				out[files.Position(lit.Pos()).Line] += text + "\n"
			}
		}
		return true
	})
	return out
}

// TestRetiredPhrasesAreNotUsed reads everything that the program and its documents say.
func TestRetiredPhrasesAreNotUsed(t *testing.T) {
	t.Parallel()
	phrases, instead := retired(t)
	read := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || name == ".git" || name == "internal" || name == "stepstest"):
			return filepath.SkipDir
		case strings.HasSuffix(name, "_test.go"):
			return nil
		case filepath.Ext(name) != ".go" && filepath.Ext(name) != ".md" && name != "catalogue.toml":
			return nil
		}
		for line, text := range sentences(t, path) {
			read++
			for _, found := range phrases.FindAllString(text, -1) {
				t.Errorf("%s:%d says %q; better: %s", path, line, found, instead[strings.ToLower(found)])
			}
		}
		return nil
	})
	if err != nil || read < 2000 {
		t.Errorf("read %d texts: %v", read, err)
	}
}

func TestARetiredPhraseIsFound(t *testing.T) {
	t.Parallel()
	phrases, instead := retired(t)
	path := filepath.Join(t.TempDir(), "a.go")
	if err := os.WriteFile(path, []byte("package a\n\nconst said = `The server\nIs away.`\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := phrases.FindString(sentences(t, path)[3]); instead[strings.ToLower(found)] != "is down" {
		t.Errorf("found %q", found)
	}
}

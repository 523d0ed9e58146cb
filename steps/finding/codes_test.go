package finding

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every kind of finding is named by a test of the package that finds it. That is
// not yet a proof, but a code that no test names has none.
func TestEveryCodeIsNamedByATest(t *testing.T) {
	var tests strings.Builder
	for _, root := range []string{"..", "../../ui"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			// The texts of this package's own tests recognise codes, and find none.
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") && filepath.Ext(path) != ".txtar" || filepath.Base(path) == "recognise_test.go" {
				return err
			}
			b, err := os.ReadFile(path)
			tests.Write(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	all := tests.String()
	if strings.Contains(all, "no-such-code"+"-at-all") {
		t.Fatal("this test finds what is not there")
	}
	for _, code := range Codes() {
		if !strings.Contains(all, string(code)) {
			t.Errorf("no test names %s", code)
		}
	}
}

// A code is spelled once: everything else names its constant, so that a slip of the
// pen does not compile.
func TestACodeIsSpelledOnce(t *testing.T) {
	spelled := map[Code]int{}
	for _, root := range []string{"..", "../../ui"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, code := range Codes() {
				n := strings.Count(string(text), strconv.Quote(string(code)))
				if spelled[code] += n; n > 0 && path != filepath.Join("..", "finding", "codes.go") {
					t.Errorf("%s spells %s", path, code)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, code := range Codes() {
		if spelled[code] != 1 {
			t.Errorf("%s is spelled %d times", code, spelled[code])
		}
	}
}

// The pages of the catalogue are those of the constants, each with a severity that
// there is, a reason and a fix.
func TestEveryCodeHasAPage(t *testing.T) {
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	var spelled []Code
	for _, m := range regexp.MustCompile(`Code = "([a-z0-9-]+)"`).FindAllSubmatch(source, -1) {
		spelled = append(spelled, Code(m[1]))
	}
	slices.Sort(spelled)
	if all := Codes(); len(spelled) < 50 || !slices.Equal(spelled, all) {
		t.Errorf("codes.go has\n%q, the catalogue\n%q", spelled, all)
	}
	for _, code := range Codes() {
		if p, _ := LookUp(code); !slices.Contains([]Severity{Error, Warning, Info}, p.Severity) || p.Message == "" || p.Why == "" || p.Fix.Empty() {
			t.Errorf("%s: %+v", code, p)
		}
	}
}

package steps_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dj/keysplit/steps"
)

// floors are the rooms of the house from the ground up. A package belongs to the longest
// name that it lies in, and imports from its own floor and from those below.
var floors = [][]string{
	{"envfile", "steps/internal", "steps/sys"},
	{"steps/prose", "steps/secret", "steps/finding", "steps/journal"},
	{"steps"}, // the contract; what lies in its folder stands on it
	{"steps/"},
	{"ui"},
	{"ui/cli"},
	{"."},
}

// floor is that of a package, by its folder below the module's.
func floor(pkg string) int {
	for at := pkg; ; at = path.Dir(at) {
		for n, rooms := range floors {
			if slices.Contains(rooms, at) && (at != "steps" || pkg == at) {
				return n
			}
		}
		if at == "steps" {
			return slices.IndexFunc(floors, func(rooms []string) bool { return rooms[0] == "steps/" })
		}
	}
}

// runsUp says what is wrong with an import between two packages, "" for nothing: it leads
// to a floor above, or from one step to another.
func runsUp(from, to string) string {
	isStep := func(pkg string) bool {
		name := strings.TrimPrefix(pkg, "steps/")
		return slices.Contains(steps.Order(), steps.Name(strings.NewReplacer("smoketest", "smoke-test", "verify", "distinct").Replace(name)))
	}
	switch {
	case floor(to) > floor(from):
		return "imports from a floor above"
	case from != to && isStep(from) && isStep(to):
		return "is a step, and imports another"
	}
	return ""
}

// No import runs back up between the rooms.
func TestNoImportRunsUp(t *testing.T) {
	t.Parallel()
	for edge, wrong := range map[[2]string]bool{ // the control
		{"steps/sys/child", "steps"}: true, {"steps/finding", "steps"}: true, {"steps", "steps/vendor"}: true, {"steps/write", "steps/restart"}: true,
		{"steps/verify", "steps/smoketest"}: true, {"steps/vendor", "ui/style"}: true, {"ui", "ui/cli"}: true, {"ui/cli", "."}: true, {"envfile", "steps/prose"}: true,
		{"steps/write", "steps"}: false, {"steps", "steps/finding"}: false, {"steps/vendor", "steps/tool"}: false, {"steps/rollback", "steps/write"}: false, {".", "ui/cli"}: false,
	} {
		if got := runsUp(edge[0], edge[1]); (got != "") != wrong {
			t.Errorf("%s to %s: %q", edge[0], edge[1], got)
		}
	}
	looked := 0
	house := os.DirFS("..")
	err := fs.WalkDir(house, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(house, file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range parsed.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if to, ok := strings.CutPrefix(name, "dj/keysplit/"); ok {
				looked++
				if wrong := runsUp(path.Dir(file), to); wrong != "" {
					t.Errorf("%s %s: %s", file, wrong, to)
				}
			}
		}
		return nil
	})
	if err != nil || looked < 500 {
		t.Errorf("%d imports looked at, %v", looked, err)
	}
}

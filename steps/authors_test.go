package steps

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// authors are the folders that may set what a run hands on, by the group of the field:
// whoever else needs another value asks its author for it. The first is the author; the
// reason for each further one stands beside it.
var authors = map[string][]string{
	"Options": {
		"ui/cli",         // it reads flags and configuration
		"steps/rollback", // restarts as the upgrade did, which only its journal knows
	},
	"Answers": {
		"ui",              // its screens ask
		"ui/cli",          // and so does it, line by line
		"steps",           // a person overrules a finding
		"steps/preflight", // gives an imported key the fingerprint of the journal
	},
	"Found": {
		"steps/preflight",
		"ui/cli", // a report opens the journal without looking at the project again
		"steps",  // a rollback takes up the facts that the upgrade had learned
	},
	"Chosen": {"steps/generate"},
	"Written": {
		"steps/write",
		"steps/grace", // the module of a grace period changes the files too
		"steps",       // after a rollback nothing of the run is in force
	},
	"Served":  {"steps/restart"},
	"Targets": {"ui/cli"},
	"Held":    {"steps"}, // the run's Home, when it looks
	"Asked":   {"steps/smoketest"},
}

// groupsOfRun are the fields of Run by the name of their group, as run.go has them.
func groupsOfRun(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "run.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	structs := map[string][]*ast.Field{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.TypeSpec); ok {
			if of, ok := s.Type.(*ast.StructType); ok {
				structs[s.Name.Name] = of.Fields.List
			}
		}
		return true
	})
	groups := map[string]string{}
	for _, f := range structs["Run"] {
		for _, name := range f.Names {
			groups[name.Name] = name.Name
		}
		if of, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 {
			groups[of.Name] = of.Name
			for _, inner := range structs[of.Name] {
				for _, name := range inner.Names {
					groups[name.Name] = of.Name
				}
			}
		}
	}
	groups["MarkWritten"] = "Written"
	return groups
}

// named are the names that a file has for a run.
func named(file *ast.File) map[string]bool {
	runs := map[string]bool{"run": true}
	ast.Inspect(file, func(n ast.Node) bool {
		f, ok := n.(*ast.Field)
		if !ok {
			return true
		}
		if to, ok := f.Type.(*ast.StarExpr); ok {
			own, isOwn := to.X.(*ast.Ident)
			other, isOther := to.X.(*ast.SelectorExpr)
			if isOwn && own.Name == "Run" || isOther && other.Sel.Name == "Run" {
				for _, name := range f.Names {
					runs[name.Name] = true
				}
			}
		}
		return true
	})
	return runs
}

// ofRun is the field of a run that an expression is, or lies in; "" for none.
func ofRun(e ast.Expr, runs map[string]bool) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	switch x := s.X.(type) {
	case *ast.Ident:
		if runs[x.Name] {
			return s.Sel.Name
		}
	case *ast.SelectorExpr:
		if x.Sel.Name == "Run" || x.Sel.Name == "run" {
			return s.Sel.Name
		}
		return ofRun(x, runs)
	}
	return ""
}

func TestWhoSetsWhatARunHandsOn(t *testing.T) {
	t.Parallel()
	groups := groupsOfRun(t)
	seen := map[string]map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "stepstest") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), ".."+string(filepath.Separator)))
		runs := named(file)
		set := func(e ast.Expr, at token.Pos) {
			field := ofRun(e, runs)
			group := groups[field]
			if authors[group] == nil {
				return
			}
			if seen[group] == nil {
				seen[group] = map[string]bool{}
			}
			seen[group][folder] = true
			if !slices.Contains(authors[group], folder) {
				t.Errorf("%s sets %s, which is of %s", files.Position(at), field, strings.Join(authors[group], ", "))
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					if _, whole := e.(*ast.SelectorExpr); whole && n.Tok != token.DEFINE {
						set(e, n.Pos())
					}
				}
			case *ast.UnaryExpr: // what takes an address may set it
				if n.Op == token.AND {
					set(n.X, n.Pos())
				}
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "MarkWritten" {
					set(s, n.Pos())
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range slices.Sorted(maps.Keys(authors)) {
		for _, folder := range authors[group] {
			if !seen[group][folder] && group != "Targets" {
				t.Errorf("%s is on the list for %s and does not set it", folder, group)
			}
		}
	}
}

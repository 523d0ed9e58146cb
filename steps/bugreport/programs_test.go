package bugreport

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// A report says of each program that a vendor starts whether this machine has it.
func TestThePrograms(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../vendor/*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, path := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if of, ok := literal.Type.(*ast.SelectorExpr); !ok || of.Sel.Name != "Program" {
				return true
			}
			for _, e := range literal.Elts {
				field, ok := e.(*ast.KeyValueExpr)
				if !ok || field.Key.(*ast.Ident).Name != "Name" {
					continue
				}
				if value, ok := field.Value.(*ast.BasicLit); ok {
					named++
					if name, _ := strconv.Unquote(value.Value); !slices.Contains(programs, name) {
						t.Errorf("%s starts %s, of which the report says nothing", path, name)
					}
				}
			}
			return true
		})
	}
	if named < 8 {
		t.Errorf("%d programs were found: this looked at little", named)
	}
}

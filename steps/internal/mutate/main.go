// Command mutate asks whether the tests would notice a fault: it makes one small change
// at a time, runs the tests of that package, and prints the changes that they pass with.
// No file is changed: the compiler is told of the other text by an overlay.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// limit is the time for the tests of one change; what hangs is noticed.
const limit = 5 * time.Minute

// change is one small change: text instead of the bytes from begin to end of a file.
type change struct {
	file, what, text string
	line, begin, end int
}

func main() {
	n, seed := 10, uint64(time.Now().UnixNano())
	var err error
	if len(os.Args) > 1 {
		n, err = strconv.Atoi(os.Args[1])
	}
	if err == nil && len(os.Args) > 2 {
		seed, err = strconv.ParseUint(os.Args[2], 10, 64)
	}
	if err == nil {
		err = run(os.Stdout, n, seed)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// run tries n of the changes of the module in this folder, and writes out what no test
// noticed.
func run(out io.Writer, n int, seed uint64) error {
	all, err := changes()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "seed %d, %d places of %d\n", seed, n, len(all))
	chance := rand.New(rand.NewPCG(seed, 0))
	chance.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	tried, survived, sound := 0, 0, map[string]bool{}
	for _, c := range all {
		if tried == n {
			break
		}
		if folder := filepath.Dir(c.file); !sound[folder] { // the control: tests that fail anyway notice everything
			if _, fails, err := try(change{file: c.file}); err != nil || fails {
				return errors.Join(fmt.Errorf("the tests of %s fail without a change", folder), err)
			}
			sound[folder] = true
		}
		builds, noticed, err := try(c)
		switch {
		case err != nil:
			return err
		case !builds:
			continue
		case !noticed:
			survived++
			fmt.Fprintf(out, "survived: %s:%d: %s\n", c.file, c.line, c.what)
		}
		tried++
	}
	fmt.Fprintf(out, "changes tried: %d, not noticed: %d\n", tried, survived)
	return nil
}

// changes are all that can be made to the files of the project that are no tests.
func changes() ([]change, error) {
	out, err := exec.Command("git", "ls-files", "*.go").Output()
	if err != nil {
		return nil, fmt.Errorf("list the files: %w", err)
	}
	var all []change
	for _, file := range strings.Fields(string(out)) {
		if strings.HasSuffix(file, "_test.go") || strings.Contains("/"+file, "stepstest/") || strings.Contains(file, "/internal/") {
			continue
		}
		if built, err := build.Default.MatchFile(filepath.Split(file)); err != nil || !built {
			continue // it is for another system, whose tests do not run here
		}
		set := token.NewFileSet()
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		tree, err := parser.ParseFile(set, file, data, 0)
		if err != nil {
			return nil, err
		}
		ast.Inspect(tree, func(node ast.Node) bool {
			add := func(at ast.Node, what, text string) {
				p, end := set.Position(at.Pos()), set.Position(at.End())
				all = append(all, change{file, what, text, p.Line, p.Offset, end.Offset})
			}
			text := func(at ast.Node) string {
				return string(data[set.Position(at.Pos()).Offset:set.Position(at.End()).Offset])
			}
			switch s := node.(type) {
			case *ast.IfStmt:
				cond := text(s.Cond)
				add(s.Cond, "the condition is negated: "+cond, "!("+cond+")")
				if strings.HasSuffix(cond, "err != nil") {
					add(s.Cond, "the error is passed over", "("+cond+") && false")
				}
			case *ast.ExprStmt:
				add(s, "the call is left out: "+text(s), "{}")
			}
			return true
		})
	}
	return all, nil
}

// elsewhere are the packages whose tests stand, all or in part, in those of others.
var elsewhere = map[string][]string{"steps/vendor": {"./steps/restart", "./steps/write", "./steps/verify"}}

// try runs the tests of the change's package. A change that does not build is none.
func try(c change) (builds, noticed bool, err error) {
	data, err := os.ReadFile(c.file)
	if err != nil {
		return false, false, err
	}
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return false, false, err
	}
	defer os.RemoveAll(dir)
	path, err := filepath.Abs(c.file)
	if err != nil {
		return false, false, err
	}
	other, overlay := filepath.Join(dir, "other.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: other}})
	if err == nil {
		err = os.WriteFile(other, []byte(string(data[:c.begin])+c.text+string(data[c.end:])), 0o600)
	}
	if err == nil {
		err = os.WriteFile(overlay, list, 0o600)
	}
	if err != nil {
		return false, false, err
	}
	folder := "./" + filepath.ToSlash(filepath.Dir(c.file))
	tests := append([]string{"test", "-overlay", overlay, "-failfast", "-timeout", "4m", folder}, elsewhere[strings.TrimPrefix(folder, "./")]...)
	if exec.Command("go", "vet", "-overlay", overlay, folder).Run() != nil {
		return false, false, nil
	}
	ctx, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	return true, exec.CommandContext(ctx, "go", tests...).Run() != nil, nil
}

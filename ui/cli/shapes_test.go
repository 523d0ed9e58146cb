//go:build unix

package cli

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/ui"
)

// shapes are the commands of keysplit that the sources and the catalogue print, in backticks
// or made by Command, each as it stands there.
func shapes(t *testing.T) map[string]string {
	t.Helper()
	quoted := regexp.MustCompile("`(keysplit(?: [^`]+)?)`")
	return inCatalogue(t, quoted, inSources(t, quoted, commanded))
}

// inSources are the commands that the sources print, in the texts that quoted finds or made
// by a call, with the place of each.
func inSources(t *testing.T, quoted *regexp.Regexp, made func(*ast.CallExpr) string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, top := range []string{"../../steps", "../../ui"} {
		err := filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
						for _, m := range quoted.FindAllStringSubmatch(text, -1) {
							all[m[1]] = files.Position(n.Pos()).String()
						}
					}
				case *ast.CallExpr:
					if words := made(n); words != "" {
						all[words] = files.Position(n.Pos()).String()
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// inCatalogue adds the commands of the catalogue's fixes to those that quoted finds; no other
// text of it has one.
func inCatalogue(t *testing.T, quoted *regexp.Regexp, all map[string]string) map[string]string {
	t.Helper()
	for _, code := range finding.Codes() {
		page, _ := finding.LookUp(code)
		for _, text := range []string{page.Message, page.Why, page.ByHand} {
			if quoted.MatchString(text) {
				t.Errorf("%s has a command in a text that is not its fix: %q", code, text)
			}
		}
		for _, p := range page.Fix.Parts() {
			if p.Command && quoted.MatchString("`"+p.Text+"`") {
				all[p.Text] = "the page of " + string(code)
			}
		}
	}
	return all
}

// commanded is the command of keysplit that a call of Command makes, as far as its words
// are literals; "" for any other call.
func commanded(call *ast.CallExpr) string {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if ok && f.Sel.Name == "FinishCommand" {
		return "keysplit upgrade" + strings.TrimPrefix(literally(append([]ast.Expr{&ast.BasicLit{Value: `"x"`}}, call.Args[1:]...)), "x")
	}
	if !ok || f.Sel.Name != "Command" && f.Sel.Name != "CommandIn" {
		return ""
	}
	if len(call.Args) == 1 { // a whole one, from its first word on
		if words := strings.Fields(formatted(call.Args[0])); len(words) > 1 && words[0] == "keysplit" {
			return strings.Join(words, " ")
		}
	}
	words := []string{"keysplit"}
	for _, arg := range call.Args {
		lit, ok := arg.(*ast.BasicLit)
		if !ok {
			if strings.HasPrefix(words[len(words)-1], "--") {
				words = append(words, "VALUE")
			}
			break
		}
		word, _ := strconv.Unquote(lit.Value)
		words = append(words, word)
	}
	if len(words) < 2 || !slices.Contains([]string{"upgrade", "rollback", "report", "grace", "check", "status"}, words[1]) {
		return ""
	}
	return strings.Join(words, " ")
}

// formatted is the text of an argument: a literal, one with a value behind it, or a format.
func formatted(arg ast.Expr) string {
	switch arg := arg.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(arg.Value)
		return text
	case *ast.BinaryExpr:
		if text := formatted(arg.X); text != "" {
			return text + "VALUE"
		}
	case *ast.CallExpr:
		if f, ok := arg.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" {
			return formatted(arg.Args[0])
		}
	}
	return ""
}

// Each command of keysplit in the sources is one that keysplit takes, also with the flags
// that a run gives it which was started with all of them.
func TestEveryPrintedCommandIsOne(t *testing.T) {
	t.Parallel()
	all := shapes(t)
	if len(all) < 20 {
		t.Fatalf("only %d commands were found in the sources", len(all))
	}
	t.Attr("figure", strconv.Itoa(len(all))+" commands of keysplit")
	run := &steps.Run{Options: steps.Options{
		Environment: "staging", Where: []string{"--project", "p", "--env-file", "e", "--settings", "s"}, Starting: []string{"--python", "py", "--as", "u"},
		Given: []string{"--python", "py", "--as", "u", "--target", "manual", "--restart", "none", "--url", "http://h"},
	}}
	for command, at := range all {
		fitted := run.Fit(prose.Say("%s", prose.Command(command))).Rendered()
		for _, c := range []string{command, fitted} {
			if err := taken(c); err != nil {
				t.Errorf("%s prints %q: %v", at, c, err)
			}
		}
		verb, _, err := newRoot(IO{}, nil).Find(strings.Fields(fitted)[1:])
		for _, flag := range []string{"project", "settings"} {
			if err == nil && verb.Flags().Lookup(flag) != nil && !strings.Contains(fitted, "--"+flag) && !strings.Contains(command, "--help") && !strings.Contains(command, "--project") {
				t.Errorf("%s prints %q, which has not got --%s", at, fitted, flag)
			}
		}
	}
	for _, wrong := range []string{"keysplit upgrade --no-such-flag", "keysplit no-such-command", "keysplit report --attest", "keysplit check words", "keysplit grace --hours NAME"} {
		if taken(wrong) == nil {
			t.Errorf("%q is taken for a command", wrong)
		}
	}
}

// What keysplit says has flags in whole commands only, which a page can replace by its button;
// and each command of the wizard's own that has one flag has a button.
func TestAdviceHasNoBareFlags(t *testing.T) {
	t.Parallel()
	upgrade, _, _ := newRoot(IO{}, nil).Find([]string{"upgrade"})
	bare := func(text string) bool {
		return slices.ContainsFunc(regexp.MustCompile(`--[a-z-]+`).FindAllString(text, -1), func(flag string) bool { return upgrade.Flags().Lookup(flag[2:]) != nil })
	}
	refusals := map[string]bool{} // of a command line, which has flags
	said := inSources(t, regexp.MustCompile("(?s)^(.+)$"), func(call *ast.CallExpr) string {
		name, ok := call.Fun.(*ast.Ident)
		if f, is := call.Fun.(*ast.SelectorExpr); is {
			name, ok = f.Sel, true
		}
		for _, arg := range call.Args {
			if ok && name.Name == "Usage" {
				refusals[formatted(arg)] = true
			}
		}
		return ""
	})
	ofCommands := regexp.MustCompile(`/(ui/cli|steps/config|steps/repo)/|steps/journal/hold.go`) // and patterns
	// In the wizard a button is what runs it again; where the shell is to change, keysplit starts again.
	repeated := regexp.MustCompile("([Rr]un|start) `keysplit` again|Now try it on your project: `keysplit`")
	for text, at := range said {
		if rest := repeated.ReplaceAllString(text, ""); strings.Contains(rest, "`keysplit`") {
			t.Errorf("%s: a command that no button replaces: %q", at, text)
		}
		prose := regexp.MustCompile("`[^`]*`|^ *(keysplit|uv|--).*").ReplaceAllString(text, "")
		if strings.Contains(prose, " ") && bare(prose) && !refusals[text] && !ofCommands.MatchString(at) {
			t.Errorf("%s: a flag outside of a command: %q", at, text)
		}
	}
	for _, code := range finding.Codes() {
		page, _ := finding.LookUp(code)
		for _, p := range page.Fix.Parts() {
			if !p.Command && bare(p.Text) {
				t.Errorf("%s: a flag outside of a command: %q", code, p.Text)
			}
			if fix := page.Fix.Rendered(); p.Command && p.Text == "keysplit" && !p.Again && !strings.Contains(fix, "start keysplit again") {
				t.Errorf("%s: a command that no button replaces: %q", code, fix)
			}
		}
	}
	for command, at := range shapes(t) {
		f := finding.New(finding.ServerStaleKey, "").WithFix(finding.Do("%s", finding.Command(command)))
		if strings.HasPrefix(command, "keysplit --") && len(ui.Remedies(nil, []finding.Finding{f}, nil)) == 0 {
			t.Errorf("%s: %q has no button", at, command)
		}
	}
}

// taken is why keysplit refuses a command line whose placeholders are filled in; nil where
// it takes it.
func taken(command string) error {
	command = strings.ReplaceAll(command, "'docker compose run --rm -T SERVICE python'", "PATH") // a value of several words
	words := strings.Fields(strings.NewReplacer(" NAME", " NAME", " N", " 1", "...", "manual", "%s", "VALUE", "%d", "4").Replace(command))
	root := newRoot(IO{}, nil)
	cmd, rest, err := root.Find(words[1:])
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if errors.Is(err, pflag.ErrHelp) {
		return nil
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	return err
}

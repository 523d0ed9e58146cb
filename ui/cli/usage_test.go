//go:build unix

package cli

import (
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// usage is what the programs of others take, by their own documents: of every command that
// keysplit prints, as far as its words stand in the sources. VALUE is one that does not.
// What is made of git's is run by a test.
var usage = map[string]string{
	"aws":            `sso login|configure( list-profiles)?|secretsmanager (create-secret --name VALUE --secret-string|delete-secret --secret-id) VALUE.*`,
	"az":             `login`,
	"chmod":          `[0-7]{3} VALUE|u\+w FILE`,
	"cp":             `VALUE VALUE`,
	"direnv":         `allow( VALUE)?`,
	"docker":         `login`,
	"dotenvx":        `run|set JWT_SECRET_KEY VALUE( -f FILE)?`,
	"docker-compose": `rm --stop --force VALUE`,
	"fly":            `auth login`,
	"gcloud":         `auth login`,
	"gh":             `auth login|secret set VALUE.*`,
	"heroku":         `login|apps`,
	"journalctl":     `-u VALUE -n \d+`,
	"ls":             `-l FILE`,
	"kubectl":        `config (get-contexts|current-context|use-context NAME)|create secret generic VALUE`,
	"op":             `run`,
	"railway":        `login|upgrade|environment VALUE|variable set VALUE --stdin.*`,
	"rmdir":          `VALUE`,
	"sops":           `exec-env|edit FILE`,
	"sudo":           `-[vH]|systemctl (start|restart|edit|reset-failed) (VALUE|docker)`,
	"systemctl":      `status VALUE|list-units --type=service`,
	"vault":          `login|secrets list|token capabilities VALUE|kv put VALUE VALUE VALUE`,
}

// used are the commands of other programs that the sources print, in backticks or made by
// Shell, with the place of each.
func used(t *testing.T) map[string]string {
	t.Helper()
	programs := strings.Join(slices.Sorted(maps.Keys(usage)), "|")
	quoted := regexp.MustCompile("`((?:" + programs + ") [^`]+)`")
	return inCatalogue(t, quoted, inSources(t, quoted, func(call *ast.CallExpr) string {
		if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "Shell" {
			return ""
		}
		return literally(call.Args)
	}))
}

// literally are the words of a command that begins with one, VALUE for each that is made at
// run time; "" for one of which nothing is known.
func literally(args []ast.Expr) string {
	var words []string
	for _, arg := range args {
		lit, ok := arg.(*ast.BasicLit)
		if !ok {
			words = append(words, "VALUE")
			continue
		}
		word, _ := strconv.Unquote(lit.Value)
		words = append(words, word)
	}
	if len(words) == 0 || words[0] == "VALUE" {
		return ""
	}
	return strings.Join(words, " ")
}

// Each command of another program in the sources is one that the program takes.
func TestEveryOtherProgramIsUsedAsItTakesIt(t *testing.T) {
	t.Parallel()
	takes := func(command string) bool {
		program, rest, _ := strings.Cut(command, " ")
		form := usage[program]
		return form != "" && regexp.MustCompile("^(?:"+form+")$").MatchString(rest)
	}
	all := used(t)
	if len(all) < 25 {
		t.Fatalf("only %d commands were found in the sources", len(all))
	}
	t.Attr("figure", strconv.Itoa(len(all))+" commands of other programs")
	programs := map[string]bool{}
	for command, at := range all {
		program, _, _ := strings.Cut(command, " ")
		programs[program] = true
		if !takes(command) {
			t.Errorf("%s prints %q, which is not among the forms of %s", at, command, program)
		}
	}
	for program := range usage {
		if !programs[program] {
			t.Errorf("nothing printed uses %s", program)
		}
	}
	for _, wrong := range []string{"aws sso-login", "chmod VALUE", "systemctl restart VALUE", "no-such-program VALUE", "kubectl config contexts"} {
		if takes(wrong) {
			t.Errorf("%q is taken for a command", wrong)
		}
	}
}

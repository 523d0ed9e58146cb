package steps

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The value of a secret comes out through Reveal only. This is every function
// outside of tests that calls it, with what it does with the value. A new
// caller is a decision, and is made here.
var revealCallers = map[string]string{
	"steps/journal/deliveries.go Choose":         "keeps the key of an interrupted run, mode 0600",
	"steps/journal/deliveries.go Deliver":        "keeps the value before a delivery, mode 0600",
	"steps/grace/grace.go Plan":                  "makes the edit that keeps the previous key",
	"steps/secret/inert.go Add":                  "cuts it into the pieces that Show hides",
	"steps/secret/inert.go mask":                 "looks for it in text, to mask it",
	"steps/judge.go JudgeKey":                    "applies the rules",
	"steps/preflight/exposure.go committed":      "looks for it in the files that git tracks",
	"steps/preflight/context.go inHistory":       "looks for it in earlier versions of the .env",
	"steps/preflight/diagnose.go judgeSecretKey": "applies the rules",
	"steps/secret/secret.go Reprint":             "gives it the fingerprint of another fingerprinter",
	"steps/secret/secret.go Equal":               "compares it",
	"steps/secret/secret.go Len":                 "counts its characters",
	"steps/secret/secret.go Of":                  "fingerprints it",
	"steps/smoketest/login.go login":             "sends the password to the login route",
	"steps/smoketest/login.go refresh":           "sends the refresh token to its route",
	"steps/smoketest/login.go useToken":          "sends the access token to a protected route",
	"steps/smoketest/token.go keySigner":         "signs a test token",
	"steps/smoketest/token.go signedBy":          "checks a token's signature",
	"steps/write/dotenv.go Plan":                 "makes the edit that writes the key",
	"steps/vendor/fly.go Accepts":                "looked at for characters that fly would change",
	"steps/vendor/fly.go Put":                    "standard input of fly",
	"steps/vendor/github.go Put":                 "standard input of gh",
	"steps/vendor/heroku.go do":                  "sends the token to Heroku",
	"steps/vendor/heroku.go Put":                 "the body of a request to Heroku",
	"steps/vendor/heroku.go Restore":             "the body of a request to Heroku",
	"steps/vendor/railway.go Put":                "standard input of railway",
	"steps/vendor/aws.go Put":                    "standard input of aws",
	"steps/vendor/aws.go Restore":                "standard input of aws",
	"steps/vendor/kubernetes.go Put":             "standard input of kubectl",
	"steps/vendor/kubernetes.go Restore":         "standard input of kubectl",
	"steps/vendor/vault.go set":                  "standard input of vault",
	"steps/write/mask.go maskLine":               "recognises the line with the key, to mask it",
	"ui/run.go copyKey":                          "copies it, after a question",
	"ui/screen_generate.go result":               "shows it, after a question",
}

func TestWhoRevealsSecrets(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Reveal" {
					found[filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))+" "+f.Name.Name] = true
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 5 {
		t.Fatalf("only %d callers were found: the search is broken", len(found))
	}
	var list []string
	for caller := range found {
		list = append(list, caller)
	}
	slices.Sort(list)
	for _, caller := range list {
		if revealCallers[caller] == "" {
			t.Errorf("%s calls Reveal and is not on the list", caller)
		}
	}
	for caller := range revealCallers {
		if !found[caller] {
			t.Errorf("%s is on the list and does not call Reveal", caller)
		}
	}
}

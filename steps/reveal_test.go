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
	"steps/write/staged.go pairOf":               "compares the second key of a place, and gives it to the journal, mode 0600",
	"steps/vendor/vendor.go text":                "the values that a place is given",
	"steps/journal/rotation.go BeginRotation":    "keeps both keys of a rotation, mode 0600",
	"steps/write/staged.go secondKey":            "makes the edit that writes the second key",
	"steps/grace/grace.go Plan":                  "makes the edit that keeps the previous key",
	"steps/secret/inert.go Add":                  "cuts it into the pieces that Show hides",
	"steps/secret/inert.go mask":                 "looks for it in text, to mask it",
	"steps/judge.go JudgeKey":                    "applies the rules",
	"steps/preflight/copies.go copies":           "leaves a SECRET_KEY out that says of itself that it is none",
	"steps/preflight/copies.go seek":             "looks for it in the files that git tracks, or would",
	"steps/preflight/context.go inHistory":       "looks for it in earlier versions of the .env",
	"steps/preflight/diagnose.go judgeSecretKey": "applies the rules",
	"steps/secret/secret.go Reprint":             "gives it the fingerprint of another fingerprinter",
	"steps/secret/secret.go Equal":               "compares it",
	"steps/secret/secret.go Len":                 "counts its characters",
	"steps/secret/secret.go Of":                  "fingerprints it",
	"steps/smoketest/login.go loginBody":         "sends the password to the login route",
	"steps/smoketest/login.go trade":             "sends the refresh token to its route",
	"steps/smoketest/login.go useToken":          "sends the access token to a protected route",
	"steps/smoketest/token.go keySigner":         "signs a test token",
	"steps/smoketest/token.go signedBy":          "checks a token's signature",
	"steps/write/dotenv.go key":                  "makes the edit that writes the key",
	"steps/edits/envfile.go copied":              "makes the file from the example, with a SECRET_KEY",
	"steps/edits/envfile.go secretKey":           "makes the edit that sets a SECRET_KEY",
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
	"steps/edits/mask.go mask":                   "recognises the line with the key, to mask it",
	"ui/run.go copyKey":                          "copies it, after a question",
	"ui/screen_generate.go done":                 "shows it, after a question",
}

func TestWhoRevealsSecrets(t *testing.T) {
	t.Parallel()
	onlyListed(t, "Reveal", revealCallers)
}

// A sentence becomes a string for a person only, so that no code searches, cuts or
// changes one. Below ui this is every function that asks for it, with what it makes.
var renderers = map[string]string{
	"steps/checklist/report.go Markdown": "the report in Markdown",
	"steps/checklist/report.go Text":     "the report in plain text",
	"steps/emergency/emergency.go Text":  "the plan of an emergency rollback in plain text",
	"steps/export/export.go Sort":        "findings in the order of their sentences",
	"steps/export/export.go GitHub":      "an annotation of a workflow",
	"steps/export/export.go Cases":       "test cases for JUnit",
	"steps/export/export.go SARIF":       "results for code scanning",
	"steps/proof.go checkLines":          "the lines of proof that the journal keeps as evidence",
	"steps/prose/prose.go MarshalText":   "JSON",
	"steps/step.go Error":                "an error for people",
	"steps/stepstest/text.go Rendered":   "texts for a test to look at",
}

func TestWhoRendersSentences(t *testing.T) {
	t.Parallel()
	onlyListed(t, "Rendered", renderers, "ui/")
	onlyListed(t, "Parts", nil, "ui/", "steps/prose/")
}

// onlyListed looks for what uses a method, outside of tests and of the given folders.
func onlyListed(t *testing.T, method string, listed map[string]string, except ...string) {
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		if slices.ContainsFunc(except, func(folder string) bool { return strings.HasPrefix(name, folder) }) {
			return nil
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
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == method {
					found[name+" "+f.Name.Name] = true
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for caller := range found {
		list = append(list, caller)
	}
	slices.Sort(list)
	for _, caller := range list {
		if listed[caller] == "" {
			t.Errorf("%s calls %s and is not on the list", caller, method)
		}
	}
	for caller := range listed {
		if !found[caller] {
			t.Errorf("%s is on the list and does not call %s", caller, method)
		}
	}
}

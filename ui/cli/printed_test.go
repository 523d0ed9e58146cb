//go:build unix

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// service is a server that signs and verifies tokens with the key that a file has now, as
// one does that is restarted after each change.
func service(t *testing.T, file string) (url string) {
	sign := func(kind string) string {
		now := time.Now()
		text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"token_type": kind, "user_id": "1", "jti": djangotest.NewKey(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		}).SignedString([]byte(keyOf(t, file)))
		if err != nil {
			t.Error(err)
		}
		return text
	}
	good := func(text string) bool {
		_, err := jwt.Parse(text, func(*jwt.Token) (any, error) { return []byte(keyOf(t, file)), nil })
		return err == nil
	}
	return stepstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var sent struct{ Token, Refresh string }
		_ = json.NewDecoder(r.Body).Decode(&sent)
		no := map[string]string{"code": "token_not_valid"}
		switch r.URL.Path {
		case "/api/v1/auth/token/verify/":
			if good(sent.Token) {
				no = nil
			}
		case "/api/v1/auth/login/":
			stepstest.AnswerJSON(w, http.StatusOK, map[string]string{"access": sign("access"), "refresh": sign("refresh")})
			return
		case "/api/v1/auth/token/refresh/":
			if good(sent.Refresh) {
				no = map[string]string{"access": sign("access")}
				stepstest.AnswerJSON(w, http.StatusOK, no)
				return
			}
		case "/api/v1/auth/user/":
			if good(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
				no = nil
			}
		default:
			http.NotFound(w, r)
			return
		}
		if no == nil {
			stepstest.AnswerJSON(w, http.StatusOK, map[string]int{"id": 1})
			return
		}
		stepstest.AnswerJSON(w, http.StatusUnauthorized, no)
	}))
}

// printedIn are the commands of keysplit in a text, each with the flags that follow it and
// are flags of it. A word that ends in a full stop ends the command.
func printedIn(root *cobra.Command, text string) (all [][]string) {
	word := regexp.MustCompile(`^ (--?[a-z][a-z-]*|'(?:[^']|'\\'')*'|[^\s']+)`)
	for at := strings.Index(text, "keysplit"); at >= 0; at = strings.Index(text, "keysplit") {
		before := text[:at]
		text = text[at+len("keysplit"):]
		if strings.HasSuffix(before, "-") || strings.HasSuffix(before, "/") || !strings.HasPrefix(text, " ") {
			continue
		}
		var words []string
		cmd, value := root, false
		for rest := text; ; {
			found := word.FindStringSubmatch(rest)
			if found == nil {
				break
			}
			rest = rest[len(found[0]):]
			w := strings.TrimRight(found[1], ".,;:)`")
			ends := w != found[1]
			switch sub, _, err := root.Find([]string{w}); {
			case value:
				value = false
			case cmd == root && err == nil && sub != root:
				cmd = sub
			case strings.HasPrefix(w, "--") && cmd.Flags().Lookup(w[2:]) != nil:
				value = cmd.Flags().Lookup(w[2:]).NoOptDefVal == ""
			default:
				w = ""
			}
			if w == "" {
				break
			}
			words = append(words, strings.ReplaceAll(strings.Trim(w, "'"), `'\''`, "'"))
			if ends {
				break
			}
		}
		if cmd != root && len(words) > 0 {
			all = append(all, words)
		}
	}
	return all
}

// everything is the form that tries every printed command, and not only those of the first.
var everything = os.Getenv("KEYSPLIT_LONG") == "1"

// scratch is a project with its state, as it was after some command.
type scratch struct {
	root, state string
	url         string
	password    string
	tried       map[string]bool
	depth       int
	broken      string // a file: while it is there, restarts fail
	t           *testing.T
}

// files are the contents of the project and the state.
func (s *scratch) files() map[string][]byte {
	out := map[string][]byte{}
	for _, top := range []string{s.root, s.state} {
		_ = filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && d.Name() != "restart" {
				out[path], _ = os.ReadFile(path) // a file that has gone meanwhile is none
			}
			return nil
		})
	}
	return out
}

func (s *scratch) restore(files map[string][]byte) {
	for path := range s.files() {
		if _, kept := files[path]; !kept {
			_ = os.Remove(path)
		}
	}
	for path, data := range files {
		_ = os.MkdirAll(filepath.Dir(path), 0o700)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// try runs a command, then each that it prints, from where it left things.
func (s *scratch) try(by string, args ...string) {
	s.t.Helper()
	line := strings.Join(args, " ")
	if s.tried[line] {
		return
	}
	s.tried[line] = true
	full := slices.Clone(args)
	cmd, _, err := newRoot(IO{}, nil).Find(args[:1])
	if err != nil {
		s.t.Fatal(err)
	}
	for i, w := range full {
		full[i] = strings.NewReplacer("NAME", "ada", "VALUE", "./restart", "TEXT", "seen").Replace(w)
	}
	if cmd.Flags().Lookup("accessible") != nil {
		full = append(full, "--accessible")
	}
	if asks := slices.Contains([]string{"upgrade", "rollback"}, args[0]); asks && !slices.Contains(args, "--yes") && !slices.Contains(args, "--emergency") {
		full = append(full, "--yes")
	}
	s.t.Setenv("KEYSPLIT_PASSWORD", s.password)
	var out, errOut bytes.Buffer
	code := Main(full, IO{State: Stdio().State, In: strings.NewReader(""), Out: &out, Err: &errOut})
	said := out.String() + errOut.String()
	broken := os.Remove(s.broken) == nil
	if (code != ExitOK) != broken && !(args[0] == "report" && code == ExitFinding) { // an item is open
		s.t.Errorf("keysplit %s, which %s prints: exit %d\n%s", line, by, code, said)
	}
	if s.depth++; !everything && s.depth > 2 {
		s.depth--
		return
	}
	defer func() { s.depth-- }()
	after := s.files()
	for _, next := range printedIn(newRoot(IO{}, nil), said) {
		s.restore(after)
		s.try("keysplit "+line, next...)
	}
}

// fails runs a command whose restart fails, then each that it prints, with that mended.
func (s *scratch) fails(verb string, args ...string) {
	s.t.Helper()
	if err := os.WriteFile(s.broken, nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.tried[strings.Join(append([]string{verb}, args...), " ")] = false
	s.try("the test", append([]string{verb}, args...)...)
}

// Every command of keysplit that is printed works as it is printed.
func TestEveryPrintedCommandWorks(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		flags  []string
	}{
		"by flags":         {"", []string{"--target", "dotenv:staging.env", "--restart", "command:./restart", "--url", "{URL}"}},
		"by configuration": {"[environments.staging]\ntargets = [\"dotenv:staging.env\"]\nrestart = \"command:./restart\"\nurl = \"{URL}\"\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if c.config != "" && !everything {
				t.Skip("only with KEYSPLIT_LONG=1")
			}
			root, state := staticProject(t)
			t.Chdir(root)
			t.Setenv("PATH", t.TempDir()) // no Python: what Django says is no part of this
			env := filepath.Join(root, "staging.env")
			if err := os.WriteFile(env, []byte("SECRET_KEY="+djangotest.NewKey()+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			broken := filepath.Join(root, "broken")
			if err := os.WriteFile(filepath.Join(root, "restart"), []byte("#!/bin/sh\ntest ! -e broken\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			s := &scratch{broken: broken, root: root, state: state, url: service(t, env), password: djangotest.NewKey(), tried: map[string]bool{}, t: t}
			if c.config != "" {
				if err := os.WriteFile(filepath.Join(root, "keysplit.toml"), []byte(strings.ReplaceAll(c.config, "{URL}", s.url)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			at := []string{"--env", "staging", "--trust-config"}
			for _, f := range c.flags {
				at = append(at, strings.ReplaceAll(f, "{URL}", s.url))
			}
			s.try("the test", append([]string{"upgrade"}, at...)...)
			s.try("the test", append(append([]string{"upgrade"}, at...), "--rotate")...)
			if !everything {
				return
			}
			t.Attr("part", "printed commands")
			s.fails("upgrade", append(slices.Clone(at), "--rotate")...)
			s.fails("rollback", "--env", "staging", "--restart", "command:./restart")
			for _, verb := range []string{"report", "status", "check", "grace"} {
				s.try("the test", verb, "--env", "staging")
			}
			s.try("the test", "rollback", "--env", "staging", "--restart", "command:./restart")
		})
	}
}

// shapes are the commands of keysplit that the sources print, in backticks or made by
// Command, each as it stands there.
func shapes(t *testing.T) map[string]string {
	t.Helper()
	return inSources(t, regexp.MustCompile("`(keysplit [^`]+)`"), commanded)
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

// commanded is the command of keysplit that a call of Command makes, as far as its words
// are literals; "" for any other call.
func commanded(call *ast.CallExpr) string {
	if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "Command" {
		return ""
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

// Each command of keysplit in the sources is one that keysplit takes.
func TestEveryPrintedCommandIsOne(t *testing.T) {
	t.Parallel()
	all := shapes(t)
	if len(all) < 20 {
		t.Fatalf("only %d commands were found in the sources", len(all))
	}
	for command, at := range all {
		if err := taken(command); err != nil {
			t.Errorf("%s prints %q: %v", at, command, err)
		}
	}
	for _, wrong := range []string{"keysplit upgrade --no-such-flag", "keysplit no-such-command", "keysplit report --attest", "keysplit check words", "keysplit grace --hours NAME"} {
		if taken(wrong) == nil {
			t.Errorf("%q is taken for a command", wrong)
		}
	}
}

// taken is why keysplit refuses a command line whose placeholders are filled in; nil where
// it takes it.
func taken(command string) error {
	words := strings.Fields(strings.NewReplacer(" N", " 1", "...", "manual", "%s", "VALUE", "%d", "4").Replace(command))
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

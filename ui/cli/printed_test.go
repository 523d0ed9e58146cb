//go:build unix

package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/spf13/cobra"

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
		}).SignedString([]byte(djangotest.KeyIn(t, file)))
		if err != nil {
			t.Error(err)
		}
		return text
	}
	good := func(text string) bool {
		_, err := jwt.Parse(text, func(*jwt.Token) (any, error) { return []byte(djangotest.KeyIn(t, file)), nil })
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
			if err := stepstest.WriteProgram(filepath.Join(root, "restart"), "#!/bin/sh\ntest ! -e broken\n"); err != nil {
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

//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// site is a project in whose folder the program is run.
type site struct {
	t           *testing.T
	root, state string
	key         string   // that of its .env
	env         []string // variables of the run
}

// elsewhere is a project whose .env holds the good keys of development, and files
// of other environments beside it.
func elsewhere(t *testing.T, files map[string]string) *site {
	t.Helper()
	s := &site{t: t, state: filepath.Join(t.TempDir(), "state")}
	s.root = staticProject(t, "SECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+djangotest.NewKey()+"\n")
	for name, text := range files {
		s.write(name, text)
	}
	s.key = s.keyIn(".env")
	return s
}

// path is that of a file of the project.
func (s *site) path(name string) string { return filepath.Join(s.root, name) }

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// keyIn is the key in a file of the project, "" for none.
func (s *site) keyIn(name string) string {
	s.t.Helper()
	return djangotest.KeyIn(s.t, s.path(name))
}

// tool is a stand-in that the runs find first.
func (s *site) tool(name, script string) *stepstest.Tool {
	s.t.Helper()
	tool := stepstest.NewTool(s.t, name, script)
	s.env = append(s.env, "PATH="+tool.Dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return tool
}

// run runs the program and returns what it wrote on both streams.
func (s *site) run(args ...string) (code int, out string) {
	s.t.Helper()
	r := invocation{args: args, dir: s.root, env: s.env}.run(s.t, s.state)
	return r.code, r.out + r.errOut
}

func (s *site) upgrade(args ...string) (code int, out string) {
	s.t.Helper()
	return s.run(append([]string{"upgrade", "--yes", "--restart", "none", "--skip", "smoke-test"}, args...)...)
}

// The key of development must never end up in another environment.
func TestTheLocalKeyStaysHere(t *testing.T) {
	t.Parallel()
	compose := "services:\n  web:\n    image: shop\n    env_file: .env.prod\n"
	for name, c := range stepstest.Part(2, map[string]struct {
		args  []string
		files []string // that get one new key
	}{
		"a compose file's own": {[]string{"--env", "prodlike", "--confirm", ".env.prod", "--target", "compose:docker-compose.prod.yml#web"}, []string{".env.prod"}},
		"two files":            {[]string{"--env", "staging", "--target", "dotenv:a.env", "--target", "dotenv:b.env"}, []string{"a.env", "b.env"}},
		"in development too":   {[]string{"--target", "dotenv:a.env"}, []string{"a.env"}},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"docker-compose.prod.yml": compose}
			for _, f := range c.files {
				files[f] = "SECRET_KEY=" + djangotest.NewKey() + "\n"
			}
			s := elsewhere(t, files)
			code, out := s.upgrade(c.args...)
			if code != 0 || !strings.Contains(out, "key made") {
				t.Fatalf("exit %d\n%s", code, out)
			}
			first := s.keyIn(c.files[0])
			if first == "" || first == s.key {
				t.Errorf("the file holds the key of development: %t", first == s.key)
			}
			for _, f := range c.files {
				if s.keyIn(f) != first {
					t.Errorf("%s holds another key", f)
				}
			}
			if s.keyIn(".env") != s.key {
				t.Error("the .env of development changed")
			}
			// What is good there stays, and the proof is about those files.
			if code, out = s.upgrade(c.args...); code != 0 || !strings.Contains(out, "Nothing to write") || s.keyIn(c.files[0]) != first {
				t.Errorf("again: exit %d\n%s", code, out)
			}
			// A key that equals that environment's own SECRET_KEY is found out.
			s.write(c.files[0], "SECRET_KEY="+first+"\nJWT_SECRET_KEY="+first+"\n")
			if code, out = s.upgrade(append(c.args, "--skip", "generate,write")...); code != 1 || !strings.Contains(out, "jwt-key-equals-secret-key") {
				t.Errorf("equal keys: exit %d\n%s", code, out)
			}
		})
	}
}

// flies is a fly that keeps the secrets of each app in a file of its name, and
// takes none for b while the file "down" is there.
const flies = `app="$4"
case "$1 $2" in
"secrets list") [ -e "$DIR/$app" ] && echo '[{"Name":"JWT_SECRET_KEY","Digest":"'$(cksum <"$DIR/$app" | cut -d' ' -f1)'"}]' || echo '[]' ;;
"secrets import") [ "$app" != b ] || [ ! -e "$DIR/down" ] || { echo forbidden >&2; exit 1; }; cat >"$DIR/$app" ;;
"secrets unset") rm "$DIR/$5" ;;
"auth whoami") echo ada@example.com ;;
*) exit 9 ;;
esac`

// The second of two places fails. A run over other places, such as the one that
// the flags were forgotten in, takes no part of it; the whole command finishes it.
func TestAnUnfinishedUpgradeIsFinishedByItsOwnCommand(t *testing.T) {
	t.Parallel()
	other := djangotest.NewKey()
	s := elsewhere(t, map[string]string{"c.env": "JWT_SECRET_KEY=" + other + "\n"})
	fly := s.tool("fly", flies)
	down := filepath.Join(fly.Dir, "down")
	if err := os.WriteFile(down, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	both := []string{"--env", "staging", "--target", "fly:a", "--target", "fly:b"}
	const whole = "keysplit upgrade --env staging --target fly:a --target fly:b"
	code, out := s.upgrade(both...)
	if code != 1 || !strings.Contains(stepstest.OneLine(out), "To continue with the others: "+whole+" --restart none") {
		t.Fatalf("exit %d\n%s", code, out)
	}
	code, out = s.upgrade("--env", "staging", "--target", "dotenv:c.env", "--target", "dotenv:d.env")
	if code != 1 || !strings.Contains(out, "upgrade-unfinished") || !strings.Contains(stepstest.OneLine(out), "To finish it: keysplit upgrade --env staging --restart none --skip smoke-test --target fly:a --target fly:b To undo it: keysplit rollback --env staging") {
		t.Errorf("another target: exit %d\n%s", code, out)
	}
	if s.keyIn("c.env") != other {
		t.Fatal("the half-delivered key is in another place")
	}
	if err := os.Remove(down); err != nil {
		t.Fatal(err)
	}
	if code, out = s.upgrade(both...); code != 0 || fly.File("a") == "" || fly.File("a") != fly.File("b") {
		t.Errorf("the whole command: exit %d, the same key in both: %t\n%s", code, fly.File("a") == fly.File("b"), out)
	}
	if code, out = s.upgrade("--env", "staging", "--target", "fly:a"); code != 0 {
		t.Errorf("once it is finished: exit %d\n%s", code, out)
	}
}

// A rollback of an upgrade that was interrupted undoes all of it, also when
// its key was there before, in the first of the places.
func TestAnInterruptedUpgradeWithAKeptKeyGoesBackAsAWhole(t *testing.T) {
	t.Parallel()
	s := elsewhere(t, map[string]string{"good.env": "SECRET_KEY=x\nJWT_SECRET_KEY=" + djangotest.NewKey() + "\n"})
	fly := s.tool("fly", flies)
	down := filepath.Join(fly.Dir, "down")
	if err := os.WriteFile(down, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	all := []string{"--env", "staging", "--target", "dotenv:good.env", "--target", "fly:a", "--target", "fly:b"}
	if code, out := s.upgrade(all...); code != 1 || !strings.Contains(out, "key kept") || fly.File("a") == "" {
		t.Fatalf("exit %d\n%s", code, out)
	}
	if err := os.Remove(down); err != nil {
		t.Fatal(err)
	}
	if code, out := s.upgrade(all...); code != 0 || fly.File("b") == "" {
		t.Fatalf("exit %d\n%s", code, out)
	}
	if code, out := s.run("rollback", "--env", "staging", "--yes", "--restart", "none"); code != 0 || fly.File("a") != "" || fly.File("b") != "" {
		t.Errorf("exit %d, left in a: %t, in b: %t\n%s", code, fly.File("a") != "", fly.File("b") != "", out)
	}
}

func TestLineByLineEveryFileIsNamed(t *testing.T) {
	t.Parallel()
	s := elsewhere(t, map[string]string{"a.env": "SECRET_KEY=x\n", "b.env": "SECRET_KEY=y\n"})
	args := []string{"--env", "staging", "--target", "dotenv:a.env", "--target", "dotenv:b.env", "--dry-run"}
	if code, out := s.upgrade(args...); code != 0 && code != 1 || !strings.Contains(out, "\n  a.env\n") || !strings.Contains(out, "\n  b.env\n") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if _, out := s.upgrade(append(args, "--json")...); !strings.Contains(out, `"file":"b.env"}`) {
		t.Errorf("as JSON: %s", out)
	}
}

// A grace period for a place that is no file here: the module is code, and is
// written; how the two variables get there is shown. Where the key before was never
// readable, that is said.
func TestAGracePeriodElsewhere(t *testing.T) {
	t.Parallel()
	conf := func(target string) string {
		return "[environments.staging]\ntargets = [" + target + "]\nrestart = \"none\"\n"
	}
	s := elsewhere(t, map[string]string{"keysplit.toml": conf(`"railway:web", "dotenv:a.env"`), "a.env": "SECRET_KEY=x\n"})
	railway := s.tool("railway", `case "$1 $2" in
"variable list") [ -e "$DIR/state" ] && echo '{"JWT_SECRET_KEY":"'$(cat "$DIR/state")'"}' || echo '{}' ;;
"variable set") case "$*" in *--help*) echo "  --stdin  read it"; exit 0 ;; esac; cat >"$DIR/state" ;;
*) exit 9 ;;
esac`)
	old := djangotest.NewKey()
	if err := os.WriteFile(filepath.Join(railway.Dir, "state"), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := s.upgrade("--env", "staging", "--rotate", "--trust-config"); code != 0 || !strings.Contains(stepstest.OneLine(out), "keysplit grace --env staging") {
		t.Fatalf("rotate: exit %d\n%s", code, out)
	}
	code, out := s.run("grace", "--env", "staging")
	if code != 0 || !strings.Contains(out, "railway variable set JWT_PREVIOUS_SECRET_KEY --stdin --service web < ") || strings.Contains(out, old[:12]) {
		t.Fatalf("exit %d\n%s", code, out)
	}
	_, after, _ := strings.Cut(out, "--service web < ")
	file, _, _ := strings.Cut(after, "\n")
	if kept, err := os.ReadFile(file); err != nil || string(kept) != old {
		t.Errorf("the file that the command reads: %v", err)
	}
	if _, err := os.Stat(s.path("jwt_grace.py")); err != nil {
		t.Error(err)
	}
	if !strings.Contains(read(t, s.path("a.env")), "JWT_PREVIOUS_SECRET_KEY="+old+"\n") {
		t.Error("the file among the targets lacks the previous key")
	}
	if s.keyIn(".env") != s.key || strings.Contains(read(t, s.path(".env")), "PREVIOUS") {
		t.Error("the .env of development changed")
	}

	s = elsewhere(t, map[string]string{"keysplit.toml": conf(`"fly:a"`)})
	fly := s.tool("fly", flies)
	if err := os.WriteFile(filepath.Join(fly.Dir, "a"), []byte("JWT_SECRET_KEY="+old+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := s.upgrade("--env", "staging", "--rotate", "--trust-config"); code != 0 || !strings.Contains(stepstest.OneLine(out), "there can be no grace period") {
		t.Fatalf("rotate: exit %d\n%s", code, out)
	}
	if code, out = s.run("grace", "--env", "staging"); code != 1 || !strings.Contains(stepstest.OneLine(out), "never shows a value") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if _, err := os.Stat(s.path("jwt_grace.py")); err == nil {
		t.Error("the module was written for nothing")
	}
}

// What goes elsewhere is not read by a server of the project that runs here, so
// without --restart none is restarted or asked. The dry run makes no key that
// anybody could take for the one to come, and claims nothing about a place that
// only a person can look into.
func TestElsewhereNothingHereIsRestarted(t *testing.T) {
	t.Parallel()
	s := elsewhere(t, map[string]string{".env.staging": "SECRET_KEY=" + djangotest.NewKey() + "\n"})
	code, out := s.run("upgrade", "--yes", "--env", "staging", "--target", "dotenv:.env.staging", "--skip", "smoke-test")
	if code != 0 || !strings.Contains(out, "Nothing was restarted.") || s.keyIn(".env.staging") == "" {
		t.Errorf("exit %d\n%s", code, out)
	}
	code, out = s.run("upgrade", "--dry-run", "--env", "other", "--target", "manual:the vault")
	if code != 1 || !strings.Contains(out, "server-unreachable") || !strings.Contains(stepstest.OneLine(out), "a new key 86 characters; the real run makes its own") || strings.Contains(out, "fingerprint") || !strings.Contains(out, "Nothing is restarted.") || !strings.Contains(out, "keysplit cannot read it from here") || strings.Contains(out, "holds no J") {
		t.Errorf("the plan: exit %d\n%s", code, out)
	}
}

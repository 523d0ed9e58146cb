//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui"
)

// elsewhere is a project whose .env holds the good keys of development, and files
// of other environments beside it.
func elsewhere(t *testing.T, files map[string]string) (root, key string) {
	t.Helper()
	root, _ = staticProject(t)
	t.Chdir(root)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root, keyOf(t, filepath.Join(root, ".env"))
}

// keyOf is the key in a file, "" for none.
func keyOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if key, ok := strings.CutPrefix(line, "JWT_SECRET_KEY="); ok {
			return key
		}
	}
	return ""
}

func upgradeTo(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	code, out, errOut := inProcess(t, newUpgrade, append([]string{"upgrade", "--yes", "--restart", "none", "--skip", "smoke-test"}, args...))
	return code, out + errOut
}

// The key of development must never end up in another environment.
func TestTheLocalKeyStaysHere(t *testing.T) {
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
			files := map[string]string{"docker-compose.prod.yml": compose}
			for _, f := range c.files {
				files[f] = "SECRET_KEY=" + djangotest.NewKey() + "\n"
			}
			root, local := elsewhere(t, files)
			code, out := upgradeTo(t, c.args...)
			if code != 0 || !strings.Contains(out, "key made") {
				t.Fatalf("exit %d\n%s", code, out)
			}
			first := keyOf(t, filepath.Join(root, c.files[0]))
			if first == "" || first == local {
				t.Errorf("the file holds the key of development: %t", first == local)
			}
			for _, f := range c.files {
				if keyOf(t, filepath.Join(root, f)) != first {
					t.Errorf("%s holds another key", f)
				}
			}
			if keyOf(t, filepath.Join(root, ".env")) != local {
				t.Error("the .env of development changed")
			}
			// What is good there stays, and the proof is about those files.
			if code, out = upgradeTo(t, c.args...); code != 0 || !strings.Contains(out, "Nothing to write") || keyOf(t, filepath.Join(root, c.files[0])) != first {
				t.Errorf("again: exit %d\n%s", code, out)
			}
			// A key that equals that environment's own SECRET_KEY is found out.
			same := "SECRET_KEY=" + first + "\nJWT_SECRET_KEY=" + first + "\n"
			if err := os.WriteFile(filepath.Join(root, c.files[0]), []byte(same), 0o600); err != nil {
				t.Fatal(err)
			}
			if code, out = upgradeTo(t, append(c.args, "--skip", "generate,write")...); code != 1 || !strings.Contains(out, "jwt-key-equals-secret-key") {
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
	other := djangotest.NewKey()
	root, _ := elsewhere(t, map[string]string{"c.env": "JWT_SECRET_KEY=" + other + "\n"})
	fly := stepstest.NewTool(t, "fly", flies).OnPath()
	down := filepath.Join(fly.Dir, "down")
	if err := os.WriteFile(down, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	both := []string{"--env", "staging", "--target", "fly:a", "--target", "fly:b"}
	const whole = "keysplit upgrade --env staging --target fly:a --target fly:b"
	code, out := upgradeTo(t, both...)
	if code != 1 || !strings.Contains(oneLine(out), "To continue with the others: "+whole+" --restart none") {
		t.Fatalf("exit %d\n%s", code, out)
	}
	code, out = upgradeTo(t, "--env", "staging", "--target", "dotenv:c.env", "--target", "dotenv:d.env")
	if code != 1 || !strings.Contains(out, "upgrade-unfinished") || !strings.Contains(oneLine(out), "To finish it: keysplit upgrade --env staging --restart none --skip smoke-test --target fly:a --target fly:b To undo it: keysplit rollback --env staging") {
		t.Errorf("another target: exit %d\n%s", code, out)
	}
	if keyOf(t, filepath.Join(root, "c.env")) != other {
		t.Fatal("the half-delivered key is in another place")
	}
	if err := os.Remove(down); err != nil {
		t.Fatal(err)
	}
	if code, out = upgradeTo(t, both...); code != 0 || fly.File("a") == "" || fly.File("a") != fly.File("b") {
		t.Errorf("the whole command: exit %d, the same key in both: %t\n%s", code, fly.File("a") == fly.File("b"), out)
	}
	if code, out = upgradeTo(t, "--env", "staging", "--target", "fly:a"); code != 0 {
		t.Errorf("once it is finished: exit %d\n%s", code, out)
	}
}

// A rollback of an upgrade that was interrupted undoes all of it, also when
// its key was there before, in the first of the places.
func TestAnInterruptedUpgradeWithAKeptKeyGoesBackAsAWhole(t *testing.T) {
	root, _ := elsewhere(t, nil)
	fly := stepstest.NewTool(t, "fly", flies).OnPath()
	down := filepath.Join(fly.Dir, "down")
	for path, text := range map[string]string{down: "", filepath.Join(root, "good.env"): "SECRET_KEY=x\nJWT_SECRET_KEY=" + djangotest.NewKey() + "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := []string{"--env", "staging", "--target", "dotenv:good.env", "--target", "fly:a", "--target", "fly:b"}
	if code, out := upgradeTo(t, all...); code != 1 || !strings.Contains(out, "key kept") || fly.File("a") == "" {
		t.Fatalf("exit %d\n%s", code, out)
	}
	if err := os.Remove(down); err != nil {
		t.Fatal(err)
	}
	if code, out := upgradeTo(t, all...); code != 0 || fly.File("b") == "" {
		t.Fatalf("exit %d\n%s", code, out)
	}
	code, out, errOut := inProcess(t, newRollback, []string{"rollback", "--env", "staging", "--yes", "--restart", "none"})
	if code != 0 || fly.File("a") != "" || fly.File("b") != "" {
		t.Errorf("exit %d, left in a: %t, in b: %t\n%s%s", code, fly.File("a") != "", fly.File("b") != "", out, errOut)
	}
}

// oneLine joins wrapped text.
func oneLine(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "-- ", "--")
}

// One yes is for what keysplit writes; whether a person has set the key somewhere
// is another question, and no is an answer to it.
func TestLineByLineThePlaceSetByHandIsAskedForByItself(t *testing.T) {
	elsewhere(t, nil)
	fly := stepstest.NewTool(t, "fly", flies).OnPath()
	for _, c := range []struct {
		answers string
		code    int
	}{{"y\ny\nn\n", ExitCancelled}, {"y\ny\n", 0}} {
		var out strings.Builder
		o := &upgradeOptions{place: place{env: "staging"}, delivery: delivery{targets: []string{"manual:the bank", "fly:a"}, skip: []string{"smoke-test"}}, restart: "none"}
		stdio := IO{State: Stdio().State, In: strings.NewReader(c.answers), Out: &out, Err: &out, InTTY: true}
		run, err := o.run(t.Context(), stdio)
		if err != nil {
			t.Fatal(err)
		}
		err = upgrade(t.Context(), stdio, ui.NewEngine(run), newPlain(stdio, &o.speech), o)
		if code := exitCode(stdio, err); code != c.code || fly.File("a") == "" || !strings.Contains(out.String(), "Have you set it there?") ||
			strings.Contains(out.String(), "set by hand in the bank") != (c.code == 0) {
			t.Fatalf("%q: exit %d\n%s", c.answers, code, out.String())
		}
	}
}

func TestLineByLineEveryFileIsNamed(t *testing.T) {
	files := map[string]string{"a.env": "SECRET_KEY=x\n", "b.env": "SECRET_KEY=y\n"}
	elsewhere(t, files)
	args := []string{"--env", "staging", "--target", "dotenv:a.env", "--target", "dotenv:b.env", "--dry-run"}
	if code, out := upgradeTo(t, args...); code != 0 && code != 1 || !strings.Contains(out, "\n  a.env\n") || !strings.Contains(out, "\n  b.env\n") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if _, out := upgradeTo(t, append(args, "--json")...); !strings.Contains(out, `"file":"b.env"}`) {
		t.Errorf("as JSON: %s", out)
	}
}

// A grace period for a place that is no file here: the module is code, and is
// written; how the two variables get there is shown. Where the key before was never
// readable, that is said.
func TestAGracePeriodElsewhere(t *testing.T) {
	conf := func(target string) string {
		return "[environments.staging]\ntargets = [" + target + "]\nrestart = \"none\"\n"
	}
	root, local := elsewhere(t, map[string]string{"keysplit.toml": conf(`"railway:web", "dotenv:a.env"`), "a.env": "SECRET_KEY=x\n"})
	railway := stepstest.NewTool(t, "railway", `case "$1 $2" in
"variable list") [ -e "$DIR/state" ] && echo '{"JWT_SECRET_KEY":"'$(cat "$DIR/state")'"}' || echo '{}' ;;
"variable set") case "$*" in *--help*) echo "  --stdin  read it"; exit 0 ;; esac; cat >"$DIR/state" ;;
*) exit 9 ;;
esac`).OnPath()
	old := djangotest.NewKey()
	if err := os.WriteFile(filepath.Join(railway.Dir, "state"), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := upgradeTo(t, "--env", "staging", "--rotate", "--trust-config"); code != 0 || !strings.Contains(oneLine(out), "keysplit grace --env staging") {
		t.Fatalf("rotate: exit %d\n%s", code, out)
	}
	code, out, errOut := inProcess(t, newGrace, []string{"grace", "--env", "staging"})
	if code != 0 || !strings.Contains(out, "railway variable set JWT_PREVIOUS_SECRET_KEY --stdin --service web < ") || strings.Contains(out, old[:12]) {
		t.Fatalf("exit %d\n%s%s", code, out, errOut)
	}
	_, after, _ := strings.Cut(out, "--service web < ")
	file, _, _ := strings.Cut(after, "\n")
	if kept, err := os.ReadFile(file); err != nil || string(kept) != old {
		t.Errorf("the file that the command reads: %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, "jwt_grace.py")); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(filepath.Join(root, "a.env")); !strings.Contains(string(text), "JWT_PREVIOUS_SECRET_KEY="+old+"\n") {
		t.Error("the file among the targets lacks the previous key")
	}
	if text, _ := os.ReadFile(filepath.Join(root, ".env")); keyOf(t, filepath.Join(root, ".env")) != local || strings.Contains(string(text), "PREVIOUS") {
		t.Error("the .env of development changed")
	}

	root, _ = elsewhere(t, map[string]string{"keysplit.toml": conf(`"fly:a"`)})
	fly := stepstest.NewTool(t, "fly", flies).OnPath()
	if err := os.WriteFile(filepath.Join(fly.Dir, "a"), []byte("JWT_SECRET_KEY="+old+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := upgradeTo(t, "--env", "staging", "--rotate", "--trust-config"); code != 0 || !strings.Contains(oneLine(out), "there can be no grace period") {
		t.Fatalf("rotate: exit %d\n%s", code, out)
	}
	code, out, errOut = inProcess(t, newGrace, []string{"grace", "--env", "staging"})
	if code != 1 || !strings.Contains(oneLine(out), "never shows a value") {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	if _, err := os.Stat(filepath.Join(root, "jwt_grace.py")); err == nil {
		t.Error("the module was written for nothing")
	}
}

// What goes elsewhere is not read by a server of the project that runs here, so
// without --restart none is restarted or asked. The dry run makes no key that
// anybody could take for the one to come, and claims nothing about a place that
// only a person can look into.
func TestElsewhereNothingHereIsRestarted(t *testing.T) {
	elsewhere(t, map[string]string{".env.staging": "SECRET_KEY=" + djangotest.NewKey() + "\n"})
	code, out, errOut := inProcess(t, newUpgrade, []string{"upgrade", "--yes", "--env", "staging", "--target", "dotenv:.env.staging", "--skip", "smoke-test"})
	if out += errOut; code != 0 || !strings.Contains(out, "Nothing was restarted.") || keyOf(t, ".env.staging") == "" {
		t.Errorf("exit %d\n%s", code, out)
	}
	code, out, errOut = inProcess(t, newUpgrade, []string{"upgrade", "--dry-run", "--env", "other", "--target", "manual:the vault"})
	if out += errOut; code != 0 || !strings.Contains(oneLine(out), "a new key 86 characters; the real run makes its own") || strings.Contains(out, "fingerprint") || !strings.Contains(out, "Nothing is restarted.") || !strings.Contains(out, "keysplit cannot read it from here") || strings.Contains(out, "holds no J") {
		t.Errorf("the plan: exit %d\n%s", code, out)
	}
}

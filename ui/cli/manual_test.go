//go:build unix

package cli

import (
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/ui"
)

// One yes is for what keysplit writes; whether a person has set the key somewhere
// is another question, and no is an answer to it.
func TestLineByLineThePlaceSetByHandIsAskedForByItself(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	fly := stepstest.NewTool(t, "fly", `case "$1 $2" in
"secrets list") [ -e "$DIR/a" ] && echo '[{"Name":"JWT_SECRET_KEY","Digest":"'$(cksum <"$DIR/a" | cut -d' ' -f1)'"}]' || echo '[]' ;;
"secrets import") cat >"$DIR/a" ;;
"auth whoami") echo ada@example.com ;;
*) exit 9 ;;
esac`).OnPath()
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

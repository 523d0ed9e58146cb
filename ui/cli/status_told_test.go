//go:build unix

package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/status"
)

// What a status has is said, each in its own row.
func TestWhatAStatusSays(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 2, 3, 4, 0, 0, time.UTC)
	for want, s := range map[string]status.Status{
		"over since 2030-01-02 03:04 UTC; the variables of f00d can be removed": {Grace: &status.Grace{Key: "f00d", Until: at, Over: true}},
		"f00d is accepted as well, until 2030-01-02 03:04 UTC":                  {Grace: &status.Grace{Key: "f00d", Until: at}},
		"Unfinished: A part has it.":                                            {Unfinished: []prose.Text{prose.Say("A part has it.")}},
		"Not looked at: The server.":                                            {Unseen: []prose.Text{prose.Say("The server.")}},
		"http://a f00d, signs with it":                                          {Servers: []status.Server{{URL: "http://a", Key: "f00d", Says: prose.Say("signs with it")}}},
		"changed .env, key f00d, not finished":                                  {Runs: []status.Ran{{Time: at, Changed: []string{".env"}, Key: "f00d"}}},
		"changed .env, key f00d, undone since":                                  {Runs: []status.Ran{{Time: at, Changed: []string{".env"}, Key: "f00d", Undone: true}}},
		"there, and cannot be read back: the store":                             {Places: []status.Place{{Where: "the store", State: status.Sealed}}},
	} {
		var o bytes.Buffer
		newPlain(IO{Out: &o, Err: &o}, &speech{noColor: true}).status(s)
		if said := strings.Join(strings.Fields(o.String()), " "); !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, o.String())
		}
	}
}

// gone is an output that takes nothing.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errors.New("the other end is closed") }

// A result that could not be printed is no good end.
func TestAResultThatCannotBePrinted(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	for _, args := range []string{"check --static --json", "check --static --format sarif", "status --json", "explain --json", "rollback --emergency --json"} {
		var e bytes.Buffer
		if code := Main(strings.Fields(args), IO{State: Stdio().State, In: strings.NewReader(""), Out: gone{}, Err: &e}); code == ExitOK || !strings.Contains(e.String(), "the other end is closed") {
			t.Errorf("%s: exit %d\n%s", args, code, e.String())
		}
	}
}

// What an exit code is for is said with it.
func TestWhyAnExitCodeIsSaid(t *testing.T) {
	t.Parallel()
	for says, err := range map[string]error{"keysplit: the disk is gone\n": &exitError{ExitFinding, errors.New("the disk is gone")}, "": &exitError{code: ExitFinding}} {
		var o bytes.Buffer
		if code := exitCode(IO{Err: &o}, err); code != ExitFinding || o.String() != says || err.Error() == "" != (says == "") {
			t.Errorf("%d, %q", code, o.String())
		}
	}
}

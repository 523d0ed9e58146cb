package write

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/vendor"
)

// What a person is to type can be typed, whatever a place is called.
func TestCommandsByHandAreQuoted(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]string{
		"github:acme/shop@blue green": "gh secret set JWT_SECRET_KEY --repo acme/shop --env 'blue green'",
		"railway:the web@staging":     "railway variable set JWT_SECRET_KEY --stdin --service 'the web' --environment staging < FILE",
		"railway:web":                 "--stdin --service web < FILE",
	} {
		_, target := oneTarget(t, spec)
		if got := target.(*remote).store.Manner().ByHand.Rendered(); !strings.Contains(got, want) {
			t.Errorf("%s: %s", spec, got)
		}
	}
}

// The commands work as they are shown, in a plain shell: the previous key arrives
// on standard input, or by the name of its file, and is in no argument.
func TestTheCommandsForAGracePeriodWork(t *testing.T) {
	const until = "2030-01-31T12:00:00Z"
	old := stepstest.Key()
	file := filepath.Join(t.TempDir(), "a key's file")
	if err := os.WriteFile(file, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	x := vendor.Extra{SecretName: "JWT_PREVIOUS_SECRET_KEY", File: file, PlainName: "JWT_PREVIOUS_SECRET_KEY_UNTIL", Plain: until}
	for spec, c := range map[string]struct {
		program string
		stdin   string // what holds the key there, "" for its file's name as an argument
	}{
		"kubernetes:shop/backend#jwt-secret-key": {"kubectl", `{"data":{"jwt-previous-secret-key":"BASE64"},"stringData":{"jwt-previous-secret-key-until":"` + until + `"}}`},
		"vault:kv/app/jwt":                       {"vault", ""},
		"aws:prod/shop":                          {"aws", ""},
		"github:acme/shop@staging":               {"gh", "KEY"},
		"railway:web@staging":                    {"railway", "KEY"},
		"fly:shop":                               {"fly", "JWT_PREVIOUS_SECRET_KEY=KEY\nJWT_PREVIOUS_SECRET_KEY_UNTIL=" + until + "\n"},
	} {
		t.Run(spec, func(t *testing.T) {
			program := stepstest.NewTool(t, c.program, `cat >>"$DIR/stdin"`).OnPath()
			_, target := oneTarget(t, spec)
			for _, line := range ExtraSteps(target, x) {
				line = strings.TrimSpace(line)
				if first := strings.Fields(line)[0]; first != c.program && first != "printf" {
					continue // words for a person
				}
				cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v: %s", line, err, out)
				}
			}
			want := strings.NewReplacer("KEY\n", old+"\n", "BASE64", base64.StdEncoding.EncodeToString([]byte(old))).Replace(c.stdin)
			if c.stdin == "KEY" {
				want = old
			}
			if got := program.Stdin(); got != want {
				t.Errorf("standard input had %d bytes, want %d", len(got), len(want))
			}
			if argv := program.Argv(); holdsPart(argv, old) || c.stdin == "" && !strings.Contains(argv, file) {
				t.Error("the arguments hold the key, or not the name of its file")
			}
		})
	}
	for spec, want := range map[string]string{"heroku:shop": "heroku config:edit", "aws:prod/shop#key": "JSON object", "manual:the bank": "In the bank"} {
		t.Run(spec, func(t *testing.T) {
			_, target := oneTarget(t, spec)
			if all := strings.Join(ExtraSteps(target, x), "\n"); !strings.Contains(all, want) || !strings.Contains(all, file) || !strings.Contains(all, until) {
				t.Errorf("%s", all)
			}
		})
	}
	t.Run("an ARN is no name", func(t *testing.T) {
		_, target := oneTarget(t, "aws:arn:aws:secretsmanager:eu-west-1:1:secret:shop-AbCdEf")
		if all := strings.Join(ExtraSteps(target, x), "\n"); !strings.Contains(all, "--name shop-AbCdEf-previous ") {
			t.Errorf("%s", all)
		}
	})
	if _, target := oneTarget(t, "dotenv"); len(ExtraSteps(target, x)) != 0 {
		t.Error("a file needs no commands")
	}
}

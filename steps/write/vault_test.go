package write

import (
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// failingVault is a vault that does one thing not, and keeps what it was given.
func failingVault(t *testing.T, kv, fails string) *stepstest.Tool {
	return stepstest.NewTool(t, "vault", `case "$1 $2" in
"`+fails+`") echo "Error writing data" >&2; exit 2 ;;
"read "*) echo '{"data":{"type":"kv","path":"kv/","options":{"version":"`+kv+`"}}}' ;;
"kv get") fields='{"other":"x"}'; [ ! -e "$DIR/stdin" ] || fields='{"JWT_SECRET_KEY":"'$(cat "$DIR/key")'"}'
	[ `+kv+` = 1 ] && echo '{"data":'"$fields"'}' || echo '{"data":{"data":'"$fields"',"metadata":{"version":3}}}' ;;
"kv patch"|"kv put") cat >>"$DIR/stdin"; echo '{"data":{"version":4}}' ;;
"token lookup") echo '{}' ;;
esac`)
}

// A write that Vault refuses is an error, by whichever way it goes.
func TestVaultThatDoesNotWrite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ kv, fails string }{
		"version 1": {"1", "kv put"}, "version 2": {"2", "kv patch"},
	} {
		t.Run(name, func(t *testing.T) {
			program := failingVault(t, c.kv, c.fails)
			run, target := oneTarget(t, "vault:kv/shop")
			if _, err := target.Plan(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			var events stepstest.Events
			err := target.Apply(t.Context(), run, events.Emit)
			if err == nil || run.Wrote || len(run.Journal.Deliveries()) != 0 || program.Stdin() != "" {
				t.Errorf("error %v, wrote %t, in force %+v", err, run.Wrote, run.Journal.Deliveries())
			}
			for _, ev := range events {
				if ev.Mark == steps.MarkOK || strings.HasPrefix(ev.Text.Rendered(), "wrote") {
					t.Errorf("it says: %s", ev.Text)
				}
			}
		})
	}
}

// So is one that does not take the value back.
func TestVaultThatDoesNotRestore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kv, fails string
		old       bool
	}{
		"version 1, a value": {"1", "kv put", true}, "version 1, none": {"1", "kv put", false},
		"version 2, a value": {"2", "kv patch", true}, "version 2, none": {"2", "kv put", false},
		"it cannot be read": {"2", "kv get", false},
	} {
		t.Run(name, func(t *testing.T) {
			failingVault(t, c.kv, c.fails)
			run, target := oneTarget(t, "vault:kv/shop")
			var old secret.Secret
			if c.old {
				old = run.Secret(stepstest.Key())
			}
			h := steps.Held{Readable: true, There: true}
			if c.kv == "2" {
				h.Version = "3"
			}
			if err := target.(*remote).store.Restore(t.Context(), run, journal.Delivery{}, old, h); err == nil {
				t.Error("no error")
			}
		})
	}
}

// A write to one version says which version it made, where Vault says it.
func TestTheVersionThatVaultMade(t *testing.T) {
	t.Parallel()
	for want, answer := range map[string]string{"4": `{"data":{"version":4}}`, "": `{"data":{}}`} {
		stepstest.NewTool(t, "vault", `case "$1 $2" in "kv patch") cat >/dev/null; echo '`+answer+`' ;; *) exit 2 ;; esac`)
		run, target := oneTarget(t, "vault:kv/shop")
		if got, err := target.(*remote).store.Put(t.Context(), run, run.Key, steps.Held{Version: "3"}); err != nil || got != want {
			t.Errorf("%s: version %q, %v", answer, got, err)
		}
	}
}

package vendor

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// Everything that stands beside the key in a place may come up in the log of a service
// that does not start with the new one.
func TestTheOtherValuesOfAPlaceAreNotShown(t *testing.T) {
	for name, c := range map[string]struct {
		argument string
		parse    func(string) (Store, error)
		body     func(values map[string]any) string
	}{
		"kubectl": {"shop/backend#jwt", parseKubernetes, func(values map[string]any) string {
			data := map[string]string{}
			for n, v := range values {
				if _, nested := v.(string); !nested {
					v = asJSON(v)
				}
				data[n] = base64.StdEncoding.EncodeToString([]byte(v.(string)))
			}
			return `case "$1" in get) cat <<'END'
` + asJSON(map[string]any{"data": data}) + `
END
;; esac`
		}},
		"aws": {"prod/shop#jwt", parseAWS, func(values map[string]any) string {
			return `case "$2" in get-secret-value) cat <<'END'
` + asJSON(map[string]string{"SecretString": asJSON(values)}) + `
END
;; esac`
		}},
		"vault": {"kv/shop#jwt", parseVault, func(values map[string]any) string {
			return `case "$1 $2" in "read "*) echo '{"data":{"type":"kv","path":"kv/"}}' ;; "kv get") cat <<'END'
` + asJSON(map[string]any{"data": values}) + `
END
;; esac`
		}},
	} {
		t.Run(name, func(t *testing.T) {
			values := map[string]string{"jwt": stepstest.Key(), "db": stepstest.Key()[:20], "SECRET_KEY": stepstest.Key(), "nested": stepstest.Key()[:24]}
			held := map[string]any{"db": map[string]any{"user": "ada", "login": map[string]string{"password": values["nested"]}}}
			for _, n := range []string{"jwt", "SECRET_KEY"} {
				held[n] = values[n]
			}
			held["mail"] = values["db"]
			stepstest.NewTool(t, name, c.body(held))
			s, err := c.parse(c.argument)
			if err != nil {
				t.Fatal(err)
			}
			run := stepstest.NewRun(t, "", nil)
			h, err := s.Look(t.Context(), run)
			if err != nil || !h.Key.Set() || !h.SecretKey.Set() {
				t.Fatalf("%+v, %v", h, err)
			}
			for of, value := range values {
				if shown := run.Redactor.Show(secret.Said("cannot connect with " + value + " there")); strings.Contains(shown, value[:8]) || !strings.Contains(shown, "cannot connect with ") {
					t.Errorf("the value of %s is shown", of)
				}
			}
		})
	}
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

package write

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
)

func TestTheRealKubernetes(t *testing.T) {
	cluster := stepstest.NewCluster(t)
	kubectl, as := cluster.Kubectl, cluster.As
	value := func(key string) string {
		b, err := base64.StdEncoding.DecodeString(kubectl("", "get", "secret", "backend", "-o", `jsonpath={.data.`+key+`}`))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	other := stepstest.Key()
	kubectl(fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"backend","namespace":"shop"},"stringData":{"secret-key":%q,"other":"a\nb"}}`, other), "create", "-f", "-")

	// A new key, then another in its place, each undone.
	var keys []string
	for range 2 {
		before := value("jwt-secret-key")
		run, target := oneTarget(t, "kubernetes:backend")
		run.Options.Timeout = 30 * time.Second
		said, err := bring(run, target)
		if err != nil {
			t.Fatal(err)
		}
		key := run.Key.Reveal()
		if value("jwt-secret-key") != key || value("secret-key") != other || value("other") != "a\nb" {
			t.Error("the key is not there to the byte, or another one changed")
		}
		undone, err := undo(run)
		if err != nil {
			t.Fatal(err)
		}
		if value("jwt-secret-key") != before {
			t.Error("the undo did not bring it back as it was")
		}
		noLeak(t, run, key, map[string]string{"what was said": said, "the undo": undone})
		run, target = oneTarget(t, "kubernetes:backend")
		if _, err := bring(run, target); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, run.Key.Reveal())
	}
	if value("jwt-secret-key") != keys[1] {
		t.Error("the second key is not the one in force")
	}

	// A rotation that logs nobody out, in an entry each.
	h := holder{
		spec: "kubernetes:backend", key: "jwt-secret-key", second: "jwt-previous-secret-key", until: "jwt-previous-secret-key-until",
		values: func() map[string]string {
			var data map[string][]byte
			if err := json.Unmarshal([]byte(kubectl("", "get", "secret", "backend", "-o", "jsonpath={.data}")), &data); err != nil {
				t.Fatal(err)
			}
			out := map[string]string{}
			for name, v := range data {
				out[name] = string(v)
			}
			return out
		},
	}
	h.stages(t, keys[1])

	// Somebody writes after the last look.
	run, target := oneTarget(t, "kubernetes:backend")
	if _, err := target.Plan(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	kubectl("", "patch", "secret", "backend", "--type=merge", "-p", `{"stringData":{"other":"changed"}}`)
	stale := target.(*remote)
	_, err := stale.store.Put(t.Context(), run, run.Key, stale.held)
	wantCode(t, err, "place-conflict")
	if value("other") != "changed" || value("jwt-secret-key") != keys[1] {
		t.Error("somebody's change was lost")
	}

	as("guest")
	run, target = oneTarget(t, "kubernetes:backend")
	_, err = bring(run, target)
	wantCode(t, err, "access-denied")
	as("admin")

	run, target = oneTarget(t, "kubernetes:nothing")
	_, err = bring(run, target)
	wantCode(t, err, "place-not-found")

	kubectl("", "patch", "secret", "backend", "--type=merge", "-p", `{"immutable":true}`)
	run, target = oneTarget(t, "kubernetes:backend")
	_, err = bring(run, target)
	wantCode(t, err, "place-immutable")
	if value("jwt-secret-key") != keys[1] {
		t.Error("an immutable Secret was changed")
	}
}

package write

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// realVault starts a Vault server in dev mode, with the program that
// KEYSPLIT_VAULT names, and puts the program on PATH. Its engines are secret (KV
// version 2), one (version 1) and transit. as logs in with a token of the policy,
// "root" for all rights.
func realVault(t *testing.T) (vault func(stdin string, args ...string) string, as func(policy string)) {
	t.Helper()
	program := os.Getenv("KEYSPLIT_VAULT")
	if program == "" {
		t.Skip("only where KEYSPLIT_VAULT names one: bash .ci/real vault")
	}
	dir := t.TempDir()
	if err := os.Symlink(program, filepath.Join(dir, "vault")); err != nil {
		t.Fatal(err)
	}
	address := stepstest.FreeAddress(t)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("HOME", dir)
	t.Setenv("VAULT_ADDR", "http://"+address)
	root := stepstest.Key()
	t.Setenv("VAULT_TOKEN", root)

	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, "server", "-dev", "-dev-no-store-token", "-dev-listen-address="+address)
	server.Env = append(os.Environ(), "VAULT_DEV_ROOT_TOKEN_ID="+root)
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait(); log.Close() })
	for end := time.Now().Add(30 * time.Second); exec.Command("vault", "status").Run() != nil; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("the server does not start: %s", text[max(0, len(text)-2000):])
		}
	}
	vault = func(stdin string, args ...string) string {
		t.Helper()
		c := exec.Command("vault", args...)
		c.Stdin = strings.NewReader(stdin)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("vault %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	vault("", "secrets", "enable", "-path=one", "-version=1", "kv")
	vault("", "secrets", "enable", "transit")
	vault(`path "secret/data/app/*" { capabilities = ["read"] }`, "policy", "write", "reader", "-")
	vault(`path "secret/data/app/*" { capabilities = ["read", "patch"] }`, "policy", "write", "writer", "-")
	as = func(policy string) {
		t.Setenv("VAULT_TOKEN", root)
		if policy != "root" {
			t.Setenv("VAULT_TOKEN", strings.TrimSpace(vault("", "token", "create", "-field=token", "-policy="+policy, "-ttl=1h")))
		}
	}
	return vault, as
}

func TestTheRealVault(t *testing.T) {
	vault, as := realVault(t)
	starts := traced(t, "vault")
	for _, place := range []string{"secret", "one"} {
		t.Run(place, func(t *testing.T) {
			spec := "vault:" + place + "/app/jwt#jwt_key"
			fields := func() (fields map[string]any) {
				var answer struct{ Data map[string]any }
				if err := json.Unmarshal([]byte(vault("", "kv", "get", "-format=json", "-mount="+place, "app/jwt")), &answer); err != nil {
					t.Fatal(err)
				}
				if place == "secret" {
					return answer.Data["data"].(map[string]any)
				}
				return answer.Data
			}
			other := stepstest.Key()
			vault(`{"secret_key":"`+other+`","other":"a\nb","number":7}`, "kv", "put", "-mount="+place, "app/jwt", "-")

			// A new key, then another in its place, each undone.
			var key string
			for range 2 {
				before := fields()["jwt_key"]
				run, target := oneTarget(t, spec)
				said, err := bring(run, target)
				if err != nil {
					t.Fatal(err)
				}
				key = run.Key.Reveal()
				if got := fields(); got["jwt_key"] != key || got["secret_key"] != other || got["other"] != "a\nb" || got["number"] != 7.0 || len(got) != 4 {
					t.Error("the key is not there to the byte, or another field changed")
				}
				undone, err := undo(run)
				if err != nil {
					t.Fatal(err)
				}
				if fields()["jwt_key"] != before {
					t.Error("the undo did not bring it back as it was")
				}
				noLeak(t, run, key, map[string]string{"what was said": said, "the undo": undone, "how vault was started": starts()})
				run, target = oneTarget(t, spec)
				if _, err := bring(run, target); err != nil {
					t.Fatal(err)
				}
				key = run.Key.Reveal()
			}

			// Somebody writes after the last look: refused where there are versions, kept where not.
			run, target := oneTarget(t, spec)
			if _, err := target.Plan(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			changed := fields()
			changed["other"] = "changed"
			body, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			vault(string(body), "kv", "put", "-mount="+place, "app/jwt", "-")
			stale := target.(*remote)
			_, err = stale.store.Put(t.Context(), run, run.Key, stale.held)
			if place == "secret" {
				wantCode(t, err, "place-conflict")
			} else if err != nil {
				t.Fatal(err)
			}
			if got := fields(); got["other"] != "changed" || (place == "secret") != (got["jwt_key"] == key) {
				t.Error("somebody's change was lost")
			}
		})
	}

	// A rotation that logs nobody out, in both versions; with the right to read and patch
	// alone, its two stages.
	for _, place := range []string{"secret", "one"} {
		old := stepstest.Key()
		vault(`{"jwt_key":"`+old+`","other":"a\nb"}`, "kv", "put", "-mount="+place, "app/rotated", "-")
		fields := func() map[string]string {
			var answer struct{ Data json.RawMessage }
			var two struct{ Data map[string]string }
			var one map[string]string
			err := json.Unmarshal([]byte(vault("", "kv", "get", "-format=json", "-mount="+place, "app/rotated")), &answer)
			if err == nil && place == "secret" {
				err = json.Unmarshal(answer.Data, &two)
				one = two.Data
			} else if err == nil {
				err = json.Unmarshal(answer.Data, &one)
			}
			if err != nil {
				t.Fatal(err)
			}
			return one
		}
		h := holder{spec: "vault:" + place + "/app/rotated#jwt_key", key: "jwt_key", second: "jwt_previous_key", until: "jwt_previous_key_until", values: fields}
		h.stages(t, old)
		if place == "one" {
			continue
		}
		as("writer")
		run, target := h.begin(t)
		next := stepstest.Key()
		for _, s := range []steps.Stage{steps.Accepting, steps.Signing} {
			key, second := old, next
			if s == steps.Signing {
				key, second = next, old
			}
			stage(run, s, key, second)
			if _, err := bring(run, target); err != nil {
				t.Errorf("%s, with a token that may only read and patch: %v", s, err)
			}
		}
		as("root")
		h.has(t, fields(), next, old)
	}

	refused(t, "vault:secret/app/nothing", "place-not-found")
	refused(t, "vault:nothing/app/jwt", "access-denied") // Vault does not tell whether a mount is there
	refused(t, "vault:transit/app/jwt", "place-not-found")
	as("reader")
	refused(t, "vault:secret/app/jwt", "access-denied")
	as("writer")
	run, target := oneTarget(t, "vault:secret/app/jwt")
	if _, err := bring(run, target); err != nil {
		t.Errorf("a token that may only read and patch: %v", err)
	}
	t.Setenv("VAULT_TOKEN", stepstest.Key())
	refused(t, "vault:secret/app/jwt", "tool-not-logged-in")
	as("root")
	vault("", "operator", "seal")
	refused(t, "vault:secret/app/jwt", "place-unreachable")
}

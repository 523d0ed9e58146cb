package write

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// manager is one target with its stand-in's memory.
type manager struct {
	name, spec, program string
	start               func(old string) remembered // with the value before, "" for none
	value               func(k remembered) (key string, others bool)
}

func vaultManager(kv int) manager {
	return manager{
		name: "vault", spec: "vault:kv/app/jwt#jwt_key", program: "vault",
		start: func(old string) remembered {
			fields := map[string]string{"other": "a&b<c", "secret_key": stepstest.Key()}
			if old != "" {
				fields["jwt_key"] = old
			}
			return remembered{KV: kv, Versions: []map[string]string{fields}}
		},
		value: func(k remembered) (string, bool) {
			last := k.Versions[len(k.Versions)-1]
			return last["jwt_key"], last["other"] == "a&b<c" && last["secret_key"] != ""
		},
	}
}

func managers() []manager {
	one, two := vaultManager(1), vaultManager(2)
	one.name, two.name = "vault, KV version 1", "vault, KV version 2"
	return []manager{one, two, {
		name: "aws, a JSON key", spec: "aws:prod/shop#JWT_SECRET_KEY", program: "aws",
		start: func(old string) remembered {
			text := `{"SECRET_KEY":"` + stepstest.Key() + `","other":"a&b<c","n":1.50`
			if old != "" {
				text += `,"JWT_SECRET_KEY":"` + old + `"`
			}
			return remembered{Strings: []string{text + "}"}}
		},
		value: func(k remembered) (string, bool) {
			text := k.Strings[len(k.Strings)-1]
			var fields map[string]any
			_ = json.Unmarshal([]byte(text), &fields)
			key, _ := fields["JWT_SECRET_KEY"].(string)
			return key, strings.Contains(text, `"n":1.50`) && strings.Contains(text, `"other":"a&b<c"`)
		},
	}, {
		name: "aws, the whole secret", spec: "aws:prod/shop", program: "aws",
		start: func(old string) remembered { return remembered{Strings: []string{old}} },
		value: func(k remembered) (string, bool) { return k.Strings[len(k.Strings)-1], true },
	}}
}

// begin starts a stand-in with the value before.
func (m manager) begin(t *testing.T, k remembered) *stepstest.Tool {
	t.Helper()
	program := stepstest.NewTool(t, m.program, standInBody(t, m.program))
	remember(t, program, k)
	return program
}

func remember(t *testing.T, program *stepstest.Tool, k remembered) {
	t.Helper()
	data, err := json.Marshal(k)
	if err == nil {
		err = os.WriteFile(filepath.Join(program.Dir, "state.json"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func memory(t *testing.T, program *stepstest.Tool) remembered {
	t.Helper()
	var k remembered
	if err := json.Unmarshal([]byte(program.File("state.json")), &k); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestManagersTakeTheKeyAndGiveTheOldOneBack(t *testing.T) {
	t.Parallel()
	for _, m := range managers() {
		for _, old := range []string{"", stepstest.Key()} {
			t.Run(m.name+map[bool]string{true: ", new", false: ", replaced"}[old == ""], func(t *testing.T) {
				program := m.begin(t, m.start(old))
				run, target := oneTarget(t, m.spec)
				said, err := bring(run, target)
				if err != nil {
					t.Fatal(err)
				}
				key := run.Key.Reveal()
				if got, others := m.value(memory(t, program)); got != key || !others {
					t.Errorf("the key is there: %t, the other values too: %t", got == key, others)
				}
				if strings.Contains(program.Environ(), "JWT_SECRET_KEY=") {
					t.Error("the program inherited JWT_SECRET_KEY")
				}
				again, _ := Targets([]string{m.spec})
				if plan, err := again[0].Plan(t.Context(), run); err != nil || !plan.Nothing {
					t.Errorf("a second run: %+v, %v", plan, err)
				}
				undone, err := undo(run)
				if old == "" && m.spec == "aws:prod/shop" {
					wantCode(t, err, "place-not-restored") // no empty value is taken
				} else if got, others := m.value(memory(t, program)); err != nil || got != old || !others {
					t.Errorf("after the undo: as before %t, the others too %t, %v", got == old, others, err)
				}
				for _, secret := range []string{key, old} {
					if secret != "" {
						noLeak(t, run, secret, map[string]string{"argv": program.Argv(), "the environment": program.Environ(), "what was said": said, "the undo": undone})
					}
				}
			})
		}
	}
}

func TestManagersRefuseToWriteOverAChange(t *testing.T) {
	t.Parallel()
	for _, m := range managers() {
		if m.name == "vault, KV version 1" {
			continue // it has nothing to tell a change by
		}
		t.Run(m.name, func(t *testing.T) {
			k := m.start(stepstest.Key())
			k.Racing = true
			program := m.begin(t, k)
			run, target := oneTarget(t, m.spec)
			_, err := bring(run, target)
			wantCode(t, err, "place-conflict")
			if got, _ := m.value(memory(t, program)); got == run.Key.Reveal() {
				t.Error("it was written over")
			}
			if len(run.Journal.Deliveries()) != 0 {
				t.Error("it is recorded as delivered")
			}
		})
	}
}

// Between the plan and a yes an hour may lie. Another key that came to be there is
// somebody's; another value beside it is no reason to stop.
func TestManagersLookAgainBeforeTheyWrite(t *testing.T) {
	t.Parallel()
	for _, m := range managers() {
		for what, ours := range map[string]bool{"the key": true, "another value": false} {
			if !ours && m.spec == "aws:prod/shop" {
				continue // there is no other
			}
			t.Run(m.name+", "+what, func(t *testing.T) {
				before := m.start(stepstest.Key())
				program := m.begin(t, before)
				run, target := oneTarget(t, m.spec)
				if _, err := target.Plan(t.Context(), run); err != nil {
					t.Fatal(err)
				}
				now, theirs := before, stepstest.Key()
				if ours {
					now = m.start(theirs)
				}
				now.Versions, now.Strings = append(before.Versions, now.Versions...), append(before.Strings, now.Strings...)
				if before.KV == 1 {
					now.Versions = now.Versions[1:]
				}
				remember(t, program, now)
				err := target.Apply(t.Context(), run, func(steps.Event) {})
				got, _ := m.value(memory(t, program))
				if ours {
					wantCode(t, err, "place-conflict")
				}
				if err != nil != ours || (got == theirs) != ours || (got == run.Key.Reveal()) == ours {
					t.Errorf("%v; theirs is there: %t, ours: %t", err, got == theirs, got == run.Key.Reveal())
				}
			})
		}
	}
}

func TestManagersWithoutTheSecret(t *testing.T) {
	t.Parallel()
	for spec, makes := range map[string]string{
		"vault:kv/app/nothing": "vault kv put -mount=kv app/nothing made_for=JWT_SECRET_KEY",
		"aws:nothing":          "aws secretsmanager create-secret --name nothing --secret-string to-be-set",
		"aws:nothing#k":        "aws secretsmanager create-secret --name nothing --secret-string '{}'",
	} {
		m := vaultManager(2)
		if strings.HasPrefix(spec, "aws") {
			m = managers()[3]
		}
		m.begin(t, m.start(""))
		run, target := oneTarget(t, spec)
		_, err := bring(run, target)
		if f := wantCode(t, err, "place-not-found"); !strings.HasSuffix(f.Fix.Rendered(), makes) {
			t.Errorf("the fix does not make the secret: %s", f.Fix.Rendered())
		}
	}
	m := managers()[2]
	m.begin(t, remembered{Strings: []string{"no JSON"}})
	run, target := oneTarget(t, m.spec)
	_, err := bring(run, target)
	if f := wantCode(t, err, "place-not-found"); !strings.Contains(f.Fix.Rendered(), "Leave out") {
		t.Errorf("fix %q", f.Fix.Rendered())
	}
}

// What others have written since stays, when the key is taken out again.
func TestVaultTakesOneFieldOutOfANewerSecret(t *testing.T) {
	t.Parallel()
	m := vaultManager(2)
	program := m.begin(t, m.start(""))
	run, target := oneTarget(t, m.spec)
	if _, err := bring(run, target); err != nil {
		t.Fatal(err)
	}
	k := memory(t, program)
	newer := maps.Clone(k.Versions[len(k.Versions)-1])
	newer["other"] = "changed since"
	k.Versions = append(k.Versions, newer)
	remember(t, program, k)
	if _, err := undo(run); err != nil {
		t.Fatal(err)
	}
	got := memory(t, program).Versions
	if last := got[len(got)-1]; last["jwt_key"] != "" || last["other"] != "changed since" || last["secret_key"] == "" || len(last) != 2 {
		t.Errorf("the key is gone: %t, %d fields", last["jwt_key"] == "", len(last))
	}
}

// A run that was killed after Vault had taken the key: the next one finds it there,
// and a rollback takes it out again.
func TestVaultTakesBackWhatAKilledRunBrought(t *testing.T) {
	t.Parallel()
	m := vaultManager(2)
	program := m.begin(t, m.start(""))
	run, target := oneTarget(t, m.spec)
	if _, err := target.Plan(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Journal.Deliver(journal.Delivery{Target: m.spec, Where: "vault", Key: run.Prints.Of(run.Key), Version: "1"}, secret.Secret{}); err != nil {
		t.Fatal(err)
	}
	k := memory(t, program)
	fields := maps.Clone(k.Versions[0])
	fields["jwt_key"] = run.Key.Reveal()
	k.Versions = append(k.Versions, fields)
	remember(t, program, k)
	again, _ := Targets([]string{m.spec})
	if _, err := bring(run, again[0]); err != nil {
		t.Fatal(err)
	}
	_, err := undo(run)
	if got, others := m.value(memory(t, program)); err != nil || got != "" || !others {
		t.Errorf("it is still there: %t, the others too: %t, %v", got != "", others, err)
	}
}

// KV version 1 is restored as a whole: what is no text stays to the digit.
func TestVaultKeepsWhatIsNoText(t *testing.T) {
	t.Parallel()
	program := stepstest.NewTool(t, "vault", `case "$1 $2" in
"read "*) echo '{"data":{"type":"kv","path":"kv/"}}' ;;
"kv get") if [ -e "$DIR/stdin" ]; then echo "{\"data\":$(cat "$DIR/stdin")}"; else echo '{"data":{"big":12345678901234567890,"exact":1.50,"none":null,"nested":{"b":[1]}}}'; fi ;;
"kv put") cat >"$DIR/stdin" ;;
esac`)
	run, target := oneTarget(t, "vault:kv/shop#none")
	if _, err := bring(run, target); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"big":12345678901234567890`, `"exact":1.50`, `"nested":{"b":[1]}`, `"none":"` + run.Key.Reveal() + `"`} {
		if !strings.Contains(program.Stdin(), want) {
			t.Errorf("%.20s is not there any more", want)
		}
	}
}

func TestWhatHeldKeysAreCalled(t *testing.T) {
	t.Parallel()
	for _, m := range managers()[:3] {
		m.begin(t, m.start(stepstest.Key()))
		run, target := oneTarget(t, m.spec)
		h, err := target.Look(t.Context(), run)
		if err != nil || !h.Key.Set() || !h.SecretKey.Set() || h.Where == "" {
			t.Errorf("%s: %+v, %v", m.name, h, err)
		}
		if codes := steps.JudgeKey(h.Key, h.SecretKey); len(codes) > 0 {
			t.Errorf("%s: %v", m.name, codes)
		}
	}
}

// What a person recognises a place by is all there: the address and account of
// Vault, also when nobody set the address, and the region and account of AWS.
func TestManagersAreNamedInFull(t *testing.T) {
	t.Parallel()
	vault, aws := vaultManager(2), managers()[3]
	for name, c := range map[string]struct {
		m       manager
		spec    string
		environ map[string]string
		want    []string
	}{
		"vault":                 {vault, vault.spec, map[string]string{"VAULT_ADDR": "https://vault.example.com", "VAULT_NAMESPACE": "shop"}, []string{"kv/app/jwt", "field jwt_key", "at https://vault.example.com", "namespace shop", "as ldap-ada"}},
		"vault, by default":     {vault, vault.spec, map[string]string{"VAULT_ADDR": ""}, []string{"at https://127.0.0.1:8200 (VAULT_ADDR is not set)"}},
		"vault, a nested mount": {vault, "vault:team/shop/app/jwt#jwt_key", nil, []string{"team/shop/app/jwt"}},
		"aws":                   {aws, aws.spec, nil, []string{"prod/shop", "region eu-west-1", "account 123456789012", "user/ada"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.m.begin(t, c.m.start(stepstest.Key()))
			run, target := oneTarget(t, c.spec)
			run.Environ = stepstest.LookupEnv(t, c.environ)
			said, err := bring(run, target)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not said:\n%s", want, said)
				}
			}
			if strings.Contains(said, "hvs.secret") {
				t.Error("the token's id is shown")
			}
			if _, err := undo(run); err != nil {
				t.Error(err)
			}
		})
	}
}

package write

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/vendor"
)

// holder is a place that holds a grace period beside the key, with what a test sees of it.
type holder struct {
	spec               string
	key, second, until string // the names there
	values             func() map[string]string
	run                *steps.Run
	store              vendor.Store
	change             func(name, value string)
	argv, environ      func() string
}

// holders are those of which a stand-in is here, each with a key in it.
func holders(t *testing.T, old string) map[string]func(t *testing.T) holder {
	t.Helper()
	ofManager := func(m manager, key, second string, last func(k remembered) map[string]string, set func(k *remembered, name, value string)) func(t *testing.T) holder {
		return func(t *testing.T) holder {
			program := m.begin(t, m.start(old))
			return holder{
				spec: m.spec, key: key, second: second, until: second + map[bool]string{true: "_until", false: "_UNTIL"}[key == strings.ToLower(key)],
				values: func() map[string]string { return last(memory(t, program)) },
				change: func(name, value string) { k := memory(t, program); set(&k, name, value); remember(t, program, k) },
				argv:   program.Argv, environ: program.Environ,
			}
		}
	}
	ofVault := func(m manager) func(t *testing.T) holder {
		return ofManager(m, "jwt_key", "jwt_previous_key", func(k remembered) map[string]string { return k.Versions[len(k.Versions)-1] }, func(k *remembered, name, value string) {
			fields := maps.Clone(k.Versions[len(k.Versions)-1])
			fields[name] = value
			if k.KV == 1 {
				k.Versions = nil
			}
			k.Versions = append(k.Versions, fields)
		})
	}
	fields := func(k remembered) map[string]string {
		var all map[string]any
		_ = json.Unmarshal([]byte(k.Strings[len(k.Strings)-1]), &all)
		out := map[string]string{}
		for name, v := range all {
			out[name], _ = v.(string)
		}
		return out
	}
	all := managers()
	return map[string]func(t *testing.T) holder{
		"vault, KV version 1": ofVault(all[0]),
		"vault, KV version 2": ofVault(all[1]),
		"aws, a JSON key": ofManager(all[2], "JWT_SECRET_KEY", "JWT_PREVIOUS_SECRET_KEY", fields, func(k *remembered, name, value string) {
			now := fields(*k)
			now[name] = value
			data, _ := json.Marshal(now)
			k.Strings = append(k.Strings, string(data))
		}),
		"heroku": func(t *testing.T) holder {
			fake, run, target := herokuBench(t)
			fake.vars["JWT_SECRET_KEY"] = old
			return holder{
				spec: "heroku:shop", key: "JWT_SECRET_KEY", second: "JWT_PREVIOUS_SECRET_KEY", until: "JWT_PREVIOUS_SECRET_KEY_UNTIL",
				values: func() map[string]string { return maps.Clone(fake.vars) }, run: run, store: target.store, change: func(name, value string) { fake.vars[name] = value },
			}
		},
		"kubernetes": func(t *testing.T) holder {
			a := cluster(t)
			a.data["jwt-secret-key"] = base64.StdEncoding.EncodeToString([]byte(old))
			return holder{
				spec: "kubernetes:backend", key: "jwt-secret-key", second: "jwt-previous-secret-key", until: "jwt-previous-secret-key-until",
				values: func() map[string]string {
					a.mu.Lock()
					defer a.mu.Unlock()
					out := map[string]string{}
					for name, v := range a.data {
						b, _ := base64.StdEncoding.DecodeString(v)
						out[name] = string(b)
					}
					return out
				},
				change: func(name, value string) {
					a.mu.Lock()
					defer a.mu.Unlock()
					a.data[name] = base64.StdEncoding.EncodeToString([]byte(value))
					a.version++
				},
			}
		},
	}
}

// begin makes the holder's run, or takes the one that it has.
func (h *holder) begin(t *testing.T) (*steps.Run, *remote) {
	t.Helper()
	if h.run == nil {
		run, target := oneTarget(t, h.spec)
		h.run, h.store = run, target.(*remote).store
		run.Options.Timeout = 30 * time.Second
	}
	target := &remote{spec: h.spec, store: h.store}
	h.run.Targets = []steps.Target{target}
	return h.run, target
}

// undo undoes what the run did, at the very store of the holder.
func (h *holder) undo(t *testing.T, run *steps.Run, target *remote) (said string, err error) {
	t.Helper()
	var events stepstest.Events
	for _, d := range slices.Backward(run.Journal.AppliedElsewhere()) {
		if err = target.undo(t.Context(), run, d, events.Emit); err != nil {
			break
		}
	}
	all, _ := json.Marshal([]any{events, fmt.Sprintf("%+v", err)})
	return string(all), err
}

// stage sets a run to a stage with two keys.
func stage(run *steps.Run, s steps.Stage, key, second string) {
	run.Stage, run.Key, run.Second = s, run.Secret(key), secret.Secret{}
	if s.Both() {
		run.Second, run.Until = run.Secret(second), time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	}
}

// stages takes a place that holds the old key through all stages of a rotation: each of
// them is one change of all three values, read back, and every other value stays. Then a
// rollback brings everything back.
func (h *holder) stages(t *testing.T, old string) {
	t.Helper()
	run, target := h.begin(t)
	next, before := stepstest.Key(), h.values()
	var said string
	through := func(s steps.Stage, key, second string) {
		t.Helper()
		stage(run, s, key, second)
		if err := staged(run, run.Targets); err != nil {
			t.Fatal(err)
		}
		text, err := bring(run, target)
		if err != nil {
			t.Fatal(err)
		}
		said += text
		h.has(t, before, key, second)
		if plan, err := target.Plan(t.Context(), run); err != nil || !plan.Nothing {
			t.Errorf("the same stage again: %+v, %v", plan, err)
		}
	}
	through(steps.Accepting, old, next)
	through(steps.Signing, next, old)
	if err := run.Home().Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if second, until, under := run.Grace(time.Now()); !under || second.Reveal() != old || !until.Equal(run.Until) {
		t.Errorf("the grace period of the place is not seen: %t", under)
	}
	through(steps.Closing, next, "")

	run.Stage = steps.NoStage
	if strings.HasPrefix(h.spec, "aws") { // a task of ECS that names them must find them
		before[h.second], before[h.until] = "", ""
	}
	undone, err := h.undo(t, run, target)
	if err != nil || !maps.Equal(h.values(), before) {
		t.Errorf("the undo did not bring everything back as it was: %v, %v", err, slices.Sorted(maps.Keys(h.values())))
	}
	texts := map[string]string{"what was said": said, "the undo": undone}
	if h.argv != nil {
		texts["argv"], texts["the environment"] = h.argv(), h.environ()
	}
	for _, key := range []string{old, next} {
		noLeak(t, run, key, texts)
	}
}

// has wants the two keys of a stage in the place, with the deadline, and everything else
// as it was before.
func (h *holder) has(t *testing.T, before map[string]string, key, second string) {
	t.Helper()
	now := h.values()
	if now[h.key] != key || now[h.second] != second || (second != "") != (now[h.until] != "") || second != "" && now[h.until] != steps.GraceUntil(h.run.Until) {
		t.Errorf("the place does not hold the two keys of the stage and the deadline: %t %t %q", now[h.key] == key, now[h.second] == second, now[h.until])
	}
	rest := maps.Clone(before)
	for _, n := range []string{h.key, h.second, h.until} {
		delete(now, n)
		delete(rest, n)
	}
	if !maps.Equal(rest, now) {
		t.Errorf("another value changed: %v", slices.Sorted(maps.Keys(now)))
	}
}

// A place that can be read back goes through all stages of a rotation and back, and a
// change by someone else is not written over. Not parallel: the cluster sets variables.
func TestPlacesHoldAGracePeriod(t *testing.T) {
	old := stepstest.Key()
	for name, make := range stepstest.Part(3, holders(t, old)) {
		t.Run(name, func(t *testing.T) {
			h := make(t)
			h.stages(t, old)
			run, target := h.begin(t)

			// Someone else's second key, between the plan and the write.
			stage(run, steps.Accepting, old, stepstest.Key())
			if _, err := target.Plan(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			h.change(h.second, "someone else's")
			err := target.Apply(t.Context(), run, func(steps.Event) {})
			wantCode(t, err, "place-conflict")
			if h.values()[h.second] != "someone else's" {
				t.Error("it was written over")
			}
			// And one after the write: a rollback leaves it.
			if _, err := bring(run, target); err != nil {
				t.Fatal(err)
			}
			h.change(h.second, "someone else's")
			if _, err := h.undo(t, run, target); err == nil || h.values()[h.second] != "someone else's" {
				t.Errorf("a rollback went over someone else's second key: %v", err)
			}
		})
	}
}

// Where a place cannot hold a second key, nothing is written, and the reason is the
// place's own.
func TestPlacesThatHoldNoGracePeriodSayWhy(t *testing.T) {
	t.Parallel()
	for spec, why := range map[string]string{
		"aws:shop": "is the key and nothing else", "github:ada/shop": "never shows a value", "fly:shop": "shows digests",
		"railway:web": "one variable at a time", "manual:the vault": "cannot read or write the vault",
	} {
		t.Run(spec, func(t *testing.T) {
			run, target := oneTarget(t, spec)
			for s, fix := range map[steps.Stage]string{steps.Accepting: "upgrade --rotate", steps.Closing: "by hand"} {
				stage(run, s, stepstest.Key(), stepstest.Key())
				_, err := (&Step{}).Plan(t.Context(), run)
				f := wantCode(t, err, "grace-not-advised")
				if !strings.Contains(f.Message.Rendered(), why) || !strings.Contains(f.Fix.Rendered(), fix) {
					t.Errorf("%s: %s %s", s, f.Message.Rendered(), f.Fix.Rendered())
				}
			}
			r, ok := target.(*remote)
			if !ok {
				return
			}
			if _, pair := r.store.(vendor.Pair); pair != (spec == "aws:shop") {
				t.Errorf("it is a Pair: %t", pair)
			}
		})
	}
	var failure *steps.Failure
	run, _ := oneTarget(t, "fly:shop")
	if err := staged(run, run.Targets); errors.As(err, &failure) {
		t.Error("without a stage it is refused")
	}
}

package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/restart"
)

func TestProductionIsConfirmedByItsName(t *testing.T) {
	plan := steps.Plan{Question: prose.Say("This is production. Write the key there?"), Confirm: "production"}
	for name, c := range map[string]struct {
		o     answers
		typed string
		want  error // nil for a yes
		said  string
	}{
		"yes alone":        {answers{yes: true}, "", steps.ErrUsage, "--confirm production"},
		"yes and its name": {answers{yes: true, confirm: []string{"production"}}, "", nil, ""},
		"another name":     {answers{yes: true, confirm: []string{"staging"}}, "", steps.ErrUsage, `"production"`},
		"typed":            {answers{}, "production\n", nil, ""},
		"typed wrong":      {answers{}, "prod\n", steps.ErrCancelled, ""},
		"enter alone":      {answers{}, "\n", steps.ErrCancelled, ""},
		"the end of input": {answers{}, "", steps.ErrCancelled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			stdio := IO{State: Stdio().State, In: strings.NewReader(c.typed), Out: &out, Err: &out}
			run := &steps.Run{Options: steps.Options{Environment: "production"}}
			err := c.o.confirmed(context.Background(), run, newPlain(stdio, &speech{}), plan, "written")
			if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.said) {
				t.Errorf("error %v, want %v with %q", err, c.want, c.said)
			}
			if again := run.Confirm(); (again == "") != (err == nil) {
				t.Errorf("asked for again: %q", again)
			}
		})
	}
}

// With nobody there to be asked, the production that only the restart touches is
// named before anything is written.
func TestARestartOfProductionIsNamedBeforeTheWrite(t *testing.T) {
	for name, c := range map[string]struct {
		o       upgradeOptions
		restart string
		env     string
		refused bool
	}{
		"yes alone":                {upgradeOptions{answers: answers{yes: true}}, "fly:shop-prod", "staging", true},
		"yes and its name":         {upgradeOptions{answers: answers{yes: true, confirm: []string{"shop-prod"}}}, "fly:shop-prod", "staging", false},
		"another app":              {upgradeOptions{answers: answers{yes: true}}, "fly:shop-stg", "staging", false},
		"somebody is there":        {upgradeOptions{}, "fly:shop-prod", "staging", false},
		"the environment says it":  {upgradeOptions{answers: answers{yes: true}}, "fly:shop-prod", "production", false}, // and is asked for by the write
		"no restart":               {upgradeOptions{answers: answers{yes: true}, delivery: delivery{skip: []string{"restart"}}}, "fly:shop-prod", "staging", false},
		"nothing is carried out":   {upgradeOptions{answers: answers{yes: true}, dryRun: true}, "fly:shop-prod", "staging", false},
		"the restart is somewhere": {upgradeOptions{answers: answers{yes: true}}, "none", "staging", false},
	} {
		way, err := restart.Parse(c.restart)
		if err != nil {
			t.Fatal(err)
		}
		run := &steps.Run{Options: steps.Options{Environment: c.env, Restart: way}}
		run.Options.Skip, _ = c.o.skipped()
		w := &walk{e: steps.NewEngine(run), f: newPlain(IO{}, &c.o.speech), o: &c.o}
		if err := w.foresee(context.Background()); errors.Is(err, steps.ErrUsage) != c.refused || !c.refused && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// It is named before the write, and not while the other steps look and choose.
func TestARestartOfProductionIsNamedAtTheWrite(t *testing.T) {
	t.Parallel()
	way, err := restart.Parse("fly:shop-prod")
	if err != nil {
		t.Fatal(err)
	}
	run := &steps.Run{Options: steps.Options{Environment: "staging", Restart: way}}
	var took []steps.Name
	var all []steps.Step
	for _, n := range []steps.Name{steps.Preflight, steps.Generate, steps.Write} {
		all = append(all, acted{name: n, apply: func(*steps.Run) error { took = append(took, n); return nil }})
	}
	o := &upgradeOptions{answers: answers{yes: true}}
	w := &walk{e: steps.NewEngine(run, all...), f: newPlain(IO{Out: io.Discard, Err: io.Discard}, &o.speech), o: o}
	for _, n := range []steps.Name{steps.Preflight, steps.Generate, steps.Write} {
		if err = w.once(t.Context(), n); err != nil {
			break
		}
	}
	if !errors.Is(err, steps.ErrUsage) || !slices.Equal(took, []steps.Name{steps.Preflight, steps.Generate}) {
		t.Errorf("%v, after %q", err, took)
	}
}

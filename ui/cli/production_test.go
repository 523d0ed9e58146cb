package cli

import (
	"context"
	"errors"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/restart"
)

func TestProductionIsConfirmedByItsName(t *testing.T) {
	plan := steps.Plan{Question: "This is production. Write the key there?", Confirm: "production"}
	for name, c := range map[string]struct {
		o     options
		typed string
		want  error // nil for a yes
		said  string
	}{
		"yes alone":        {options{yes: true}, "", steps.ErrUsage, "--confirm production"},
		"yes and its name": {options{yes: true, confirm: []string{"production"}}, "", nil, ""},
		"another name":     {options{yes: true, confirm: []string{"staging"}}, "", steps.ErrUsage, `"production"`},
		"typed":            {options{}, "production\n", nil, ""},
		"typed wrong":      {options{}, "prod\n", steps.ErrCancelled, ""},
		"enter alone":      {options{}, "\n", steps.ErrCancelled, ""},
		"the end of input": {options{}, "", steps.ErrCancelled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			stdio := IO{State: Stdio().State, In: strings.NewReader(c.typed), Out: &out, Err: &out}
			run := &steps.Run{Options: steps.Options{Environment: "production"}}
			err := c.o.confirmed(context.Background(), run, newPlain(stdio, &c.o), plan, "written")
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
		o       options
		restart string
		env     string
		refused bool
	}{
		"yes alone":                {options{yes: true}, "fly:shop-prod", "staging", true},
		"yes and its name":         {options{yes: true, confirm: []string{"shop-prod"}}, "fly:shop-prod", "staging", false},
		"another app":              {options{yes: true}, "fly:shop-stg", "staging", false},
		"somebody is there":        {options{}, "fly:shop-prod", "staging", false},
		"the environment says it":  {options{yes: true}, "fly:shop-prod", "production", false}, // and is asked for by the write
		"no restart":               {options{yes: true, skip: []string{"restart"}}, "fly:shop-prod", "staging", false},
		"nothing is carried out":   {options{yes: true, dryRun: true}, "fly:shop-prod", "staging", false},
		"the restart is somewhere": {options{yes: true}, "none", "staging", false},
	} {
		way, err := restart.Parse(c.restart)
		if err != nil {
			t.Fatal(err)
		}
		run := &steps.Run{Options: steps.Options{Environment: c.env, Restart: way}}
		run.Options.Skip, _ = c.o.skipped()
		w := &walk{e: steps.NewEngine(run), f: newPlain(IO{}, &c.o), o: &c.o}
		if err := w.foresee(context.Background()); errors.Is(err, steps.ErrUsage) != c.refused || !c.refused && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

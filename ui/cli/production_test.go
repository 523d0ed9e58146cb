package cli

import (
	"context"
	"errors"
	"strings"
	"testing"

	"dj/keysplit/steps"
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
		"yes and its name": {options{yes: true, confirm: "production"}, "", nil, ""},
		"another name":     {options{yes: true, confirm: "staging"}, "", steps.ErrUsage, `"production"`},
		"typed":            {options{}, "production\n", nil, ""},
		"typed wrong":      {options{}, "prod\n", steps.ErrCancelled, ""},
		"enter alone":      {options{}, "\n", steps.ErrCancelled, ""},
		"the end of input": {options{}, "", steps.ErrCancelled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			stdio := IO{In: strings.NewReader(c.typed), Out: &out, Err: &out}
			w := &walk{o: &c.o, f: newPlain(stdio, &c.o), stdio: stdio}
			err := w.confirmed(context.Background(), plan)
			if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.said) {
				t.Errorf("error %v, want %v with %q", err, c.want, c.said)
			}
		})
	}
}

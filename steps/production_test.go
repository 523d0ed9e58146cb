package steps_test

import (
	"errors"
	"strings"
	"testing"

	"dj/keysplit/steps"
)

// Production changes only under its name: on the command line, or typed.
func TestProductionIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given []string
		yes   bool
		ask   bool
		says  string
	}{
		"given":               {[]string{"shop"}, true, false, ""},
		"one of two":          {[]string{"prod", "shop"}, false, false, ""},
		"another was given":   {[]string{"shop-staging"}, false, false, `--confirm "shop-staging" is not the name`},
		"nobody is there":     {nil, true, false, "add --confirm shop; nothing was written"},
		"somebody can answer": {nil, false, true, ""},
	} {
		run := &steps.Run{}
		ask, err := run.GivenName(steps.Plan{Confirm: "shop"}, c.given, c.yes, "written")
		if ask != c.ask || (err != nil) != (c.says != "") || err != nil && (!errors.Is(err, steps.ErrUsage) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: ask %t, %v", name, ask, err)
		}
		if named := len(run.Confirmed) == 1; named != (!c.ask && c.says == "") {
			t.Errorf("%s: named %q", name, run.Confirmed)
		}
	}
	run := &steps.Run{}
	if run.Named("shop", "shop ") || len(run.Confirmed) != 0 || !run.Named("shop", "shop") || len(run.Confirmed) != 1 {
		t.Errorf("named %q", run.Confirmed)
	}
}

package preflight

import (
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest/djangotest"
)

// Where settings can get a key of their own, that comes first, and what else is said of
// the key leads there; what the next steps write anyway is left to them.
func TestTheOfferToAdoptComesFirst(t *testing.T) {
	t.Parallel()
	missing := finding.New(finding.JWTKeyMissing, "missing").WithFix(finding.Do("Set it somewhere."))
	for name, c := range map[string]struct {
		missing finding.Finding
		leads   bool
	}{"kept elsewhere": {missing.NotFixable(), true}, "written by the steps": {missing.Needed(), false}} {
		project := &steps.Project{Facts: &steps.Facts{Package: "simplejwt"}, Findings: []finding.Finding{c.missing, finding.New(finding.SettingsNotUpgraded, "fallback")}}
		run := &steps.Run{Found: steps.Found{Project: project, Django: struct{ steps.Django }{}}}
		if err := (&Step{}).adopt(t.Context(), run, nil); err != nil {
			t.Fatal(err)
		}
		if f := project.Findings; f[0].Code != finding.SettingsNotUpgraded || f[0].Ask.Empty() || strings.Contains(f[1].Fix.Rendered(), "--adopt") != c.leads {
			t.Errorf("%s: %s, then %q", name, codes(f), f[1].Fix.Rendered())
		}
	}
}

// What keysplit cannot edit is not offered: the lines to paste are shown, and nothing
// leads to --adopt.
func TestNoOfferThatCannotBeMade(t *testing.T) {
	t.Parallel()
	for _, code := range []finding.Code{finding.SettingsNotUpgraded, finding.SigningKeyInCode} {
		root := lay(t, map[string]string{"settings.py": "import dynaconf\nSIMPLE_JWT = {}\nsettings = dynaconf.DjangoDynaconf(__name__)\n"})
		project := &steps.Project{Root: root, TopLevel: root, SettingsModule: "settings", SettingsFile: filepath.Join(root, "settings.py"), Python: djangotest.Python(t, djangotest.Modern),
			Facts: &steps.Facts{Package: "simplejwt"}, Findings: []finding.Finding{finding.New(finding.JWTKeyMissing, "missing").NotFixable(), finding.New(code, "")}}
		run := &steps.Run{Found: steps.Found{Project: project, Django: struct{ steps.Django }{}}}
		if err := (&Step{}).adopt(t.Context(), run, nil); err != nil {
			t.Fatal(err)
		}
		all := ""
		for _, f := range project.Findings {
			all += f.Fix.Rendered()
		}
		if f := project.Findings[0]; f.Code != code || f.Fixable || !f.Ask.Empty() || strings.Contains(all, "--adopt") || !strings.Contains(f.Fix.Rendered(), "@format") {
			t.Errorf("%s, fixable %t: %s", f.Code, f.Fixable, all)
		}
	}
}

package preflight

import (
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// Where an entrypoint makes the variable that the settings lack, it is named, and with it
// the command that lets it run.
func TestAVariableThatAnEntrypointMakes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"DATABASE_URL": "docker/entrypoint sets it on line 3", "CACHE_URL": "start.sh sets it on line 1",
		"SHOP_DATABASE_URL": "", "BROKER_URL": "", "": "",
	} {
		dir := lay(t, map[string]string{
			"docker/entrypoint": "#!/bin/bash\nset -e\nif true; then export DATABASE_URL=\"postgres://$POSTGRES_USER@db\"; fi\nexec \"$@\"\n",
			"start.sh":          "export CACHE_URL\n", "docs/setup.md": "export BROKER_URL=x\n", "ci.yml": "run: export BROKER_URL=x\n",
		})
		p := &steps.Project{Root: dir, TopLevel: dir, Stopped: steps.Stopped{Setting: name}}
		f := (&diagnosis{project: p}).beforeIt(t.Context(), finding.New(finding.DjangoNotRunnable, "It stopped."), "keysplit --python x")
		said := f.Message.Rendered()
		if !strings.HasPrefix(said, "It stopped.") || !strings.Contains(said, want) || (want == "") != (said == "It stopped.") {
			t.Errorf("%s: %s", name, said)
		}
		if fix := f.Fix.Rendered(); !strings.Contains(fix, "keysplit --python x") || strings.Contains(fix, "If what") != (want == "") {
			t.Errorf("%s: %s", name, fix)
		}
	}
}

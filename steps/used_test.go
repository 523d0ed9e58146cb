package steps

import (
	"slices"
	"testing"
)

// The commands after an upgrade go by the places that it was told. Where it was told
// none, each of them finds out for itself where the backend gets its key.
func TestWhatAnUpgradeWasToldIsKept(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		given []Target // by --target or the configuration
		want  []string
	}{
		"a place":   {[]Target{somewhere{spec: "heroku:shop"}}, []string{"heroku:shop"}},
		"no places": {nil, nil},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			j, env := withJournal(t, "")
			r := &Run{Targets: c.given, Found: Found{Journal: j, Project: &Project{EnvFile: EnvFile{Path: env}}}}
			if r.Options.Targets = c.given; len(c.given) == 0 {
				r.Targets = []Target{somewhere{spec: "dotenv"}} // which the command line has by default
			}
			if err := r.remember(); err != nil {
				t.Fatal(err)
			}
			if u, ok := j.LastUsed(); !ok || !slices.Equal(u.Targets, c.want) || u.Python != "" {
				t.Errorf("kept %q and Python %q, %t", u.Targets, u.Python, ok)
			}
			r.Options.Python, r.Project.Python, r.Project.PythonArgs = "poetry", "/bin/poetry", []string{"run", "python"}
			if err := r.remember(); err != nil {
				t.Fatal(err)
			}
			if u, _ := j.LastUsed(); u.Python != "/bin/poetry run python" {
				t.Errorf("of the Python that was named it keeps %q", u.Python)
			}
		})
	}
}

package steps

import (
	"strings"
	"testing"

	"dj/keysplit/steps/finding"
)

// Who stops learns what is in force, and how to undo it, whichever run wrote the key.
func TestAStoppedRunSaysWhatIsInForce(t *testing.T) {
	t.Parallel()
	const waits, undo = "The key is written; no server was seen to use it yet.", "keysplit rollback"
	for name, c := range map[string]struct {
		end         Ending
		waits, undo bool
	}{
		"before the write":             {end: Ending{Stopped: true}},
		"after the write":              {Ending{Stopped: true, Changed: true, Steps: map[Name]Status{Write: Done}}, true, true},
		"after an earlier run's":       {Ending{Stopped: true, Earlier: true, Steps: map[Name]Status{Write: Done}}, true, true},
		"before that is looked at":     {Ending{Stopped: true, Earlier: true}, false, true},
		"after the restart":            {Ending{Stopped: true, Changed: true, Steps: map[Name]Status{Write: Done, Restart: Done}}, false, true},
		"without a restart":            {Ending{Stopped: true, Changed: true, Steps: map[Name]Status{Write: Done, Restart: Skipped}}, false, true},
		"in the demo, which goes away": {Ending{Stopped: true, Changed: true, Throwaway: true, Steps: map[Name]Status{Write: Done}}, false, false},
	} {
		if got := c.end.Summary().Rendered(); strings.Contains(got, waits) != c.waits || !strings.HasPrefix(got, "Stopped.") {
			t.Errorf("%s: %q", name, got)
		}
		next := ""
		for _, n := range c.end.Next() {
			next += n.Rendered() + "\n"
		}
		if strings.Contains(next, undo) != c.undo {
			t.Errorf("%s: %q", name, next)
		}
	}
	finished := Ending{OK: true, Earlier: true, Restarted: true}
	if next := finished.Next(); len(next) != 1 || !strings.Contains(next[0].Rendered(), undo) {
		t.Errorf("a run that finished an earlier one: %q", next)
	}
	if next := (Ending{OK: true, Earlier: true}).Next(); len(next) != 0 {
		t.Errorf("a run with nothing to do: %q", next)
	}
	for code, how := range map[finding.Code]string{finding.RestartFailed: "once the restart works", finding.ToolMissing: "once that program is there"} {
		broken := Ending{GoOn: "keysplit upgrade --restart command:false", Given: []string{"--restart", "command:false"}, Findings: []finding.Finding{finding.New(code, "")}}
		if next := broken.Next(); !strings.Contains(next[len(next)-1].Rendered(), "To continue, "+how+": keysplit upgrade") {
			t.Errorf("%s: %q", code, next)
		}
	}
	for _, code := range []finding.Code{finding.ProjectNotFound, finding.UpgradeUnfinished} { // nothing goes on, or its fix says how
		nowhere := Ending{GoOn: "keysplit upgrade", Findings: []finding.Finding{finding.New(code, "")}}
		if next := nowhere.Next(); len(next) != 1 || strings.Contains(next[0].Rendered(), "keysplit") {
			t.Errorf("%s: %q", code, next)
		}
	}
	failed := Ending{Earlier: true, Steps: map[Name]Status{Write: Done, Restart: Failed}}
	if next := failed.Next()[0].Rendered(); !strings.Contains(next, undo) {
		t.Errorf("a restart that failed after an earlier run's write: %q", next)
	}
}

// A good end does not hide a secret that git would pick up: it is said beside it, with the
// line for each file, and the mark is no tick.
func TestAnEndBesideASecretInTheOpen(t *testing.T) {
	t.Parallel()
	one := finding.New(finding.EnvFileNotIgnored, "").At(".env", 0).WithFix(finding.Do("Add a line to .gitignore: /%s", ".env"))
	two := finding.New(finding.EnvFileNotIgnored, "").At(".env~", 1).WithFix(finding.Do("Add a line to .gitignore: /%s", ".env~"))
	for name, c := range map[string]struct {
		end      Ending
		sure     bool
		says     string
		gitLines int
	}{
		"nothing in the open":       {Ending{OK: true, Changed: true}, true, "Done. The backend has", 0},
		"one file":                  {Ending{OK: true, Changed: true, Findings: []finding.Finding{one}}, false, "Git does not ignore a secret file", 1},
		"two, nothing was changed":  {Ending{OK: true, Findings: []finding.Finding{one, two}}, false, "Git does not ignore a secret file", 2},
		"and the server is our own": {Ending{OK: true, Changed: true, OwnServer: true, Findings: []finding.Finding{two}}, false, "your own server was not seen", 1},
		"a plan":                    {Ending{OK: true, DryRun: true, Findings: []finding.Finding{one}}, true, "That was the plan", 0},
		"a bad end":                 {Ending{Findings: []finding.Finding{one}}, false, "Not finished", 0},
	} {
		said, lines := c.end.Summary().Rendered(), 0
		for _, n := range c.end.Next() {
			if strings.Contains(n.Rendered(), ".gitignore") {
				lines++
			}
		}
		if c.end.Sure() != c.sure || !strings.Contains(said, c.says) || lines != c.gitLines || len(c.end.exposed()) > 0 && c.end.OK && strings.Contains(said, "Done") {
			t.Errorf("%s: sure %t, %d lines: %s", name, c.end.Sure(), lines, said)
		}
	}
}

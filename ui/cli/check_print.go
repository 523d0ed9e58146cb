package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"dj/keysplit/steps"
	"dj/keysplit/steps/export"
	"dj/keysplit/steps/finding"
)

// print writes the formats that are one piece of text at the end.
func (c *checkFlags) print(stdio IO, all []*checked) error {
	var findings []finding.Finding
	for _, one := range all {
		for _, f := range one.findings {
			if c.all {
				f.Message = one.run.Options.Environment + ": " + f.Message
			}
			findings = append(findings, f)
		}
	}
	place := ""
	if p := all[0].run.Project; p != nil {
		place = p.Rel(p.ManagePy)
	}
	place = cmp.Or(place, "manage.py")
	var out []byte
	var err error
	switch c.format {
	case "json":
		return c.printJSON(stdio, all)
	case "junit":
		out, err = export.JUnit("keysplit check", export.Cases(findings))
	case "sarif":
		out, err = export.SARIF(findings, version(), place)
	case "github":
		out = []byte(export.GitHub(findings, place))
	}
	if err == nil {
		_, err = stdio.Out.Write(out)
	}
	if err != nil {
		return fmt.Errorf("print the findings: %w", err)
	}
	return nil
}

// verdict says in one sentence how an environment stands. What could not be read
// is not claimed.
func (o *options) verdict(one *checked) string {
	keys, _ := one.currentKeys()
	switch {
	case errors.Is(one.err, steps.ErrCannotLook):
		return "keysplit could not look. What to do stands above."
	case one.ready && o.committed:
		if n := len(warnings(one.findings)); n > 0 {
			return fmt.Sprintf("Not in order: %s. What to do stands above.", count(n, "warning"))
		}
		return "What is committed is in order. No .env was looked for."
	case one.ready && !one.run.Home().Here() && !keys.Key.Secret.Set():
		return "Nothing is known to be wrong, but the key cannot be read back. To prove it on the server: " + o.command("upgrade") + " --rotate"
	case one.ready && !one.run.Home().Compares(keys):
		return "Ready: JWT_SECRET_KEY is set and long enough. SECRET_KEY is not in the same place, so the two were not compared."
	case one.ready:
		return "Ready: JWT_SECRET_KEY is set, long enough and different from SECRET_KEY."
	}
	n := len(finding.Errors(one.findings))
	for _, f := range one.findings {
		// Where the look itself failed, an upgrade ends in the same way.
		if one.err == nil && f.Severity == finding.Error && f.Mends() {
			return fmt.Sprintf("Not ready: %s. Next: %s", count(n, "error"), o.command("upgrade"))
		}
	}
	return fmt.Sprintf("Not ready: %s. What to do stands above.", count(n, "error"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// checkReport is the one object that `check --json` prints. Its names are
// stable.
type checkReport struct {
	Schema      int               `json:"schema"`
	Project     *checkProject     `json:"project"`
	Environment string            `json:"environment"`
	Ready       bool              `json:"ready"`
	Findings    []finding.Finding `json:"findings"`
}

type checkProject struct {
	Root     string       `json:"root"`
	Settings string       `json:"settings"`
	Python   string       `json:"python"`
	EnvFile  string       `json:"env_file"`
	Reader   string       `json:"reader"`
	Django   *steps.Facts `json:"django,omitempty"`
}

// allReport is what `check --all --json` prints.
type allReport struct {
	Schema       int           `json:"schema"`
	Ready        bool          `json:"ready"`
	Environments []checkReport `json:"environments"`
}

func (c *checkFlags) printJSON(stdio IO, all []*checked) error {
	whole := allReport{Schema: 1, Ready: true}
	for _, one := range all {
		whole.Environments = append(whole.Environments, one.report())
		whole.Ready = whole.Ready && one.ready
	}
	enc := json.NewEncoder(stdio.Out)
	enc.SetEscapeHTML(false)
	if c.all {
		return enc.Encode(whole)
	}
	return enc.Encode(whole.Environments[0])
}

func (one *checked) report() checkReport {
	r := checkReport{Schema: 1, Environment: one.run.Options.Environment, Ready: one.ready, Findings: one.findings}
	if r.Findings == nil {
		r.Findings = []finding.Finding{}
	}
	if p := one.run.Project; p != nil {
		r.Project = &checkProject{
			Root: p.Root, Settings: p.SettingsModule, Python: p.Python, Django: p.Facts,
		}
		if file := one.run.Home().File(); file != "" { // else none of this machine's is looked at
			r.Project.EnvFile = p.Rel(file)
		}
		if len(p.EnvFile.Readers) > 0 {
			r.Project.Reader = string(p.EnvFile.Readers[0])
		}
	}
	return r
}

package cli

import (
	"cmp"
	"encoding/json"
	"fmt"

	"dj/keysplit/steps"
	"dj/keysplit/steps/export"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/inspect"
	"dj/keysplit/steps/prose"
)

// print writes the formats that are one piece of text at the end.
func (c *checkOptions) print(stdio IO, all []*inspect.Environment) error {
	var findings []finding.Finding
	for _, one := range all {
		for _, f := range one.Findings {
			if c.all {
				f.Message = prose.Labelled(one.Run.Options.Environment, "%s", f.Message)
			}
			findings = append(findings, f)
		}
	}
	place := ""
	if p := all[0].Run.Project; p != nil {
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

func (c *checkOptions) printJSON(stdio IO, all []*inspect.Environment) error {
	whole := allReport{Schema: 1, Ready: true}
	for _, one := range all {
		whole.Environments = append(whole.Environments, reportOn(one))
		whole.Ready = whole.Ready && one.Ready
	}
	enc := json.NewEncoder(stdio.Out)
	enc.SetEscapeHTML(false)
	if c.all {
		return enc.Encode(whole)
	}
	return enc.Encode(whole.Environments[0])
}

func reportOn(one *inspect.Environment) checkReport {
	r := checkReport{Schema: 1, Environment: one.Run.Options.Environment, Ready: one.Ready, Findings: one.Findings}
	if r.Findings == nil {
		r.Findings = []finding.Finding{}
	}
	if p := one.Run.Project; p != nil {
		r.Project = &checkProject{
			Root: p.Root, Settings: p.SettingsModule, Python: p.Python, Django: withoutFiles(p.Facts),
		}
		if file := one.Run.Home().File(); file != "" { // else none of this machine's is looked at
			r.Project.EnvFile = p.Rel(file)
		}
		if len(p.EnvFile.Readers) > 0 {
			r.Project.Reader = string(p.EnvFile.Readers[0])
		}
	}
	return r
}

// withoutFiles are facts without the lists that evidence alone needs: in a large project
// they are long.
func withoutFiles(f *steps.Facts) *steps.Facts {
	if f == nil {
		return nil
	}
	short := *f
	short.Modules, short.AppModules, short.Versions = nil, nil, nil
	return &short
}

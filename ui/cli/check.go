package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/preflight"
)

func newCheck(stdio IO, o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong, change nothing",
		Long: `Look at the project, its .env and its settings, and say what is wrong, why it
matters and what to do. Nothing is changed. The project's own Django is started
once, to ask it where it reads the key; with --static only files are read and
none of the project's code runs.`,
		Example: `  keysplit check
  keysplit check --static --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.dryRun = true
			run, err := o.run(cmd.Context(), stdio)
			if err != nil {
				return err
			}
			defer run.Close()
			e := steps.NewEngine(run, &preflight.Step{})
			var f front = newPlain(stdio, o)
			if o.json {
				f = silent{f}
			}
			_, err = e.Plan(cmd.Context(), steps.Preflight, f.Event)
			if err == nil {
				err = e.Apply(cmd.Context(), steps.Preflight, f.Event)
			}
			if errors.Is(err, steps.ErrCancelled) || errors.Is(err, steps.ErrUsage) {
				return err
			}
			ready := err == nil && len(steps.Errors(e.Findings())) == 0
			if o.json {
				if err := printCheck(stdio, run, e.Findings(), ready); err != nil {
					return err
				}
			} else {
				f.Note("")
				f.Note(verdict(e.Findings(), err, ready))
			}
			if err == nil && !ready {
				err = steps.Fail(e.Findings()...)
			}
			return said(err)
		},
	}
	cmd.Flags().BoolVar(&o.static, "static", false, "read files only, run none of the project's code")
	return cmd
}

// silent is a front end that shows nothing: the JSON of a check is one object
// at its end.
type silent struct{ front }

func (silent) Event(steps.Event) {}

func verdict(fs []steps.Finding, err error, ready bool) string {
	switch {
	case errors.Is(err, steps.ErrCannotLook):
		return "keysplit could not look. What to do stands above."
	case ready:
		return "Ready: JWT_SECRET_KEY is set, long enough and different from SECRET_KEY."
	}
	n := len(steps.Errors(fs))
	for _, f := range fs {
		if f.Severity == steps.Error && f.Fixable {
			return fmt.Sprintf("Not ready: %s. Next: keysplit upgrade", count(n, "error"))
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
	Schema      int             `json:"schema"`
	Project     *checkProject   `json:"project"`
	Environment string          `json:"environment"`
	Ready       bool            `json:"ready"`
	Findings    []steps.Finding `json:"findings"`
}

type checkProject struct {
	Root     string       `json:"root"`
	Settings string       `json:"settings"`
	Python   string       `json:"python"`
	EnvFile  string       `json:"env_file"`
	Reader   string       `json:"reader"`
	Django   *steps.Facts `json:"django,omitempty"`
}

func printCheck(stdio IO, run *steps.Run, fs []steps.Finding, ready bool) error {
	r := checkReport{Schema: 1, Environment: run.Options.Environment, Ready: ready, Findings: fs}
	if r.Findings == nil {
		r.Findings = []steps.Finding{}
	}
	if p := run.Project; p != nil {
		r.Project = &checkProject{
			Root: p.Root, Settings: p.SettingsModule, Python: p.Python, EnvFile: p.Rel(p.EnvFile.Path), Django: p.Facts,
		}
		if len(p.EnvFile.Readers) > 0 {
			r.Project.Reader = string(p.EnvFile.Readers[0])
		}
	}
	enc := json.NewEncoder(stdio.Out)
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

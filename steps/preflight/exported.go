package preflight

import (
	"bytes"
	"context"
	"regexp"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/repo"
)

// exportedBy is the script of the project that sets a variable for what it starts, as the
// entrypoint of an image does, relative to the top level, with the line; "" for none.
func exportedBy(ctx context.Context, p *steps.Project, name string) (script string, line int) {
	tree, err := repo.Walk(ctx, p.TopLevel)
	if err != nil || name == "" {
		return "", 0
	}
	export := regexp.MustCompile(`(?m)^.*\bexport\s+` + regexp.QuoteMeta(name) + `(?:=|\s|$)`)
	for _, path := range tree.Files[repo.Pipeline] {
		data := readSome(path)
		if !bytes.HasPrefix(data, []byte("#!")) && !strings.HasSuffix(path, ".sh") {
			continue
		}
		if at := export.FindIndex(data); at != nil {
			return p.Rel(path), 1 + bytes.Count(data[:at[0]], []byte("\n"))
		}
	}
	return "", 0
}

// beforeIt says of a start that failed in a service what may be missing: what the image
// runs first, which keysplit leaves out.
func (d *diagnosis) beforeIt(ctx context.Context, f finding.Finding, command finding.Command) finding.Finding {
	name := d.project.Stopped.Setting
	script, line := exportedBy(ctx, d.project, name)
	if script == "" {
		f.Fix = f.Fix.Then(finding.Do("If what the image runs first sets more variables: %s.", command))
		return f
	}
	f.Message = prose.Say("%s %s sets it on line %d when the container starts; keysplit starts Python without that script, which may do more.", f.Message, script, line)
	return f.WithFix(finding.Do("To let the script run first: %s.", command))
}

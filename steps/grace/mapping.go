package grace

import (
	"context"
	"fmt"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/vendor"
)

// mapped is nil where everything that gives the backend its key by name gives it the two
// variables of a grace period too, as far as that can be seen; else its *steps.Failure has
// the lines to commit and deploy first.
func mapped(ctx context.Context, run *steps.Run) error {
	all, defined := vendor.UnmappedOf(ctx, run)
	if len(defined) > 0 {
		more, err := definitions(ctx, run, defined)
		if err != nil {
			return err
		}
		all = append(all, more...)
	}
	var found []finding.Finding
	for _, u := range all {
		f := finding.New(finding.GraceNotMapped, "").At(u.Where, 0)
		f.Fix = finding.Do("Add these lines beside those of %s, in %s. Commit, deploy, then run the rotation again:\n%s", run.Names().Key, u.Where, prose.Code(strings.Join(u.Lines, "\n")))
		found = append(found, f)
	}
	if len(found) == 0 {
		return nil
	}
	return steps.Fail(found...)
}

// definitions are the manifests and task definitions among the committed files that give
// the backend the key of one of the targets and lack a variable of the grace period.
func definitions(ctx context.Context, run *steps.Run, defined []vendor.Defined) (out []vendor.Unmapped, err error) {
	tree, err := repo.Walk(ctx, run.Project.TopLevel)
	if err != nil {
		return nil, err
	}
	key, until := run.Names().Grace()
	for _, path := range tree.Files[repo.Pipeline] {
		data, err := file.ReadSmall(path)
		if err != nil {
			continue // it is no small file: nothing is known of it
		}
		text, rel := string(data), repo.Relative(run.Project.TopLevel, path)
		line := 0 // that gives the key where one of the two does not reach
		for _, name := range []string{key, until} {
			if at := repo.Read(steps.Names{Key: name, SecretKey: run.Names().Key}, true, rel, data, nil).Lacks(); line == 0 {
				line = at
			}
		}
		for _, d := range defined {
			if lines, is := d.Definition(run, text); is && line > 0 {
				out = append(out, vendor.Unmapped{Where: fmt.Sprintf("%s:%d", rel, line), Lines: lines})
			}
		}
	}
	return out, nil
}

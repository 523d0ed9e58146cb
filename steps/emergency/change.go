package emergency

import (
	"context"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/sys/git"
)

// Change is the commit of the user's own repository that brought the requirement,
// and what else it holds. Its zero value is one that is not known.
type Change struct {
	Settings   string   `json:"settings,omitempty"`   // the settings file, relative to the top level, inert
	Commit     string   `json:"commit,omitempty"`     // short
	Subject    string   `json:"subject,omitempty"`    // its first line, inert
	Others     []string `json:"others,omitempty"`     // the other files that it changes, relative to the top level
	Migrations []string `json:"migrations,omitempty"` // those of them that are migrations
	Earlier    int      `json:"earlier,omitempty"`    // more commits, before it, that changed JWT_SECRET_KEY in the settings

	names  steps.Names // of the project
	folder string      // of the work tree, as git -C takes it; "" where keysplit was started in it
}

// Find asks the project's git for the newest commit that changed how often the
// settings name JWT_SECRET_KEY. Where there is no git, or none such, only Settings
// is known. The first commit of all is none: to revert it would remove everything,
// and in a shallow clone it is only where the history was cut off.
func Find(ctx context.Context, run *steps.Run) Change {
	p := run.Project
	c := Change{names: run.Names(), folder: steps.GitFolder(p.TopLevel)}
	if p.SettingsFile == "" {
		return c
	}
	settings := p.Rel(p.SettingsFile)
	if filepath.IsAbs(settings) {
		return c
	}
	clean := func(s string) string { return strings.ReplaceAll(run.Redactor.Clean(s), "\n", " ") }
	c.Settings = clean(settings)
	// No program that the repository names: neither for the text of a file nor for
	// the signature of a commit.
	res, ok := git.Ask(ctx, p.TopLevel, nil, 64<<10, "--literal-pathspecs", "log", "-S"+run.Names().Key, "--no-textconv", "--no-ext-diff", "--no-show-signature",
		"--no-color", "--no-renames", "-z", "--format=%h%x09%p%x09%s", "--no-patch", "--", settings)
	if !ok || res.Code != 0 || res.Truncated {
		return c
	}
	commits := strings.FieldsFunc(string(res.Stdout), func(r rune) bool { return r == 0 })
	if len(commits) == 0 {
		return c
	}
	fields := strings.SplitN(strings.TrimLeft(commits[0], "\n"), "\t", 3)
	if len(fields) != 3 || fields[1] == "" {
		return c
	}
	files, ok := git.Ask(ctx, p.TopLevel, nil, 1<<20, "diff-tree", "--no-commit-id", "--name-only", "--no-renames", "-r", "-z", fields[0])
	if !ok || files.Code != 0 || files.Truncated {
		return c
	}
	c.Commit, c.Subject, c.Earlier = clean(fields[0]), clean(fields[2]), len(commits)-1
	for name := range strings.SplitSeq(string(files.Stdout), "\x00") {
		if name == "" || name == settings {
			continue
		}
		c.Others = append(c.Others, clean(name))
		if isMigration(name) {
			c.Migrations = append(c.Migrations, clean(name))
		}
	}
	return c
}

// isMigration tells of the files that Django applies to a database.
func isMigration(name string) bool {
	return path.Base(path.Dir(name)) == "migrations" && path.Ext(name) == ".py" && path.Base(name) != "__init__.py"
}

// some names the first files, and how many more there are.
func some(files []string) string {
	const most = 5
	if len(files) <= most {
		return strings.Join(files, ", ")
	}
	return strings.Join(slices.Concat(files[:most], []string{"and " + count(len(files)-most, "more")}), ", ")
}

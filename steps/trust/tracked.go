package trust

import (
	"context"
	"os"
	"path/filepath"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/git"
	"dj/keysplit/steps/sys/shell"
)

// trackedCode is the finding of an env file that git tracks.
const trackedCode finding.Code = "env-file-tracked-by-git"

// Tracked is what git says about an env file: it is an error where a secret is to be
// written to it, else a warning. Of a link the file that it leads to counts, since
// that one gets the secret.
//
// In development a file may be committed on purpose, for the team by tracked_env or
// by what a person said once; then it is worth knowing, and no more. Nothing
// overrules it in another environment. known is false where there is a repository
// and git does not answer.
func Tracked(ctx context.Context, run *steps.Run, path string, writes bool) (f finding.Finding, tracked, known bool) {
	real := followed(path)
	if !versioned(filepath.Dir(real)) {
		return f, false, true
	}
	res, ok := git.Ask(ctx, filepath.Dir(real), nil, 4<<10, "--literal-pathspecs", "ls-files", "--error-unmatch", "--", filepath.Base(real))
	if !ok || res.Code > 1 {
		return f, false, false
	}
	if res.Code == 1 {
		return f, false, true
	}
	rel := run.Project.Rel(real)
	f = finding.New(trackedCode, "").At(rel, 0)
	if by := onPurpose(run, rel); by != "" {
		f = f.WithSeverity(finding.Info).WithFix("Nothing, as long as its secrets protect nothing real.")
		f.Message = "The .env file is tracked by git, on purpose: " + by + "."
		return f, true, true
	}
	fix := "Run: " + shell.Join("git", "rm", "--cached", rel) + ", add it to .gitignore, and rotate its secrets. Or keep the key in a file that git does not track: --env-file PATH."
	if writes {
		f = f.WithSeverity(finding.Error)
		f.Message = "The .env file is tracked by git, so keysplit writes no secret to it."
	}
	if development(run) {
		fix += " If it is committed on purpose, for development only: tracked_env = true in keysplit.toml, or a yes when keysplit asks."
		f = f.Asking("Git tracks " + secret.Inert(rel) + ", so everyone with the repository gets this key. Is that on purpose?")
	}
	return f.WithFix(fix), true, true
}

func development(run *steps.Run) bool {
	return run.Options.Environment == "" || run.Options.Environment == steps.DefaultEnvironment
}

// onPurpose is who said that the file is committed on purpose, "" where nobody did or
// nobody may.
func onPurpose(run *steps.Run, rel string) string {
	if !development(run) {
		return ""
	}
	if place := run.Options.TrackedEnv; place != "" {
		return place + " says so"
	}
	j := run.Journal
	if j == nil {
		var err error
		if j, err = journal.Read(run.Project.Root, steps.DefaultEnvironment); err != nil || j == nil {
			return ""
		}
	}
	if j.Agreed(string(trackedCode), rel) {
		return "you said so to keysplit"
	}
	return ""
}

// versioned reports whether a folder is in a git work tree.
func versioned(dir string) bool {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
		dir = filepath.Dir(dir)
	}
}

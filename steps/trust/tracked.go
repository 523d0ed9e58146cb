package trust

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/git"
	"dj/keysplit/steps/sys/shell"
)

// trackedCode is the finding of an env file that git tracks.
const trackedCode finding.Code = finding.EnvFileTrackedByGit

// Tracked is what git says about an env file: it is an error where a secret is to be
// written to it, else a warning. Of a link the file that it leads to counts, since
// that one gets the secret; a link that git tracks and that leads out of the work tree
// is one as well.
//
// In development a file may be committed on purpose, for the team by tracked_env or
// by what a person said once; then it is worth knowing, and no more. Nothing
// overrules it in another environment. known is false where there is a repository
// and git does not answer.
func Tracked(ctx context.Context, run *steps.Run, path string, writes bool) (f finding.Finding, tracked, known bool) {
	real := file.Resolved(path)
	if link := linkOut(ctx, run.Project, path, real); link != "" {
		return linked(run, link, real, writes), true, true
	}
	if !versioned(filepath.Dir(real)) {
		return f, false, true
	}
	if tracked, known = asks(ctx, real); !tracked {
		return f, tracked, known
	}
	rel := run.Project.Rel(real)
	f = finding.New(trackedCode, "").At(rel, 0)
	if by := onPurpose(run, rel, run.Options.TrackedEnv); by != "" {
		f = f.WithSeverity(finding.Info).WithFix(finding.Do("Nothing, as long as its secrets protect nothing real."))
		f.Message = prose.Say("The .env file is tracked by git, on purpose: %s.", by)
		return f, true, true
	}
	fix := finding.Do("Run: %s, add it to .gitignore, and rotate its secrets. Or keep the key in a file that git does not track: `keysplit --env-file PATH`.", Untrack(real))
	if writes {
		f = f.WithSeverity(finding.Error)
		f.Message = prose.Say("The .env file is tracked by git, so keysplit writes no secret to it.")
	}
	if development(run) {
		fix = fix.Then(finding.Do("If it is committed on purpose, for development only: tracked_env = true in keysplit.toml, or a yes when keysplit asks."))
		f = f.Asking("Git tracks " + secret.Inert(rel) + ", so everyone with the repository gets this key. Is that on purpose?")
	}
	return f.WithFix(fix), true, true
}

// Untrack is the command that takes a file out of the repository and leaves it where it
// is, as it is typed where keysplit was started.
func Untrack(path string) finding.Command {
	words := []string{"git", "rm", "--cached", filepath.Base(path)}
	if dir := steps.FromHere(filepath.Dir(path)); dir != "." {
		words = slices.Insert(words, 1, "-C", dir)
	}
	return finding.Shell(words...)
}

// asks asks git whether it tracks a file or link. known is false where git does not
// answer.
func asks(ctx context.Context, path string) (tracked, known bool) {
	res, ok := git.Ask(ctx, filepath.Dir(path), nil, 4<<10, "--literal-pathspecs", "ls-files", "--error-unmatch", "--", filepath.Base(path))
	return ok && res.Code == 0, ok && res.Code <= 1
}

// linkOut is the link of the work tree, tracked by git, by which a path leads to a
// file outside of it; "" for none. Whoever committed it says where the key goes.
func linkOut(ctx context.Context, p *steps.Project, path, real string) string {
	if !outside(p, real) {
		return ""
	}
	for at := path; at != p.TopLevel && file.Within(p.TopLevel, at); at = filepath.Dir(at) {
		if info, err := os.Lstat(at); err == nil && info.Mode()&os.ModeSymlink != 0 {
			if tracked, _ := asks(ctx, at); tracked {
				return at
			}
		}
	}
	return ""
}

// linked is the finding of an env file to which such a link leads. Only a person can
// say yes to it: tracked_env is committed, too.
func linked(run *steps.Run, link, real string, writes bool) finding.Finding {
	at := run.Project.Rel(link)
	f := finding.New(trackedCode, secret.Inert(at)+" is a link that git tracks, and leads out of this work tree, to "+secret.Inert(real)+".").At(run.Project.Rel(real), 0)
	f.Why = prose.Say("Whoever committed the link decides which file of this machine gets the key.")
	switch {
	case onPurpose(run, f.File, "") != "":
		return f.WithSeverity(finding.Info).WithFix(finding.Do("Nothing: you said yes to it."))
	case writes:
		f = f.WithSeverity(finding.Error)
	}
	if development(run) {
		f = f.Asking("The committed link " + secret.Inert(at) + " leads to " + secret.Inert(real) + ". Write the key to that file?")
	}
	return f.WithFix(finding.Do("Look at the link. If that file is right, name it itself: %s", finding.Command("keysplit --env-file "+shell.Join(real))))
}

func development(run *steps.Run) bool {
	return run.Options.Environment == "" || run.Options.Environment == steps.DefaultEnvironment
}

// onPurpose is who said that the file is committed on purpose, "" where nobody did or
// nobody may. team is the place where the team's configuration says so, "" for none.
func onPurpose(run *steps.Run, rel, team string) string {
	if !development(run) {
		return ""
	}
	if team != "" {
		return team + " says so"
	}
	j := run.Journal
	if j == nil {
		var err error
		if j, err = run.Options.State.Read(run.Project.Root, steps.DefaultEnvironment); err != nil || j == nil {
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

package preflight

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/git"
	"dj/keysplit/steps/trust"
)

// exposure looks at who else can read the .env: git, and other users of this
// machine. Where git is missing or does not answer it says nothing.
func exposure(ctx context.Context, run *steps.Run, p *steps.Project) []finding.Finding {
	var found []finding.Finding
	rel := p.Rel(p.EnvFile.Path)
	// A file of references or ciphertext is made to be committed.
	if gitTop(p.Root) != "" && file.Within(p.TopLevel, p.EnvFile.Path) && !p.EnvFile.Referring() && p.Source.Kind == "" {
		f, tracked, _ := trust.Tracked(ctx, run, p.EnvFile.Path, toBeWritten(run, p))
		switch {
		case tracked:
			found = append(found, f)
		case gitSays(ctx, p, p.EnvFile.Path, "check-ignore", "-q") == 1:
			found = append(found, notIgnored(p, finding.New(finding.EnvFileNotIgnored, "Git does not ignore "+rel+".").At(rel, 0), "Add a line to .gitignore: /%s"))
		}
	}
	found = append(found, interpolated(ctx, p)...)
	if keys, err := run.Home().Keys(); err == nil && gitTop(p.Root) != "" {
		found = append(found, committed(ctx, p, keys.Key.Secret)...)
		if !run.Options.Committed {
			found = append(found, copies(ctx, p, keys)...)
		}
		if !run.Options.Static && inHistory(ctx, p, keys.Key.Secret) {
			found = append(found, finding.New(finding.EnvFileInGitHistory, "").At(rel, 0))
		}
	}
	if dockerfile, ok := inBuildContext(p); ok && p.EnvFile.Exists && !p.EnvFile.Referring() {
		found = append(found, finding.New(finding.EnvFileInBuildContext, "").At(p.Rel(dockerfile), 0).
			WithFix(finding.Do("Add a line to %s: **/%s", p.Rel(filepath.Join(filepath.Dir(dockerfile), ".dockerignore")), filepath.Base(p.EnvFile.Path))))
	}
	// No commit has permissions.
	if !run.Options.Committed && !p.EnvFile.Referring() && othersCanRead(p.EnvFile.At) {
		f := finding.New(finding.EnvFilePermissions, "").At(rel, 0)
		found = append(found, f.WithFix(finding.Do("Run: %s, or 640 where the backend's group must read it.", finding.Shell("chmod", "600", steps.FromHere(p.EnvFile.Path)))))
	}
	return found
}

// inTheOpen finds the files among the targets that git would pick up. Code reaches their
// environment by a commit, so their lines are left to a person.
func inTheOpen(ctx context.Context, run *steps.Run) (found []finding.Finding) {
	p := run.Project
	for _, path := range run.Home().Files() {
		if rel := p.Rel(path); gitTop(p.Root) != "" && file.Within(p.TopLevel, path) && gitSays(ctx, p, path, "check-ignore", "-q") == 1 && gitSays(ctx, p, path, "ls-files", "--error-unmatch") == 1 {
			found = append(found, finding.New(finding.EnvFileNotIgnored, "Git does not ignore "+rel+".").At(rel, 0).NotFixable().WithFix(finding.Do("Add a line to .gitignore: /%s", rel)))
		}
	}
	return found
}

// notIgnored is a finding of a file for which .gitignore lacks a line; fix says so of the
// file.
func notIgnored(p *steps.Project, f finding.Finding, fix string) finding.Finding {
	if at, err := os.Lstat(filepath.Join(p.TopLevel, ".gitignore")); err == nil && !at.Mode().IsRegular() {
		return f.NotFixable().WithFix(finding.Do(fix+". keysplit does not, since .gitignore is a link or no file.", f.File))
	}
	return f.WithFix(finding.Do(fix, f.File))
}

// interpolated finds a .env that git tracks and that docker compose fills the value of
// one of the two keys in from. The settings do not read it: it is no place for a key of
// keysplit's, and its value is public all the same.
func interpolated(ctx context.Context, p *steps.Project) []finding.Finding {
	if gitTop(p.Root) == "" {
		return nil
	}
	for _, dir := range upward(p.Root, p.TopLevel) {
		path := filepath.Join(dir, ".env")
		if p.Source.Kind == "" && steps.SameFile(path, p.EnvFile.Path) || !isFile(path) {
			continue
		}
		for _, l := range envfile.Parse(readSome(path)).Lines() {
			value := strings.Trim(strings.TrimSpace(l.Value), `"'`)
			if l.Kind != envfile.Assignment || !p.Names.IsKey(l.Name) && !p.Names.IsSecretKey(l.Name) || value == "" || steps.Placeholder(value) || steps.IsReference(value) {
				continue
			}
			if file := fillsIn(dir, l.Name); file != "" && gitSays(ctx, p, path, "ls-files", "--error-unmatch") == 0 {
				message := "Git tracks " + p.Rel(path) + ", from which docker compose fills in ${" + l.Name + "} (" + p.Rel(file) + "). The settings do not read it."
				return []finding.Finding{finding.New(finding.EnvFileTrackedByGit, message).At(p.Rel(path), l.Num).WithFix(
					finding.Do("Run: %s, add it to .gitignore, and make a new value. A file that is committed can have all that is no secret.", trust.Untrack(path)))}
			}
		}
	}
	return nil
}

// fillsIn is the compose file of a folder that has a variable in it, "" for none.
func fillsIn(dir, name string) string {
	variable := regexp.MustCompile(`\$\{?` + regexp.QuoteMeta(name) + `\b`)
	for _, path := range composeFiles(dir) {
		if variable.Match(readSome(path)) {
			return path
		}
	}
	return ""
}

// toBeWritten reports whether an upgrade would write to the .env.
func toBeWritten(run *steps.Run, p *steps.Project) bool {
	return run.Answers.Rotate || run.Answers.Import.Set() || slices.ContainsFunc(p.Findings, finding.Finding.FixedBySteps)
}

// untracked reports whether the .env is in the work tree and not in the repository.
// Where there is no repository, or no git, what lies there counts.
func untracked(ctx context.Context, p *steps.Project) bool {
	return gitTop(p.Root) != "" && file.Within(p.TopLevel, p.EnvFile.Path) && gitSays(ctx, p, p.EnvFile.Path, "ls-files", "--error-unmatch") == 1
}

// gitSays asks git about a file and returns its exit code, -1 for no answer.
func gitSays(ctx context.Context, p *steps.Project, path string, args ...string) int {
	res, ok := git.Ask(ctx, p.TopLevel, nil, 4<<10, append(args, "--", path)...)
	if !ok {
		return -1
	}
	return res.Code
}

// othersCanRead reports whether the file's mode and the folders above it let
// every user of the machine read it. Windows has no such mode.
func othersCanRead(at *envfile.Snapshot) bool {
	if at == nil || !at.Exists || runtime.GOOS == "windows" || at.Mode&0o004 == 0 {
		return false
	}
	for dir := filepath.Dir(at.Target); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

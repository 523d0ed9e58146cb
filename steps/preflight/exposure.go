package preflight

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/child"
)

// exposure looks at who else can read the .env: git, and other users of this
// machine. Where git is missing or does not answer it says nothing.
func exposure(ctx context.Context, p *steps.Project) []steps.Finding {
	var found []steps.Finding
	rel := p.Rel(p.EnvFile.Path)
	if gitTop(p.Root) != "" && within(p.TopLevel, p.EnvFile.Path) {
		switch {
		case p.EnvFile.Exists && gitSays(ctx, p, "ls-files", "--error-unmatch") == 0:
			f := steps.NewFinding("env-file-tracked-by-git", "").At(rel, 0)
			found = append(found, f.WithFix("Run: git rm --cached "+rel+", add it to .gitignore, and rotate its secrets."))
		case gitSays(ctx, p, "check-ignore", "-q") == 1:
			found = append(found, steps.NewFinding("env-file-not-ignored", "").At(rel, 0))
		}
	}
	if at := p.EnvFile.At; at != nil && at.Exists && runtime.GOOS != "windows" && othersCanRead(at, os.Stat) {
		f := steps.NewFinding("env-file-permissions", "").At(rel, 0)
		found = append(found, f.WithFix("Run: chmod 600 "+rel+", or 640 where the backend's group must read it."))
	}
	return found
}

// gitSays asks git about the .env and returns its exit code, -1 for no answer.
// Nothing that the repository configures is run.
func gitSays(ctx context.Context, p *steps.Project, args ...string) int {
	git, err := exec.LookPath("git")
	if err == nil {
		git, err = filepath.Abs(git)
	}
	if err != nil {
		return -1
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	args = append([]string{"-c", "core.fsmonitor=false"}, args...)
	res, err := child.Command{
		Path: git, Args: append(args, "--", p.EnvFile.Path), Dir: p.TopLevel, Limit: 4 << 10,
		Env:   append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C"),
		Unset: []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "KEYSPLIT_PASSWORD"},
	}.Run(ctx)
	if err != nil {
		return -1
	}
	return res.Code
}

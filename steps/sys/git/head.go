package git

import (
	"context"
	"strings"
)

// Head is the commit that a work tree is at, short, and whether tracked files differ
// from it. changed is nil where that was not looked at: a filter that the
// repository itself configures would have to run for it. commit is "" where git
// knows none.
func Head(ctx context.Context, dir string) (commit string, changed *bool) {
	res, ok := ask(ctx, dir, nil, 100, "rev-parse", "--short", "--verify", "-q", "HEAD")
	if !ok || res.Code != 0 {
		return "", nil
	}
	commit = strings.TrimSpace(string(res.Stdout))
	for _, of := range []string{"--local", "--worktree"} {
		filters, ok := ask(ctx, dir, nil, 1000, "config", of, "--includes", "--name-only", "--get-regexp", `^filter\..*\.(clean|process)$`)
		if !ok || filters.Code != 1 { // 1: there is none
			return commit, nil
		}
	}
	status, ok := ask(ctx, dir, nil, 1000, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")
	if !ok || status.Code != 0 {
		return commit, nil
	}
	differs := len(status.Stdout) > 0
	return commit, &differs
}

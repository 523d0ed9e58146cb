// Package git asks the user's git about a work tree. It changes nothing, and
// nothing that the repository configures is run: a repository is anyone's.
package git

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"dj/keysplit/steps/child"
)

// limit is the time for one question. Large repositories on slow disks answer
// most of them in milliseconds.
const limit = 5 * time.Second

// Head is the commit that a work tree is at, short, and whether tracked files differ
// from it. changed is nil where that was not looked at: a filter that the
// repository itself configures would have to run for it. commit is "" where git
// knows none.
func Head(ctx context.Context, dir string) (commit string, changed *bool) {
	res, ok := Ask(ctx, dir, nil, 100, "rev-parse", "--short", "--verify", "-q", "HEAD")
	if !ok || res.Code != 0 {
		return "", nil
	}
	commit = strings.TrimSpace(string(res.Stdout))
	filters, ok := Ask(ctx, dir, nil, 1000, "config", "--local", "--includes", "--name-only", "--get-regexp", `^filter\..*\.(clean|process)$`)
	if !ok || filters.Code != 1 { // 1: there is none
		return commit, nil
	}
	status, ok := Ask(ctx, dir, nil, 1000, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")
	if !ok || status.Code != 0 {
		return commit, nil
	}
	differs := len(status.Stdout) > 0
	return commit, &differs
}

// Ask runs git in a folder, with what is on its standard input (nil for
// nothing), and keeps so many bytes of its answer. ok is false where git is
// missing or gave no answer in time; a code other than 0 is an answer.
func Ask(ctx context.Context, dir string, stdin io.Reader, most int, args ...string) (res child.Result, ok bool) {
	path, err := exec.LookPath("git")
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return child.Result{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	res, err = child.Command{
		// A monitor of the file system is a program that the repository names.
		Path: path, Args: append([]string{"-c", "core.fsmonitor=false"}, args...), Dir: dir, Stdin: stdin, Limit: most,
		Env:   append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C"),
		Unset: append([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}, child.Withheld...),
	}.Run(ctx)
	return res, err == nil
}

// Package git asks the user's git about a work tree. It changes nothing, and
// nothing that the repository configures is run: a repository is anyone's.
//
// What a repository could have git run, and what stands against it:
//
//   - core.fsmonitor, core.hooksPath and .git/hooks, core.pager: set on the command
//     line, which beats the repository's configuration.
//   - gpg.program (by log.showSignature), diff.external, textconv, filters, merge
//     drivers: only commands that read none of them are asked here, such as rev-list in
//     place of log, and cat-file without its --textconv and --filters. Ask takes no
//     others. The one that would run a filter is status: Head looks for one first.
//   - A partial clone, whose missing objects git fetches when they are asked for,
//     through core.sshCommand, a remote's uploadpack or an ext:: address: no protocol
//     is allowed, by the variable that no configuration beats, and newer versions
//     are told not to fetch at all.
package git

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps/child"
)

// limit is the time for one question. Large repositories on slow disks answer
// most of them in milliseconds.
const limit = 5 * time.Second

// questions are the commands that are asked.
var questions = []string{"ls-files", "check-ignore", "rev-list", "rev-parse", "cat-file", "config", "status"}

// settings beat those of the repository.
var settings = []string{
	"-c", "core.fsmonitor=false",
	"-c", "core.hooksPath=" + os.DevNull,
	"-c", "core.pager=", "--no-pager",
}

// environment is added to keysplit's own.
var environment = []string{
	"GIT_OPTIONAL_LOCKS=0", "LC_ALL=C",
	"GIT_ALLOW_PROTOCOL=none", "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0",
}

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
	for _, of := range []string{"--local", "--worktree"} {
		filters, ok := Ask(ctx, dir, nil, 1000, "config", of, "--includes", "--name-only", "--get-regexp", `^filter\..*\.(clean|process)$`)
		if !ok || filters.Code != 1 { // 1: there is none
			return commit, nil
		}
	}
	status, ok := Ask(ctx, dir, nil, 1000, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")
	if !ok || status.Code != 0 {
		return commit, nil
	}
	differs := len(status.Stdout) > 0
	return commit, &differs
}

// Ask runs git in a folder, with what is on its standard input (nil for
// nothing), and keeps so many bytes of its answer. The first argument is one of
// the questions. ok is false where git is missing or gave no answer in time; a
// code other than 0 is an answer.
func Ask(ctx context.Context, dir string, stdin io.Reader, most int, args ...string) (res child.Result, ok bool) {
	if len(args) == 0 || !slices.Contains(questions, args[0]) {
		return child.Result{}, false
	}
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
		Path: path, Args: append(slices.Clone(settings), args...), Dir: dir, Stdin: stdin, Limit: most,
		Env:   append(os.Environ(), environment...),
		Unset: append([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}, child.Withheld...),
	}.Run(ctx)
	return res, err == nil
}

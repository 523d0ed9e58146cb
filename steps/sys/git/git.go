// Package git asks the user's git about a work tree. It changes nothing, and
// nothing that the repository configures is run: a repository is anyone's.
//
// What a repository could have git run, and what stands against it:
//
//   - core.fsmonitor, core.hooksPath and .git/hooks, core.pager: set on the command
//     line, which beats the repository's configuration.
//   - gpg.program (by log.showSignature), diff.external, textconv, filters, merge
//     drivers: only commands that read none of them are asked here, and Ask takes no
//     others. log and diff-tree are given the options that leave them out, and status
//     is asked only where the repository configures no filter (see Head).
//   - A partial clone, whose missing objects git fetches when they are asked for,
//     through core.sshCommand, a remote's uploadpack or an ext:: address: no protocol
//     is allowed, by the variable that no configuration beats, and newer versions
//     are told not to fetch at all.
//
// Git does not answer about a repository of another user. Root asks as the user whose
// folder it is, who owns the repository as a rule.
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

	"dj/keysplit/steps/sys/child"
)

// limit is the time for one question. Large repositories on slow disks answer
// most of them in milliseconds.
const limit = 5 * time.Second

// questions are the commands that run no program, whatever the repository holds,
// each with the options that it needs for that.
var questions = map[string][]string{
	"ls-files": nil, "check-ignore": nil, "rev-list": nil, "cat-file": nil, "diff-tree": {"--name-only"}, "config": {"--get"},
	"log": {"--no-textconv", "--no-ext-diff", "--no-show-signature", "--no-patch"},
}

// harmless reports whether the arguments ask one of the questions.
func harmless(args []string) bool {
	at := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") })
	if at < 0 {
		return false
	}
	needs, ok := questions[args[at]]
	return ok && !slices.ContainsFunc(needs, func(option string) bool { return !slices.Contains(args, option) })
}

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

// Ask runs git in a folder, with what is on its standard input (nil for
// nothing), and keeps so many bytes of its answer. It takes the questions only. ok
// is false where git is missing or gave no answer in time; a code other than 0 is
// an answer.
func Ask(ctx context.Context, dir string, stdin io.Reader, most int, args ...string) (res child.Result, ok bool) {
	if !harmless(args) {
		return child.Result{}, false
	}
	return ask(ctx, dir, stdin, most, args...)
}

// ask is Ask for what has been made sure of otherwise.
func ask(ctx context.Context, dir string, stdin io.Reader, most int, args ...string) (res child.Result, ok bool) {
	path, err := exec.LookPath("git")
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return child.Result{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var as *child.Account
	if a := child.Owner(dir); os.Geteuid() == 0 && a != nil && a.UID != 0 {
		as = a
	}
	res, err = child.Command{
		As: as, Path: path, Args: append(slices.Clone(settings), args...), Dir: dir, Stdin: stdin, Limit: most,
		Env:   append(os.Environ(), environment...),
		Unset: append([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}, child.Withheld...),
	}.Run(ctx)
	return res, err == nil
}

package checklist

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"dj/keysplit/steps/child"
)

// dropIgnored leaves out the pipelines and documents that git ignores: copies and
// build results are nobody's to update. A .env is kept, which git ignores as a
// rule. Git itself is asked, since its rules are many; where it is missing, or
// there is no repository, nothing is left out. Nothing that the repository
// configures is run.
func (t *tree) dropIgnored(ctx context.Context, top string) {
	var names bytes.Buffer
	for _, k := range []kind{pipeline, document} {
		for _, path := range t.files[k] {
			names.WriteString(relative(top, path))
			names.WriteByte(0)
		}
	}
	git, err := exec.LookPath("git")
	if err == nil {
		git, err = filepath.Abs(git)
	}
	if err != nil || names.Len() == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, err := child.Command{
		Path: git, Args: []string{"-c", "core.fsmonitor=false", "check-ignore", "-z", "--stdin"}, Dir: top, Stdin: &names,
		Limit: 4 << 20, Env: append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C"),
		Unset: []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "KEYSPLIT_PASSWORD"},
	}.Run(ctx)
	if err != nil || res.Code != 0 || res.Truncated {
		return // 1: none is ignored; 128: no repository
	}
	ignored := map[string]bool{}
	for name := range bytes.SplitSeq(res.Stdout, []byte{0}) {
		ignored[string(name)] = true
	}
	for _, k := range []kind{pipeline, document} {
		t.files[k] = slices.DeleteFunc(t.files[k], func(path string) bool { return ignored[relative(top, path)] })
	}
}

package repo

import (
	"bytes"
	"context"
	"slices"

	"dj/keysplit/steps/sys/git"
)

// dropIgnored leaves out the pipelines and documents that git ignores: copies and
// build results are nobody's to update. A .env is kept, which git ignores as a
// rule. Git itself is asked, since its rules are many; where it is missing, or
// there is no repository, nothing is left out.
func (t *Tree) dropIgnored(ctx context.Context, top string) {
	var names bytes.Buffer
	for _, k := range []Kind{EnvFile, Pipeline, Document} {
		for _, path := range t.Files[k] {
			names.WriteString(Relative(top, path))
			names.WriteByte(0)
		}
	}
	if names.Len() == 0 {
		return
	}
	res, ok := git.Ask(ctx, top, &names, 4<<20, "check-ignore", "-z", "--stdin")
	if !ok || res.Code > 1 || res.Truncated {
		return // 1: none is ignored; 128: no repository
	}
	ignored := map[string]bool{}
	for name := range bytes.SplitSeq(res.Stdout, []byte{0}) {
		ignored[string(name)] = true
	}
	t.Shared = slices.DeleteFunc(slices.Clone(t.Files[EnvFile]), func(path string) bool { return ignored[Relative(top, path)] })
	for _, k := range []Kind{Pipeline, Document} {
		t.Files[k] = slices.DeleteFunc(t.Files[k], func(path string) bool { return ignored[Relative(top, path)] })
	}
}

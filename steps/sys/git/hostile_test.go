//go:build unix

package git

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hostile is a repository whose every program is one that leaves a trace.
type hostile struct {
	t     *testing.T
	dir   string
	evil  string // the program
	trace string // what it leaves
}

func newHostile(t *testing.T) *hostile {
	t.Helper()
	h := &hostile{t: t, dir: t.TempDir()}
	h.evil, h.trace = filepath.Join(h.dir, "evil.sh"), filepath.Join(t.TempDir(), "trace")
	h.write("evil.sh", "#!/bin/sh\necho ran >>'"+h.trace+"'\nexit 1\n", 0o700)
	h.git("init", "-q")
	h.write(".env", "KEY=one\n", 0o600)
	h.git("add", "-f", ".env")
	h.git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "one")
	return h
}

func (h *hostile) write(name, text string, mode os.FileMode) {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hostile) git(args ...string) string {
	h.t.Helper()
	out, err := h.plain(args...)
	if err != nil {
		h.t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(out)
}

func (h *hostile) plain(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, "git", args...)
	c.Dir, c.WaitDelay = h.dir, time.Second
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := c.CombinedOutput()
	return string(out), err
}

// ran reports whether the program was run, and forgets it.
func (h *hostile) ran() bool {
	_, err := os.Stat(h.trace)
	_ = os.Remove(h.trace)
	return err == nil
}

// sign gives the latest commit a signature.
func (h *hostile) sign() {
	h.t.Helper()
	commit := h.git("cat-file", "commit", "HEAD") + "\n"
	commit = strings.Replace(commit, "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n", 1)
	h.write("commit", commit, 0o600)
	h.git("update-ref", "HEAD", h.git("hash-object", "-t", "commit", "-w", "commit"))
}

// partial makes it a partial clone that lacks the content of .env.
func (h *hostile) partial(settings ...string) {
	h.t.Helper()
	blob := h.git("rev-parse", "HEAD:.env")
	for _, s := range append([]string{"core.repositoryFormatVersion=1", "extensions.partialClone=origin", "remote.origin.promisor=true", "remote.origin.partialCloneFilter=blob:none"}, settings...) {
		name, value, _ := strings.Cut(s, "=")
		h.git("config", name, value)
	}
	if err := os.Remove(filepath.Join(h.dir, ".git", "objects", blob[:2], blob[2:])); err != nil {
		h.t.Fatal(err)
	}
}

// What a repository configures is run by a plain git, and never by Ask with the
// questions that keysplit asks.
func TestNothingOfTheRepositoryIsRun(t *testing.T) {
	t.Attr("part", "hostile repositories")
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is missing")
	}
	for name, c := range map[string]struct {
		lay   func(h *hostile)
		plain []string // runs it
	}{
		"a signature's program": {func(h *hostile) {
			h.sign()
			h.git("config", "log.showSignature", "true")
			h.git("config", "gpg.program", h.evil)
		}, []string{"log", "-1"}},
		"a monitor": {func(h *hostile) { h.git("config", "core.fsmonitor", h.evil) }, []string{"status"}},
		"hooks": {func(h *hostile) {
			h.write("hooks/post-index-change", "#!/bin/sh\n"+h.evil+" </dev/null\n", 0o700)
			h.git("config", "core.hooksPath", filepath.Join(h.dir, "hooks"))
			h.write(".env", "KEY=one\n", 0o600) // its times differ from the index's
		}, []string{"update-index", "--force-write-index", "--refresh"}},
		"a diff program": {func(h *hostile) {
			h.git("config", "diff.external", h.evil)
			h.write(".env", "KEY=two\n", 0o600)
		}, []string{"diff"}},
		"a text converter": {func(h *hostile) {
			h.write(".gitattributes", "* diff=x filter=x\n", 0o600)
			h.git("config", "diff.x.textconv", h.evil)
		}, []string{"cat-file", "--textconv", "HEAD:.env"}},
		"a filter": {func(h *hostile) {
			h.write(".gitattributes", "* filter=x\n", 0o600)
			h.git("config", "filter.x.clean", h.evil)
			h.git("config", "filter.x.smudge", h.evil)
			h.write(".env", "KEY=two\n", 0o600)
		}, []string{"diff"}},
		"a filter of this work tree alone": {func(h *hostile) {
			h.write(".gitattributes", "* filter=x\n", 0o600)
			h.git("config", "extensions.worktreeConfig", "true")
			h.git("config", "--worktree", "filter.x.clean", h.evil)
			h.write(".env", "KEY=two\n", 0o600)
		}, []string{"diff"}},
		"a missing object, a local remote": {func(h *hostile) {
			h.partial("remote.origin.url="+h.dir, "remote.origin.uploadpack="+h.evil, "protocol.file.allow=always")
		}, []string{"cat-file", "blob", "HEAD:.env"}},
		"a missing object, ssh": {func(h *hostile) {
			h.partial("remote.origin.url=ssh://nowhere.invalid/x", "core.sshCommand="+h.evil, "protocol.ssh.allow=always")
		}, []string{"cat-file", "blob", "HEAD:.env"}},
		"a missing object, a helper": {func(h *hostile) {
			h.partial("remote.origin.url=ext::"+h.evil, "protocol.ext.allow=always")
		}, []string{"cat-file", "blob", "HEAD:.env"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			c.lay(h)
			_, _ = h.plain(c.plain...)
			if !h.ran() {
				t.Fatal("a plain git does not run it either: this proves nothing")
			}
			for _, q := range [][]string{
				{"ls-files", "-z"},
				{"ls-files", "--error-unmatch", "--", ".env"},
				{"check-ignore", "-q", "--", ".env"},
				{"rev-list", "--all", "-n", "50", "--", ".env"},
				{"cat-file", "blob", "HEAD:.env"},
				{"--literal-pathspecs", "log", "-SKEY", "--no-textconv", "--no-ext-diff", "--no-show-signature", "--no-patch", "--", ".env"},
				{"diff-tree", "--no-commit-id", "--name-only", "-r", "-z", "HEAD"},
			} {
				if _, ok := Ask(context.Background(), h.dir, nil, 1<<20, q...); !ok {
					t.Errorf("%v: no answer", q)
				}
				if h.ran() {
					t.Errorf("%v: it was run", q)
				}
			}
			if commit, _ := Head(context.Background(), h.dir); commit == "" || h.ran() {
				t.Errorf("it was run for the report, or nothing was looked at: commit %q", commit)
			}
			for _, q := range []string{"log", "diff", "show", "update-index", "fetch"} {
				if _, ok := Ask(context.Background(), h.dir, nil, 1<<20, q); ok {
					t.Errorf("%s was asked", q)
				}
			}
		})
	}
}

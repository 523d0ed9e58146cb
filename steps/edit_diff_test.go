package steps

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/envfile"
)

// versions are two versions of a random file that share most lines.
func versions(r *rand.Rand) (was, is []byte) {
	ends := []string{"\n", "\r\n"}
	var a, b []byte
	for range r.IntN(30) {
		line := fmt.Sprintf("L%d%s", r.IntN(8), ends[r.IntN(2)])
		switch r.IntN(5) {
		case 0:
			a = append(a, line...)
		case 1:
			b = append(b, line...)
		default:
			a, b = append(a, line...), append(b, line...)
		}
	}
	for _, f := range []*[]byte{&a, &b} {
		if r.IntN(3) == 0 {
			*f = append(*f, "last without an end"...)
		}
	}
	return a, b
}

func TestCompareAddsUp(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		was, is := versions(r)
		c := envfile.Change{Old: was, New: is, Diff: Compare(was, is)}
		if err := c.Verify(); err != nil {
			t.Fatalf("%q\n%q\n%v", was, is, err)
		}
	}
	if got := Compare([]byte("A\nB\nC\nD\n"), []byte("A\nC\nX\nD\n")); len(got) != 2 || got[0].Num != 2 || got[1].NewNum != 3 {
		t.Errorf("not the shortest: %v", got)
	}
}

func TestPatchIsTakenByGit(t *testing.T) {
	t.Parallel()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git")
	}
	r := rand.New(rand.NewPCG(3, 4))
	dir := t.TempDir()
	var patch strings.Builder
	want := map[string][]byte{}
	for i := range 60 {
		name := fmt.Sprintf("f%d.txt", i)
		was, is := versions(r)
		if bytes.Equal(was, is) || len(is) == 0 {
			continue
		}
		if len(was) == 0 {
			was = nil
		} else if err := os.WriteFile(filepath.Join(dir, name), was, 0o600); err != nil {
			t.Fatal(err)
		}
		patch.WriteString(Patch(name, was, is))
		want[name] = is
	}
	cmd := exec.Command(git, "apply", "--whitespace=nowarn", "-") // #nosec G204 -- git of this machine
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(patch.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, patch.String())
	}
	for name, is := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, is) {
			t.Errorf("%s: %q, want %q (%v)", name, got, is, err)
		}
	}
}

func TestDiffShowsTwoLinesAround(t *testing.T) {
	t.Parallel()
	was := "A\nB\nC\nD\nE\nF\nG\nH\nI\nJ\nK=old"
	is := "A\nB\nC\nD\nnew\nE\nF\nG\nH\nI\nJ\nK=old\nlast\n"
	var got []string
	for _, l := range DiffOf([]byte(was), []byte(is), func(line string) (string, string) {
		if text, _, found := strings.Cut(line, "="); found {
			return text + "=•", "masked"
		}
		return line, ""
	}) {
		got = append(got, fmt.Sprintf("%d%s%s", l.Line, l.Op, l.Text))
	}
	want := []string{"3 C", "4 D", "5+new", "6 E", "7 F", "11 J", "12 K=•", "13+last"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestExtent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"A=1\n":               "1 line added",
		"A=1":                 "1 line added",
		"A=1\nKEY=\n":         "1 line changed",
		"KEY=x\nA=1\nKEY=y\n": "1 line changed", // the one that counts
	} {
		c, err := envfile.Edit([]byte(text), envfile.For{Readers: envfile.Dialects()}, envfile.Set{Name: "KEY", Value: "value"})
		if err != nil {
			t.Fatal(err)
		}
		if got := Extent(c.Old, c.New, 0); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if got := (DiffLine{Line: 7}).Number(3) + (DiffLine{}).Number(3); got != "  7   " {
		t.Errorf("the columns are %q", got)
	}
	if got := Extent([]byte("A=1\n"), []byte("A=1\n"), 0o600); got != "mode 0600" {
		t.Error(got)
	}
}

// git takes a patch of files with odd names, contents and modes, and keeps the mode.
func TestGitTakesPatchesOfOddFiles(t *testing.T) {
	t.Parallel()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git here")
	}
	odd := []string{"plain.txt", "with space.md", " leading", "trailing ", "tab\tname", "quote\"name", "back\\slash", "line\nfeed", "ümlaut.md", "b/a/b.txt", "a b/c d.yml", "-dash", "%41", "#x", "bad\xffbytes", "x.py\r", "a/b c/a/b c"}
	contents := map[string][2]string{
		"crlf":                 {"a\r\nb\r\nc\r\n", "a\r\nb\r\nnew\r\nc\r\n"},
		"crlf, no final line":  {"a\r\nb", "a\r\nb\r\nnew"},
		"no final line":        {"a\nb", "a\nb\nnew\n"},
		"none before or after": {"a\nb", "a\nc"},
		"loses it":             {"a\nb\n", "a\nb"},
		"made":                 {"", "a\n"},
		"made, no final line":  {"", "a"},
		"was empty":            {"empty", "a\n"},
		"looks like a patch":   {"--- a/x\n+++ b/x\n@@ -1 +1 @@\n", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-- x\n"},
		"white space":          {"a \n\t\n b\n", "a \n\t\n b\n \n"},
		"far apart":            {"1\n" + strings.Repeat("x\n", 30) + "2\n", "0\n1\n" + strings.Repeat("x\n", 30) + "2\n3\n"},
		"at the end alone":     {strings.Repeat("x\n", 9), strings.Repeat("x\n", 9) + "y\n"},
	}
	for name, c := range contents {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			run := func(stdin string, args ...string) {
				t.Helper()
				cmd := exec.Command(git, args...) // #nosec G204 -- git of this machine
				cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
				cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("git %q: %v: %s\n%q", args, err, out, stdin)
				}
			}
			run("", "init", "-q")
			var patch strings.Builder
			made := map[string]bool{}
			for _, file := range odd {
				path := filepath.Join(dir, file)
				was := []byte(c[0])
				switch c[0] {
				case "":
					was = nil
				case "empty":
					was = []byte{}
				}
				err := os.MkdirAll(filepath.Dir(path), 0o700)
				if err == nil && was != nil {
					err = os.WriteFile(path, was, 0o755) // #nosec G306 -- its mode is what is to stay
				}
				if err != nil {
					t.Logf("not on this system: %q: %v", file, err)
					continue
				}
				made[path] = true
				patch.WriteString(Patch(file, was, []byte(c[1])))
			}
			if len(made) < 10 {
				t.Fatalf("only %d names were tried", len(made))
			}
			run(patch.String(), "apply", "--check", "-")
			run(patch.String(), "apply", "--whitespace=nowarn", "-")
			for path := range made {
				got, err := os.ReadFile(path) // #nosec G304 -- a file of the test
				if err != nil || string(got) != c[1] {
					t.Errorf("%q: %q, %v", path, got, err)
				}
				if info, err := os.Stat(path); err == nil && c[0] != "" && info.Mode().Perm() != 0o755 && os.PathSeparator == '/' {
					t.Errorf("%q has the mode %v", path, info.Mode())
				}
			}
		})
	}
}

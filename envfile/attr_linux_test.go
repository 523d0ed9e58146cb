package envfile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestReplaceKeepsAttributes(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	label, long := []byte("system_u:object_r:etc_t:s0"), bytes.Repeat([]byte("x"), 1000)
	if err := errors.Join(unix.Setxattr(p.target, "user.label", label, 0), unix.Setxattr(p.target, "user.long", long, 0)); err != nil {
		missingTool(t, "extended attributes", err)
	}
	for _, data := range []string{"A=2\n", "A=1\n"} {
		if out, err := p.replace(t, []byte(data)); err != nil || out.Lost != "" {
			t.Fatalf("%+v, %v", out, err)
		}
		s := p.open(t)
		if len(s.attributes) != 2 || !bytes.Equal(s.attributes["user.label"], label) || !bytes.Equal(s.attributes["user.long"], long) {
			t.Errorf("the attributes are %q", s.attributes)
		}
	}
	// One that is set after the look is a change like any other.
	s := p.open(t)
	if err := unix.Setxattr(p.target, "user.later", label, 0); err != nil {
		t.Fatal(err)
	}
	_, err := Replace(context.Background(), s, []byte("A=4\n"), p.ledger, p.opts)
	refusedWith(t, err, ReasonChanged)
}

// A label that this user may not set is lost, and that is said.
func TestReplaceSaysWhichAttributesAreLost(t *testing.T) {
	needStrace(t)
	p := newPlace(t, []byte("A=1\n"))
	if err := unix.Setxattr(p.target, "user.label", []byte("x"), 0); err != nil {
		missingTool(t, "extended attributes", err)
	}
	put(t, filepath.Join(filepath.Dir(p.house), "new"), []byte("A=2\n"))
	// Nor is one that could not be read passed over: the file stays as it is.
	trace, out, err := strace(t, "replace", p, "inject=fgetxattr:error=EIO:when=2")
	if err == nil || !strings.Contains(out, "input/output error") || !regexp.MustCompile(`"user.label".*EIO`).MatchString(trace) {
		t.Fatalf("%v\n%s\n%s", err, out, trace)
	}
	p.holds(t, []byte("A=1\n"))
	_, out, err = strace(t, "replace", p, "inject=fsetxattr:error=EPERM")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if s := p.open(t); len(s.attributes) > 0 {
		t.Fatalf("nothing is lost: %q", s.attributes)
	}
	ends, err := filepath.Glob(filepath.Join(p.ledger.dir, "end-*"))
	if err != nil || len(ends) != 1 {
		t.Fatalf("%q, %v", ends, err)
	}
	if end, err := os.ReadFile(ends[0]); err != nil || !strings.Contains(string(end), `"lost":"user.label"`) {
		t.Errorf("the end says %s, %v", end, err)
	}
}

func TestChattrGetsItsOwnAdvice(t *testing.T) {
	for flag, want := range map[string]Reason{"i": ReasonImmutable, "a": ReasonAppendOnly} {
		for _, folder := range []bool{false, true} {
			p := newPlace(t, []byte("A=1\n"))
			sealedPath := p.target
			if folder {
				sealedPath = p.house
			}
			if out, err := exec.Command("chattr", "+"+flag, sealedPath).CombinedOutput(); err != nil {
				missingTool(t, "chattr: "+string(out), err)
			}
			s, err := Open(p.target)
			if err == nil {
				err = s.Writable()
			}
			refusedWith(t, err, want)
			_, replaceErr := p.replace(t, []byte("A=2\n"))
			if out, err := exec.Command("chattr", "-"+flag, sealedPath).CombinedOutput(); err != nil {
				t.Fatalf("%v %s", err, out)
			}
			refusedWith(t, replaceErr, want)
			if !strings.Contains(err.Error(), "sudo chattr -"+flag) || strings.Contains(err.Error(), "folder") != folder {
				t.Errorf("it says %q", err)
			}
			p.holds(t, []byte("A=1\n"))
			p.clean(t)
		}
	}
	if sealedBy(0) != "" || sealedBy(unix.STATX_ATTR_COMPRESSED) != "" {
		t.Error("a file without these flags is sealed")
	}
}

func TestNamesOfAllKinds(t *testing.T) {
	p := newPlace(t, nil)
	for _, name := range []string{".env." + strings.Repeat("x", 250), ".env." + strings.Repeat("\u00e9", 125)} {
		q := p
		q.target = filepath.Join(p.house, name)
		put(t, q.target, []byte("A=1\n"))
		if out, err := q.replace(t, []byte("A=2\n")); err != nil || out.State != Replaced {
			t.Errorf("a name of %d bytes: %+v, %v", len(name), out, err)
		}
		q.holds(t, []byte("A=2\n"))
	}
	_, err := Open(filepath.Join(p.house, strings.Repeat("x", 300)))
	refusedWith(t, err, ReasonNameTooLong)
	s, err := Open(filepath.Join(p.house, ".env-\xff"))
	if err == nil {
		err = s.Writable()
	}
	refusedWith(t, err, ReasonNameNotText)
}

package envfile

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenRegular(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	if err := os.Chmod(p.target, 0o640); err != nil {
		t.Fatal(err)
	}
	s := p.open(t)
	if !s.Exists || string(s.Data) != "A=1\n" || s.Mode != shown(0o640) || s.Path != p.target {
		t.Errorf("got %v, exists %v, mode %v", s, s.Exists, s.Mode)
	}
}

func TestOpenMissing(t *testing.T) {
	p := newPlace(t, nil)
	if s := p.open(t); s.Exists || s.Data != nil || s.Target == "" {
		t.Errorf("got %v, exists %v", s, s.Exists)
	}
}

func TestOpenRelativePath(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	t.Chdir(p.house)
	s, err := Open(".env")
	if err != nil {
		t.Fatal(err)
	}
	if s.Path != ".env" || !filepath.IsAbs(s.Target) {
		t.Errorf("path %q, target %q", s.Path, s.Target)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		make func(t *testing.T, p place) (path string)
		want Reason
	}{
		"directory": {func(_ *testing.T, p place) string { return p.house }, ReasonDirectory},
		"device":    {func(*testing.T, place) string { return os.DevNull }, ReasonDevice},
		"hard link": {func(t *testing.T, p place) string {
			return made(t, p.target, os.Link(p.target, filepath.Join(p.house, "second")))
		}, ReasonHardLink},
		"dangling link": {func(t *testing.T, p place) string {
			link := filepath.Join(p.house, "link")
			return made(t, link, os.Symlink("nowhere", link))
		}, ReasonDanglingLink},
		"looping link": {func(t *testing.T, p place) string {
			link := filepath.Join(p.house, "link")
			return made(t, link, os.Symlink("link", link))
		}, ReasonLinkLoop},
		"link to a directory": {func(t *testing.T, p place) string {
			link := filepath.Join(p.house, "link")
			return made(t, link, os.Symlink(".", link))
		}, ReasonDirectory},
		"no folder":            {func(_ *testing.T, p place) string { return filepath.Join(p.house, "no", ".env") }, ReasonNoFolder},
		"a file as the folder": {func(_ *testing.T, p place) string { return filepath.Join(p.target, ".env") }, ReasonNoFolder},
		"too large": {func(t *testing.T, p place) string {
			return made(t, p.target, os.Truncate(p.target, MaxSize+1))
		}, ReasonTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, []byte("A=1\n"))
			_, err := Open(c.make(t, p))
			refusedWith(t, err, c.want)
		})
	}
}

// made passes a path on when making it worked.
func made(t *testing.T, path string, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenTakesTheLargestSize(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	made(t, p.target, os.Truncate(p.target, MaxSize))
	if s := p.open(t); len(s.Data) != MaxSize {
		t.Errorf("read %d bytes", len(s.Data))
	}
}

func TestEveryReasonIsASentence(t *testing.T) {
	for reason, words := range refusals {
		e := &RefusedError{Path: "backend/.env", Reason: reason, Detail: "mode 0400"}
		if words.what == "" || words.todo == "" || !strings.HasPrefix(e.Error(), "backend/.env ") ||
			!strings.Contains(e.Error(), "(mode 0400): ") {
			t.Errorf("%s: %q", reason, e)
		}
	}
}

func TestSnapshotPrintsNoContent(t *testing.T) {
	secret := rand.Text()
	p := newPlace(t, []byte("KEY="+secret+"\n"))
	s := p.open(t)
	asJSON, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct{ S *Snapshot }
	for _, text := range []string{
		string(asJSON), fmt.Sprint(s), fmt.Sprintf("%+v %#v %s %q %x", *s, *s, *s, *s, *s), fmt.Sprintf("%+v", holder{s}),
	} {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Error("a printed snapshot shows its content")
		}
	}
	if !bytes.Contains(s.Data, []byte(secret)) {
		t.Error("the snapshot does not have the content")
	}
}

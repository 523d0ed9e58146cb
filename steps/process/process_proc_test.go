//go:build linux && !keysplit_gopsutil

package process

import (
	"os"
	"path/filepath"
	"testing"
)

func TestParseAddr(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000:1F40":                         "0.0.0.0:8000",
		"00000000000000000000000001000000:1F90": "[::1]:8080",
		"0100007F":                              "",
		"01:1F90":                               "",
		"zz00007F:1F90":                         "",
	} {
		got, ok := parseAddr(text)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("parseAddr(%q) = %v, %v, want %q", text, got, ok, want)
		}
	}
}

// A socket is of the commands that name it; a gunicorn whose title hides its command may
// have made those of its own user, but for root's.
func TestWhoseASocketMayBe(t *testing.T) {
	t.Parallel()
	path, uid := filepath.Join(t.TempDir(), "shop.sock"), uint32(4321)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Chown(path, int(uid), -1) != nil {
		uid = uint32(os.Getuid()) // #nosec G115 -- it is no negative number
	}
	const title = "gunicorn: master [shop]"
	for name, c := range map[string]struct {
		command, path string
		uid           uint32
		want          bool
	}{
		"named":           {"uvicorn --uds " + path, path, 0, true},
		"a title":         {title, path, uid, true},
		"no title":        {"uvicorn shop:app", path, uid, false},
		"another user's":  {title, path, uid + 1, false},
		"root's":          {title, filepath.Dir(path), 0, false},
		"one that is not": {title, path + "x", uid, false},
	} {
		if got := names([]string{c.command}, c.path, c.uid); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

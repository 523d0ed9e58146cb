package faults

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
)

// shop is an app of Fly.io, kept by a stand-in for the fly program: a shell script
// with its state in a folder. As the real one, it shows the digest of a secret only,
// so that a run that was killed cannot read back what it delivered.
type shop struct{ dir string }

// The script counts its calls. In the call that the file "kill" names it ends the
// program that called it, before or after it has done what it was asked for; the
// file "signal" has another signal than KILL.
const flyScript = `#!/bin/sh
dir=$(dirname "$0")
: >"$dir/running.$$"
trap 'rm -f "$dir/running.$$"' EXIT
n=$(($(cat "$dir/calls" 2>/dev/null || echo 0) + 1))
echo $n >"$dir/calls"
echo "$n $*" >>"$dir/said"
ends() { [ "$(cat "$dir/kill" 2>/dev/null)" = "$n $1" ] && kill -"$(cat "$dir/signal" 2>/dev/null || echo KILL)" $PPID; }
ends before && exit
case "$1 $2" in
"secrets list")
	if [ -e "$dir/value" ]; then
		printf '[{"Name":"JWT_SECRET_KEY","Digest":"%s","CreatedAt":"2026-01-02T03:04:05Z"}]' "$(sha256sum <"$dir/value" | cut -c1-16)"
	else
		printf '[]'
	fi ;;
"secrets import") sed -n 's/^JWT_SECRET_KEY=//p' >"$dir/new" && mv "$dir/new" "$dir/value" ;;
"secrets unset") rm -f "$dir/value" ;;
"auth whoami") echo ada@example.com ;;
*) echo "not understood" >&2; exit 2 ;;
esac
ends after
exit 0
`

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t.TempDir()}
	s.put(t, "fly", flyScript)
	return s
}

func (s *shop) put(t *testing.T, name, text string) {
	t.Helper()
	if err := stepstest.WriteProgram(filepath.Join(s.dir, name), text); err != nil {
		t.Fatal(err)
	}
}

func (s *shop) file(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// key is what the app has, "" for none.
func (s *shop) key(t *testing.T) string { return s.file(t, "value") }

// calls is how often the script was called, and said are the calls.
func (s *shop) calls(t *testing.T) int {
	n, _ := strconv.Atoi(s.file(t, "calls"))
	return n
}

func (s *shop) environ() string {
	return "PATH=" + s.dir + string(os.PathListSeparator) + os.Getenv("PATH")
}

// rest waits until no script runs any more: one outlives the program that called it
// and was killed.
func (s *shop) rest(t *testing.T) {
	t.Helper()
	for range 1000 {
		running, _ := filepath.Glob(filepath.Join(s.dir, "running.*"))
		if !slices.ContainsFunc(running, func(mark string) bool { // one that was killed leaves its mark
			pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(mark), "."))
			return err == nil && syscall.Kill(pid, 0) == nil
		}) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the stand-in does not end")
}

// differs reports whether the app has another key than the line that was added to
// .env, "" for none.
func (s *shop) differs(t *testing.T, line string) []string {
	t.Helper()
	want := strings.TrimSpace(strings.TrimPrefix(line, "\nJWT_SECRET_KEY="))
	switch key := s.key(t); {
	case key == want:
		return nil
	case key == "":
		return []string{"the app has no key, and .env has one"}
	case want == "":
		return []string{"the app has a key, and .env has none"}
	}
	return []string{"the app and .env have two different keys"}
}

var aKey = regexp.MustCompile(`[A-Za-z0-9_-]{86}`)

// keptKeys are the files of the state folder that still hold a key. A whole version
// of .env is kept by intent, the one that a rollback replaces too.
func (h *house) keptKeys(t *testing.T) (found []string) {
	t.Helper()
	err := filepath.WalkDir(h.state, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if !bytes.HasPrefix(data, h.old) && aKey.Match(data) {
			found = append(found, "a key is left in "+d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// leak writes a key where none may be.
func (h *house) leak(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(h.stateFile(t, "journal"), []byte(strings.Repeat("k", 86)), 0o600); err != nil {
		t.Fatal(err)
	}
}

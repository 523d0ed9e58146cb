package demo

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestClose(t *testing.T) {
	dir := ownTemp(t)
	s := newSandbox(t, Missing)
	url := s.server(t).URL
	check(t, s.Close())
	empty(t, dir)
	if _, err := http.Get(url); err == nil {
		t.Error("the server still answers")
	}
	if _, err := s.Servers(t.Context(), s.Root); err == nil {
		t.Error("a closed sandbox answers")
	}
}

func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	check(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUnknownState(t *testing.T) {
	dir := ownTemp(t)
	if _, err := Make("other"); err == nil || !strings.Contains(err.Error(), "unknown state") {
		t.Errorf("error %v", err)
	}
	empty(t, dir)
}

// killable is a process that has made a demo.
type killable struct {
	cmd      *exec.Cmd
	folder   string
	guardian int
	url      string
}

func makeKillable(t *testing.T) killable {
	t.Helper()
	k := killable{cmd: exec.Command(os.Args[0])}
	k.cmd.Env = append(os.Environ(), "KEYSPLIT_TEST_DEMO=1")
	k.cmd.Stderr = os.Stderr
	out, err := k.cmd.StdoutPipe()
	check(t, err)
	check(t, k.cmd.Start())
	t.Cleanup(func() { _ = k.cmd.Process.Kill(); _ = k.cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	check(t, err)
	_, err = fmt.Sscan(line, &k.folder, &k.guardian, &k.url)
	check(t, err)
	return k
}

func gone(path string) bool {
	_, err := os.Stat(path)
	return os.IsNotExist(err)
}

func TestKilledLeavesNothing(t *testing.T) {
	dir := ownTemp(t)
	k := makeKillable(t)
	if gone(k.folder) {
		t.Fatal("there is no demo")
	}
	check(t, k.cmd.Process.Kill())
	killed := time.Now()
	if !until(func() bool { return gone(k.folder) }) || time.Since(killed) > 2*time.Second {
		t.Fatalf("the folder is there after %v", time.Since(killed))
	}
	if _, err := http.Get(k.url); err == nil {
		t.Error("the server still answers")
	}
	empty(t, dir)
}

// The guardian dies first, then the demo: only the next one can clean up, and
// it leaves a demo alone that is alive.
func TestLeftovers(t *testing.T) {
	ownTemp(t)
	alive := newSandbox(t, Missing)
	k := makeKillable(t)
	guardian, err := os.FindProcess(k.guardian)
	check(t, err)
	check(t, guardian.Kill())
	if !until(func() bool { _, err := http.Get(k.url); return err != nil }) {
		t.Error("the server outlives its guardian")
	}
	check(t, k.cmd.Process.Kill())
	_ = k.cmd.Wait() // it was killed
	if gone(k.folder) {
		t.Fatal("nothing was left behind, so that this test shows nothing")
	}
	// A killed process is still ending when its server answers no more.
	if !until(func() bool {
		release, err := lockMarker(k.folder, 0)
		if err == nil {
			release()
		}
		return err == nil
	}) {
		t.Fatal("the lock outlives its guardian")
	}
	newSandbox(t, Missing)
	if !gone(k.folder) {
		t.Error("the leftover is still there")
	}
	if gone(alive.folder) {
		t.Error("a live demo was removed")
	}
}

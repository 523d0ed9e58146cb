package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest/djangotest"
)

// waiting starts a program that waits for its standard input, as a user that is not
// root: to root all that follows would look the same.
func waiting(t *testing.T, path string, args ...string) (pid, uid int) {
	t.Helper()
	c := exec.Command(path, args...)
	c.Dir = "/"
	c.Env = djangotest.CleanEnviron("HOME=/", "KEYSPLIT_STATE_DIR=/nowhere")
	uid = os.Getuid()
	if uid == 0 {
		uid = 1234
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1234, Gid: 1234}}
	}
	stdin, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c.Process.Pid, uid
}

// While it runs, no core can be written of it, and its memory and environment are
// closed to other programs of the same user: its files in /proc belong to root
// (proc(5), under PR_SET_DUMPABLE).
func TestTheMemoryIsGuarded(t *testing.T) {
	t.Attr("part", "memory of the process")
	cat, err := exec.LookPath("cat")
	if err != nil {
		t.Fatal(err)
	}
	// A temporary folder, which another user may not look into.
	if err := os.Chmod(filepath.Dir(keysplit.Path(t)), 0o755); err != nil {
		t.Fatal(err)
	}
	owner := func(pid int) int {
		info, err := os.Stat(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			t.Fatal(err)
		}
		return int(info.Sys().(*syscall.Stat_t).Uid)
	}
	pid, uid := waiting(t, keysplit.Path(t), "explain")
	guarded := false
	for range 500 {
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
		if err != nil {
			t.Fatal(err)
		}
		if guarded = noCore.Match(limits) && owner(pid) == 0; guarded {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	// The control: the files of another program belong to its user.
	other, _ := waiting(t, cat)
	if got := owner(other); got != uid {
		t.Logf("NOT LOOKED AT HERE: this system shows owner %d for a process of %d", got, uid)
		if got == 0 {
			return // it shows root for all; the test below sees the calls
		}
	}
	if !guarded {
		t.Errorf("the files of the process belong to %d", owner(pid))
	}
}

// The soft limit is the one that counts; the other stays, since a restart command gets its limit back.
var noCore = regexp.MustCompile(`(?m)^Max core file size +0 `)

// The two calls are made, and succeed, before the program opens any file of its own.
func TestTheGuardComesFirst(t *testing.T) {
	t.Attr("part", "memory of the process")
	needStrace(t)
	h := newHouse(t, keysplit)
	log := filepath.Join(t.TempDir(), "trace")
	c := exec.Command("strace", "-f", "-qq", "-o", log, "-e", "trace=prctl,prlimit64,setrlimit,openat", h.program.Path(t), "check", "--python", h.project.Python, "--no-color")
	c.Dir = h.project.Root
	c.Env = djangotest.CleanEnviron("KEYSPLIT_STATE_DIR="+h.state, "LANG=C.UTF-8")
	out, _ := c.CombinedOutput()
	data := string(read(t, log))
	first := strings.Index(data, h.project.Root)
	if first < 0 {
		t.Fatalf("it opened nothing of the project:\n%s", out)
	}
	for name, call := range map[string]*regexp.Regexp{
		"no dump": regexp.MustCompile(`prctl\(PR_SET_DUMPABLE, SUID_DUMP_DISABLE[^)]*\) += 0`),
		"no core": regexp.MustCompile(`(?:prlimit64\(0, |setrlimit\()RLIMIT_CORE, \{rlim_cur=0, rlim_max=[^}]+\}.*\) += 0`),
	} {
		if at := call.FindStringIndex(data); at == nil || at[0] > first {
			t.Errorf("%s: %v, and the project comes at %d", name, at, first)
		}
	}
}

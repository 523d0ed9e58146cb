package process

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/secret"
)

// The test binary stands in for Python: a copy of it that has that name listens, or
// only waits, until its standard input ends.
func TestMain(m *testing.M) {
	mode := os.Getenv("PROCESS_TEST_MODE")
	if mode == "" {
		os.Exit(m.Run())
	}
	if mode == "listen" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			os.Exit(1)
		}
		fmt.Println(l.Addr())
	} else {
		fmt.Println("waiting")
	}
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

func startFake(t *testing.T, folder, mode, key string, args ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(fakePython(t), args...)
	cmd.Dir = folder
	cmd.Env = []string{"PROCESS_TEST_MODE=" + mode, "MY_JWT_SECRET_KEY=other", "SYSTEMROOT=" + os.Getenv("SYSTEMROOT")}
	if key != "" {
		cmd.Env = append(cmd.Env, "JWT_SECRET_KEY="+key)
	}
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, line[:len(line)-1]
}

// fakePython is the test binary under a name that a look takes for Python.
func fakePython(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "python3"+filepath.Ext(self))
	if runtime.GOOS != "windows" {
		path = strings.TrimSuffix(path, filepath.Ext(path))
	}
	// A second name, where the file system has it: a program that was just written
	// cannot be started while a child of another test still has it open.
	if os.Link(self, path) == nil {
		return path
	}
	data, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(path, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func realTemp(t *testing.T) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestLookSeesARealProcess(t *testing.T) {
	t.Parallel()
	root := realTemp(t)
	before := time.Now()
	cmd, addr := startFake(t, root, "listen", "", "manage.py", "runserver", "--noreload")
	waiting, _ := startFake(t, root, "wait", "", "manage.py", "runserver", "--noreload")
	startFake(t, realTemp(t), "listen", "", "manage.py", "runserver")

	sight, err := Look(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	got := sight.Servers
	if len(got) != 2 {
		t.Fatalf("found %+v, want the two servers of this folder", got)
	}
	urls := map[int]string{cmd.Process.Pid: "http://" + addr, waiting.Process.Pid: ""}
	for _, s := range got {
		want, known := urls[s.PID]
		if !known || s.URL != want || s.Folder != root {
			t.Errorf("found %+v", s)
		}
		if d := s.Started.Sub(before); d < -time.Second || d > 5*time.Second {
			t.Errorf("process %d is said to have started %v after the test", s.PID, d)
		}
		if !Alive(s.PID, s.Started) {
			t.Errorf("process %d counts as gone", s.PID)
		}
		if Alive(s.PID, s.Started.Add(-time.Minute)) {
			t.Errorf("process %d counts as the one that had its number a minute ago", s.PID)
		}
	}
}

func TestAliveSeesTheEnd(t *testing.T) {
	t.Parallel()
	cmd, _ := startFake(t, t.TempDir(), "wait", "", "manage.py", "runserver")
	started, ok := startOf(cmd.Process.Pid)
	if !ok || !Alive(cmd.Process.Pid, started) {
		t.Fatal("the running process counts as gone")
	}
	_ = cmd.Process.Kill()
	deadline := time.Now().Add(3 * time.Second)
	for Alive(cmd.Process.Pid, started) {
		if time.Now().After(deadline) {
			t.Fatal("the killed process counts as alive")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestLookStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Look(ctx, t.TempDir()); err == nil {
		t.Error("a cancelled look came back without an error")
	}
}

func TestKeyInEnvironment(t *testing.T) {
	t.Parallel()
	key := "made-at-run-time-" + fmt.Sprint(time.Now().UnixNano())
	prints := secret.NewFingerprinter(nil)
	with, _ := startFake(t, t.TempDir(), "wait", key, "manage.py", "runserver")
	without, _ := startFake(t, t.TempDir(), "wait", "", "manage.py", "runserver")

	sum, set, err := KeyInEnvironment(with.Process.Pid, "JWT_SECRET_KEY", prints)
	if err != nil || !set || sum != prints.Sum([]byte(key)) {
		t.Errorf("with the key: set %v, error %v, right fingerprint %v", set, err, sum == prints.Sum([]byte(key)))
	}
	if sum, set, err := KeyInEnvironment(without.Process.Pid, "JWT_SECRET_KEY", prints); err != nil || set || sum != "" {
		t.Errorf("without the key: %q, %v, %v", sum, set, err)
	}
	// As gunicorn is where setproctitle is installed: its title lies over its environment.
	bare := exec.Command("sleep", "600")
	bare.Env = []string{}
	if err := bare.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bare.Process.Kill(); _ = bare.Wait() })
	if _, set, err := KeyInEnvironment(bare.Process.Pid, "JWT_SECRET_KEY", prints); err == nil || set {
		t.Errorf("a process that shows no environment: %v, %v", set, err)
	}
	if _, _, err := KeyInEnvironment(1<<30, "JWT_SECRET_KEY", prints); err == nil {
		t.Error("a process that is not there has an environment")
	}
}

//go:build !linux || keysplit_gopsutil

package process

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"
)

func TestMayServe(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"python3.12": true, "Python": true, "python.exe": true, "pypy3": true, "gunicorn": true, "uvicorn.exe": true, "manage.py": true,
		"bash": false, "systemd": false, "postgres": false, "": false,
	} {
		if mayServe(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ip   string
		port uint32
		want string
	}{
		{"127.0.0.1", 8000, "127.0.0.1:8000"}, {"::1", 8000, "[::1]:8000"}, {"*", 80, "0.0.0.0:80"}, {"", 80, ""}, {"127.0.0.1", 70000, ""},
	} {
		at, ok := address(net.ConnectionStat{Laddr: net.Addr{IP: c.ip, Port: c.port}})
		if ok != (c.want != "") || ok && at.String() != c.want {
			t.Errorf("%+v: %v, %t", c, at, ok)
		}
	}
}

func TestIsLauncher(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	exe := filepath.Join(dir, "venv", "Scripts", "python.exe")
	if isLauncher(exe) {
		t.Error("without pyvenv.cfg it is no virtual environment")
	}
	if err := os.MkdirAll(filepath.Dir(exe), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "venv", "pyvenv.cfg"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !isLauncher(exe) || isLauncher(filepath.Join(dir, "venv", "bin", "python")) {
		t.Error("the launcher of a virtual environment is not known by its place")
	}
}

// A process that is gone, or that is not ours to look at, is an error and no answer.
func TestLookFails(t *testing.T) {
	t.Parallel()
	if r, err := look(context.Background(), &process.Process{Pid: 1 << 30}, ""); err == nil {
		t.Errorf("%+v", r)
	}
}

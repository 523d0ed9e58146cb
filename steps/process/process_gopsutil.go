//go:build !linux || keysplit_gopsutil

package process

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"
)

// list asks the system by gopsutil. The tag keysplit_gopsutil builds it on Linux, where
// the same tests hold it to what /proc says.
//
// A process that may be a server and does not let itself be looked at, such as that of
// another user, is a *hiddenError beside the others: what the rest says is true, but
// that there is no server cannot be said.
func list(ctx context.Context, root string) (Sight, []running, error) {
	found, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return Sight{}, nil, fmt.Errorf("list the processes: %w", err)
	}
	var all []running
	var hidden error
	for _, p := range found {
		if ctx.Err() != nil {
			return Sight{}, nil, ctx.Err()
		}
		name, err := p.NameWithContext(ctx)
		if err != nil || !mayServe(name) {
			continue // it has ended, or is something else
		}
		r, err := look(ctx, p, root)
		if err != nil {
			if alive, gone := p.IsRunningWithContext(ctx); gone == nil && !alive {
				continue
			}
			hidden = &hiddenError{name: name, pid: int(p.Pid), err: err}
			continue
		}
		if r.bond == ours {
			all = append(all, r)
		}
	}
	return Sight{}, withoutLaunchers(all), hidden
}

// mayServe reports whether a program's name is one that servers have. The name is all
// that every system tells of every process. macOS calls its own Python "Python".
func mayServe(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".exe")
	return strings.HasPrefix(name, "python") || strings.HasPrefix(name, "pypy") || strings.HasPrefix(name, "manage") ||
		slices.Contains([]string{"gunicorn", "uvicorn", "daphne", "hypercorn", "granian", "waitress-serve", "uwsgi", "django-admin"}, name)
}

// look reads one process whole. The sockets of what belongs to no project here are not
// asked for: that takes a start of lsof on macOS.
func look(ctx context.Context, p *process.Process, root string) (running, error) {
	r := running{pid: int(p.Pid)}
	var err error
	if r.args, err = p.CmdlineSliceWithContext(ctx); err != nil {
		return r, fmt.Errorf("its command: %w", err)
	}
	if len(r.args) == 0 {
		return r, fmt.Errorf("its command: %w", os.ErrPermission)
	}
	if r.folder, err = p.CwdWithContext(ctx); err == nil && r.folder == "" {
		err = os.ErrPermission // Windows tells of no folder so: it is not keysplit's own
	}
	if err != nil {
		return r, fmt.Errorf("its folder: %w", err)
	}
	r.folder = filepath.Clean(r.folder)
	if r.bond = bondOf(r, root); r.bond != ours {
		return r, nil
	}
	created, err := p.CreateTimeWithContext(ctx)
	if err != nil {
		return r, fmt.Errorf("its start: %w", err)
	}
	r.started = time.UnixMilli(created)
	parent, err := p.PpidWithContext(ctx)
	if err != nil {
		return r, fmt.Errorf("its parent: %w", err)
	}
	r.parent = int(parent)
	if exe, err := p.ExeWithContext(ctx); err == nil {
		r.launcher = isLauncher(exe)
	}
	sockets, err := net.ConnectionsPidWithContext(ctx, "tcp", p.Pid)
	if err != nil {
		return r, fmt.Errorf("its addresses: %w", err)
	}
	for _, s := range sockets {
		if at, ok := address(s); ok && s.Status == "LISTEN" {
			r.sockets = append(r.sockets, socket{id: at.String(), at: at}) // workers share the address
		}
	}
	return r, nil
}

// bondOf weighs what a command and a folder show: a path among the arguments, of which
// the first file is the script, then the working folder.
func bondOf(p running, root string) bond {
	script := false
	for _, word := range p.args[1:] {
		if _, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(word, "-") {
			word = value
		}
		if strings.HasPrefix(word, "-") || !strings.ContainsAny(word, `/\`) && !strings.HasSuffix(word, ".py") {
			continue
		}
		if !filepath.IsAbs(word) {
			word = filepath.Join(p.folder, word)
		}
		info, err := os.Stat(word)
		if err != nil {
			continue
		}
		first := !script && !info.IsDir()
		script = script || first
		if b := climb(word, root); b == ours || b == others && first {
			return b
		}
	}
	return climb(p.folder, root)
}

// climb goes up from a path to the first folder that is the project's or another
// project's. A virtual environment on the way says nothing.
func climb(path, root string) bond {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	for last := ""; path != last; last, path = path, filepath.Dir(path) {
		is := func(name string) bool { _, err := os.Stat(filepath.Join(path, name)); return err == nil }
		switch {
		case path == root:
			return ours
		case is("pyvenv.cfg"):
			return unknown
		case is("manage.py"):
			return others
		}
	}
	return unknown
}

// address is where a socket listens; lsof says "*" for everywhere.
func address(s net.ConnectionStat) (netip.AddrPort, bool) {
	if s.Laddr.IP == "*" {
		s.Laddr.IP = "0.0.0.0"
	}
	addr, err := netip.ParseAddr(s.Laddr.IP)
	if err != nil || s.Laddr.Port > math.MaxUint16 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr, uint16(s.Laddr.Port)), true
}

// isLauncher reports whether a program is the python.exe of a virtual environment on
// Windows, which starts the real one as a child.
func isLauncher(exe string) bool {
	if !strings.EqualFold(filepath.Base(filepath.Dir(exe)), "Scripts") {
		return false
	}
	_, err := os.Stat(filepath.Join(filepath.Dir(filepath.Dir(exe)), "pyvenv.cfg"))
	return err == nil
}

func startOf(pid int) (time.Time, bool) {
	p, ok := byNumber(pid)
	if !ok {
		return time.Time{}, false
	}
	created, err := p.CreateTime()
	if err != nil {
		return time.Time{}, false
	}
	if status, err := p.Status(); err == nil && slices.Contains(status, process.Zombie) {
		return time.Time{}, false
	}
	return time.UnixMilli(created), true
}

func environmentValue(pid int, name string) ([]byte, bool, error) {
	p, ok := byNumber(pid)
	if !ok {
		return nil, false, fmt.Errorf("read the environment of process %d: %w", pid, os.ErrNotExist)
	}
	env, err := p.Environ()
	// macOS shows the environment of some programs as empty, and that is no error there.
	if err == nil && !slices.ContainsFunc(env, func(entry string) bool { return strings.Contains(entry, "=") }) {
		err = os.ErrPermission
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the environment of process %d: %w", pid, err)
	}
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return []byte(value), true, nil
		}
	}
	return nil, false, nil
}

func byNumber(pid int) (*process.Process, bool) {
	if pid <= 0 || pid > math.MaxInt32 {
		return nil, false
	}
	p, err := process.NewProcess(int32(pid))
	return p, err == nil
}

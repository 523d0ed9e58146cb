//go:build linux && !keysplit_gopsutil

package process

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is USER_HZ, the unit of the start time in /proc/PID/stat. The
// kernel's interface fixes it at 100 on every platform that Go supports.
const ticksPerSecond = 100

// view is one look at /proc.
type view struct {
	home    identity            // of the project's folder
	own     string              // keysplit's network namespace
	nets    map[string]*network // what listens in each of them
	holders map[uint16]string
	held    map[string]bool     // inodes of keysplit's own network whose process was seen
	closed  map[uint32][]string // the commands of Pythons that show nothing, by their user
}

// list reads /proc. Processes that end in the meantime are passed over.
func list(ctx context.Context, root string) (Sight, []running, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return Sight{}, nil, fmt.Errorf("list the processes: %w", err)
	}
	v := &view{nets: map[string]*network{}, holders: map[uint16]string{}, held: map[string]bool{}, closed: map[uint32][]string{}}
	v.home, _ = identify(root)
	v.own, _ = os.Readlink("/proc/self/ns/net")
	var all []running
	for _, e := range entries {
		if ctx.Err() != nil {
			return Sight{}, nil, ctx.Err()
		}
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := v.look(pid); ok {
				all = append(all, p)
			}
		}
	}
	return Sight{Hidden: v.hidden(), Holders: v.holders}, all, nil
}

// look reads one process; ok is false for one that is no Python, or is gone.
func (v *view) look(pid int) (p running, ok bool) {
	exe, err := os.Readlink(procPath(pid, "exe"))
	if errors.Is(err, fs.ErrPermission) {
		v.shut(pid)
		return p, false
	}
	if err != nil {
		return p, false // the kernel's own, or gone
	}
	p = running{pid: pid}
	var files []string
	p.sockets, files = v.opened(pid)
	name := filepath.Base(exe)
	for _, s := range p.sockets {
		if !s.abroad && s.path == "" {
			v.holders[s.at.Port()] = name
		}
	}
	if !pythonName(name) && (len(p.sockets) == 0 || !loadsPython(pid)) {
		return p, false
	}
	if p.args = arguments(pid); len(p.args) == 0 {
		return p, false
	}
	if p.parent, p.started, ok = stat(pid); !ok {
		return p, false
	}
	p.folder, _ = os.Readlink(procPath(pid, "cwd"))
	env := environment(pid)
	p.reloaded = env["RUN_MAIN"] == "true" || env["WERKZEUG_RUN_MAIN"] == "true"
	p.bond = v.bondOf(p, env["PYTHONPATH"], files)
	return p, true
}

// shut counts a process that may not be looked into, where its command says that it
// is a Python.
func (v *view) shut(pid int) {
	args := arguments(pid)
	if len(args) == 0 || !slices.ContainsFunc(args[:min(2, len(args))], func(a string) bool { return pythonName(filepath.Base(a)) }) {
		return
	}
	if info, err := os.Stat(procPath(pid, "")); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			v.closed[st.Uid] = append(v.closed[st.Uid], strings.Join(args, " "))
		}
	}
}

// hidden are the users with Pythons that show nothing, and the ports that they hold. Of
// the ports below 1024 only those of the web count.
func (v *view) hidden() (out []Hidden) {
	net := v.network("self", v.own)
	for uid, commands := range v.closed {
		h := Hidden{User: strconv.FormatUint(uint64(uid), 10), Processes: len(commands)}
		if u, err := user.LookupId(h.User); err == nil {
			h.User = u.Username
		}
		for inode, s := range net.sockets {
			if port := s.at.Port(); s.path == "" && net.owner[inode] == uid && !v.held[inode] && (port >= 1024 || port == 80 || port == 443) {
				h.Ports = append(h.Ports, port)
			}
			if s.path != "" && !v.held[inode] && names(commands, s.path, uid) {
				h.Sockets = append(h.Sockets, s.path)
			}
		}
		if len(h.Ports)+len(h.Sockets) > 0 {
			slices.Sort(h.Ports)
			slices.Sort(h.Sockets)
			h.Ports = slices.Compact(h.Ports)
			out = append(out, h)
		}
	}
	for inode, s := range net.sockets {
		if _, seen := v.holders[s.at.Port()]; s.path == "" && !seen && !v.held[inode] {
			v.holders[s.at.Port()] = ""
		}
	}
	slices.SortFunc(out, func(a, b Hidden) int { return cmp.Compare(a.User, b.User) })
	return out
}

// names reports whether commands of a user name a unix socket. gunicorn can put a title in
// the place of its command: then a socket of that user may be its own.
func names(commands []string, path string, uid uint32) bool {
	all := strings.Join(commands, "\n")
	if strings.Contains(all, path) {
		return true
	}
	info, err := os.Stat(path) // #nosec G703 -- it only asks whose it is
	if err != nil || uid == 0 || !strings.Contains(all, "gunicorn: ") {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid == uid
}

// pythonName reports whether a program's name is that of a Python, or of a server that
// brings its own.
func pythonName(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ":") // a title: "gunicorn: master [app]"
	return strings.HasPrefix(name, "python") || strings.HasPrefix(name, "pypy") ||
		slices.Contains([]string{"gunicorn", "uvicorn", "daphne", "hypercorn", "granian", "waitress-serve", "uwsgi", "manage.py", "django-admin"}, name)
}

// loadsPython reports whether the process has a Python library or an extension of one
// mapped, whatever the name of its program is.
func loadsPython(pid int) bool {
	maps, err := os.ReadFile(procPath(pid, "maps"))
	return err == nil && (bytes.Contains(maps, []byte("/libpython")) || bytes.Contains(maps, []byte(".cpython-")) || bytes.Contains(maps, []byte(".pypy")))
}

func procPath(pid int, name string) string {
	return "/proc/" + strconv.Itoa(pid) + "/" + name
}

// arguments is the command line. A server may rewrite it into one string
// ("gunicorn: master [app]").
func arguments(pid int) []string {
	raw, err := os.ReadFile(procPath(pid, "cmdline"))
	if err != nil {
		return nil
	}
	text := strings.TrimRight(string(raw), "\x00")
	if !strings.Contains(text, "\x00") {
		return strings.Fields(text)
	}
	return strings.Split(text, "\x00")
}

// environment is what the process was started with; nil where that may not be read.
func environment(pid int) map[string]string {
	raw, err := os.ReadFile(procPath(pid, "environ"))
	if err != nil {
		return nil
	}
	env := map[string]string{}
	for _, entry := range bytes.Split(raw, []byte{0}) {
		name, value, _ := strings.Cut(string(entry), "=")
		env[name] = value
	}
	return env
}

// stat reads the parent and the start from /proc/PID/stat. The second field is
// the name in parentheses and may itself hold spaces and parentheses.
func stat(pid int) (parent int, started time.Time, ok bool) {
	raw, _ := os.ReadFile(procPath(pid, "stat")) // of one that has ended there is nothing
	end := bytes.LastIndexByte(raw, ')')
	if end < 0 {
		return 0, time.Time{}, false
	}
	fields := strings.Fields(string(raw[end+1:]))
	const state, ppid, start = 0, 1, 19 // field 3 of proc(5) is the first one here
	if len(fields) <= start || fields[state] == "Z" || fields[state] == "X" {
		return 0, time.Time{}, false
	}
	parent, _ = strconv.Atoi(fields[ppid])
	ticks, _ := strconv.ParseInt(fields[start], 10, 64)
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return 0, time.Time{}, false
	}
	age := time.Duration(now.Nano()) - time.Duration(ticks)*(time.Second/ticksPerSecond)
	return parent, time.Now().Add(-age), true
}

func startOf(pid int) (time.Time, bool) {
	_, started, ok := stat(pid)
	return started, ok
}

func environmentValue(pid int, name string) ([]byte, bool, error) {
	raw, err := os.ReadFile(procPath(pid, "environ"))
	if err != nil {
		return nil, false, fmt.Errorf("read the environment of process %d: %w", pid, err)
	}
	if !bytes.ContainsRune(raw, '=') { // a title of its own, as setproctitle gives gunicorn, takes its room
		return nil, false, fmt.Errorf("process %d shows no environment: %w", pid, os.ErrPermission)
	}
	for _, entry := range bytes.Split(raw, []byte{0}) {
		if value, ok := bytes.CutPrefix(entry, []byte(name+"=")); ok {
			return value, true, nil
		}
	}
	return nil, false, nil
}

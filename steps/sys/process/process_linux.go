//go:build linux && !keysplit_gopsutil

package process

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is USER_HZ, the unit of the start time in /proc/PID/stat. The
// kernel's interface fixes it at 100 on every platform that Go supports.
const ticksPerSecond = 100

// list reads /proc. Processes that end meanwhile, and those of other users, are
// passed over.
func list(ctx context.Context) ([]running, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	var all []running
	for _, e := range entries {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		pid, err := strconv.Atoi(e.Name())
		if err != nil || !ours(pid) {
			continue
		}
		raw, err := os.ReadFile(procPath(pid, "cmdline"))
		if err != nil || len(raw) == 0 {
			continue
		}
		p := running{pid: pid, args: strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")}
		// A server may rewrite its title into one string ("gunicorn: master [app]").
		if len(p.args) == 1 {
			p.args = strings.Fields(p.args[0])
		}
		if k, _ := classify(p.args); k == notAServer {
			continue
		}
		var ok bool
		if p.parent, p.started, ok = stat(pid); !ok {
			continue
		}
		p.folder, _ = os.Readlink(procPath(pid, "cwd"))
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, nil
	}
	sockets := listening()
	for i := range all {
		all[i].listens = held(all[i].pid, sockets)
	}
	return all, nil
}

func procPath(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}

func ours(pid int) bool {
	info, err := os.Stat(procPath(pid, ""))
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

// stat reads the parent and the start from /proc/PID/stat. The second field is
// the name in parentheses and may itself hold spaces and parentheses.
func stat(pid int) (parent int, started time.Time, ok bool) {
	raw, err := os.ReadFile(procPath(pid, "stat"))
	if err != nil {
		return 0, time.Time{}, false
	}
	end := bytes.LastIndexByte(raw, ')')
	if end < 0 {
		return 0, time.Time{}, false
	}
	fields := strings.Fields(string(raw[end+1:]))
	const state, ppid, start = 0, 1, 19 // field 3 of proc(5) is the first one here
	if len(fields) <= start || fields[state] == "Z" || fields[state] == "X" {
		return 0, time.Time{}, false
	}
	parent, err = strconv.Atoi(fields[ppid])
	if err != nil {
		return 0, time.Time{}, false
	}
	ticks, err := strconv.ParseInt(fields[start], 10, 64)
	if err != nil {
		return 0, time.Time{}, false
	}
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

// listening maps the inode of each listening TCP socket to its address.
func listening() map[string]netip.AddrPort {
	sockets := map[string]netip.AddrPort{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		raw, err := os.ReadFile(table)
		if err != nil {
			continue // a system without IPv6 has no tcp6
		}
		for _, line := range strings.Split(string(raw), "\n") {
			f := strings.Fields(line)
			const local, state, inode, listen = 1, 3, 9, "0A"
			if len(f) <= inode || f[state] != listen {
				continue
			}
			if at, ok := parseAddr(f[local]); ok {
				sockets[f[inode]] = at
			}
		}
	}
	return sockets
}

// parseAddr reads "0100007F:1F90": each group of four bytes is in the machine's
// own order, which is little-endian on all but exotic machines.
func parseAddr(text string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	if !ok || err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		raw[i], raw[i+1], raw[i+2], raw[i+3] = raw[i+3], raw[i+2], raw[i+1], raw[i]
	}
	addr, ok := netip.AddrFromSlice(raw)
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr, uint16(n)), true
}

// held lists the listening sockets among the open files of a process.
func held(pid int, sockets map[string]netip.AddrPort) []netip.AddrPort {
	files, err := os.ReadDir(procPath(pid, "fd"))
	if err != nil {
		return nil
	}
	var at []netip.AddrPort
	for _, f := range files {
		link, err := os.Readlink(filepath.Join(procPath(pid, "fd"), f.Name()))
		if err != nil {
			continue
		}
		inode, isSocket := strings.CutPrefix(link, "socket:[")
		if addr, ok := sockets[strings.TrimSuffix(inode, "]")]; isSocket && ok {
			at = append(at, addr)
		}
	}
	return at
}

func environmentValue(pid int, name string) ([]byte, bool, error) {
	raw, err := os.ReadFile(procPath(pid, "environ"))
	if err != nil {
		return nil, false, fmt.Errorf("read the environment of process %d: %w", pid, err)
	}
	for _, entry := range bytes.Split(raw, []byte{0}) {
		if value, ok := bytes.CutPrefix(entry, []byte(name+"=")); ok {
			return value, true, nil
		}
	}
	return nil, false, nil
}

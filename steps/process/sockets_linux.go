//go:build linux && !keysplit_gopsutil

package process

import (
	"encoding/hex"
	"net/netip"
	"os"
	"path"
	"strconv"
	"strings"
)

// network is what listens in one network namespace.
type network struct {
	sockets map[string]socket // by inode
	owner   map[string]uint32 // the user of a TCP socket
}

// network reads the tables of a namespace once, by a process that is in it.
func (v *view) network(pid, space string) *network {
	if n := v.nets[space]; n != nil {
		return n
	}
	n := &network{sockets: map[string]socket{}, owner: map[string]uint32{}}
	v.nets[space] = n
	for _, table := range []string{"tcp", "tcp6"} {
		for _, f := range rows("/proc/" + pid + "/net/" + table) {
			const local, state, uid, inode, listen = 1, 3, 7, 9, "0A"
			if len(f) <= inode || f[state] != listen {
				continue
			}
			if at, ok := parseAddr(f[local]); ok {
				n.sockets[f[inode]] = socket{id: space + " " + at.String(), at: at, abroad: space != v.own}
				if owner, err := strconv.ParseUint(f[uid], 10, 32); err == nil {
					n.owner[f[inode]] = uint32(owner)
				}
			}
		}
	}
	for _, f := range rows("/proc/" + pid + "/net/unix") {
		const flags, kind, inode, name, accepts, stream = 3, 4, 6, 7, "00010000", "0001"
		// A name that begins with @ is in no file system: only its own network reaches it.
		if len(f) > name && f[flags] == accepts && f[kind] == stream && !strings.HasPrefix(f[name], "@") {
			n.sockets[f[inode]] = socket{id: space + " " + f[inode], path: f[name]}
		}
	}
	return n
}

// rows are the lines of a table of /proc, in words. A system without IPv6 has no tcp6.
func rows(table string) (out [][]string) {
	raw, _ := os.ReadFile(table)
	for _, line := range strings.Split(string(raw), "\n") {
		out = append(out, strings.Fields(line))
	}
	return out
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

// maxOpen is how many open files of a process are looked at for a trace of the project.
const maxOpen = 256

// opened are the sockets that a process listens on, and the files that it holds open,
// as it calls them itself.
func (v *view) opened(pid int) (listens []socket, files []string) {
	entries, _ := os.ReadDir(procPath(pid, "fd")) // what may not be read shows nothing
	var tables *network
	for _, e := range entries {
		link, err := os.Readlink(procPath(pid, "fd/"+e.Name()))
		if err != nil {
			continue
		}
		inode, isSocket := strings.CutPrefix(link, "socket:[")
		if !isSocket {
			if strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "/dev/") && len(files) < maxOpen {
				files = append(files, link)
			}
			continue
		}
		if tables == nil {
			space, err := os.Readlink(procPath(pid, "ns/net"))
			if err != nil {
				return nil, files
			}
			tables = v.network(strconv.Itoa(pid), space)
		}
		inode = strings.TrimSuffix(inode, "]")
		s, ok := tables.sockets[inode]
		if !ok {
			continue
		}
		v.held[inode] = true
		if s.path != "" {
			s.path = reachable(pid, s.path)
		}
		listens = append(listens, s)
	}
	return listens, files
}

// reachable is the path by which keysplit comes to a unix socket of a process: its own
// path where that is the same file here, else through the process's root.
func reachable(pid int, name string) string {
	through := procPath(pid, "root") + name
	if !path.IsAbs(name) {
		through = procPath(pid, "cwd/") + name
	}
	theirs, err := identify(through)
	if err != nil {
		return name
	}
	if mine, err := identify(name); err == nil && path.IsAbs(name) && mine == theirs {
		return name
	}
	return through
}

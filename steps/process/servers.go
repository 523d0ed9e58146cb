package process

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
)

// servers picks those of the project out of all Pythons, and those that listen and
// show no project; more are their further addresses.
func servers(all []running) (mine, unsure []steps.Server, more map[int][]string) {
	more = map[int][]string{}
	c := crowd{byPID: map[int]running{}, on: map[string][]int{}, watching: map[int]bool{}}
	for _, p := range all {
		c.byPID[p.pid] = p
		for _, s := range p.sockets {
			c.on[s.id] = append(c.on[s.id], p.pid)
		}
	}
	for _, p := range all {
		if c.watched(p) {
			c.watching[p.parent] = true
		}
	}
	for _, p := range all {
		s, further, whose, ok := c.server(p)
		if len(further) > 0 {
			more[s.PID] = further
		}
		switch {
		case !ok, whose == others:
		case whose == ours:
			mine = append(mine, s)
		case len(p.sockets) > 0:
			unsure = append(unsure, s)
		}
	}
	slices.SortFunc(mine, func(a, b steps.Server) int { return a.PID - b.PID })
	return mine, unsure, more
}

// crowd are processes, and how they stand to each other.
type crowd struct {
	byPID    map[int]running
	on       map[string][]int // who listens on a socket
	watching map[int]bool     // parents that start their child again when a file changes
}

// watched reports whether the parent of a process is Django's autoreloader, or one that
// opens no socket.
func (c crowd) watched(p running) bool {
	up, known := c.byPID[p.parent]
	return known && (p.reloaded || classify(p.args) == runserver && classify(up.args) == runserver || reloads(p.args) && reloads(up.args) && len(up.sockets) == 0)
}

// group are the processes that listen on a socket of p, in two parts: the master, which
// is the one that started the others, and those that answer.
func (c crowd) group(p running) (master running, workers []running) {
	members := map[int]bool{p.pid: true}
	for _, s := range p.sockets {
		for _, pid := range c.on[s.id] {
			if !c.watching[pid] { // it can hold its child's socket, and answers nobody
				members[pid] = true
			}
		}
	}
	master = p
	parents := map[int]bool{}
	for pid := range members {
		up := c.byPID[pid].parent
		parents[up] = true
		if !members[up] && (members[master.parent] || pid < master.pid) {
			master = c.byPID[pid]
		}
	}
	for pid := range members {
		if pid != master.pid || !parents[pid] {
			workers = append(workers, c.byPID[pid])
		}
	}
	return master, workers
}

// commands reports whether the process only tells its children what to do: they listen on
// TCP, and it does on a unix socket, as gunicorn's master with --reuse-port.
func (c crowd) commands(p running) bool {
	if len(p.sockets) == 0 || slices.ContainsFunc(p.sockets, func(s socket) bool { return s.path == "" }) {
		return false
	}
	for _, child := range c.byPID {
		if child.parent == p.pid && slices.ContainsFunc(child.sockets, func(s socket) bool { return s.path == "" }) {
			return true
		}
	}
	return false
}

// server is the server that a process stands for, its further addresses, and whose it is; ok is false for one
// that stands for none: a worker, a parent that watches, or a program that serves
// nothing.
func (c crowd) server(p running) (s steps.Server, further []string, whose bond, ok bool) {
	master, workers := c.group(p)
	s = steps.Server{
		PID: p.pid, Folder: p.folder, Started: p.started, Workers: len(workers),
		Command: strings.Join(strings.Fields(secret.Inert(strings.Join(p.args, " "))), " "),
	}
	switch {
	case master.pid != p.pid, c.watching[p.pid], c.commands(p):
		return s, nil, unknown, false // another one stands for it
	case c.watched(p):
		s.Reloader = p.parent
	case reloads(p.args) && len(p.sockets) > 0:
		s.Reloader = p.pid
		if len(workers) == 1 { // itself, between two children
			s.PID, s.Started = workers[0].pid, workers[0].started
		}
	case len(p.sockets) == 0 && (p.reloaded || classify(p.args) == runserver || reloads(p.args)):
		s.Reloader = p.pid // between two children
	case len(p.sockets) == 0 && classify(p.args) != noReload:
		return s, nil, unknown, false
	}
	shared := map[string]bool{} // the master can listen on more, to be told what to do
	whose = p.bond
	for _, w := range workers {
		for _, s := range w.sockets {
			shared[s.id] = true
		}
		if s.Oldest.IsZero() || w.started.Before(s.Oldest) {
			s.Oldest = w.started
		}
		if w.bond == ours {
			whose = ours
		}
	}
	urls, inside := reached(slices.DeleteFunc(slices.Clone(p.sockets), func(s socket) bool { return !shared[s.id] }))
	if s.Inside = inside; len(urls) > 0 {
		s.URL, further = urls[0], urls[1:]
	}
	return s, further, whose, true
}

// reached are the base URLs of what listens on the sockets: those of TCP by their ports, and
// this machine where it listens everywhere; then the unix sockets. Where all are in
// another network, inside says where they are there.
func reached(sockets []socket) (urls []string, inside string) {
	var tcp, abroad []netip.AddrPort
	var paths []string
	for _, s := range sockets {
		switch {
		case s.path != "":
			paths = append(paths, steps.SocketURL(s.path))
		case s.abroad:
			abroad = append(abroad, s.at)
		default:
			tcp = append(tcp, s.at)
		}
	}
	slices.Sort(paths)
	urls = slices.Compact(append(baseURLs(tcp), paths...))
	if len(urls) == 0 && len(abroad) > 0 {
		inside = strings.TrimPrefix(baseURLs(abroad)[0], "http://")
	}
	return urls, inside
}

// baseURLs makes the addresses to call from those that a process listens on, one for
// each port.
func baseURLs(listens []netip.AddrPort) (urls []string) {
	slices.SortFunc(listens, func(a, b netip.AddrPort) int {
		return cmp.Or(cmp.Compare(a.Port(), b.Port()), a.Addr().Compare(b.Addr()))
	})
	listens = slices.CompactFunc(listens, func(a, b netip.AddrPort) bool { return a.Port() == b.Port() })
	for _, l := range listens {
		addr := l.Addr().Unmap()
		switch addr {
		case netip.IPv4Unspecified():
			addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		case netip.IPv6Unspecified():
			addr = netip.IPv6Loopback()
		}
		urls = append(urls, "http://"+netip.AddrPortFrom(addr, l.Port()).String())
	}
	return urls
}

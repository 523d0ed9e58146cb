// Package process finds the servers of the project among the processes of this
// machine. It only looks: it signals nothing and changes nothing.
//
// Names say little: a server can be started by any program, with any words, from any
// folder, by any user, in a container that mounts the project elsewhere. So a process
// is judged by facts:
//
//   - it is a Python, by the program that it runs or a library that it has loaded;
//   - it listens, on TCP or a unix socket, or it is one of the two processes of
//     Django's runserver;
//   - its script, its working folder, its PYTHONPATH, a file that it holds open or one
//     that it has mapped lies in the project: the same folder, by device and inode, as
//     the process itself sees it.
//
// Root sees everybody's processes; another user only their own. Of what shows nothing
// of itself, Look says how much it is and where it listens.
//
// Django's autoreloader is a pair: a parent that starts a child and starts it again
// when a watched file changes. The child listens. A child that failed at its start
// stays, listens nowhere and waits for a file to change; it is a server with an empty
// URL. A master with its workers is one server, and its PID is that of the master.
package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
)

// ErrUnsupported says that keysplit could not look: a process that may be a server
// does not show itself, or the system gives no way to. It is not "there is none".
var ErrUnsupported = errors.New("keysplit cannot see the running servers here")

// hiddenError says that a process which may be a server could not be looked at.
type hiddenError struct {
	name string
	pid  int
	err  error // why
}

func (e *hiddenError) Error() string {
	return fmt.Sprintf("process %d (%s) cannot be looked at: %v", e.pid, secret.Inert(e.name), e.err)
}

// startTolerance is how far two readings of the start of one process may lie
// apart. Linux counts the start in hundredths of a second from the boot, and
// the clock may be adjusted between the readings; Windows counts
// milliseconds.
const startTolerance = 1500 * time.Millisecond

// Sight is what one look at the processes of this machine tells.
type Sight struct {
	Servers []steps.Server    // of the project, by their process numbers
	Workers []steps.Server    // of the project that serve nothing: Celery's and the like, the ones that started the others
	Others  []steps.Server    // Pythons that listen and show no project: only asking them tells
	More    map[int][]string  // further addresses of those two, by their process numbers
	Hidden  []Hidden          // what may not be looked into
	Holders map[uint16]string // the program behind each TCP port that somebody listens on, "" where it may not be seen
}

// Hidden are Pythons of one user that keysplit may not look into, with the ports of
// that user that no other process is seen to hold, and the unix sockets that their commands
// name.
type Hidden struct {
	User      string // the name, else the number
	Processes int
	Ports     []uint16
	Sockets   []string // paths
}

// String is a sentence without its full stop, such as "2 Python processes of www-data
// listen on 8001; keysplit cannot look into them".
func (h Hidden) String() string {
	var ports []string
	for _, p := range h.Ports {
		ports = append(ports, fmt.Sprint(p))
	}
	for _, path := range h.Sockets {
		ports = append(ports, steps.SocketURL(secret.Inert(path)))
	}
	processes, listen, them := "Python processes", "listen", "them"
	if h.Processes == 1 {
		processes, listen, them = "Python process", "listens", "it"
	}
	return fmt.Sprintf("%d %s of %s %s on %s; keysplit cannot look into %s", h.Processes, processes, secret.Inert(h.User), listen, strings.Join(ports, ", "), them)
}

// Look finds the servers of the project whose folder is root (absolute, links
// resolved). Its error wraps ErrUnsupported where none is seen and keysplit cannot say
// that there is none.
func Look(ctx context.Context, root string) (Sight, error) {
	s, all, err := list(ctx, root)
	s.Servers, s.Others, s.More = servers(all)
	s.Workers = workers(all)
	return seen(s, err)
}

// seen is what can be said of what was found, when err came beside it.
func seen(s Sight, err error) (Sight, error) {
	var hidden *hiddenError
	switch {
	case !errors.As(err, &hidden):
		return s, err
	case len(s.Servers) > 0:
		return s, nil
	}
	return Sight{}, fmt.Errorf("%w: %w", ErrUnsupported, err)
}

// Alive reports whether the process that had that number and that start is still
// there. Numbers are used again, so the start decides.
func Alive(pid int, started time.Time) bool {
	at, ok := startOf(pid)
	if !ok {
		return false
	}
	d := at.Sub(started)
	return d < startTolerance && d > -startTolerance
}

// KeyInEnvironment reports whether the variable was in the environment that the
// process was started with, and returns the fingerprint of its value. A child
// of the autoreloader shows here what it inherited from its parent. The value
// itself is not kept.
func KeyInEnvironment(pid int, name string, f secret.Fingerprinter) (sum string, set bool, err error) {
	value, set, err := environmentValue(pid, name)
	if err != nil || !set {
		return "", false, err
	}
	return f.Sum(value), true, nil
}

// bond is whose server a process can be.
type bond int

const (
	unknown bond = iota // nothing says
	ours
	others // it belongs to another project
)

// socket is one that a process listens on.
type socket struct {
	id     string         // the same for all processes that share it, or its address
	at     netip.AddrPort // of TCP
	path   string         // of a unix socket, as keysplit reaches it
	abroad bool           // it is in another network namespace than keysplit
}

// running is what one look at a process tells.
type running struct {
	pid, parent int
	args        []string
	folder      string
	started     time.Time
	sockets     []socket
	bond        bond
	reloaded    bool // the child of Django's autoreloader, as its environment says
	launcher    bool // only starts the same command again: see withoutLaunchers
}

// withoutLaunchers leaves out the launchers of virtual environments on Windows: each
// process of Python is two there, with one command. Its child stands for both, and
// gets its parent.
func withoutLaunchers(all []running) []running {
	up := map[int]int{} // from a launcher that has a child to its own parent
	for _, p := range all {
		for _, child := range all {
			if p.launcher && !child.launcher && child.parent == p.pid {
				up[p.pid] = p.parent
			}
		}
	}
	var kept []running
	for _, p := range all {
		if _, dropped := up[p.pid]; dropped {
			continue
		}
		if parent, ok := up[p.parent]; ok {
			p.parent = parent
		}
		kept = append(kept, p)
	}
	return kept
}

// kind says what a command line asks Django for.
type kind int

const (
	otherCommand kind = iota
	runserver         // autoreloads
	noReload          // runserver --noreload
)

// classify reads the command line of a Python: "python manage.py runserver",
// "python -m django runserver", "python .../django-admin --settings shop runserver".
func classify(args []string) kind {
	var words []string // the program, then its arguments
	for i := 1; i < len(args); i++ {
		switch a := args[i]; {
		case len(words) == 0 && a == "-m" && i+1 < len(args):
			words, i = append(words, args[i+1]), i+1
		case a == "-W", a == "-X", a == "-v", a == "--settings", a == "--pythonpath", a == "--verbosity":
			i++ // and its value
		case !strings.HasPrefix(a, "-"):
			words = append(words, a)
		}
	}
	// manage.py itself can be the program, where a title takes the place of the words.
	if len(args) > 0 && filepath.Base(args[0]) == "manage.py" {
		words = append(args[:1:1], words...)
	}
	switch {
	case len(words) < 2 || words[1] != "runserver" && words[1] != "runserver_plus":
		return otherCommand
	case slices.Contains(args, "--noreload"):
		return noReload
	}
	return runserver
}

// reloads reports whether a command line is that of a server that starts its only child
// again when a file changes. The parent has the socket from the beginning, and the child
// inherits it.
func reloads(args []string) bool {
	return slices.Contains(args, "--reload") && slices.ContainsFunc(args[:min(len(args), 4)], func(a string) bool {
		return slices.Contains([]string{"uvicorn", "hypercorn"}, strings.TrimSuffix(filepath.Base(a), ".exe"))
	})
}

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

// watched reports whether the parent of a process is Django's autoreloader.
func (c crowd) watched(p running) bool {
	up, known := c.byPID[p.parent]
	return known && (p.reloaded || classify(p.args) == runserver && classify(up.args) == runserver)
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
	case len(p.sockets) == 0 && (p.reloaded || classify(p.args) == runserver):
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

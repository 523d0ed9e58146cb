// Package process finds the project's own development servers among the
// processes of this machine. It only looks: it signals nothing and changes
// nothing.
//
// A process counts when all of this holds:
//
//   - it belongs to the user that runs keysplit;
//   - its command is a Python that runs manage.py with runserver or
//     runserver_plus, or it is gunicorn, uvicorn or daphne;
//   - its manage.py, or else its working folder, lies in the project.
//
// Django's autoreloader is a pair: a parent that starts a child and starts it
// anew when a watched file changes. The child listens. A child that failed at
// its start stays, listens nowhere and waits for a file to change; it is a
// server with an empty URL. A gunicorn with its workers is one server, and its
// PID is that of the topmost process.
package process

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sort"
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

// Find lists the servers of the project whose folder is root (absolute, links
// resolved), in the order of their process numbers. Its error wraps ErrUnsupported
// where none is seen and keysplit cannot say that there is none.
func Find(ctx context.Context, root string) ([]steps.Server, error) {
	all, err := list(ctx)
	return seen(servers(all, root), err)
}

// seen is what can be said of the servers that were found, when err came beside them.
func seen(found []steps.Server, err error) ([]steps.Server, error) {
	var hidden *hiddenError
	switch {
	case !errors.As(err, &hidden):
		return found, err
	case len(found) > 0:
		return found, nil
	}
	return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
}

// Alive tells whether the process that had that number and that start is still
// there. Numbers are used again, so the start decides.
func Alive(pid int, started time.Time) bool {
	at, ok := startOf(pid)
	if !ok {
		return false
	}
	d := at.Sub(started)
	return d < startTolerance && d > -startTolerance
}

// KeyInEnvironment tells whether the variable was in the environment that the
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

// running is what one look at a process tells.
type running struct {
	pid, parent int
	args        []string
	folder      string
	started     time.Time
	listens     []netip.AddrPort
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

// kind says what sort of server a command line is.
type kind int

const (
	notAServer kind = iota
	runserver       // autoreloads
	noReload        // runserver --noreload
	other           // gunicorn, uvicorn, daphne
)

// classify reads a command line. managePy is the argument that names manage.py,
// "" for other servers.
func classify(args []string) (k kind, managePy string) {
	if len(args) == 0 {
		return notAServer, ""
	}
	first := filepath.Base(args[0])
	// Launchers such as "uv run manage.py runserver" carry the same words and
	// stay as a parent; only the Python that runs the project counts.
	python := strings.HasPrefix(strings.ToLower(first), "python") || strings.HasPrefix(first, "pypy")
	if !python && first != "manage.py" && !serverName(first) {
		return notAServer, ""
	}
	for i, a := range args {
		if strings.HasSuffix(a, "manage.py") && i+1 < len(args) {
			return classifyManage(args[i+1:]), a
		}
		// Scripts show as "python .../bin/gunicorn", modules as "python -m uvicorn".
		if i < 3 && serverName(filepath.Base(a)) {
			return other, ""
		}
	}
	return notAServer, ""
}

func classifyManage(words []string) kind {
	command := ""
	for i := 0; i < len(words) && command == ""; i++ {
		if strings.HasPrefix(words[i], "-") {
			continue
		}
		command = words[i]
	}
	if command != "runserver" && command != "runserver_plus" {
		return notAServer
	}
	for _, w := range words {
		if w == "--noreload" {
			return noReload
		}
	}
	return runserver
}

func serverName(base string) bool {
	base = strings.TrimSuffix(base, ":") // gunicorn's title: "gunicorn: master [app]"
	return base == "gunicorn" || base == "uvicorn" || base == "daphne"
}

// within tells whether path is root or lies below it.
func within(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func belongs(p running, managePy, root string) bool {
	if managePy == "" {
		return p.folder != "" && within(root, p.folder)
	}
	if !filepath.IsAbs(managePy) {
		if p.folder == "" {
			return false
		}
		managePy = filepath.Join(p.folder, managePy)
	}
	folder := filepath.Dir(managePy)
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	return within(root, folder)
}

// servers picks the project's servers out of all processes.
func servers(all []running, root string) []steps.Server {
	kinds := map[int]kind{}
	for _, p := range all {
		if k, managePy := classify(p.args); k != notAServer && belongs(p, managePy, root) {
			kinds[p.pid] = k
		}
	}
	children := map[int]bool{} // processes that have a child of the same kind
	for _, p := range all {
		if k := kinds[p.pid]; k != notAServer && kinds[p.parent] == k {
			children[p.parent] = true
		}
	}
	var found []steps.Server
	for _, p := range all {
		k := kinds[p.pid]
		if k == notAServer {
			continue
		}
		s := steps.Server{
			URL: baseURL(p.listens), PID: p.pid, Folder: p.folder,
			Command: strings.Join(strings.Fields(secret.Inert(strings.Join(p.args, " "))), " "), Started: p.started,
		}
		switch {
		case k == runserver && kinds[p.parent] == runserver:
			s.Reloader = p.parent
		case k == runserver && children[p.pid]:
			continue // its child stands for the pair
		case k == runserver && s.URL == "":
			s.Reloader = p.pid // between two children
		case k != runserver && kinds[p.parent] == k:
			continue // a worker
		}
		found = append(found, s)
	}
	sort.Slice(found, func(i, j int) bool { return found[i].PID < found[j].PID })
	return found
}

// baseURL makes the address to call from those that a process listens on: the
// lowest port, and this machine where it listens everywhere.
func baseURL(listens []netip.AddrPort) string {
	if len(listens) == 0 {
		return ""
	}
	best := listens[0]
	for _, l := range listens[1:] {
		if l.Port() < best.Port() || l.Port() == best.Port() && l.Addr().Less(best.Addr()) {
			best = l
		}
	}
	addr := best.Addr().Unmap()
	switch addr {
	case netip.IPv4Unspecified():
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case netip.IPv6Unspecified():
		addr = netip.IPv6Loopback()
	}
	return "http://" + netip.AddrPortFrom(addr, best.Port()).String()
}

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

// reloads reports whether a command line is that of a server that starts its children
// again when a file changes. The parent has the socket from the beginning, and they inherit
// it; but for granian, whose workers open it.
func reloads(args []string) bool {
	return slices.Contains(args, "--reload") && slices.ContainsFunc(args[:min(len(args), 4)], func(a string) bool {
		return slices.Contains([]string{"uvicorn", "hypercorn", "gunicorn", "granian"}, strings.TrimSuffix(filepath.Base(a), ".exe"))
	})
}

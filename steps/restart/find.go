package restart

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/process"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/guard"
	"dj/keysplit/steps/vendor"
)

// notFound is said where no server of the project was found: there may be one all the
// same, that keysplit does not see.
const notFound = "keysplit found no server of this project."

// usualPorts are those on which servers of Django listen unless they are told otherwise.
var usualPorts = []uint16{80, 8000, 8001, 8080}

// tunnels are programs that pass a port on to another machine, or to what only a
// developer's tool decides: what answers there is not this machine's.
var tunnels = []string{"ssh", "kubectl", "oc", "cloud-sql-proxy", "cloud_sql_proxy", "telepresence", "node"}

// find lists the servers of the project: those whose processes show it, and those that
// only their answers tell.
func (s *Step) find(ctx context.Context, run *steps.Run) ([]steps.Server, error) {
	if s.Find != nil {
		return s.Find(ctx, run.Project.Root)
	}
	sight, err := process.Look(ctx, run.Project.Root)
	if err != nil {
		return nil, err
	}
	if s.ahead != nil {
		ours := func(server steps.Server) bool { return server.PID == s.ahead.PID() }
		sight.Servers, sight.Others = slices.DeleteFunc(sight.Servers, ours), slices.DeleteFunc(sight.Others, ours)
	}
	return s.sift(ctx, run, sight), ctx.Err()
}

// present is find for one look. Where a server was seen before and none is now, it waits a
// little: some reload when any file of the folder changes, and there is none between their two
// processes; and a restart command may end before the server listens.
func (s *Step) present(ctx context.Context, run *steps.Run) (found []steps.Server, err error) {
	limit := time.Duration(0)
	if len(run.Servers) > 0 {
		limit = s.reloadWithin()
	}
	_, err = s.Until(ctx, limit, func() (bool, error) {
		found, err = s.find(ctx, run)
		return len(found) > 0, err
	})
	run.Servers = found
	return found, err
}

// sift asks what the processes leave open, and notes what cannot be asked either.
func (s *Step) sift(ctx context.Context, run *steps.Run, sight process.Sight) []steps.Server {
	all := slices.Concat(sight.Servers, sight.Others, unclaimed(run, sight))
	told := s.recogniseAll(ctx, run, all, sight.More)
	leads := named(run) != "" || slices.Contains(told, mine) // there is an address at which the project answers
	var found, inside, mute []steps.Server
	s.vague = nil
	for i, server := range all {
		switch ours := i < len(sight.Servers); {
		case ours && server.Inside != "" && server.URL == "":
			inside = append(inside, server)
		case ours && told[i] == deaf && leads:
			mute = append(mute, server)
		case ours && told[i] == alike && leads: // the project's servers answer in one way
			s.vague = append(s.vague, server)
		case ours && told[i] != another, told[i] == mine:
			found = append(found, server)
		}
	}
	if slices.ContainsFunc(found, func(server steps.Server) bool { return server.PID != 0 }) {
		s.vague = append(s.vague, mute...)
	} else {
		inside = append(inside, mute...) // a proxy may speak with it
	}
	found, s.unseen = meet(found, inside)
	s.unseen = append(s.unseen, hidden(sight, all, told)...)
	return found
}

// hidden names the processes that keysplit cannot look into, but for what their answers told.
func hidden(sight process.Sight, all []steps.Server, told []verdict) (lines []string) {
	for _, h := range sight.Hidden {
		if h = unknown(h, all, told); len(h.Ports)+len(h.Sockets) > 0 {
			lines = append(lines, h.String()+".")
		}
	}
	return lines
}

// unclaimed are the addresses at which a server of the project may listen, and of whose processes
// nothing is known.
func unclaimed(run *steps.Run, sight process.Sight) (out []steps.Server) {
	known := map[uint16]bool{}
	for _, server := range slices.Concat(sight.Servers, sight.Others) {
		known[portOf(server.URL)] = true
	}
	add := func(port uint16) {
		if holder, seen := sight.Holders[port]; !known[port] && (sight.Holders == nil || seen) && !slices.Contains(tunnels, holder) {
			known[port] = true
			out = append(out, steps.Server{URL: "http://127.0.0.1:" + strconv.Itoa(int(port))})
		}
	}
	for _, h := range sight.Hidden {
		for _, port := range h.Ports {
			add(port)
		}
		for _, path := range h.Sockets {
			out = append(out, steps.Server{URL: steps.SocketURL(path)})
		}
	}
	for _, port := range slices.Concat(vendor.Published(run), usualPorts) {
		add(port)
	}
	return out
}

// unknown is a hidden process with what of it was not recognised by its answers.
func unknown(h process.Hidden, all []steps.Server, told []verdict) process.Hidden {
	known := func(is func(steps.Server) bool) bool {
		i := slices.IndexFunc(all, is)
		return i >= 0 && (told[i] == mine || told[i] == another)
	}
	h.Ports = slices.DeleteFunc(slices.Clone(h.Ports), func(port uint16) bool {
		return known(func(server steps.Server) bool { return portOf(server.URL) == port })
	})
	h.Sockets = slices.DeleteFunc(slices.Clone(h.Sockets), func(path string) bool {
		return known(func(server steps.Server) bool { return server.URL == steps.SocketURL(path) })
	})
	return h
}

// meet gives what listens in a network of its own, or speaks no HTTP, the address that leads
// to it, where there is one of each. Those that are left over cannot be asked.
func meet(found, inside []steps.Server) (all []steps.Server, unseen []string) {
	bare := slices.IndexFunc(found, func(s steps.Server) bool { return s.PID == 0 })
	if len(inside) == 1 && bare >= 0 {
		found[bare].URL, inside[0].URL = "", found[bare].URL
		return append(slices.Delete(found, bare, bare+1), inside[0]), nil
	}
	for _, s := range inside {
		if s.URL != "" {
			unseen = append(unseen, fmt.Sprintf("A server of this project (process %d) gives no answer of HTTP at %s; keysplit cannot ask it there. Name an address that leads to it.", s.PID, secret.Inert(s.URL)))
			continue
		}
		unseen = append(unseen, fmt.Sprintf("A server of this project (process %d) listens on %s in a network of its own, as in a container; keysplit cannot ask it there. Name an address that leads to it.", s.PID, secret.Inert(s.Inside)))
	}
	return found, unseen
}

func portOf(base string) uint16 {
	u, err := url.Parse(base)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(u.Port(), 10, 16)
	return uint16(n)
}

// recogniseAll asks all of them at once. A reloader shows by its processes whose it is. What
// has further addresses gets the one at which it answers as the project does.
func (s *Step) recogniseAll(ctx context.Context, run *steps.Run, all []steps.Server, more map[int][]string) []verdict {
	told := make([]verdict, len(all))
	keys := make([]string, len(all))
	done := make(chan error, len(all))
	asked := 0
	for i, server := range all {
		keys[i] = fmt.Sprint(server.URL, server.PID, server.Started.Unix())
		switch h, before := s.told[keys[i]]; {
		case server.URL == "", server.Reloader != 0 && len(more[server.PID]) == 0:
		case before && server.PID != 0:
			told[i], all[i].URL = h.verdict, h.at
		default:
			asked++
			guard.Go(func() {
				told[i], all[i].URL = best(ctx, run, append([]string{server.URL}, more[server.PID]...))
				done <- nil
			}, func(err error) { done <- err })
		}
	}
	for range asked {
		<-done
	}
	if s.told == nil {
		s.told = map[string]heard{}
	}
	for i := range all {
		// One that has only begun may speak later.
		if (told[i] == mine || told[i] == another || told[i] == deaf && time.Since(all[i].Since()) > 4*askWithin) && ctx.Err() == nil {
			s.told[keys[i]] = heard{told[i], all[i].URL}
		}
	}
	return told
}

// heard is what a server told, and at which of its addresses.
type heard struct {
	verdict
	at string
}

// best asks the addresses of one server, and returns what tells most of it, and where.
func best(ctx context.Context, run *steps.Run, urls []string) (told verdict, at string) {
	all := make([]verdict, len(urls))
	done := make(chan error, len(urls))
	for i, url := range urls {
		guard.Go(func() {
			all[i] = recognise(ctx, run, url)
			done <- nil
		}, func(err error) { done <- err })
	}
	for range urls {
		<-done
	}
	told = slices.Max(all)
	return told, urls[slices.Index(all, told)]
}

// local reports whether an address is this machine's own.
func local(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "unix" || u.Hostname() == "localhost" || err == nil && addr.IsLoopback()
}

// unseenLines are what a look could not look into, for a plan.
func (s *Step) unseenLines() (lines []prose.Text) {
	for _, line := range s.unseen {
		lines = append(lines, prose.Of(line))
	}
	return lines
}

// noneFound is what is known where no server of the project was found.
func (s *Step) noneFound() string { return strings.Join(append([]string{notFound}, s.unseen...), " ") }

func place(run *steps.Run, s steps.Server) string {
	return "folder " + run.Redactor.Show(secret.Said(steps.Tilde(s.Folder))) + ", command " + run.Redactor.Show(secret.Said(brief(s.Command)))
}

// brief is a command line as a person reads it: without a program that stands in it, and
// with ~ for the home folder.
func brief(command string) string {
	program, rest, _ := strings.Cut(command, " ")
	if at := strings.Index(command, " -c "); at > 0 && strings.HasPrefix(filepath.Base(program), "python") {
		rest = strings.TrimPrefix(command[:at], program) + " -c ..."
	}
	return strings.TrimSpace(steps.Tilde(program) + " " + strings.TrimSpace(rest))
}

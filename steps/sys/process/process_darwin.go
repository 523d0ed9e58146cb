package process

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"dj/keysplit/steps/sys/child"
)

// The tools of macOS, at the places where the system keeps them.
const (
	psPath   = "/bin/ps"
	lsofPath = "/usr/sbin/lsof"
	psTime   = "Mon Jan _2 15:04:05 2006"
)

// lookLimit is the time that ps or lsof may take.
const lookLimit = 5 * time.Second

// list asks ps for our processes, and lsof for the folder and the listening
// sockets of those that look like a server.
func list(ctx context.Context) ([]running, error) {
	out, err := run(ctx, psPath, "-ww", "-U", strconv.Itoa(os.Geteuid()), "-o", "pid=,ppid=,lstart=,command=")
	if err != nil {
		return nil, err
	}
	var all []running
	for _, line := range strings.Split(out, "\n") {
		p, ok := parsePS(line)
		if !ok {
			continue
		}
		if k, _ := classify(p.args); k == notAServer {
			continue
		}
		files, err := run(ctx, lsofPath, "-nP", "-a", "-p", strconv.Itoa(p.pid), "-d", "cwd", "-Fn")
		if err != nil {
			return nil, err
		}
		p.folder = firstName(files)
		sockets, err := run(ctx, lsofPath, "-nP", "-a", "-p", strconv.Itoa(p.pid), "-iTCP", "-sTCP:LISTEN", "-Fn")
		if err != nil {
			return nil, err
		}
		p.listens = parseListens(sockets)
		all = append(all, p)
	}
	return all, nil
}

// run returns what a tool printed. lsof exits with 1 when it finds nothing.
func run(ctx context.Context, path string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	// C is the locale whose dates psTime reads.
	res, err := child.Command{Path: path, Args: args, Env: []string{"LC_ALL=C"}}.Run(ctx)
	if err != nil {
		return "", fmt.Errorf("look at the running processes: %w", err)
	}
	return string(res.Stdout), nil
}

// parsePS reads "  123   45 Mon Nov 22 23:00:00 2026 python manage.py runserver".
func parsePS(line string) (running, bool) {
	f := strings.Fields(line)
	const pid, ppid, date, command = 0, 1, 2, 7
	if len(f) <= command {
		return running{}, false
	}
	var p running
	var err, errParent, errDate error
	p.pid, err = strconv.Atoi(f[pid])
	p.parent, errParent = strconv.Atoi(f[ppid])
	p.started, errDate = time.ParseInLocation(psTime, strings.Join(f[date:command], " "), time.Local)
	p.args = f[command:]
	return p, errors.Join(err, errParent, errDate) == nil
}

func firstName(out string) string {
	for _, line := range strings.Split(out, "\n") {
		if name, ok := strings.CutPrefix(line, "n"); ok {
			return name
		}
	}
	return ""
}

// parseListens reads lsof's names, e.g. "n127.0.0.1:8000" and "n*:8000".
func parseListens(out string) []netip.AddrPort {
	var at []netip.AddrPort
	for _, line := range strings.Split(out, "\n") {
		name, ok := strings.CutPrefix(line, "n")
		if !ok {
			continue
		}
		name = strings.Replace(name, "*:", "0.0.0.0:", 1)
		if addr, err := netip.ParseAddrPort(name); err == nil {
			at = append(at, addr)
		}
	}
	return at
}

func startOf(pid int) (time.Time, bool) {
	out, err := run(context.Background(), psPath, "-p", strconv.Itoa(pid), "-o", "lstart=")
	if err != nil {
		return time.Time{}, false
	}
	started, err := time.ParseInLocation(psTime, strings.Join(strings.Fields(out), " "), time.Local)
	return started, err == nil
}

// environmentValue uses ps -E, which appends the environment to the command.
// Values hold no spaces where it matters here: a key with a space in it shows
// cut off and then differs from every other key.
func environmentValue(pid int, name string) ([]byte, bool, error) {
	out, err := run(context.Background(), psPath, "-ww", "-E", "-p", strconv.Itoa(pid), "-o", "command=")
	if err != nil {
		return nil, false, err
	}
	for _, word := range strings.Fields(out) {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return []byte(value), true, nil
		}
	}
	return nil, false, nil
}

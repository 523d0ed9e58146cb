package smoketest

import (
	"fmt"
	"math"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// missed is how often one process that was not restarted may go unseen.
const missed = 0.001

// enough is how many connections meet each of so many processes, which answer by chance,
// but for one run in a thousand.
func enough(workers int) int {
	if workers < 2 {
		return steps.DefaultConnections
	}
	n := math.Log(missed) / math.Log(1-1/float64(workers))
	return max(steps.DefaultConnections, int(math.Ceil(n)))
}

// connections is over how many new connections a server is asked. counted is false
// where the number of its processes is not known: at an address of a proxy, those that are
// seen here may be all of them or not.
func connections(run *steps.Run, address string) (n int, counted bool) {
	if n := run.Options.Connections; n > 0 {
		return n, true
	}
	seen := 0
	for _, s := range run.Servers {
		if s.URL == address && s.Workers > 0 {
			return enough(s.Workers), true
		}
		seen += s.Workers
	}
	return enough(seen), false
}

// planned is the number for a plan: that of the server that is asked first.
func planned(run *steps.Run) int {
	first, _ := addresses(run)
	n, _ := connections(run, first)
	return n
}

// ages shows that no process of the project is older than the write. One that is has the
// previous key, however few connections it answers. young reports whether any was seen,
// and none is older.
func ages(run *steps.Run, emit steps.Emit) (old []finding.Finding, young bool) {
	seen := 0
	first, _ := addresses(run)
	_, counted := connections(run, first)
	at, wrote := run.KeyWritten()
	for _, s := range run.Servers {
		if s.PID == 0 || !wrote || run.OwnServer {
			continue
		}
		seen += max(1, s.Workers)
		if s.Since().Before(at) {
			old = append(old, finding.New(finding.ServerStaleKey, fmt.Sprintf("A process of the server at %s (process %d) was started before the key was written, and goes on with the old one.", s.URL, s.PID)))
		}
	}
	switch {
	case seen == 0:
	case len(old) > 0:
		emit.Check(steps.LineAge, steps.MarkFailed, textAge, fmt.Sprintf("not so at %d of %s", len(old), steps.Plural(len(run.Servers), "server")))
	case !counted:
		emit.Check(steps.LineAge, steps.MarkOK, textAge, fmt.Sprintf("%d seen here", seen))
	case seen == 1:
		emit.Check(steps.LineAge, steps.MarkOK, textAge, "1 process")
	default:
		emit.Check(steps.LineAge, steps.MarkOK, textAge, fmt.Sprintf("%d processes", seen))
	}
	return old, seen > 0 && len(old) == 0
}

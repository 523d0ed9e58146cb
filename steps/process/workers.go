package process

import (
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
)

// workerWords are programs, and commands of manage.py, that work on a queue or a clock.
var workerWords = []string{
	"celery", "celerybeat", "dramatiq", "rundramatiq", "huey_consumer", "run_huey", "rq", "rqworker", "rqscheduler", "arq",
	"qcluster", "runworker", "db_worker", "process_tasks", "run_worker",
}

// isWorker reports whether a command line is that of a worker: one of the words is the
// program, its script, its module or the command of manage.py.
func isWorker(args []string) bool {
	for _, a := range args[:min(len(args), 5)] {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(a), ".exe"), ".py")
		if slices.Contains(workerWords, name) {
			return true
		}
	}
	return false
}

// workers picks the workers of the project that no other of them has started.
func workers(all []running) (out []steps.Server) {
	ours := func(p running) bool { return p.bond == ours && len(p.sockets) == 0 && isWorker(p.args) }
	mine := map[int]bool{}
	for _, p := range all {
		mine[p.pid] = ours(p)
	}
	for _, p := range all {
		if mine[p.pid] && !mine[p.parent] {
			out = append(out, steps.Server{
				PID: p.pid, Folder: p.folder, Started: p.started, Command: strings.Join(strings.Fields(secret.Inert(strings.Join(p.args, " "))), " "),
			})
		}
	}
	slices.SortFunc(out, func(a, b steps.Server) int { return a.PID - b.PID })
	return out
}

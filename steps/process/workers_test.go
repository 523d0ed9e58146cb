package process

import (
	"strings"
	"testing"
)

func TestWorkers(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]bool{
		"python -m celery -A config worker": true, "/venv/bin/python /venv/bin/celery -A config beat": true, "python manage.py qcluster": true,
		"python huey_consumer.py app.huey": true, "python manage.py shell": false, "python manage.py migrate": false, "python -m pytest celery_tests": false,
		"python manage.py runserver": false, "": false,
	} {
		if got := isWorker(strings.Fields(command)); got != want {
			t.Errorf("%q: %t", command, got)
		}
	}
	worker := strings.Fields("python -m celery -A config worker")
	all := []running{
		{pid: 10, parent: 1, args: worker, bond: ours},
		{pid: 11, parent: 10, args: worker, bond: ours},                                           // of its pool
		{pid: 12, parent: 1, args: worker, bond: others},                                          // another project's
		{pid: 13, parent: 1, args: worker, bond: unknown},                                         // nobody's that is known
		{pid: 14, parent: 1, args: worker, bond: ours, sockets: []socket{listen("a", "[::]:80")}}, // it serves
		{pid: 15, parent: 1, args: strings.Fields("python manage.py shell"), bond: ours},          // a person
	}
	if got := workers(all); len(got) != 1 || got[0].PID != 10 {
		t.Errorf("%+v", got)
	}
}

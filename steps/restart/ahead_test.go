package restart

import (
	"os/exec"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// The server that is started ahead loads nothing of the project before the key is written:
// it serves what the file holds then, and it is not taken for one of the user's.
func TestTheServerStartedAheadReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	run := djangoRun(t, p)
	step := &Step{}
	old := run.Key
	step.Prepare(t.Context(), run)
	b := step.ahead
	if b == nil {
		t.Fatal("nothing was started")
	}
	newKeyInEnv(t, p, run)
	step.Written(t.Context(), run)
	var events stepstest.Events
	if _, err := step.Plan(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if err := step.Apply(t.Context(), run, events.Emit); err != nil {
		t.Fatal(err)
	}
	if step.own.pid != b.PID() || !run.OwnServer {
		t.Error("another process serves")
	}
	if !verifies(t, run.URL, run.Key) || verifies(t, run.URL, old) {
		t.Error("it serves another key than the one that was written")
	}
	run.Close()
	select {
	case <-b.Done():
	default:
		t.Error("it outlives the run")
	}
}

// Where a server of the project runs, and where none is used in the end, the one that was
// started ahead is ended, and it has loaded nothing of the project.
func TestTheServerStartedAheadEnds(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	run := djangoRun(t, p)
	running := &Step{}
	running.Prepare(t.Context(), run)
	b := running.ahead
	p.Start(t, djangotest.ServerOptions{})
	running.Written(t.Context(), run)
	select {
	case <-b.Done():
	default:
		t.Error("a second server was left beside the one that runs")
	}
	none := &Step{}
	if none.Prepare(t.Context(), run); none.ahead != nil {
		t.Error("one was started ahead beside a server that runs")
	}
	unused, run := &Step{}, djangoRun(t, djangotest.New(t, djangotest.Options{}))
	unused.Prepare(t.Context(), run)
	b = unused.ahead
	run.Close()
	select {
	case <-b.Done():
	default:
		t.Error("a server that was not used outlives the run")
	}
	if b.told || len(b.tail.Bytes()) > 0 {
		t.Errorf("it loaded the project: %q", b.tail.Bytes())
	}
}

// Without its line the process ends when keysplit does, and loads nothing.
func TestTheServerStartedAheadWaits(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	c := exec.Command(p.Python, "-u", "-c", guarded, p.Root+"/manage.py", "check")
	c.Dir, c.Env = p.Root, djangotest.CleanEnviron()
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v, it said %q", err, out)
	}
}

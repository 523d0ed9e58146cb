package envfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The tests in this file run the test binary under strace, which makes the real system calls fail, lie or kill the
// process. With KEYSPLIT_LONG=1 they do so at every call of every scenario; else at every call of the main one.

// tracedCalls are the calls that change something, and those that a change is decided by.
const tracedCalls = "openat,write,pwrite64,pread64,fsync,ftruncate,fchmod,fchown,fgetxattr,fsetxattr,fremovexattr,renameat,renameat2,unlinkat,flock"

// point is one system call of the traced process: the nth of its name, counted on the thread that does all the work.
type point struct {
	call string
	nth  int
	line string // as strace shows it, with the paths of descriptors
}

func (pt point) inject(what string) string {
	return fmt.Sprintf("inject=%s:%s:when=%d", pt.call, what, pt.nth)
}

// strace runs a role at a place. It returns what strace saw, what the role printed, and how it ended.
func strace(t *testing.T, role string, p place, injections ...string) (trace, out string, err error) {
	t.Helper()
	log := filepath.Join(filepath.Dir(p.house), "trace")
	args := []string{"-f", "-qq", "-y", "-o", log, "-e", "trace=" + tracedCalls}
	for _, in := range injections {
		args = append(args, "-e", in)
	}
	self := roleCommand(t, role, p)
	cmd := exec.Command("strace", append(args, self.Path)...)
	cmd.Env = self.Env
	printed, err := cmd.CombinedOutput()
	seen, readErr := os.ReadFile(log)
	if readErr != nil {
		t.Fatalf("strace: %v: %s", readErr, printed)
	}
	return string(seen), string(printed), err
}

func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		missingTool(t, "strace is not installed", err)
	}
	if out, err := exec.Command("strace", "-qq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		missingTool(t, "strace may not trace here: "+string(out), err)
	}
}

var traceLine = regexp.MustCompile(`^(\d+) +(\w+)\(`)

// points lists the calls after the marker.
func points(t *testing.T, trace string) []point {
	t.Helper()
	worker := ""
	for line := range strings.Lines(trace) {
		if m := traceLine.FindStringSubmatch(line); m != nil && strings.Contains(line, marker) {
			worker = m[1]
		}
	}
	if worker == "" {
		t.Fatalf("the role never began:\n%s", trace)
	}
	var all []point
	count := map[string]int{}
	began := false
	for line := range strings.Lines(trace) {
		m := traceLine.FindStringSubmatch(line)
		if m == nil || m[1] != worker {
			continue
		}
		count[m[2]]++
		if began {
			all = append(all, point{m[2], count[m[2]], strings.TrimSpace(line)})
		}
		began = began || strings.Contains(line, marker)
	}
	return all
}

// find gives the one call whose line holds all parts.
func find(t *testing.T, all []point, call string, parts ...string) point {
	t.Helper()
	for _, pt := range all {
		if pt.call == call && !slices.ContainsFunc(parts, func(s string) bool { return !strings.Contains(pt.line, s) }) {
			return pt
		}
	}
	t.Fatalf("no %s with %q was traced", call, parts)
	return point{}
}

// last gives the last call whose line holds all parts: the folder is also opened for its lock.
func last(t *testing.T, all []point, call string, parts ...string) point {
	t.Helper()
	back := slices.Clone(all)
	slices.Reverse(back)
	return find(t, back, call, parts...)
}

// scenario is one change whose every call is a point of attack.
type scenario struct {
	role       string
	old, data  []byte // old is nil: no file before
	busy       bool   // the rename fails as over a mounted file
	prepare    func(t *testing.T, p place)
	injections []string
}

const faultMode = 0o640

// faultOwner is who the target belongs to: for root someone else, so that keeping the owner takes a call.
func faultOwner() (uid, gid int) {
	if os.Getuid() == 0 {
		return 1234, 1234
	}
	return os.Getuid(), os.Getgid()
}

func (sc scenario) place(t *testing.T) place {
	t.Helper()
	p := newPlace(t, sc.old)
	put(t, filepath.Join(filepath.Dir(p.house), "new"), sc.data)
	if sc.old != nil {
		uid, gid := faultOwner()
		if err := errors.Join(os.Chown(p.target, uid, gid), os.Chmod(p.target, faultMode)); err != nil {
			t.Fatal(err)
		}
	}
	if sc.prepare != nil {
		sc.prepare(t, p)
	}
	return p
}

// trace runs the scenario undisturbed, apart from a busy rename.
func (sc *scenario) trace(t *testing.T) []point {
	t.Helper()
	run := func() []point {
		trace, out, err := strace(t, sc.role, sc.place(t), sc.injections...)
		if err != nil {
			t.Fatalf("undisturbed: %v: %s", err, out)
		}
		return points(t, trace)
	}
	all := run()
	if sc.busy {
		rename := find(t, all, "renameat2", "/house", tempMark)
		sc.injections = []string{rename.inject("error=EBUSY")}
		all = slices.DeleteFunc(run(), func(pt point) bool { return pt.call == "renameat2" })
	}
	return all
}

const tempMark = ".env.keysplit-"

// wrong says what is not as it must be: old or new content with its owner and mode, and nothing beside it, except
// the temporary file where leftovers are allowed.
func (sc scenario) wrong(t *testing.T, p place, leftovers bool) string {
	t.Helper()
	for _, name := range listing(t, p.house) {
		if name != ".env" && !(leftovers && strings.HasPrefix(name, tempMark)) {
			return name + " lies beside the target"
		}
	}
	now, err := Open(p.target)
	if err != nil {
		return err.Error()
	}
	uid, gid := faultOwner()
	switch {
	case !now.Exists && sc.old == nil:
		return ""
	case !now.Exists:
		return "the file is gone"
	case !bytes.Equal(now.Data, sc.old) && !bytes.Equal(now.Data, sc.data):
		return fmt.Sprintf("its %d bytes are neither the old nor the new version", len(now.Data))
	case sc.old == nil && now.Mode != 0o600:
		return fmt.Sprintf("mode %v", now.Mode)
	case sc.old != nil && (now.UID != uid || now.GID != gid || now.Mode != faultMode):
		return fmt.Sprintf("owner %d:%d, mode %v", now.UID, now.GID, now.Mode)
	}
	return ""
}

// killEverywhere kills the role before each of its calls. It returns what was wrong, before or after the recovery.
func (sc scenario) killEverywhere(t *testing.T) (wrong []string, killed int) {
	t.Helper()
	var mu sync.Mutex
	complain := func(pt point, what string) {
		if what != "" {
			mu.Lock()
			defer mu.Unlock()
			wrong = append(wrong, fmt.Sprintf("%s %d: %s", pt.call, pt.nth, what))
		}
	}
	each(sc.trace(t), func(pt point) {
		p := sc.place(t)
		_, out, err := strace(t, sc.role, p, append(slices.Clone(sc.injections), pt.inject("signal=KILL"))...)
		if err == nil {
			complain(pt, "was not killed: "+out)
			return
		}
		mu.Lock()
		killed++
		mu.Unlock()
		if !sc.busy { // an overwriting in place is not atomic: it is whole again after the recovery
			complain(pt, sc.wrong(t, p, true))
		}
		for range 2 {
			if err := recoverAll(p); err != nil {
				complain(pt, err.Error())
			}
			complain(pt, sc.wrong(t, p, false))
			// What a run does that was killed before it could note its end: everything once more.
			forgetEnds(t, p)
		}
	})
	return wrong, killed
}

// each calls do for every point, a few at a time.
func each(all []point, do func(point)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 3)
	for _, pt := range all {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(pt)
		})
	}
	wg.Wait()
}

func forgetEnds(t *testing.T, p place) {
	t.Helper()
	ends, err := filepath.Glob(filepath.Join(p.ledger.dir, "end-*"))
	if err != nil {
		t.Error(err)
	}
	for _, end := range ends {
		if err := os.Remove(end); err != nil {
			t.Error(err)
		}
	}
}

var faultOld, faultNew = []byte("A=1\nB=2\n"), []byte("A=1\nB=22\nC=3\n")

// longScenarios run only with KEYSPLIT_LONG=1.
var longScenarios = map[string]bool{"overwrite": true, "create": true, "shorter": true, "revert": true, "revert a creation": true, "recover": true}

func faultScenarios() map[string]scenario {
	replaced := func(t *testing.T, p place) {
		if _, err := p.replace(t, faultNew); err != nil {
			t.Fatal(err)
		}
	}
	return map[string]scenario{
		"replace":           {role: "replace", old: faultOld, data: faultNew},
		"overwrite":         {role: "replace", old: faultOld, data: faultNew, busy: true},
		"create":            {role: "replace", data: faultNew},
		"shorter":           {role: "replace", old: faultNew, data: faultOld, busy: true},
		"revert":            {role: "revert", old: faultOld, data: faultNew, prepare: replaced},
		"revert a creation": {role: "revert", data: faultNew, prepare: replaced},
		"recover": {role: "recover", old: faultOld, data: faultNew, prepare: func(t *testing.T, p place) {
			killedBefore(t, p, faultNew, "sync the folder of")
		}},
	}
}

func TestKilledAtEveryCall(t *testing.T) {
	t.Parallel()
	needStrace(t)
	for name, sc := range faultScenarios() {
		t.Run(name, func(t *testing.T) {
			if longScenarios[name] && !long {
				t.Skip("only with KEYSPLIT_LONG=1")
			}
			wrong, killed := sc.killEverywhere(t)
			for _, w := range wrong {
				t.Error(w)
			}
			if killed < 5 {
				t.Errorf("only %d calls were met", killed)
			}
			t.Attr("figure", fmt.Sprintf("%d calls of envfile killed", killed))
			t.Attr("figure", fmt.Sprintf("%d violations", len(wrong)))
		})
	}
}

// TestHarnessCatchesCarelessWriters is the control of the test above: the same harness must find what is wrong with
// two common ways of writing a file.
func TestHarnessCatchesCarelessWriters(t *testing.T) {
	t.Attr("part", "controls that a fault is found in envfile")
	needStrace(t)
	for role, want := range map[string]string{"careless": "neither the old nor the new", "careless-owner": "mode -rw-------"} {
		wrong, _ := scenario{role: role, old: faultOld, data: faultNew}.killEverywhere(t)
		if !strings.Contains(strings.Join(wrong, "\n"), want) {
			t.Errorf("%s: found %q, want %q", role, wrong, want)
		}
	}
}

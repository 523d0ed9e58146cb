package faults

import (
	"fmt"
	"strings"
	"testing"
)

// faults are the ways in which a call fails or lies.
var faults = []string{"error=EIO", "error=ENOSPC", "error=EDQUOT", "error=EROFS", "error=EACCES", "error=EMFILE"}

// fault is one call that fails in one way.
type fault struct {
	point
	how string
}

func (f fault) String() string { return f.point.String() + " with " + f.how }

// everyFault lists them: the long form fails each call in each way, the short one each
// in one way, by turns. Each write to a file also lies: one byte was taken.
func everyFault(all []point) (out []fault) {
	for n, pt := range all {
		hows := faults
		if !long {
			hows = faults[n%len(faults):][:1]
		}
		for _, how := range hows {
			out = append(out, fault{pt, how})
		}
		if pt.call == "write" || pt.call == "pwrite64" {
			out = append(out, fault{pt, "retval=1"})
		}
	}
	return out
}

// failEverywhere makes the calls of a command fail. Whatever it then says must be
// true, and the next command must end as if nothing had happened.
func (k killing) failEverywhere(t *testing.T, want content) *tally {
	t.Helper()
	c := &tally{}
	all := changing(trace(t, k.begin, k.command))
	each(everyFault(all), func(n int, f fault) {
		h := k.begin(t)
		e := h.run(t, false, k.command(h), f.inject(f.how))
		c.count()
		// One that could not be removed is said so, and goes with the next run.
		has, wrong := h.look(t, strings.Contains(e.out, "remove the temporary file"))
		c.add(f, wrong...)
		switch {
		case e.code == 0 && has != want:
			c.add(f, fmt.Sprintf("it ended well, and the file is the %s one:\n%s", has, e.out))
		case e.code < 0 || strings.Contains(e.out, "panic"), e.code != 0 && len(strings.TrimSpace(e.out)) < 20:
			c.add(f, fmt.Sprintf("it ended with %d and %q", e.code, e.out))
		case has == isNeither:
			c.add(f, "it said:\n"+e.out)
		}
		c.add(f, h.goesOn(t, []string{"upgrade", "rollback"}[n%2])...)
	})
	return c
}

func TestFailedAtEveryCall(t *testing.T) {
	needStrace(t)
	upgrading.failEverywhere(t, isNew).report(t, "faults of an upgrade", 50)
	rollback := killing{begin: upgraded, command: (*house).rollback}
	rollback.failEverywhere(t, isOld).report(t, "faults of a rollback", 20)
}

// The control: a program that does not look at what its calls return.
func TestTheHarnessCatchesACarelessWriterOfLies(t *testing.T) {
	needStrace(t)
	k := killing{begin: laid(careless), command: (*house).upgrade}
	found := strings.Join(k.failEverywhere(t, isNew).wrong, "\n")
	if !strings.Contains(found, "neither the old version nor the new one") {
		t.Errorf("a careless writer passed:\n%s", found)
	}
}

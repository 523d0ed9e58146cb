package envfile

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestFailingCalls makes chosen calls fail or lie, and holds the outcome against what is then in the file.
func TestFailingCalls(t *testing.T) {
	needStrace(t)
	sc := scenario{role: "replace", old: faultOld, data: faultNew}
	all := sc.trace(t)
	temp := func(call string) point { return find(t, all, call, tempMark) }
	plain := temp("renameat2").inject("error=EINVAL") // as where the system exchanges no names
	over := find(t, (&scenario{role: sc.role, old: sc.old, data: sc.data, injections: []string{plain}}).trace(t), "renameat", tempMark)
	type failure struct {
		injection string
		want      State
		says      string
	}
	cases := map[string]failure{
		"no space for the new version":    {temp("write").inject("error=ENOSPC"), Unchanged, "no space left"},
		"a short write that lies":         {temp("write").inject("retval=1"), Unchanged, "other bytes"},
		"sync of the new version fails":   {temp("fsync").inject("error=EIO"), Unchanged, "input/output error"},
		"the mode cannot be kept":         {temp("fchmod").inject("error=EPERM"), Unchanged, "would lose its owner"},
		"chmod lies":                      {temp("fchmod").inject("retval=0"), Unchanged, "would lose its owner"},
		"the folder takes no file":        {temp("openat").inject("error=EACCES"), Unchanged, "permission denied"},
		"the rename fails":                {temp("renameat2").inject("error=EPERM"), Unchanged, "not permitted"},
		"the names cannot be exchanged":   {plain, Replaced, ""},
		"nor is one renamed over one":     {plain + " " + over.inject("error=EACCES"), Unchanged, "permission denied"},
		"a mount where none is exchanged": {plain + " " + over.inject("error=EBUSY"), Replaced, ""},
		"sync of the folder fails":        {find(t, all, "fsync", "/house>").inject("error=EIO"), NotDurable, "input/output error"},
		"the folder cannot be opened":     {last(t, all, "openat", `/house"`).inject("error=EMFILE"), Unchanged, "too many open files"},
		"no lock on this file system":     {find(t, all, "flock").inject("error=ENOLCK"), Unchanged, "lock"},
		"control: nothing is made worse":  {"inject=flock:error=EIO:when=1000", Replaced, ""},
	}
	if os.Getuid() == 0 {
		cases["the owner cannot be kept"] = failure{temp("fchown").inject("error=EPERM"), Unchanged, "would lose its owner"}
		cases["chown lies"] = failure{temp("fchown").inject("retval=0"), Unchanged, "would lose its owner"}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := sc.place(t)
			_, out, err := strace(t, sc.role, p, strings.Fields(c.injection)...)
			if !strings.Contains(out, "state: "+string(c.want)) || !strings.Contains(out, c.says) || (err == nil) != (c.want == Replaced) {
				t.Errorf("%v, printed %q; want %s and %q", err, out, c.want, c.says)
			}
			if w := sc.wrong(t, p, false); w != "" {
				t.Error(w)
			}
			if c.want == Unchanged {
				p.holds(t, faultOld)
			} else {
				p.holds(t, faultNew)
			}
		})
	}
}

// failEverywhere fails each call of the role in turn: whatever the outcome claims must be true.
func (sc scenario) failEverywhere(t *testing.T) (wrong []string, failed int) {
	t.Helper()
	var mu sync.Mutex
	each(sc.trace(t), func(pt point) {
		p := sc.place(t)
		trace, out, _ := strace(t, sc.role, p, append(slices.Clone(sc.injections), pt.inject("error=EIO"))...)
		mu.Lock()
		defer mu.Unlock()
		complain := func(what string) { wrong = append(wrong, fmt.Sprintf("%s: %s: %s", pt.line, what, out)) }
		if !strings.Contains(trace, "EIO (Input/output error) (INJECTED)") {
			complain("no call was failed")
			return
		}
		failed++
		now, err := Open(p.target)
		if err != nil {
			complain(err.Error())
			return
		}
		isOld := now.Exists == (sc.old != nil) && bytes.Equal(now.Data, sc.old)
		isNew := now.Exists && bytes.Equal(now.Data, sc.data)
		switch {
		case strings.Contains(out, "state: unchanged") && !isOld,
			strings.Contains(out, "state: replaced") && !isNew,
			strings.Contains(out, "state: not-durable") && !isNew:
			complain("the file is not what the outcome says")
		}
		if err := recoverAll(p); err != nil {
			complain(err.Error())
		}
		if w := sc.wrong(t, p, false); w != "" {
			complain(w)
		}
	})
	return wrong, failed
}

func TestEveryCallFails(t *testing.T) {
	needStrace(t)
	if !long {
		t.Skip("only with KEYSPLIT_LONG=1")
	}
	for _, name := range []string{"replace", "overwrite", "create", "shorter"} {
		t.Run(name, func(t *testing.T) {
			wrong, failed := faultScenarios()[name].failEverywhere(t)
			for _, w := range wrong {
				t.Error(w)
			}
			t.Attr("figure", fmt.Sprintf("%d calls of envfile failed", failed))
			t.Attr("figure", fmt.Sprintf("%d violations", len(wrong)))
		})
	}
}

// TestHarnessCatchesAnOutcomeThatLies is the control of the test above.
func TestHarnessCatchesAnOutcomeThatLies(t *testing.T) {
	t.Attr("part", "controls that a fault is found in envfile")
	needStrace(t)
	wrong, _ := scenario{role: "careless-outcome", old: faultOld, data: faultNew}.failEverywhere(t)
	if found := strings.Join(wrong, "\n"); !strings.Contains(found, "not what the outcome says") {
		t.Errorf("found %q", found)
	}
}

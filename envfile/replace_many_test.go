package envfile

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// TestManyWritersAtOnce starts from one snapshot each, so that all but one are late.
func TestManyWritersAtOnce(t *testing.T) {
	t.Attr("part", "writers and editors at once")
	const writers = 8
	write := func(t *testing.T, p place, save func(*Snapshot, []byte) error) (refused int) {
		var snaps [writers]*Snapshot
		for i := range snaps {
			snaps[i] = p.open(t)
		}
		var wg sync.WaitGroup
		errs := make([]error, writers)
		for i, s := range snaps {
			wg.Go(func() { errs[i] = save(s, fmt.Appendf(bytes.Clone(s.Data), "K%d=1\n", i)) })
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				refusedWith(t, err, ReasonChanged)
				refused++
			}
		}
		return refused
	}
	lines := func(p place) int { return bytes.Count(p.open(t).Data, []byte("\n")) }

	p := newPlace(t, []byte{})
	refused := write(t, p, func(s *Snapshot, data []byte) error {
		_, err := Replace(context.Background(), s, data, p.ledger, p.opts)
		return err
	})
	if refused+lines(p) != writers || lines(p) != 1 {
		t.Errorf("%d were refused and %d lines written: an update is lost", refused, lines(p))
	}
	p.clean(t)

	// The control: a writer that does not compare loses updates, and this count shows it.
	p = newPlace(t, []byte{})
	refused = write(t, p, func(s *Snapshot, data []byte) error { return os.WriteFile(s.Target, data, 0o600) })
	if refused+lines(p) == writers {
		t.Error("the careless writer lost nothing: this test proves nothing")
	}
}

func TestManyRetryingGoroutines(t *testing.T) {
	t.Attr("part", "writers and editors at once")
	const writers, each = 6, 4
	p := newPlace(t, nil)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for n := range each {
				if err := appendLine(p, fmt.Sprintf("K_%d_%d=1\n", i, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	everyLine(t, p, writers*each)
}

func TestManyProcesses(t *testing.T) {
	t.Attr("part", "writers and editors at once")
	const writers = 5
	p := newPlace(t, []byte{})
	var cmds []*exec.Cmd
	var outs [writers]bytes.Buffer
	for i := range writers {
		cmd := roleCommand(t, fmt.Sprint("append:", i), p)
		cmd.Stdout, cmd.Stderr = &outs[i], &outs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, outs[i].String())
		}
	}
	everyLine(t, p, writers*5)
}

func everyLine(t *testing.T, p place, want int) {
	t.Helper()
	seen := map[string]bool{}
	for _, line := range strings.Fields(string(p.open(t).Data)) {
		seen[line] = true
	}
	if len(seen) != want {
		t.Errorf("%d of %d updates are there", len(seen), want)
	}
	p.clean(t)
}

func BenchmarkReplace(b *testing.B) {
	p := newPlace(b, []byte("A=1\n"))
	line := bytes.Repeat([]byte("SOME_NAME=some value\n"), 100)
	for i := 0; b.Loop(); i++ {
		snap, err := Open(p.target)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Replace(context.Background(), snap, fmt.Appendf(bytes.Clone(line), "N=%d\n", i), p.ledger, p.opts); err != nil {
			b.Fatal(err)
		}
	}
}

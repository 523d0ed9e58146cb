package envfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// stepNames are all steps of a plain replacement, in order.
func stepNames() []string {
	names := []string{}
	for _, s := range (&replacement{}).steps() {
		names = append(names, s.name)
	}
	return names
}

func TestReplaceFailsCleanlyAtEveryStep(t *testing.T) {
	broken := errors.New("injected")
	for _, old := range [][]byte{[]byte("A=1\n"), nil} {
		for _, name := range stepNames() {
			t.Run(fmt.Sprint(name, old != nil), func(t *testing.T) {
				p := newPlace(t, old)
				p.opts.before = func(step string) error {
					if step == name {
						return broken
					}
					return nil
				}
				out, err := p.replace(t, []byte("A=2\n"))
				if !errors.Is(err, broken) || out.State != Unchanged || !strings.Contains(err.Error(), name) {
					t.Errorf("%+v, %v", out, err)
				}
				if old == nil {
					p.clean(t, []string{}...)
				} else {
					p.holds(t, old)
					p.clean(t)
				}
				if open, err := p.ledger.intents(true); err != nil || len(open) != 0 {
					t.Errorf("%d intents are unfinished, %v", len(open), err)
				}
			})
		}
	}
}

func TestReplaceTellsUnknownDurability(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	p.opts.before = func(step string) error {
		if step == "sync the folder of" {
			return errors.New("injected")
		}
		return nil
	}
	out, err := p.replace(t, []byte("A=2\n"))
	if err == nil || out.State != NotDurable {
		t.Errorf("%+v, %v", out, err)
	}
	p.holds(t, []byte("A=2\n"))
	p.clean(t)
}

// "Nothing was changed" is said where it is so, and nowhere else.
func TestChanged(t *testing.T) {
	for state, want := range map[State]bool{Unchanged: false, Foreign: false, Replaced: true, NotDurable: true, Damaged: true} {
		if got := (Outcome{State: state}).Changed(); got != want {
			t.Errorf("%s: %t", state, got)
		}
	}
}

func TestReplaceCancelled(t *testing.T) {
	for _, name := range stepNames() {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, []byte("A=1\n"))
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			p.opts.before = func(step string) error {
				if step == name {
					cancel()
				}
				return nil
			}
			out, err := Replace(ctx, p.open(t), []byte("A=2\n"), p.ledger, p.opts)
			if name == renameStep { // too late: what has happened is finished
				if err != nil || out.State != Replaced {
					t.Errorf("%+v, %v", out, err)
				}
			} else if !errors.Is(err, context.Canceled) || out.State != Unchanged {
				t.Errorf("%+v, %v", out, err)
			} else {
				p.holds(t, []byte("A=1\n"))
			}
			p.clean(t)
		})
	}
}

func TestReplaceNeedsLockFolder(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	p.opts.LockDir = ""
	if out, err := p.replace(t, []byte("A=2\n")); err == nil || out.State != Unchanged {
		t.Errorf("%+v, %v", out, err)
	}
}

// failingLedger fails in one method.
type failingLedger struct {
	dirLedger
	fails string
}

var errLedger = errors.New("the disk of the ledger is full")

func (l failingLedger) Keep(target string, data []byte) (string, error) {
	if l.fails == "Keep" {
		return "", errLedger
	}
	return l.dirLedger.Keep(target, data)
}

func (l failingLedger) Begin(in Intent) error {
	if l.fails == "Begin" {
		return errLedger
	}
	return l.dirLedger.Begin(in)
}

func (l failingLedger) Finish(in Intent, out Outcome) error {
	if l.fails == "Finish" {
		return errLedger
	}
	return l.dirLedger.Finish(in, out)
}

func TestReplaceWithFailingLedger(t *testing.T) {
	for fails, want := range map[string]State{"Keep": Unchanged, "Begin": Unchanged, "Finish": Replaced} {
		p := newPlace(t, []byte("A=1\n"))
		out, err := Replace(context.Background(), p.open(t), []byte("A=2\n"), failingLedger{p.ledger, fails}, p.opts)
		if !errors.Is(err, errLedger) || out.State != want {
			t.Errorf("%s: %+v, %v", fails, out, err)
		}
		if want == Unchanged {
			p.holds(t, []byte("A=1\n"))
		}
		p.clean(t)
	}
}

// A temporary file that cannot be removed is the next run's work: its name stays known.
func TestReplaceLeavesIntentOpenForAStuckTemp(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: nobody can put anything in the place of a file that is open there")
	}
	p := newPlace(t, []byte("A=1\n"))
	opts := p.opts
	var temp string
	opts.before = func(step string) error {
		if step != renameStep {
			return nil
		}
		// A folder with something in it in the place of the temporary file cannot be removed.
		temp = filepath.Join(p.house, p.only(t).Temp)
		made(t, "", errors.Join(os.Remove(temp), os.Mkdir(temp, 0o755)))
		put(t, filepath.Join(temp, "x"), nil)
		return errors.New("injected")
	}
	out, err := Replace(context.Background(), p.open(t), []byte("A=2\n"), p.ledger, opts)
	if out.State != Unchanged || err == nil || !strings.Contains(err.Error(), "remove the temporary file") {
		t.Errorf("%+v, %v", out, err)
	}
	if open, err := p.ledger.intents(true); err != nil || len(open) != 1 {
		t.Errorf("%d intents are unfinished, %v; want 1", len(open), err)
	}
}

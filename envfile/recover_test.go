package envfile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

var errKilled = errors.New("as if killed")

// killed runs something that ends by panicking with errKilled, and fails if it does not.
func killed(t *testing.T, run func()) {
	t.Helper()
	func() {
		defer func() {
			if r := recover(); r != errKilled {
				t.Fatalf("it was not killed: %v", r)
			}
		}()
		run()
	}()
	if runtime.GOOS == "windows" { // which removes no open file: a killed process has none, and the collector closes those of the test
		runtime.GC()
		time.Sleep(50 * time.Millisecond)
	}
}

// killedBefore runs a replacement that ends at a step like a killed one: nothing is cleaned up.
func killedBefore(t *testing.T, p place, data []byte, name string) Intent {
	t.Helper()
	opts := p.opts
	opts.before = func(step string) error {
		if step == name {
			panic(errKilled)
		}
		return nil
	}
	killed(t, func() { _, _ = Replace(context.Background(), p.open(t), data, p.ledger, opts) })
	return p.only(t)
}

func TestRecover(t *testing.T) {
	before, after := []byte("A=1\n"), []byte("A=2\n")
	for _, old := range [][]byte{before, nil} {
		for step, want := range map[string]State{
			"open the folder of": Unchanged, "write the new version of": Unchanged,
			renameStep: Unchanged, "sync the folder of": Replaced,
		} {
			p := newPlace(t, old)
			in := killedBefore(t, p, after, step)
			for range 2 { // the second time changes nothing
				out, err := Recover(context.Background(), in, p.ledger, p.opts)
				if err != nil || out.State != want {
					t.Errorf("%s: %+v, %v", step, out, err)
				}
				switch {
				case want == Replaced:
					p.holds(t, after)
					p.clean(t)
				case old != nil:
					p.holds(t, old)
					p.clean(t)
				default:
					p.clean(t, []string{}...)
				}
			}
			if open, err := p.ledger.intents(true); err != nil || len(open) != 0 {
				t.Errorf("%s: %d intents are unfinished, %v", step, len(open), err)
			}
		}
	}
}

func TestRecoverLeavesForeignContent(t *testing.T) {
	for name, foreign := range map[string]func(t *testing.T, p place){
		"other content": func(t *testing.T, p place) { put(t, p.target, []byte("A=editor\n")) },
		"removed":       func(t *testing.T, p place) { made(t, "", os.Remove(p.target)) },
		"a folder now": func(t *testing.T, p place) {
			made(t, "", errors.Join(os.Remove(p.target), os.Mkdir(p.target, 0o755)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, []byte("A=1\n"))
			in := killedBefore(t, p, []byte("A=2\n"), renameStep)
			foreign(t, p)
			names := len(listing(t, p.house)) - 1 // without the temporary file
			out, err := Recover(context.Background(), in, p.ledger, p.opts)
			if err != nil || out.State != Foreign {
				t.Errorf("%+v, %v", out, err)
			}
			if got := listing(t, p.house); len(got) != names {
				t.Errorf("the folder holds %q", got)
			}
			if name == "other content" {
				p.holds(t, []byte("A=editor\n"))
			}
			if open, err := p.ledger.intents(true); err != nil || len(open) != 0 {
				t.Errorf("%d intents are unfinished, %v", len(open), err)
			}
		})
	}
}

func TestRecoverRemovesOnlyItsOwnTemp(t *testing.T) {
	for name, swap := range map[string]func(p place, temp string) error{
		"a link": func(p place, temp string) error {
			return errors.Join(os.Remove(temp), os.Symlink(p.target, temp))
		},
		"a folder":      func(_ place, temp string) error { return errors.Join(os.Remove(temp), os.Mkdir(temp, 0o755)) },
		"a second name": func(p place, temp string) error { return os.Link(temp, filepath.Join(p.ledger.dir, "x")) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, []byte("A=1\n"))
			in := killedBefore(t, p, []byte("A=2\n"), renameStep)
			if err := swap(p, filepath.Join(p.house, in.Temp)); err != nil {
				t.Fatal(err)
			}
			if out, err := Recover(context.Background(), in, p.ledger, p.opts); err != nil || out.State != Unchanged {
				t.Errorf("%+v, %v", out, err)
			}
			p.clean(t, ".env", in.Temp)
			p.holds(t, []byte("A=1\n"))
		})
	}
	t.Run("another name", func(t *testing.T) {
		p := newPlace(t, []byte("A=1\n"))
		in := killedBefore(t, p, []byte("A=2\n"), renameStep)
		real := in.Temp
		put(t, filepath.Join(p.house, "precious"), nil)
		in.Temp = "precious"
		if _, err := Recover(context.Background(), in, p.ledger, p.opts); err != nil {
			t.Error(err)
		}
		p.clean(t, ".env", real, "precious")
	})
}

// overwriting is the intent of an overwriting in place, with both versions in the ledger.
func overwriting(t *testing.T, p place, before, after []byte) Intent {
	t.Helper()
	in := Intent{ID: "1", Path: p.target, Target: p.open(t).Target, InPlace: true, OldSum: testSum(before), NewSum: testSum(after), Mode: 0o600}
	var err, err2 error
	in.BackupID, err = p.ledger.Keep(p.target, before)
	in.StagedID, err2 = p.ledger.Keep(p.target, after)
	if err := errors.Join(err, err2, p.ledger.Begin(in)); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestRecoverOverwriting(t *testing.T) {
	before, after := []byte("A=1111111\nB=1\n"), []byte("A=22222222\nB=22\nC=2\n")
	for _, pair := range [][2][]byte{{before, after}, {after, before}, {nil, after}, {before, nil}} {
		for k := range max(len(pair[0]), len(pair[1])) + 1 {
			old, data := pair[0], pair[1]
			broken := bytes.Clone(old)
			if n := min(k, len(data)); n > len(old) {
				broken = bytes.Clone(data[:n])
			} else {
				copy(broken, data[:n])
			}
			p := newPlace(t, append([]byte{}, broken...))
			in := overwriting(t, p, old, data)
			want, state := old, Unchanged
			if bytes.Equal(broken, data) {
				want, state = data, Replaced
			}
			out, err := Recover(context.Background(), in, p.ledger, p.opts)
			if err != nil || out.State != state {
				t.Fatalf("%d of %d bytes: %+v, %v", k, len(data), out, err)
			}
			p.holds(t, want)
		}
	}
}

func TestRecoverOverwritingLeavesForeignContent(t *testing.T) {
	before, after := []byte("A=1111\n"), []byte("A=2222\n")
	for _, foreign := range []string{"A=1132\n", "A=1", "A=1111\nB=2\n"} {
		p := newPlace(t, []byte(foreign))
		out, err := Recover(context.Background(), overwriting(t, p, before, after), p.ledger, p.opts)
		if err != nil || out.State != Foreign {
			t.Errorf("%q: %+v, %v", foreign, out, err)
		}
		p.holds(t, []byte(foreign))
	}
}

func TestRecoverWithoutBackup(t *testing.T) {
	p := newPlace(t, []byte("A=12\n"))
	in := overwriting(t, p, []byte("A=11\n"), []byte("A=22\n"))
	in.BackupID = "gone"
	if out, err := Recover(context.Background(), in, p.ledger, p.opts); err == nil || out.State == Unchanged {
		t.Errorf("%+v, %v", out, err)
	}
	p.holds(t, []byte("A=12\n"))
}

// A kill right after the file was taken away leaves it beside: it goes, or back where an editor saved it in that moment.
func TestRecoverAfterTakingAway(t *testing.T) {
	for name, c := range map[string]struct {
		edit  []byte
		state State
	}{
		"ours":    {nil, Replaced},
		"an edit": {[]byte("A=editor\n"), Foreign},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, nil)
			if _, err := p.replace(t, []byte("A=2\n")); err != nil {
				t.Fatal(err)
			}
			in := p.only(t)
			opts := p.opts
			opts.before = func(step string) error {
				if step == "remove" && c.edit != nil {
					put(t, p.target, c.edit)
				}
				if step == lookStep {
					panic(errKilled)
				}
				return nil
			}
			killed(t, func() { _, _ = Revert(context.Background(), in, p.ledger, opts, false) })
			open, err := p.ledger.intents(true)
			if err != nil || len(open) != 1 {
				t.Fatalf("%d intents are unfinished, %v", len(open), err)
			}
			for range 2 {
				if out, err := Recover(context.Background(), open[0], p.ledger, p.opts); err != nil || out.State != c.state {
					t.Errorf("%+v, %v, want %s", out, err, c.state)
				}
			}
			if c.edit == nil {
				p.clean(t, []string{}...)
			} else {
				p.holds(t, c.edit)
				p.clean(t)
			}
		})
	}
}

// An edit that a killed removal took away is the only copy of it: where something that cannot be looked at stands in its
// place by now, it is left beside that, and goes back once the place is free.
func TestRecoverKeepsAnEditThatItCannotPutBack(t *testing.T) {
	p := newPlace(t, nil)
	if _, err := p.replace(t, []byte("A=2\n")); err != nil {
		t.Fatal(err)
	}
	opts := p.opts
	opts.before = func(step string) error {
		switch step {
		case "remove":
			put(t, p.target, []byte("A=editor\n"))
		case lookStep:
			panic(errKilled)
		}
		return nil
	}
	killed(t, func() { _, _ = Revert(context.Background(), p.only(t), p.ledger, opts, false) })
	open, err := p.ledger.intents(true)
	if err != nil || len(open) != 1 {
		t.Fatalf("%d intents are unfinished, %v", len(open), err)
	}
	made(t, "", os.Mkdir(p.target, 0o755))
	_, err = Recover(context.Background(), open[0], p.ledger, p.opts)
	refusedWith(t, err, ReasonDirectory)
	p.clean(t, ".env", open[0].Temp)
	made(t, "", os.Remove(p.target))
	if out, err := Recover(context.Background(), open[0], p.ledger, p.opts); err != nil || out.State != Foreign {
		t.Errorf("%+v, %v", out, err)
	}
	p.holds(t, []byte("A=editor\n"))
	p.clean(t)
}

// A revert that is killed is an unfinished change like any other.
func TestRecoverRevert(t *testing.T) {
	for _, old := range [][]byte{[]byte("A=1\n"), nil} {
		for _, step := range []string{"compare", "sync the folder of"} {
			p := newPlace(t, old)
			if _, err := p.replace(t, []byte("A=2\n")); err != nil {
				t.Fatal(err)
			}
			in := p.only(t)
			opts := p.opts
			opts.before = func(s string) error {
				if s == step {
					panic(errKilled)
				}
				return nil
			}
			killed(t, func() { _, _ = Revert(context.Background(), in, p.ledger, opts, false) })
			if open, err := p.ledger.intents(true); err != nil || len(open) != 1 {
				t.Fatalf("%d intents are unfinished, %v", len(open), err)
			}
			if err := recoverAll(p); err != nil {
				t.Error(err)
			}
			switch {
			case step == "compare":
				p.holds(t, []byte("A=2\n"))
				p.clean(t)
			case old == nil:
				p.clean(t, []string{}...)
			default:
				p.holds(t, old)
				p.clean(t)
			}
		}
	}
}

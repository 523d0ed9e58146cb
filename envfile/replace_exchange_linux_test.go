package envfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestExchangeKeepsTheLaterOfTwoEdits lets one program save before the exchange and another one right after it.
func TestExchangeKeepsTheLaterOfTwoEdits(t *testing.T) {
	t.Attr("part", "writers and editors at once")
	for name, second := range map[string]func(p place) error{
		"in place": func(p place) error { return os.WriteFile(p.target, []byte("A=second\n"), 0o600) },
		"by rename": func(p place) error {
			side := filepath.Join(filepath.Dir(p.house), "side")
			return errors.Join(os.WriteFile(side, []byte("A=second\n"), 0o600), os.Rename(side, p.target))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, []byte("A=1\n"))
			p.opts.before = func(step string) error {
				switch step {
				case renameStep:
					return os.WriteFile(p.target, []byte("A=first\n"), 0o600)
				case lookStep:
					return second(p)
				}
				return nil
			}
			out, err := p.replace(t, []byte("A=2\n"))
			refusedWith(t, err, ReasonChanged)
			if out.State != Unchanged {
				t.Errorf("%+v", out)
			}
			p.holds(t, []byte("A=second\n"))
			p.clean(t)
		})
	}
}

// TestRecoverAfterAnExchange takes up what a kill right after the exchange leaves: beside the new version lies the old
// one, which goes, or an edit, which goes back.
func TestRecoverAfterAnExchange(t *testing.T) {
	for name, c := range map[string]struct {
		edit   []byte
		state  State
		holds  []byte
		killed string
	}{
		"the old version":  {nil, Replaced, []byte("A=2\n"), lookStep},
		"an edit":          {[]byte("A=editor\n"), Foreign, []byte("A=editor\n"), lookStep},
		"before: our own":  {nil, Unchanged, []byte("A=1\n"), renameStep},
		"before, and edit": {[]byte("A=editor\n"), Foreign, []byte("A=editor\n"), renameStep},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, []byte("A=1\n"))
			opts := p.opts
			opts.before = func(step string) error {
				if step == renameStep && c.edit != nil {
					put(t, p.target, c.edit)
				}
				if step == c.killed {
					panic(errKilled)
				}
				return nil
			}
			killed(t, func() { _, _ = Replace(context.Background(), p.open(t), []byte("A=2\n"), p.ledger, opts) })
			for range 2 {
				out, err := Recover(context.Background(), p.only(t), p.ledger, p.opts)
				if err != nil || out.State != c.state {
					t.Errorf("%+v, %v, want %s", out, err, c.state)
				}
				p.holds(t, c.holds)
				p.clean(t)
			}
		})
	}
}

// An edit that a killed exchange took out, and that cannot be given back, is not passed over: Recover fails, the edit stays
// where it is, and goes back the next time.
func TestRecoverFailsWhileAnEditCannotGoBack(t *testing.T) {
	needStrace(t)
	for name, removes := range map[string]bool{"exchanged": false, "taken away": true} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, []byte("A=1\n"))
			step := renameStep
			if removes {
				p, step = newPlace(t, nil), "remove"
				if _, err := p.replace(t, []byte("A=2\n")); err != nil {
					t.Fatal(err)
				}
			}
			opts := p.opts
			opts.before = func(now string) error {
				switch now {
				case step:
					put(t, p.target, []byte("A=editor\n"))
				case lookStep:
					panic(errKilled)
				}
				return nil
			}
			killed(t, func() {
				if removes {
					_, _ = Revert(context.Background(), p.only(t), p.ledger, opts, false)
				} else {
					_, _ = Replace(context.Background(), p.open(t), []byte("A=2\n"), p.ledger, opts)
				}
			})
			_, out, err := strace(t, "recover", p, "inject=renameat,renameat2:error=EACCES")
			if err == nil {
				t.Errorf("the recovery does not fail: %s", out)
			}
			if open, err := p.ledger.intents(true); err != nil || len(open) != 1 {
				t.Fatalf("%d intents are unfinished, %v", len(open), err)
			}
			left, err := filepath.Glob(filepath.Join(p.house, "*"+tempMark+"*"))
			if err != nil || len(left) != 1 {
				t.Fatalf("beside the target: %q, %v", left, err)
			}
			if data, err := os.ReadFile(left[0]); err != nil || string(data) != "A=editor\n" {
				t.Errorf("the edit is %q, %v", data, err)
			}
			if err := recoverAll(p); err != nil {
				t.Fatal(err)
			}
			p.holds(t, []byte("A=editor\n"))
			p.clean(t)
		})
	}
}

// TestTheOldVersionThatStays tells of a file beside the target that cannot be removed, and tries again the next time.
func TestTheOldVersionThatStays(t *testing.T) {
	needStrace(t)
	sc := scenario{role: "replace", old: faultOld, data: faultNew}
	p := sc.place(t)
	_, out, err := strace(t, sc.role, p, find(t, sc.trace(t), "unlinkat", tempMark).inject("error=EIO")+"+")
	if err == nil || out == "" {
		t.Fatalf("%v: %s", err, out)
	}
	p.holds(t, faultNew)
	if len(listing(t, p.house)) != 2 {
		t.Error("nothing lies beside the target: the fault was not met")
	}
	if err := recoverAll(p); err != nil {
		t.Error(err)
	}
	if w := sc.wrong(t, p, false); w != "" {
		t.Error(w)
	}
}

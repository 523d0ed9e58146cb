package envfile

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestRevert(t *testing.T) {
	before, after, foreign := []byte("A=1\n"), []byte("A=2\n"), []byte("A=editor\n")
	for name, c := range map[string]struct {
		old, now []byte // nil: no file
		force    bool
		want     State
		refused  Reason
		end      []byte
	}{
		"ours":                  {before, after, false, Replaced, "", before},
		"already old":           {before, before, false, Unchanged, "", before},
		"foreign":               {before, foreign, false, Unchanged, ReasonForeign, foreign},
		"foreign, force":        {before, foreign, true, Replaced, "", before},
		"gone":                  {before, nil, false, Unchanged, ReasonForeign, nil},
		"gone, force":           {before, nil, true, Replaced, "", before},
		"created":               {nil, after, false, Replaced, "", nil},
		"created, gone":         {nil, nil, false, Unchanged, "", nil},
		"created, foreign":      {nil, foreign, false, Unchanged, ReasonForeign, foreign},
		"created, foreign, yes": {nil, foreign, true, Replaced, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, c.old)
			if _, err := p.replace(t, after); err != nil {
				t.Fatal(err)
			}
			in := p.only(t)
			if c.now == nil {
				made(t, "", os.Remove(p.target))
			} else {
				put(t, p.target, c.now)
			}
			out, err := Revert(context.Background(), in, p.ledger, p.opts, c.force)
			if c.refused != "" {
				refusedWith(t, err, c.refused)
			} else if err != nil {
				t.Error(err)
			}
			if out.State != c.want {
				t.Errorf("%+v", out)
			}
			if c.end == nil {
				p.clean(t, []string{}...)
			} else {
				p.holds(t, c.end)
				p.clean(t)
			}
			if open, err := p.ledger.intents(true); err != nil || len(open) != 0 {
				t.Errorf("%d intents are unfinished, %v", len(open), err)
			}
		})
	}
}

func TestRevertKeepsTheEditorsOfACreatedFile(t *testing.T) {
	t.Attr("part", "writers and editors at once")
	p := newPlace(t, nil)
	if _, err := p.replace(t, []byte("A=2\n")); err != nil {
		t.Fatal(err)
	}
	in := p.only(t)
	for _, at := range []string{"compare", "remove"} {
		p.opts.before = func(step string) error {
			if step == at {
				put(t, p.target, []byte("A=editor\n"))
			}
			return nil
		}
		_, err := Revert(context.Background(), in, p.ledger, p.opts, false)
		refusedWith(t, err, ReasonChanged)
		p.holds(t, []byte("A=editor\n"))
		p.clean(t)
		put(t, p.target, []byte("A=2\n"))
	}
	// One editor saves before the file is taken away, another right after: the later one stays.
	p.opts.before = func(step string) error {
		switch step {
		case "remove":
			put(t, p.target, []byte("A=editor\n"))
		case lookStep:
			put(t, p.target, []byte("A=later\n"))
		}
		return nil
	}
	_, err := Revert(context.Background(), in, p.ledger, p.opts, false)
	refusedWith(t, err, ReasonChanged)
	p.holds(t, []byte("A=later\n"))
	p.clean(t)
}

func TestRevertNeverWritesADamagedBackup(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	if _, err := p.replace(t, []byte("A=2\n")); err != nil {
		t.Fatal(err)
	}
	in := p.only(t)
	put(t, filepath.Join(p.ledger.dir, in.BackupID), []byte("A=\x00\n"))
	_, err := Revert(context.Background(), in, p.ledger, p.opts, true)
	refusedWith(t, err, ReasonBackupDamaged)
	p.holds(t, []byte("A=2\n"))
}

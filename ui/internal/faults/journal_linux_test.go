package faults

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// damages are the ways in which a file of lines goes wrong.
var damages = map[string]func(r *rand.Rand, data []byte) []byte{
	"cut":       func(r *rand.Rand, data []byte) []byte { return data[:r.IntN(len(data))] },
	"cut front": func(r *rand.Rand, data []byte) []byte { return data[r.IntN(len(data)):] },
	"bytes": func(r *rand.Rand, data []byte) []byte {
		for range 1 + r.IntN(20) {
			data[r.IntN(len(data))] = byte(r.IntN(256))
		}
		return data
	},
	"zeros": func(r *rand.Rand, data []byte) []byte {
		from := r.IntN(len(data))
		clear(data[from:min(len(data), from+1+r.IntN(4096))])
		return data
	},
	"lines gone":  lines(func(r *rand.Rand, l [][]byte) [][]byte { n := r.IntN(len(l)); return slices.Delete(l, n, n+1) }),
	"lines twice": lines(func(r *rand.Rand, l [][]byte) [][]byte { n := r.IntN(len(l)); return slices.Insert(l, n, l[n]) }),
	"lines mixed": lines(func(r *rand.Rand, l [][]byte) [][]byte {
		r.Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
		return l
	}),
	"a long line": func(r *rand.Rand, data []byte) []byte { return append(data, bytes.Repeat([]byte("["), 1<<20)...) },
	"other targets": func(_ *rand.Rand, data []byte) []byte {
		return bytes.ReplaceAll(data, []byte("/.env\""), []byte("/manage.py\""))
	},
	"no intents": func(_ *rand.Rand, data []byte) []byte {
		return bytes.ReplaceAll(data, []byte(`"intent"`), []byte(`"intend"`))
	},
	"no outcomes": func(_ *rand.Rand, data []byte) []byte {
		return bytes.ReplaceAll(data, []byte(`"outcome"`), []byte(`"income"`))
	},
	"other sums": func(_ *rand.Rand, data []byte) []byte {
		return bytes.ReplaceAll(data, []byte(`_sum":"`), []byte(`_sum":"0`))
	},
}

func lines(change func(*rand.Rand, [][]byte) [][]byte) func(*rand.Rand, []byte) []byte {
	return func(r *rand.Rand, data []byte) []byte {
		return bytes.Join(change(r, bytes.SplitAfter(data, []byte("\n"))), nil)
	}
}

// damaged names one damage of one file of the state folder.
type damaged struct{ name, file string }

func (d damaged) String() string { return d.file + ", " + d.name }

// Whatever is done to the journal, .env is the old one or the new one, nothing
// else is touched, and the run ends and says something.
func TestADamagedJournalDoesNoHarm(t *testing.T) {
	t.Parallel()
	rounds := 1
	if long {
		rounds = 20
	}
	var all []damaged
	for name := range damages {
		for range rounds {
			for _, file := range []string{"journal.jsonl", "key", "backup-"} {
				all = append(all, damaged{name, file})
			}
		}
	}
	if !long { // one file of each damage, by turns
		all = every(4, all)
	}
	r := rand.New(rand.NewPCG(1, 2)) // the same in every run
	seeds := make([]uint64, len(all))
	for n := range seeds {
		seeds[n] = r.Uint64()
	}
	c, notes := &tally{}, map[string]int{}
	needStrace(t)
	done, open := upgraded(t), afterTheRename(t)(t)
	restore := map[*house]func(){done: done.keep(t), open: open.keep(t)}
	for n, d := range all {
		for state, h := range map[string]*house{"done": done, "killed": open} {
			restore[h]()
			path := h.stateFile(t, d.file)
			if path == "" {
				continue
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damages[d.name](rand.New(rand.NewPCG(seeds[n], 0)), data), 0o600); err != nil {
				t.Fatal(err)
			}
			other, err := os.ReadFile(filepath.Join(h.project.Root, "manage.py"))
			if err != nil {
				t.Fatal(err)
			}
			e := h.run(t, false, h.rollback())
			c.count()
			has, wrong := h.look(t, state == "killed") // without its note the temporary file stays
			notes[fmt.Sprintf("exit %d, %s", e.code, has)]++
			if now, err := os.ReadFile(filepath.Join(h.project.Root, "manage.py")); err != nil || !bytes.Equal(now, other) {
				wrong = append(wrong, "another file was touched")
			}
			wrong = append(wrong, e.lies(has)...)
			for i := range wrong {
				wrong[i] = state + ": " + wrong[i] + "\n" + e.out
			}
			c.add(d, wrong...)
		}
	}
	t.Logf("the ends: %v", notes)
	if len(notes) < 3 {
		t.Errorf("all ended alike: %v", notes)
	}
	c.report(t, "damaged state folders", 16)
}

// lies are what is wrong with what a rollback said, when the file is then this one.
func (e end) lies(has content) (wrong []string) {
	if strings.Contains(e.out, "panic") || strings.Contains(e.out, "goroutine") || e.code < 0 || len(strings.TrimSpace(e.out)) < 20 {
		wrong = append(wrong, fmt.Sprintf("exit %d, %q", e.code, e.out))
	}
	if strings.Contains(e.out, "as it was before the upgrade") && has != isOld {
		wrong = append(wrong, "it says that all is back, and the file is the "+string(has)+" one")
	}
	if e.code == 0 && has != isOld {
		wrong = append(wrong, "it ends well, and the file is the "+string(has)+" one")
	}
	return wrong
}

// The control: a rollback that lies is found out.
func TestARollbackThatLiesIsFoundOut(t *testing.T) {
	t.Attr("part", "controls that a fault is found")
	const back = "Everything is as it was before the upgrade."
	for _, c := range []struct {
		e     end
		has   content
		wrong int
	}{
		{end{code: 0, out: back}, isOld, 0},
		{end{code: 1, out: "The journal is damaged, nothing was changed."}, isNew, 0},
		{end{code: 1, out: back}, isNew, 1},
		{end{code: 0, out: "The latest change is undone."}, isNew, 1},
		{end{code: 1, out: ""}, isOld, 1},
		{end{code: -1, out: "It was killed by a signal."}, isOld, 1},
		{end{code: 2, out: "panic: index out of range"}, isOld, 1},
	} {
		if wrong := c.e.lies(c.has); len(wrong) != c.wrong {
			t.Errorf("exit %d, %q, the %s one: %v", c.e.code, c.e.out, c.has, wrong)
		}
	}
}

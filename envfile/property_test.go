package envfile

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// pieces make files with everything that readers disagree on.
var pieces = []string{
	"A=1", "B=two words", "C='single'", `D="double"`, "export E=5", "F = 6", "G: 7", "H=", "I=a#b", "J=a # b",
	"L=$A", "M=${A}x", "N='$A'", `O="a\nb"`, "P=back\\", "Q=\"open", "R='open", "S=\"one\nT=two\"", "# comment",
	"# K=placeholder", "# back\\", "rawkey", "K=old", "export K=old", " K = 'old'", "K: old", "k=old",
	"K=\"old\nolder\"", "DEBUG=TrueK=old", "U=caf\u00e9", "V-W=1", "X.Y=1", "", "  ", "[section]", "A=again", "\x1a", "Z=$(date)",
}

func randomFile(r *rand.Rand) []byte {
	var b bytes.Buffer
	if r.IntN(12) == 0 {
		b.Write(utf8BOM)
	}
	ends := [][]string{{"\n"}, {"\n"}, {"\n"}, {"\r\n"}, {"\n", "\r\n"}, {"\n", "\r"}}[r.IntN(6)]
	n := r.IntN(8)
	for i := range n {
		b.WriteString(pieces[r.IntN(len(pieces))])
		if i < n-1 || r.IntN(3) > 0 {
			b.WriteString(ends[r.IntN(len(ends))])
		}
	}
	return b.Bytes()
}

func randomOp(r *rand.Rand, f *File) (op Op, by For) {
	line := 1 + r.IntN(f.Len()+1)
	for _, d := range Dialects() {
		if r.IntN(3) == 0 {
			by.Readers = append(by.Readers, d)
		}
	}
	switch r.IntN(7) {
	case 0:
		return Drop{line}, by
	case 1:
		return Split{line, "K"}, by
	}
	set := Set{Name: []string{"K", "K", "K", "A", "NEW"}[r.IntN(5)], Value: key(r)[:12]}
	if r.IntN(4) == 0 {
		set.Value = []string{"", "a b", "a$A", "it's", `q"q`, "a#b"}[r.IntN(6)]
	}
	return set, by
}

// TestEditsTouchNothingElse makes random edits of random files. It judges by
// lines and readings of its own, not by the checks that Edit makes.
func TestEditsTouchNothingElse(t *testing.T) {
	r := rand.New(rand.NewPCG(20, 26))
	made, refused := 0, 0
	for range 4000 {
		old := randomFile(r)
		op, by := randomOp(r, Parse(old))
		c, err := Edit(bytes.Clone(old), by, op)
		if err != nil {
			refused++
			continue
		}
		made++
		if !bytes.Equal(c.Old, old) {
			t.Fatalf("%q: the input was changed", old)
		}
		set, isSet := op.(Set)
		readers := by.Readers
		if len(readers) == 0 {
			readers = djangoReaders()
		}
		for _, d := range readers {
			if isSet {
				vars, err := Read(d, c.New, nil)
				if v, ok := vars.Says(set.Name); !ok || v != set.Value || err != nil {
					t.Fatalf("%q, %v for %s: reads %q, %v, %v", old, op, d, v, ok, err)
				}
			}
			before, err := Read(d, old, nil)
			if err != nil {
				continue
			}
			after, err := Read(d, c.New, nil)
			if err != nil {
				t.Fatalf("%q, %v: %v", old, op, err)
			}
			for name, v := range before {
				if w, ok := after[name]; (!ok || v != w) && mustStay(op, old, name) {
					t.Fatalf("%q, %v: %s read %q as %q, now %q\n%q", old, op, d, name, v.Value, w.Value, c.New)
				}
			}
		}
		kept, total := commonLines(old, c.New)
		if lost := total - kept; isSet && lost > 2 {
			t.Fatalf("%q, %v: %d lines are gone: %q", old, op, lost, c.New)
		}
	}
	if made < 2000 || refused < 200 {
		t.Errorf("%d edits made and %d refused: the files test too little", made, refused)
	}
}

// mustStay reports whether a variable has nothing to do with an edit: it has not
// the edited name, nor stands on the edited line, nor refers to the name.
func mustStay(op Op, old []byte, name string) bool {
	name = strings.Trim(strings.TrimPrefix(strings.TrimPrefix(name, string(utf8BOM)), "export "), "'")
	target, line := "K", 0
	switch op := op.(type) {
	case Set:
		target = op.Name
	case Split:
		line = op.Line
	case Drop:
		line = op.Line
	}
	if name == "" || strings.EqualFold(name, target) || strings.HasPrefix(name, target+":") ||
		target == "A" && (name == "L" || name == "M" || name == "N") {
		return false
	}
	return line == 0 || !bytes.Contains(Parse(old).Line(line-1).Raw, []byte(name))
}

// commonLines counts the lines of old, and those of them that stand in new in
// the same order.
func commonLines(old, new []byte) (kept, total int) {
	var rest []Line
	for _, l := range Parse(new).Lines() {
		rest = append(rest, l)
	}
	for _, l := range Parse(old).Lines() {
		total++
		i := slices.IndexFunc(rest, func(n Line) bool { return bytes.Equal(n.Raw, l.Raw) })
		if i >= 0 {
			kept++
			rest = rest[i+1:]
		}
	}
	return kept, total
}

func FuzzSet(f *testing.F) {
	for _, r := range loadReadings(f) {
		f.Add(r.data(), "K", "abc-DEF_123", uint8(0xff))
	}
	for i, p := range pieces {
		f.Add([]byte(p), "K", "a b", uint8(1<<(i%8)))
		f.Add([]byte(p+"\nA=1\n"), "NEW", "it's", uint8(7))
	}
	f.Fuzz(func(t *testing.T, data []byte, name, value string, mask uint8) {
		var readers []Dialect
		for i, d := range Dialects() {
			if mask>>i&1 == 1 {
				readers = append(readers, d)
			}
		}
		c, err := Edit(data, For{Readers: readers}, Set{name, value})
		if err != nil {
			var blocked *BlockedError
			if errors.As(err, &blocked) && blocked.Line > Parse(data).Len() {
				t.Errorf("line %d of %d", blocked.Line, Parse(data).Len())
			}
			return
		}
		if err := c.Verify(); err != nil {
			t.Error(err)
		}
		for _, d := range readers {
			vars, err := Read(d, c.New, nil)
			if v, ok := vars.Says(name); v != value || !ok || err != nil {
				t.Errorf("%s reads %q, %v, %v, want %q", d, v, ok, err, value)
			}
		}
	})
}

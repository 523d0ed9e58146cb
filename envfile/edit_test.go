package envfile

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// key returns a fresh value of the form that every reader reads alike.
func key(r *rand.Rand) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	b := make([]byte, 86)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

func TestSetPlacesTheLine(t *testing.T) {
	all := Dialects()
	django := djangoReaders()
	tests := []struct {
		name    string
		old     string
		readers []Dialect
		want    string
	}{
		{"empty file", "", all, "K=new\n"},
		{"at the end", "A=1\nB=2\n", all, "A=1\nB=2\nK=new\n"},
		{"missing final newline", "A=1\nB=2", all, "A=1\nB=2\nK=new\n"},
		{"only a comment", "# hello", all, "# hello\nK=new\n"},
		{"placeholder comment stays", "# K=old\nA=1\n", all, "# K=old\nA=1\nK=new\n"},
		{"in place", "A=1\nK=old\nB=2\n", all, "A=1\nK=new\nB=2\n"},
		{"in place, last line without newline", "A=1\nK=old", all, "A=1\nK=new"},
		{"last duplicate", "K=1\nA=1\nK=2\nB=2\n", all, "K=1\nA=1\nK=new\nB=2\n"},
		{"spaces", "A=1\n  K = old\n", all, "A=1\nK=new\n"},
		{"colon", "K: old\nA=1\n", django, "K=new\nA=1\n"},
		{"quotes and comment", "K='old' # why\nA=1\n", django, "K=new\nA=1\n"},
		{"empty", "K=\nA=1\n", all, "K=new\nA=1\n"},
		{"export is dropped for decouple", "export K=old\nA=1\n", []Dialect{Decouple, Shell}, "K=new\nA=1\n"},
		{"export is kept where all read it", "export K=old\nA=1\n", []Dialect{Shell, Compose}, "export K=new\nA=1\n"},
		{"another case is another variable", "k=old\nA=1\n", django, "k=old\nA=1\nK=new\n"},
		{"another case beside the name", "K=old\nk=mine\n", django, "K=new\nk=mine\n"},
		{"longer and shorter names", "K2=1\nMY_K=2\n", all, "K2=1\nMY_K=2\nK=new\n"},
		{"CRLF file", "A=1\r\nB=2\r\n", django, "A=1\r\nB=2\r\nK=new\r\n"},
		{"CRLF file, no final newline", "A=1\r\nB=2", django, "A=1\r\nB=2\r\nK=new\r\n"},
		{"CRLF file and the shell", "A=1\r\nB=2\r\n", all, "A=1\r\nB=2\r\nK=new\n"},
		{"CRLF in place", "A=1\r\nK=old\r\n", django, "A=1\r\nK=new\r\n"},
		{"CRLF in place and the shell", "A=1\r\nK=old\r\nB=2\r\n", all, "A=1\r\nK=new\nB=2\r\n"},
		{"mixed line ends", "A=1\r\nB=2\n", django, "A=1\r\nB=2\nK=new\n"},
		{"mixed line ends in place", "A=1\nK=old\r\nB=2\n", django, "A=1\nK=new\r\nB=2\n"},
		{"BOM on another line", "\ufeffA=1\nK=old\n", django, "\ufeffA=1\nK=new\n"},
		{"BOM on the line itself", "\ufeffK=old\nA=1\n", django, "\ufeffK=old\nA=1\nK=new\n"},
		{"BOM on the line, compose alone", "\ufeffK=old\nA=1\n", []Dialect{Compose}, "\ufeffK=new\nA=1\n"},
		{"several lines", "K=\"one\ntwo\"\nA=1\n", all[:6], "K=new\nA=1\n"},
		{"several lines, for decouple alone", "K=\"one\ntwo\"\nA=1\n", []Dialect{Decouple}, "K=new\nA=1\n"},
		{"several lines that set another name for decouple", "K=\"one\nX=two\"\nA=1\n", django, "K=\"one\nX=two\"\nA=1\nK=new\n"},
		{"the name inside another value", "C=\"begin\nK=inside\nend\"\nA=1\n", django, "C=\"begin\nK=inside\nend\"\nA=1\nK=new\n"},
		{"below a backslash, shell and systemd", "A=1\\\n", []Dialect{Decouple, Shell, Systemd}, "K=new\nA=1\\\n"},
		{"below a comment with a backslash", "A=1\n# C:\\\n", []Dialect{Systemd}, "K=new\nA=1\n# C:\\\n"},
		{"below a comment with a backslash, no other", "# C:\\\n", []Dialect{Systemd}, "# C:\\\n\nK=new\n"},
		{"below an open quote, which systemd reads on", "A=\"1\nB=2\n", []Dialect{Decouple}, "K=new\nA=\"1\nB=2\n"},
		{"below an open quote, shell", "B=2\nA=\"1\n", []Dialect{Shell}, "K=new\nB=2\nA=\"1\n"},
		{"open quote in the line itself", "B=2\nK=\"old\nA=1\n", django, "B=2\nK=new\nA=1\n"},
		{"below a bare line", "A=1\nrawkey\n", django, "A=1\nrawkey\nK=new\n"},
		{"below Ctrl-Z", "A=1\n\x1a", django, "A=1\n\x1a\nK=new\n"},
		{"lone CR, which ends no line for compose", "A=1\rB=2\r", django, "K=new\nA=1\rB=2\r"},
		{"a reference above the name", "U=x${K}\nK=old\n", django, "U=x${K}\nK=new\n"},
		{"a reference below the name, and one to that", "K=old\nU=x${K}\nV=$U\n", all[:7], "K=new\nU=x${K}\nV=$U\n"},
		{"the name, and again inside another value", "K=old\nC=\"x\nK=1\n\"\n", []Dialect{PythonDotenv}, "K=new\nC=\"x\nK=1\n\"\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Edit([]byte(tt.old), For{Readers: tt.readers}, Set{"K", "new"})
			if err != nil {
				t.Fatal(err)
			}
			if string(c.New) != tt.want {
				t.Errorf("got %q, want %q", c.New, tt.want)
			}
			for _, d := range tt.readers {
				vars, err := Read(d, c.New, nil)
				if v, ok := vars.Says("K"); v != "new" || !ok || err != nil {
					t.Errorf("%s reads %q, %v, %v", d, v, ok, err)
				}
			}
			again, err := Edit(c.New, For{Readers: tt.readers}, Set{"K", "new"})
			if err != nil || len(again.Diff) > 0 || !bytes.Equal(again.New, c.New) {
				t.Errorf("a second time: %v, %v; want no change", again, err)
			}
		})
	}
}

func TestSetQuotes(t *testing.T) {
	most := []Dialect{Decouple, PythonDotenv, DjangoEnviron, Godotenv, Compose, Systemd, Shell}
	tests := []struct {
		value   string
		readers []Dialect
		want    string // "" for an error
	}{
		{"", Dialects(), "K="},
		{"a b#c$d&(e)!*=f", most, "K='a b#c$d&(e)!*=f'"},
		{"a b", []Dialect{Decouple, DockerEnvFile}, "K=a b"},
		{"it's", most, `K="it's"`},
		{`it's "both"`, []Dialect{Decouple}, `K=it's "both"`}, // in quotes godotenv would refuse the file
		{`it's "both"`, []Dialect{PythonDotenv, Shell, Systemd}, `K="it's \"both\""`},
		{"a b", Dialects(), ""}, // docker keeps quotes, the shell needs them
		{"a\nb", []Dialect{Shell}, ""},
		{"a\x00b", []Dialect{Decouple}, ""},
		{"a\xffb", []Dialect{Compose}, ""},
	}
	for _, tt := range tests {
		c, err := Edit([]byte("A=1\n"), For{Readers: tt.readers}, Set{"K", tt.value})
		if tt.want == "" {
			if err == nil {
				t.Errorf("%q for %v: no error", tt.value, tt.readers)
			} else if strings.Contains(err.Error(), tt.value) {
				t.Errorf("the error shows the value: %v", err)
			}
			continue
		}
		if want := "A=1\n" + tt.want + "\n"; err != nil || string(c.New) != want {
			t.Errorf("%q for %v: got %q, %v, want %q", tt.value, tt.readers, c.New, err, want)
		}
	}
}

func TestSetNamesTheLineInTheWay(t *testing.T) {
	tests := []struct {
		name, old string
		readers   []Dialect
		line      int
	}{
		{"BOM", "\ufeffA=sesame\n", []Dialect{Godotenv}, 1},
		{"bare line", "A=1\nsesame\nB=2\n", []Dialect{Decouple, Godotenv}, 2},
		{"name with a dash", "A=1\nB=2\nsesa-me=1\n", []Dialect{Godotenv}, 3},
		{"unbalanced quote", "A=1\nB='sesame\nC=1\n", []Dialect{Compose}, 2},
		{"Latin-1", "A=1\nB=2\nC=sesame\xe9\n", []Dialect{Decouple}, 3},
		{"space in a name", "A=1\nsesame =1\n", []Dialect{DockerEnvFile}, 2},
		{"no name", "A=1\n=sesame\n", []Dialect{DockerEnvFile}, 2},
		{"NUL", "A=1\n# \x00sesame\n", []Dialect{Systemd}, 2},
		{"BOM and an open quote", "\ufeffA='sesame\n", []Dialect{Shell}, 1},
		{"a list that nothing begins", "; sesame\nA=1\nB=2\nC=3\n", []Dialect{Shell}, 1},
		{"a compound command that nothing ends", "if sesame; then\nA=1\nB=2\n", []Dialect{Shell}, 1},
	}
	for _, tt := range tests {
		_, err := Edit([]byte(tt.old), For{Readers: tt.readers}, Set{"K", "new"})
		var blocked *BlockedError
		if !errors.As(err, &blocked) || blocked.Line != tt.line {
			t.Errorf("%s: got %v, want line %d", tt.name, err, tt.line)
		}
		if err != nil && strings.Contains(err.Error(), "sesa") {
			t.Errorf("%s: the error shows what stands in the file: %v", tt.name, err)
		}
	}
	for _, name := range []string{"", "1K", "K-L", "K=", "export K"} {
		if _, err := Edit(nil, For{}, Set{Name: name, Value: "v"}); err == nil {
			t.Errorf("the name %q was accepted", name)
		}
	}
}

func TestSplitDrop(t *testing.T) {
	tests := []struct {
		name string
		old  string
		ops  []Op
		want string
	}{
		{"split", "A=1\nDEBUG=TrueK=abc\nB=2\n", []Op{Split{2, "K"}}, "A=1\nDEBUG=True\nK=abc\nB=2\n"},
		{"split the last line", "DEBUG=TrueK=abc", []Op{Split{1, "K"}}, "DEBUG=True\nK=abc"},
		{"split in a CRLF file", "A=1\r\nDEBUG=TrueK=abc\r\n", []Op{Split{2, "K"}}, "A=1\r\nDEBUG=True\r\nK=abc\r\n"},
		{"split what another value refers to", "A=TrueK=abc\nB=${C}${A}\n", []Op{Split{1, "K"}}, "A=True\nK=abc\nB=${C}${A}\n"},
		{"drop a line with a comment", "A=1\nrawkey # x\nB=2\n", []Op{Drop{2}}, "A=1\nB=2\n"},
		{"drop a line with a mark", "A=1\nraw#key\nB=2\n", []Op{Drop{2}}, "A=1\nB=2\n"},
		{"drop", "A=1\nrawkey\nB=2\n", []Op{Drop{2}}, "A=1\nB=2\n"},
		{"drop a duplicate", "A=1\nB=2\nA=3\n", []Op{Drop{1}}, "B=2\nA=3\n"},
		{"drop a duplicate of several lines", "A=\"x\ny\"\nB=2\nA=3\n", []Op{Drop{1}}, "B=2\nA=3\n"},
		{"drop a wrapped key", "A=\"QUJD/+\nREVG==\"\nB=2\nA=3\n", []Op{Drop{1}}, "B=2\nA=3\n"},
		{"drop the last", "A=1\nrawkey", []Op{Drop{2}}, "A=1\n"},
		{"a duplicate in which decouple reads another variable stays", "A=\"x\nB=2\ny\"\nA=3\n", []Op{Drop{1}}, "A=\"x\nB=2\ny\"\nA=3\n"},
		{
			"lines count as at the start", "raw1\nA=1\nDEBUG=TrueK=abc\nraw2\n",
			[]Op{Drop{1}, Split{3, "K"}, Drop{4}, Set{"K", "new"}}, "A=1\nDEBUG=True\nK=new\n",
		},
	}
	for _, tt := range tests {
		c, err := Edit([]byte(tt.old), For{}, tt.ops...)
		if err != nil || string(c.New) != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, c.New, err, tt.want)
		}
	}
	refused := []struct {
		name, old string
		op        Op
	}{
		{"no such line", "A=1\n", Drop{2}},
		{"line 0", "A=1\n", Drop{0}},
		{"drop an assignment", "A=1\n", Drop{1}},
		{"drop the assignment that counts", "A=1\nA=2\n", Drop{2}},
		{"drop a comment", "# A\n", Drop{1}},
		{"drop inside a value", "A=\"x\ny\nz\"\n", Drop{2}},
		{"split where nothing is glued", "A=1\nK=abc\n", Split{2, "K"}},
		{"split within a name", "A=1\nMY_K=abc\n", Split{2, "K"}},
		{"split a comment", "# A=1K=2\n", Split{1, "K"}},
	}
	for _, tt := range refused {
		if c, err := Edit([]byte(tt.old), For{}, tt.op); err == nil {
			t.Errorf("%s: no error, result %q", tt.name, c.New)
		}
	}
}

func TestDiff(t *testing.T) {
	c, err := Edit([]byte("A=1\nK=old\nB=2"), For{}, Set{"K", "new"}, Set{"J", "two"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range c.Diff {
		got = append(got, fmt.Sprintf("%d %d %q %q %v", d.Num, d.NewNum, d.Removed, d.Added, d.FinalNewline))
	}
	want := []string{
		`2 2 ["K=old\n"] ["K=new\n"] false`,
		`3 3 ["B=2"] ["B=2\n"] true`,
		`4 4 [] ["J=two\n"] false`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestVerifyFindsEveryOtherChange(t *testing.T) {
	fresh := func() Change {
		c, err := Edit([]byte("A=1\nK=old\nB=2"), For{}, Set{"K", "new"}, Set{"J", "two"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if err := fresh().Verify(); err != nil {
		t.Fatal(err)
	}
	// Any one byte of the result changed, added or lost must be found.
	for i := range fresh().New {
		for name, spoil := range map[string]func([]byte) []byte{
			"changed": func(b []byte) []byte { b[i] ^= 1; return b },
			"lost":    func(b []byte) []byte { return append(b[:i:i], b[i+1:]...) },
			"added":   func(b []byte) []byte { return append(b[:i:i], append([]byte{'x'}, b[i:]...)...) },
		} {
			c := fresh()
			c.New = spoil(bytes.Clone(c.New))
			if c.Verify() == nil {
				t.Errorf("byte %d %s: not found", i, name)
			}
		}
	}
	for name, spoil := range map[string]func(*Change){
		"more at the end": func(c *Change) { c.New = append(bytes.Clone(c.New), 'x') },
		"no diff":         func(c *Change) { c.Diff = nil },
		"one missing":     func(c *Change) { c.Diff = c.Diff[1:] },
		"another line":    func(c *Change) { c.Diff[0].Num++ },
		"another place":   func(c *Change) { c.Diff[2].NewNum++ },
		"another text":    func(c *Change) { c.Diff[0].Removed = [][]byte{[]byte("K=alt\n")} },
		"not a newline":   func(c *Change) { c.Diff[0].FinalNewline = true },
		"beyond the end":  func(c *Change) { c.Diff[2].Num = 9 },
	} {
		c := fresh()
		if spoil(&c); c.Verify() == nil {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestNothingIsPrinted(t *testing.T) {
	secret := key(rand.New(rand.NewPCG(1, 2)))
	c, err := Edit([]byte("A=1\nK="+secret[1:]+"\n"), For{}, Set{"K", secret})
	if err != nil {
		t.Fatal(err)
	}
	vars, err := Read(Decouple, c.New, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := Parse(c.New)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, x := range []any{c, &c, c.Diff, vars, vars["K"], f, f.Line(0), Set{"K", secret}, []Op{Set{"K", secret}}} {
			out := fmt.Sprintf(verb, x)
			if strings.Contains(out, secret[1:20]) || strings.Contains(out, fmt.Sprintf("%x", secret[1:20])) {
				t.Errorf("%s of %T shows the value", verb, x)
			}
		}
	}
}

// The line that another variable would change in is the last that sets it.
func TestTheLineThatSetsAName(t *testing.T) {
	t.Parallel()
	d := newDraft([]byte("A=1\nB=2\nA=3\nC=4\n"), For{Readers: []Dialect{Decouple}})
	for name, want := range map[string]int{"A": 2, "B": 1, "gone": 3} {
		if got := d.settingLine(name); got != want {
			t.Errorf("%s: line %d, want %d", name, got, want)
		}
	}
}

package envfile

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestParseSaysWhatALineIs(t *testing.T) {
	tests := []struct{ line, want string }{
		{"", ""},
		{"  \t\n", "blank"},
		{"# K=1\n", "comment"},
		{"  # K=1\n", "comment"},
		{"K=1\n", "K=1"},
		{" K = 1 \r\n", "K=1"},
		{"K='a b'\n", "K=a b"},
		{"K=\"a'b\"\n", "K=a'b"},
		{"K='\n", "K=' unbalanced"},
		{"K='a' b\n", "K='a' b"},
		{"K=a=b\n", "K=a=b"},
		{"export K=1\n", "K=1 export"},
		{"export\tK=1\n", "K=1 export"},
		{"export=1\n", "export=1"},
		{"exported=1\n", "exported=1"},
		{"K: 1\n", "K=1 colon"},
		{"K:\n", "K= colon"},
		{"K: a=b\n", "K=a=b colon"},
		{"export K: 1\n", "K=1 export colon"},
		{"https://example.org\n", "bare"},
		{"https://example.org/?a=b\n", "https://example.org/?a=b"},
		{"a b: c\n", "bare"},
		{"rawkey\n", "bare"},
		{"[settings]\n", "bare"},
		{"\ufeffK=1\n", "K=1"},
		{"\ufeff\n", "blank"},
		{"\ufeff# K=1\n", "comment"},
	}
	for _, tt := range tests {
		var got []string
		for _, l := range Parse([]byte(tt.line)).Lines() {
			s := [...]string{"blank", "comment", l.Name + "=" + l.Value, "bare"}[l.Kind]
			if l.Export {
				s += " export"
			}
			if l.Colon {
				s += " colon"
			}
			if l.Unbalanced {
				s += " unbalanced"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("%q: got %q, want %q", tt.line, s, tt.want)
		}
	}
}

func TestParseLineEnds(t *testing.T) {
	tests := []struct {
		data  string
		ends  string
		crlf  bool
		final bool
	}{
		{"", "", false, true},
		{"A=1", `""`, false, false},
		{"A=1\n", `"\n"`, false, true},
		{"A=1\r\nB=2\r\n", `"\r\n" "\r\n"`, true, true},
		{"A=1\r\nB=2", `"\r\n" ""`, true, false},
		{"A=1\r\nB=2\n", `"\r\n" "\n"`, false, true},
		{"A=1\rB=2\r\r\n", `"\r" "\r" "\r\n"`, false, true},
		{"\n\r", `"\n" "\r"`, false, true},
	}
	for _, tt := range tests {
		f := Parse([]byte(tt.data))
		var ends []string
		for _, l := range f.Lines() {
			ends = append(ends, fmt.Sprintf("%q", l.End()))
			if l.Text()+l.End() != string(l.Raw) {
				t.Errorf("%q: line %d falls apart", tt.data, l.Num)
			}
		}
		if s := strings.Join(ends, " "); s != tt.ends || f.CRLF() != tt.crlf || f.FinalNewline() != tt.final {
			t.Errorf("%q: got %s, %v, %v", tt.data, s, f.CRLF(), f.FinalNewline())
		}
	}
}

func TestParseSpans(t *testing.T) {
	tests := []struct{ data, want string }{ // last line of each; i: inside, u: unbalanced
		{"A=\"x\ny\nz\"\nB=1\n", "3 2i 3i 4"},
		{"A='x\nK=y' # done\nB=1\n", "2 2i 3"},
		{"A=\"x\\\"\ny\"\n", "2 2i"},
		{"A=\"x\nB=\"y\"\n", "1u 2"}, // the next quote opens another value
		{"A=\"x\nB=1\n", "1u 2"},
		{"# \"\nA=1\n\"\n", "1 2 3"},
		{"A=x\"\nB=y\"\n", "1 2"},
		{"A=\"x\r\ny\"", "2 2i"},
	}
	for _, tt := range tests {
		var got []string
		for _, l := range Parse([]byte(tt.data)).Lines() {
			s := fmt.Sprint(l.Last)
			if l.Inside {
				s += "i"
			}
			if l.Unbalanced {
				s += "u"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%q: got %s, want %s", tt.data, s, tt.want)
		}
	}
}

func TestSafeUnquoted(t *testing.T) {
	for c := 0; c < 256; c++ {
		b := []byte{'x', byte(c)}
		want := bytes.IndexByte([]byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"), byte(c)) >= 0
		if SafeUnquoted(string(b)) != want {
			t.Errorf("SafeUnquoted(%q) is not %v", b, want)
		}
	}
	if SafeUnquoted("") {
		t.Error("an empty value is not safe: readers differ in what it means")
	}
}

func FuzzParse(f *testing.F) {
	for _, r := range loadReadings(f) {
		f.Add(r.data())
	}
	f.Add([]byte("A=\"x\ry\"\r\r\n\x00\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := Parse(data)
		var all []byte
		for i, l := range p.Lines() {
			if all = append(all, l.Raw...); l.Num != i+1 || len(l.Raw) == 0 || l.Last < l.Num {
				t.Fatalf("line %d: number %d, last %d, %d bytes", i+1, l.Num, l.Last, len(l.Raw))
			}
		}
		if !bytes.Equal(p.Bytes(), data) || !bytes.Equal(all, data) {
			t.Error("the lines are not the file")
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, r := range loadReadings(f) {
		f.Add(r.data())
	}
	for _, s := range []string{"K=${A:-${B:-x}}", "K=${K", "K=$(a", "K=`a", "K=(a b)", "K=a b c=d", "a[1]=2", "K=\"\\", "'", "export", "K=$$\"", "K+=x", "${K:=x}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := Parse(data).Len()
		for _, d := range Dialects() {
			vars, err := Read(d, data, existing)
			if (vars == nil) != (err != nil) {
				t.Errorf("%s: variables and an error, or neither", d)
			}
			if err != nil && (errorLine(err) < 1 || errorLine(err) > max(lines, 1)) {
				t.Errorf("%s: line %d of %d", d, errorLine(err), lines)
			}
		}
	})
}

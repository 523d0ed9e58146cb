package envfile

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

// Files on which a model or an edit was wrong once, kind by kind.

func TestReadAsTheReaderDoes(t *testing.T) {
	tests := []struct {
		kind string
		d    Dialect
		data string
		want map[string]string // nil for a refusal
	}{
		{"export of a quoted word", Shell, "export 'Q'=1\n", map[string]string{"Q": "1"}},
		{"export of a quoted word", Shell, "export \"Q=1\"\n", map[string]string{"Q": "1"}},
		{"export of a quoted word", Shell, "export \\Q=1\n", map[string]string{"Q": "1"}},
		{"export of a quoted word", Shell, " export 'a'=b", map[string]string{"a": "b"}},
		{"a redirection that may fail", Shell, "export A=<f\n", map[string]string{}},
		{"a NUL that the environment does not take", PythonDotenv, "B=a\x00\n", nil},
		{"a NUL that the environment does not take", PythonDotenv, "K=ab\x00cd\nB=2\n", nil},
		{"a NUL in a comment", PythonDotenv, "# \x00\nB=2\n", map[string]string{"B": "2"}},
		{"a NUL in a value that another takes the place of", PythonDotenv, "B=a\x00\nB=2\n", map[string]string{"B": "2"}},
		{"a NUL in a value that another takes the place of", DjangoEnviron, "B=''a\x00a\nB=1\n", map[string]string{"B": "1"}},
		{"a NUL that the environment does not take", DjangoEnviron, "B=1\nB=''a\x00a\n", nil},
		{"what dash does not know", Shell, "A+=x\n", map[string]string{}},
		{"what dash does not know", Shell, "declare A=1\n", map[string]string{}},
		{"what dash does not know", Shell, "A=$\"a\"\n", map[string]string{}},
		{"what ends dash", Shell, "export A = 1\nB=2\n", map[string]string{}},
	}
	for _, tt := range tests {
		vars, err := Read(tt.d, []byte(tt.data), nil)
		var got map[string]string
		if err == nil {
			got = map[string]string{}
			for _, name := range vars.Names() {
				if v, ok := vars.Get(name); ok {
					got[name] = v
				}
			}
		}
		if (got == nil) != (tt.want == nil) || !maps.Equal(got, tt.want) {
			t.Errorf("%s: %s of %q: %q, %v; want %q", tt.kind, tt.d, tt.data, got, err, tt.want)
		}
	}
}

func TestEditAsTheReadersNeedIt(t *testing.T) {
	shell, lines := []Dialect{Shell}, "JWT=\"two\nlines\"\n"
	tests := []struct {
		kind    string
		readers []Dialect
		old     string
		drops   []int
		want    string
	}{
		{"a duplicate that only the reader in use knows", []Dialect{PythonDotenv}, "JWT=a\nexport JWT=b\n", []int{1}, "export JWT=TOK\n"},
		{"a duplicate that only the reader in use knows", []Dialect{DjangoEnviron}, "export JWT=a\nJWT=b\n", []int{1}, "JWT=TOK\n"},
		{"a duplicate that another variable is made of", []Dialect{PythonDotenv}, "JWT=a\nDB=${JWT}x\nJWT=b\n", []int{1}, "JWT=a\nDB=${JWT}x\nJWT=TOK\n"},
		{"a duplicate with another variable in its line", shell, "JWT=a; B=2\nJWT=b\n", []int{1}, "JWT=a; B=2\nJWT=TOK\n"},
		{"a variable with a meaning for the shell", shell, "A=1\nHOSTNAME=web1\nB=2\n", nil, "A=1\nHOSTNAME=web1\nB=2\nJWT=TOK\n"},
		{"a variable that the shell guards", shell, "UID=1000\nGID=1000\n", nil, "UID=1000\nGID=1000\nJWT=TOK\n"},
		{"an option of the shell", shell, "set -a\nA=1\n", nil, "set -a\nA=1\nJWT=TOK\n"},
		{"an option of the shell taken off again", shell, "set -a\nA=1\nset +a\n", nil, "set -a\nJWT=TOK\nA=1\nset +a\n"},
		{"an array", shell, "A=1\nHOSTS=(a b)\nB=2\n", nil, "A=1\nHOSTS=(a b)\nB=2\nJWT=TOK\n"},
		{"a pipeline in a substitution", shell, "A=1\nX=$(hostname | cut -d. -f1)\n", nil, "A=1\nX=$(hostname | cut -d. -f1)\nJWT=TOK\n"},
		{"a command that may do anything", shell, "source ./x\nA=1\n", nil, "source ./x\nA=1\nJWT=TOK\n"},
		{"several lines above a command", shell, lines + "source ./x\nB=2\n", nil, "JWT=TOK\nsource ./x\nB=2\n"},
		{"several lines above a condition", shell, "B=2\nJWT=\"-----BEGIN\nabc\n-----END\"\nif [ -f x ]; then C=3; fi\nD=4\n", nil,
			"B=2\nJWT=TOK\nif [ -f x ]; then C=3; fi\nD=4\n"},
		{"several lines above an export that may fail", shell, lines + "export  K= $EXISTING", nil, "export JWT=TOK\nexport  K= $EXISTING"},
		{"several lines and another variable behind them", []Dialect{Decouple}, "JWT=\"two\nlines\"; B=2\nC=3\n", nil, "JWT=\"two\nlines\"; B=2\nC=3\nJWT=TOK\n"},
		{"a last line that gets its newline", shell, "A=1\r\nB=$1", nil, "A=1\r\nB=$1\nJWT=TOK\n"},
		{"a last line that gets its newline, for another reader", []Dialect{Decouple}, "A=1\r\nB=2", nil, "A=1\r\nB=2\r\nJWT=TOK\r\n"},
		{"a condition that sets the name", shell, "A=1\nif [ -f x ]; then\n  JWT=a\nfi\n", nil, "A=1\nif [ -f x ]; then\n  JWT=a\nfi\nJWT=TOK\n"},
		{"an export of a quoted word", shell, "JWT=a\nexport \"JWT=b\"\n", nil, "JWT=a\nexport \"JWT=b\"\nexport JWT=TOK\n"},
		{"a variable that compose requires", []Dialect{Compose}, "A=${DB_PASS:?need}\nB=2\n", nil, "A=${DB_PASS:?need}\nB=2\nJWT=TOK\n"},
		{"a variable of a similar name", []Dialect{Decouple}, "A=1\njwt=lower\n", nil, "A=1\njwt=lower\nJWT=TOK\n"},
		{"the export of the other lines", shell, "export A=1\nexport B=2\n", nil, "export A=1\nexport B=2\nexport JWT=TOK\n"},
		{"the export of the other lines, of a line without", shell, "export A=1\nJWT=b\nexport B=2\n", nil, "export A=1\nexport JWT=TOK\nexport B=2\n"},
		{"the export of the other lines, which decouple does not know", []Dialect{Decouple, Shell}, "export A=1\nexport B=2\n", nil, "export A=1\nexport B=2\nJWT=TOK\n"},
	}
	for _, tt := range tests {
		var ops []Op
		for _, line := range tt.drops {
			ops = append(ops, Drop{line})
		}
		by := For{Readers: tt.readers, Env: environment(map[string]string{"DB_PASS": "x"})}
		c, err := Edit([]byte(tt.old), by, append(ops, Set{"JWT", "TOK"})...)
		if err != nil || string(c.New) != tt.want {
			t.Errorf("%s: %q: got %q, %v, want %q", tt.kind, tt.old, c.New, err, tt.want)
		}
	}
}

func TestABlockedEditSaysWhy(t *testing.T) {
	tests := []struct {
		old    string
		by     For
		line   int
		reason string
	}{
		{"; settings\nA=1\nB=2\nC=3\n", For{Readers: []Dialect{Shell}}, 1, "nothing before a ;"},
		{"if [ -f x ]; then\nA=1\n", For{Readers: []Dialect{Shell}}, 1, "not finished"},
		{"B=2\nA=${DB_PASS:?need}\n", For{Readers: []Dialect{Compose}}, 2, "${variable}"},
	}
	for _, tt := range tests {
		_, err := Edit([]byte(tt.old), tt.by, Set{"JWT", "TOK"})
		var blocked *BlockedError
		if !errors.As(err, &blocked) || blocked.Line != tt.line || !strings.Contains(blocked.Reason, tt.reason) {
			t.Errorf("%q: %v, want line %d and %q", tt.old, err, tt.line, tt.reason)
		}
	}
}

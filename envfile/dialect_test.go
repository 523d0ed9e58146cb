package envfile

import (
	"errors"
	"strings"
	"testing"
)

// These expectations were compared with the real readers on random files made
// of such pieces: bash 5.2.15, compose-go 2.16.2 and the three of Python. In
// each, E=ee is in the environment. "refused" stands for a *ReadError.
func TestReadDetails(t *testing.T) {
	env := func(name string) (string, bool) {
		if name == "E" {
			return "ee", true
		}
		return "", false
	}
	tests := []struct {
		d    Dialect
		data string
		want string // NAME=value, separated by |, in order of names
	}{
		{Shell, "K=a; J=b", "J=b|K=a"},
		{Shell, "K=a J=b\n", "J=b|K=a"},
		{Shell, "K=a cmd\nJ=b", "J=b"},
		{Shell, "true && K=a\nfalse && J=b\nfalse || L=c", "K=a|L=c"},
		{Shell, "cmd && K=a", "K=(unknown)"},
		{Shell, "K=a && J=b &\nL=c", "L=c"},
		{Shell, "K=a | cat\nL=c", "L=c"},
		{Shell, "K=a\nK+=b\n", "K=ab"},
		{Shell, "export K=a J\n", "K=a"},
		{Shell, "K=a\nunset K\nJ=b", "J=b"},
		{Shell, "K=a\nreturn\nJ=b", "K=a"},
		{Shell, "K=a\n)\nJ=b", "K=a"},
		{Shell, "K=a\nJ=b(c\n", "K=a"},
		{Shell, "K=a#b #c\n", "K=a#b"},
		{Shell, "K=\"a\\$b\\c\" J='d\\e' L=f\\g\n", `J=d\e|K=a$b\c|L=fg`},
		{Shell, "K=${E}${N:-x}${N-y}${E:+z}$E\n", "K=eexyzee"},
		{Shell, "K=${N:=v}w\n", "K=vw|N=v"},
		{Shell, "K=a\nJ=${N:?no}\nL=b\n", "K=a"},
		{Shell, "K=$1\nJ=~/x\nL=`id`\nM=$K", "J=(unknown)|K=(unknown)|L=(unknown)|M=(unknown)"},
		{Shell, "K=a \\\nJ=b", "J=b|K=a"},
		{Shell, "K=a > file", "K=(unknown)"},
		{Shell, "if true; then K=a; fi", "refused"},
		{Shell, "false && { K=a; }", "refused"},
		{Shell, "f() { K=a; }", "refused"},
		{Shell, "(K=a)", "refused"},
		{Shell, "K=(a b)", "refused"},
		{Shell, "K[0]=a", "refused"},
		{Shell, "cat << X\nK=a\nX", "refused"},
		{Shell, "eval K=a", "refused"},
		{Shell, "read K", "refused"},
		{Shell, "K=${#E}", "refused"},
		{Shell, "$E K=a", "refused"},
		{Shell, "UID=1", "refused"},
		{Compose, "K=${E}${N:-x}${N-y}${E:+z}$E$$", "K=eexyzee$"},
		{Compose, "K=${N:-${E}}", "K=ee"},
		{Compose, "K=\"\\$E \\0101 \\07 \\q\"", `K=$E A \7 \q`},
		{Compose, "K='a\\'b\\c'", `K=a'b\c`},
		{Compose, "K=${N:?no}", "refused"},
		{Compose, "K=${", "refused"},
		{Compose, "E\nN\nK: a", "E=ee|K=a"},
		{Compose, "K J=a", "refused"},
		{Compose, "K=\"a", "refused"},
		{PythonDotenv, "K=${E}-${N:-x}-${N}-$E", "K=ee-x--$E"},
		{PythonDotenv, "K='a\\'b' # c\n'J'=1\n", "J=1|K=a'b"},
		{PythonDotenv, "K='a' b\nJ=1", "J=1"},
		{PythonDotenv, "=a\nJ=1", "J=1"},
		{PythonDotenv, "K= # a", "K=# a"},
		{PythonDotenv, "K\xff=1", "refused"},
		{DjangoEnviron, "K=$J\nJ=$E\nL=$L", "J=ee|K=ee|L=(raises)"},
		{DjangoEnviron, "K='a#b' # c\nJ=\"a\\tb\\c\"", `J=a\tbc|K=a#b`},
		{DjangoEnviron, "1K=a\nK-J=b\n K=c", "1K=a"},
		{DjangoEnviron, "K=\xff", "refused"},
		{Decouple, "K=\"a'\n# J=1\nL = 'b' \n=c", "=c|K=\"a'|L=b"},
		{Systemd, "; K=a\n# b\\\nJ=1\nL=2", "L=2"},
		{Systemd, "K=a\\ \nJ=\"a\\\nb\\q\"\n1L=x\nM=\xc3\xa9 ", "J=ab\\q|K=a |M=\u00e9"},
		{Systemd, "K=\"a", "K=a"},
		{Systemd, "K=\uffff", "refused"},
		{DockerEnvFile, "E\nN\nK= 'a' \n  J=1", "E=ee|J=1|K= 'a' "},
		{DockerEnvFile, "K=" + strings.Repeat("x", 65534), "refused"},
		{DockerEnvFile, "K=1\n=a", "refused"},
		{Godotenv, "K-J=1", "refused"},
	}
	for _, tt := range tests {
		vars, err := Read(tt.d, []byte(tt.data), env)
		var got []string
		values := plain(vars)
		for _, name := range vars.Names() {
			got = append(got, name+"="+values[name])
		}
		s := strings.Join(got, "|")
		var refusal *ReadError
		if errors.As(err, &refusal) {
			s = "refused"
		}
		if s != tt.want {
			t.Errorf("%s of %.40q: got %q, want %q (%v)", tt.d, tt.data, s, tt.want, err)
		}
	}
}

func TestReadUnknownDialect(t *testing.T) {
	var refusal *ReadError
	if vars, err := Read("yaml", nil, nil); vars != nil || err == nil || errors.As(err, &refusal) {
		t.Errorf("got %v, %v", vars, err)
	}
}

func TestLookupTellsEmptyFromAbsent(t *testing.T) {
	for data, want := range map[string]bool{"K=\n": true, "J=\n": false, "": false} {
		for _, d := range Dialects() {
			if v, found, err := Lookup(d, []byte(data), "K", nil); v != "" || found != want || err != nil {
				t.Errorf("%s of %q: %q, %v, %v", d, data, v, found, err)
			}
		}
	}
}

// The errors of readers, and of godotenv above all, must not show the file.
func TestReadErrorsShowNothing(t *testing.T) {
	refused := map[Dialect]bool{}
	for _, data := range []string{
		"A=1\nsesame'open\nB=1\n", "A='sesame\n", "=sesame\n", "sesame =1\n", "A=sesame\xff\n", "# sesame\x00\n", "if sesame\n", "A=${sesame\n",
	} {
		for _, d := range Dialects() {
			if _, err := Read(d, []byte(data), nil); err != nil {
				refused[d] = true
				if strings.Contains(err.Error(), "sesame") {
					t.Errorf("%s: %v", d, err)
				}
			}
		}
	}
	if len(refused) != len(Dialects()) {
		t.Errorf("only %v refused anything", refused)
	}
}

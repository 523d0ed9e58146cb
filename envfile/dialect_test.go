package envfile

import (
	"errors"
	"strings"
	"testing"
)

// These expectations were compared with the real readers on random files made
// of such pieces: bash 5.2.15 and dash 0.5.12, compose-go 2.16.2 and the three of Python. In
// each, E=ee is in the environment. "refused" stands for a *ReadError.
func TestReadDetails(t *testing.T) {
	env := environment(map[string]string{"E": "ee"})
	tests := []struct {
		d    Dialect
		data string
		want string // NAME=value, separated by |, in order of names
	}{
		{Shell, "K=a; J=b", "J=b|K=a"},
		{Shell, "K=a J=b\n", "J=b|K=a"},
		{Shell, "K=a cmd\nJ=b", "J=b"},
		{Shell, "export K=a J\n", "K=a"},
		{Shell, "export 'K'=a \"J=b\" \\L=c\n", "J=b|K=a|L=c"},
		{Shell, "K=a\nunset K\nJ=b", "J=b"},
		{Shell, "K=a#b #c\n", "K=a#b"},
		{Shell, "K=\"a\\$b\\c\" J='d\\e' L=f\\g\n", `J=d\e|K=a$b\c|L=fg`},
		{Shell, "K=${E}${N:-x}${N-y}${E:+z}$E\n", "K=eexyzee"},
		{Shell, "K=a \\\nJ=b", "J=b|K=a"},
		{Shell, "HOSTNAME=web1\nset -a\nK=b\n", "HOSTNAME=web1|K=b"},
		{Shell, "K=a\x00b\n", "K=ab"},
		{Shell, "echo x 2>&1\nK=a", "K=a(stated)"},
		// What cannot be known, of one variable.
		{Shell, "K=1\ncmd && K=a\nJ=b", "J=b|K=(unknown)"},
		{Shell, "K=$1\nJ=~/x\nL=`id`\nM=$K", "J=(unknown)|K=(unknown)|L=(unknown)|M=(unknown)"},
		{Shell, "K=a\nK+=b\nJ=$\"a\"\nL=1", "J=(unknown)|K=(unknown)|L=1"},
		{Shell, "export K=$E J={a,b} L=*\nM=1", "J=(unknown)|K=ee|L=(unknown)|M=1"},
		{Shell, "K=1\nset +a\nK=a\nexport J=b", "J=b|K=(unknown)"},
		// What bash makes of files that dash refuses, or that hold a command that may do anything.
		{Shell, "K=a\nreturn\nJ=b", "K=a(stated)"},
		{Shell, "K=a\n)\nJ=b", "K=a(stated)"},
		{Shell, "K=a\nJ=b(c\n", "K=a(stated)"},
		{Shell, "K=a\nJ=${N:?no}\nL=b\n", "J=(stated)|K=a(stated)"},
		{Shell, "K=a\nJ=(b c)\nL=d\n", "J=(unknown)|K=a(stated)|L=d(stated)"},
		{Shell, "K=a\nexport L = 1\nJ=b", "J=b(stated)|K=a(stated)"},
		{Shell, "K=a\nJ=$(hostname | cut -d. -f1)\nL=d\n", "J=(unknown)|K=a(stated)|L=d(stated)"},
		{Shell, "K=a\nJ=$(cat ./a:b,c=%d@+)\nL=d\n", "J=(unknown)|K=a|L=d"},
		{Shell, "K=a\nJ=$(if)\nL=d\n", "J=(unknown)|K=a(stated)|L=d(stated)"},
		{Shell, "K=a\nJ=\"$(echo (x) \"b)\")\"\nL=d\n", "J=(unknown)|K=a(stated)|L=d(stated)"},
		{Shell, "if true; then K=a; fi\nJ=b", "J=b(stated)|K=(unknown)"},
		{Shell, "f() {\nK=a\n}\nJ=b", "J=b(stated)|K=(unknown)"},
		{Shell, "(K=a)\nJ=b", "J=b(stated)|K=(unknown)"},
		{Shell, "case x in\nx) K=a;;\nesac\nJ=b", "J=b(stated)|K=(unknown)"},
		{Shell, "case x in x) K=a;; esac\nJ=b", "J=b(stated)|K=(unknown)"},
		{Shell, "K[0]=a\nJ=b", "J=b(stated)|K=(unknown)"},
		{Shell, "cat << X\nK=a\nX\nJ=b", ""},
		{Shell, "source x\nK=a", "K=a(stated)"},
		{Shell, "declare -x K=a\nJ=b", "J=b(stated)|K=(unknown)"},
		{Shell, "K=${#E}\nJ=b", "J=b(stated)|K=(unknown)"},
		{Shell, "K=a\n$E K=a", "K=(unknown)"},
		{Shell, "UID=1\nK=a", "K=a(stated)|UID=(unknown)"},
		{Shell, "export K=<f\nJ=b", "J=b(stated)|K=(stated)"},
		{Shell, "set -u\nK=a", "K=a(stated)"},
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
		{DjangoEnviron, "K='a#b'\nJ=\"a\\tb\\c\"", `J=a\tbc|K=a#b`},
		{DjangoEnviron, "K=a#b\nJ=$K\nL='a' # c\n", "J=a#b(stated)|K=a#b(stated)|L='a' # c(stated)"},
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

// environment is a process environment that holds vars.
func environment(vars map[string]string) environ {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
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
	for _, data := range []string{"sesame'open\n", "; sesame\n", "sesame() {\n", "A=${sesame/x}\n", "A=${sesame?x}\n", "read sesame\n", "UID=sesame true\n", "A=${sesame/x} true\n"} {
		if _, doubt := readShell([]byte(data), environment(nil)); doubt == nil || strings.Contains(doubt.Error(), "sesame") {
			t.Errorf("%q: %v", data, doubt)
		} else {
			refused[Shell] = true
		}
	}
	if len(refused) != len(Dialects()) {
		t.Errorf("only %v refused anything", refused)
	}
}

package envfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// shellPieces are lines as files for a shell have them, those that the model follows and those that it does not.
var shellPieces = append([]string{
	"A=1 B=2", "A=$B", "A=${B}x", "A=${B:-none}", "A=${B-none}", "A=${B:+some}", "A=\"${B:-two words}\"", "A='$B'", "A=\"$B and $C\"",
	"A=\\$B", "A=a\\ b", "A=\"a\\$b\\\"c\\\\d\\e\"", "A=x\"y\"'z'", "A=#no", "A=a#b # c", "A=", "A=;B=2", "A=1;", "; A=1", "A=1;; B=2",
	"export A=1", "export A B=2", "export A", "export A=$B", "export A=\"$B\"", "export 'A'=1", "export \"A=1\"", "export \\A=1",
	"export A = 1", "export A= $B", "export -n A", "export A+=x", "export A={a,b}", "export A=<nothing", "export A=*", "export", "export --",
	"A+=x", "declare A=1", "declare -x A=1", "typeset A=1", "readonly A=1", "local A=1", "readonly B", "A=$\"a\"", "A=$'a\\n'", "A=$'a\\'b'",
	"unset A", "unset A B", "unset -v A", "unset A-B", "set -a", "set +a", "set -e", "set -u", "set -o allexport", "set -o posix", "set --",
	"HOSTNAME=web1", "UID=1000", "GID=1000", "PWD=/x", "IFS=,", "OPTIND=x", "PATH=/x", "LANG=C", "A=$HOSTNAME", "A=$UID", "A=$PATH", "A=$PWD",
	"source ./x", ". ./x", ". ./missing", "source", "A=(a b)", "A[0]=x", "A=(\na\n)", "A=$(hostname | cut -d. -f1)", "A=$(date)", "A=`date`",
	"A=$(echo \"x)\")", "A=$(if)", "A=$(", "A=`", "A=$((1+1))", "A=$((1/0))", "A=$[1]", "A=${B", "A=${}", "A=${#B}", "A=${B%x}", "A=${B:=v}",
	"A=${B:?no}", "A=${C?no}", "A=${B:1}", "A=~", "A=x:~/y", "A=two words", "A=1 B=2 words", "A=1 :", "A=1 export B=2", "A=1 eval B=2",
	"true && A=1", "false || A=1", "true &&\nA=1", "A=1 &", "A=1 | cat", "true & A=1", "! A=1", "time A=1", "true;A=1", "A=1&&B=2",
	"if true; then A=1; fi", "if true\nthen\n  A=1\nelse\n  B=1\nfi", "for A in 1 2; do B=$A; done", "case x in x) A=1;; *) B=2;; esac",
	"f() { A=1; }", "f() {\n A=1\n}\nf", "f", "{ A=1; }", "(A=1)", "[ -f x ] && A=1", "[[ -f x ]] && A=1", "[ -f x ] && . ./x", "while false; do A=1; done",
	"function g { A=1; }", "fi", "}", ")", "then", "if", "do A=1", "((A=1))", "cat <<X\nA=1\nX", "cat <<-'X'\n\tA=1\n\tX", "cat <<X", "cat <<< A=1",
	"> out", "< missing", "A=1 > out", "A=1 < missing", "A=1 2>/dev/null", "echo x > out", ": < missing", "cd /", "return", "exit", "exit 3", "true && return",
	"eval A=1", "eval 'A='", "read A", "printf -v A x", "alias A=x", "shift", "break", "command A=1", "exec", "exec true", "trap A EXIT", "\"A\"=1", "\\A=1",
	"$B", "$B=1", "*", "'quoted command' A=1", "\"e\"xport A=1", "A=\"one\ntwo\"", "A='one\nB=two'", "A=1 \\\nB=2", "A=a\\", "# c \\", "A=\"open", "A='open",
	"key: value", "-----BEGIN X", "A=\u00c1\u0088", "A=\"\u00c1\"", "A=\xe9", "A=\x01b", "A=\x7f", "A=a\x00b", "A=1\r", "export A=1\r", "\r", "unset A\r", "A =1", "A= 1",
	"A==", "A=a=b", "1A=x", "A-B=x", "A.B=x", "=x", "A=!x", "A=a!b", "A=%x", "A=a&b", "A=a|b", "A=a<b", "A=a>b", "A=a;b", "A=a(b", "A=a)b", "A=$", "A=$ B=2", "A=\"$\"",
	"A=$1", "A=$$", "A=$?", "A=$@", "A=\"$*\"", "A=$E", "E=2", "A=${E:-x}", "unset E", "A=${E:+set}", "A=*", "A=?", "A={a,b}", "A=[a]",
}, pieces...)

// readWithShell sources each file by a real shell, in a subshell and a folder of its own, and returns the variables that a
// child of the shell then has. E is in the environment.
func readWithShell(t testing.TB, shell string, files [][]byte) []map[string]string {
	dir := t.TempDir()
	for i, data := range files {
		if err := os.Mkdir(filepath.Join(dir, fmt.Sprint(i)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i), ".env"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i), "x"), []byte("X=from-x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A process of its own for each: in a subshell bash 5.2 hands on too little after a command that it does not find.
	cmd := exec.Command("/bin/sh", "-c", `for d in */; do (cd "$d" && exec "$0" -c 'set -a; . ./.env; /usr/bin/env -0 >&3' 3>vars >/dev/null 2>&1 </dev/null); done; :`, shell)
	cmd.Dir, cmd.Env = dir, []string{"E=ee", "PATH=/usr/bin:/bin"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", shell, err, out)
	}
	all := make([]map[string]string, len(files))
	for i := range files {
		out, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(i), "vars"))
		if err != nil {
			t.Fatal(err)
		}
		all[i] = map[string]string{}
		for v := range strings.SplitSeq(string(out), "\x00") {
			if name, value, ok := strings.Cut(v, "="); ok {
				all[i][name] = value
			}
		}
	}
	return all
}

// shellOwn are variables that a shell hands to its children without being told to.
var shellOwn = map[string]bool{"_": true, "PWD": true, "OLDPWD": true, "SHLVL": true, "PATH": true, "E": true, "d": true, "OPTIND": true, "BASHOPTS": true, "SHELLOPTS": true, "PPID": true}

// long reports whether everything is to be tried, not a part.
var long = os.Getenv("KEYSPLIT_LONG") == "1"

// TestShellModelAgainstTheShells reads files of random lines with bash and dash. A value that the model calls Known is what
// both have, and a file that it has no doubt about sets nothing else. Stated values are bash's, mostly.
func TestShellModelAgainstTheShells(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: the shells of servers are not on Windows")
	}
	t.Parallel()
	seed := uint64(17)
	if long {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(4, seed))
	var files [][]byte
	rounds := 20
	if long {
		rounds = 700
	}
	for i, p := range shellPieces {
		alone, between := []byte(p+"\n"), []byte("B=1\nA=a\n"+p+"\nC=3\n")
		if long || i%2 == 0 {
			files = append(files, between)
		}
		if long || i%8 == 1 {
			files = append(files, alone)
		}
	}
	for range rounds {
		var b bytes.Buffer
		for range 1 + r.IntN(5) {
			b.WriteString(shellPieces[r.IntN(len(shellPieces))])
			b.WriteString([]string{"\n", "\n", "\n", "\r\n", " ", ""}[r.IntN(6)])
		}
		files = append(files, b.Bytes())
	}
	env := func(name string) (string, bool) {
		return map[string]string{"E": "ee", "PATH": "/usr/bin:/bin"}[name], name == "E" || name == "PATH"
	}
	known, stated, said := 0, 0, 0
	for _, shell := range []string{"bash", "dash"} {
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("SKIPPED: no %s", shell)
			continue
		}
		for i, real := range readWithShell(t, shell, files) {
			vars, doubt := readShell(files[i], env)
			for name, v := range vars {
				value, there := real[name]
				switch {
				case v.State == Known && (!there || value != v.Value):
					t.Errorf("%q: the model knows %s=%q, %s has %q, %v", files[i], name, v.Value, shell, value, there)
				case v.State == Known:
					known++
				case v.State == Stated && shell == "bash":
					if stated++; there && value == v.Value {
						said++
					}
				}
			}
			for name, value := range real {
				if _, ok := vars[name]; !ok && doubt == nil && !shellOwn[name] {
					t.Errorf("%q: the model has no doubt and no %s, which is %q in %s", files[i], name, value, shell)
				}
			}
		}
	}
	if t.Logf("%d known, %d of %d stated", known, said, stated); known < 300 || said < stated*3/4 {
		t.Errorf("%d values known, %d of %d as stated: the model says too little", known, said, stated)
	}
}

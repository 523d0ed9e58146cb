package envfile

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// TestShellEditsAgainstTheShells sets a variable in files of random lines for a shell, and sources them by bash and dash
// before and after. Whatever was set is set as before. Where the model had no doubt about the file, both read the new
// variable; else bash does, mostly.
func TestShellEditsAgainstTheShells(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: the shells of servers are not on Windows")
	}
	t.Parallel()
	seed, rounds := uint64(17), 40
	if long {
		seed, rounds = rand.Uint64(), 700
	}
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(5, seed))
	lines := append([]string{"JWT=a", "export JWT=a", "export \"JWT=b\"", "JWT=\"two\nlines\"", "JWT=a; B=2", "DB=${JWT}x"}, shellPieces...)
	var before, after [][]byte
	var certain []bool
	for range rounds {
		var b bytes.Buffer
		for range 1 + r.IntN(5) {
			b.WriteString(lines[r.IntN(len(lines))])
			b.WriteString([]string{"\n", "\n", "\n", "\r\n", " ", ""}[r.IntN(6)])
		}
		if text := b.String(); strings.Contains(text, "$$") || strings.Contains(text, "date") || strings.Contains(text, "PWD") {
			continue // another value at each reading
		}
		c, err := Edit(b.Bytes(), For{Readers: []Dialect{Shell}, Env: environment(map[string]string{"E": "ee", "PATH": "/usr/bin:/bin"})}, Set{"JWT", "TOK"})
		if err != nil {
			continue
		}
		_, doubt := readShell(c.New, environment(map[string]string{"E": "ee", "PATH": "/usr/bin:/bin"}))
		before, after, certain = append(before, c.Old), append(after, c.New), append(certain, doubt == nil)
	}
	for _, shell := range []string{"bash", "dash"} {
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("SKIPPED: no %s", shell)
			continue
		}
		was, is := readWithShell(t, shell, before), readWithShell(t, shell, after)
		unread := 0
		for i := range before {
			exempt := newExemption("JWT")
			exempt.references(Parse(before[i]))
			for name, value := range was[i] {
				if now, there := is[i][name]; !shellOwn[name] && name != "JWT" && !exempt.changed[name] && (!there || now != value) {
					t.Errorf("%s: %q became %q: %s was %q, is %q, %v", shell, before[i], after[i], name, value, now, there)
				}
			}
			if is[i]["JWT"] != "TOK" {
				if unread++; certain[i] {
					t.Errorf("%s: %q became %q: JWT is %q", shell, before[i], after[i], is[i]["JWT"])
				}
			}
		}
		if t.Logf("%s: %d files, JWT not read from %d", shell, len(before), unread); len(before) < rounds/3 || shell == "bash" && unread > len(before)/10 {
			t.Errorf("%s: %d of %d files were edited, and JWT not read from %d of them", shell, len(before), rounds, unread)
		}
	}
}

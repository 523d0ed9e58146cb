package cli_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// released builds a program as a release does.
func released(t *testing.T, dir, pkg string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	flags, err := os.ReadFile("../../.ci/flags")
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.DeleteFunc(strings.Split(string(flags), "\n"), func(line string) bool { return strings.HasPrefix(line, "#") })
	c := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, pkg)
	c.Dir, c.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="+strings.TrimSpace(strings.Join(lines, " ")))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// The program fits a wheel, and runs without a C library. All is compiled anew for it,
// and the clock tells only where no other test is running: who sets KEYSPLIT_ALONE vouches
// for that, as the gate does.
func TestTheReleasedProgram(t *testing.T) {
	if os.Getenv("KEYSPLIT_ALONE") == "" {
		t.Skip("by itself: KEYSPLIT_ALONE=1 go test -run " + t.Name() + " ./ui/cli")
	}
	program := released(t, "../..", ".")
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 14e6 {
		t.Errorf("it has %d bytes", info.Size())
	}
	if names := interpreter(t, program); names {
		t.Error("it names an interpreter")
	}
	if sh, err := filepath.EvalSymlinks("/bin/sh"); err != nil || !interpreter(t, sh) {
		t.Errorf("the control: %s names none (%v)", sh, err)
	}
	startsAtOnce(t, program)
}

// It starts at once: --version takes at most two and a half times what a Go program
// takes that prints one line.
func startsAtOnce(t *testing.T, program string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module line\n\ngo 1.26\n", "main.go": "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"one line\") }\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	line := released(t, dir, ".")
	took := func(name string, args ...string) time.Duration {
		began := time.Now()
		if err := exec.Command(name, args...).Run(); err != nil {
			t.Fatalf("%s %q: %v", name, args, err)
		}
		return time.Since(began)
	}
	// In turn, so that what else the machine does counts for both; and again where it
	// did much else.
	for try := range 3 {
		var ours, theirs []time.Duration
		for range 50 {
			ours, theirs = append(ours, took(program, "--version")), append(theirs, took(line))
		}
		slices.Sort(ours)
		slices.Sort(theirs)
		t.Logf("--version %v, one line %v", ours[25], theirs[25])
		if ours[25] <= theirs[25]*5/2 {
			return
		}
		if try == 2 {
			t.Errorf("--version takes %v, a program of one line %v", ours[25], theirs[25])
		}
	}
}

func interpreter(t *testing.T, path string) bool {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

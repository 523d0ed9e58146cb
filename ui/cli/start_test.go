//go:build unix

package cli_test

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// Every start pays for the init functions of every library. One newer release
// of a width table took 47 ms there; together they take less than 2.
func TestInitIsCheap(t *testing.T) {
	c := exec.Command(binary.Path(t), "--version")
	c.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`init (\S+) @\S+ ms, (\S+) ms clock`).FindAllSubmatch(out, -1)
	if len(found) < 10 {
		t.Fatalf("only %d init functions were traced", len(found))
	}
	sum := 0.0
	for _, f := range found {
		ms, err := strconv.ParseFloat(string(f[2]), 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += ms
		if ms > 10 {
			t.Errorf("the init of %s takes %v ms", f[1], ms)
		}
	}
	t.Logf("all init functions: %.1f ms", sum)
}

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
//
// The trace has only the time of the clock, in which a loaded machine does other things
// as well. So of several starts the shortest time of each function counts.
func TestInitIsCheap(t *testing.T) {
	const limit, starts = 10, 20 // milliseconds; starts of the program until all are below
	shortest := map[string]float64{}
	over := func() (slow []string) {
		for name, ms := range shortest {
			if ms > limit {
				slow = append(slow, name)
			}
		}
		return slow
	}
	for n := 0; n == 0 || n < starts && len(over()) > 0; n++ {
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
		for _, f := range found {
			ms, err := strconv.ParseFloat(string(f[2]), 64)
			if err != nil {
				t.Fatal(err)
			}
			if before, seen := shortest[string(f[1])]; !seen || ms < before {
				shortest[string(f[1])] = ms
			}
		}
	}
	for _, name := range over() {
		t.Errorf("the init of %s takes %v ms", name, shortest[name])
	}
}

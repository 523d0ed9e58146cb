package stepstest

import (
	"flag"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
)

// Long reports whether KEYSPLIT_LONG=1 asks for the long form of the tests: every case
// of each, however long that takes.
func Long() bool { return os.Getenv("KEYSPLIT_LONG") == "1" }

// OnlyLong skips a test that only the long form has time for.
func OnlyLong(t testing.TB) {
	t.Helper()
	if !Long() {
		t.Skip("only with KEYSPLIT_LONG=1")
	}
}

// Part is what the short form tries of a table in which each case starts Django: one
// case in n, in the order of their names. The long form tries all.
func Part[C any](n int, cases map[string]C) map[string]C {
	part := map[string]C{}
	for _, name := range Every(n, slices.Sorted(maps.Keys(cases))) {
		part[name] = cases[name]
	}
	return part
}

// Every is the same for a list: one in n, from the first on.
func Every[C any](n int, cases []C) []C {
	if Long() {
		return cases
	}
	var some []C
	for i := 0; i < len(cases); i += n {
		some = append(some, cases[i])
	}
	return some
}

// Waiting lets twice as many parallel tests run at once as there are processors, where
// -parallel does not say how many: tests that wait for Django, a server or a terminal
// leave a processor idle otherwise. It is for TestMain, before the tests run.
func Waiting() {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)))
	}
}

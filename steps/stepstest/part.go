package stepstest

import (
	"maps"
	"os"
	"slices"
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

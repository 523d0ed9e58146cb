package envfile

import (
	"strings"
	"testing"
)

// TestOrderOfCalls checks what no kill of a process can show, only a power cut: the syncs, and what they stand before.
func TestOrderOfCalls(t *testing.T) {
	needStrace(t)
	type call struct{ name, part string }
	for name, want := range map[string][]call{
		"replace": {
			{"flock", "/locks/"}, {"fsync", "/ledger/kept-"}, {"fsync", "/ledger/intent-"}, {"renameat", "/ledger/intent-"},
			{"openat", tempMark}, {"write", tempMark}, {"fchmod", tempMark}, {"fsync", tempMark},
			{"pread64", tempMark}, {"openat", `/house/.env"`}, {"renameat2", tempMark}, {"openat", tempMark}, {"unlinkat", tempMark}, {"fsync", "/house>"}, {"fsync", "/ledger/end-"},
		},
		"overwrite": {
			{"fsync", "/ledger/kept-"}, {"unlinkat", tempMark}, {"fsync", "/ledger/kept-"}, {"fsync", "/ledger/intent-"},
			{"pwrite64", "/house/.env>"}, {"ftruncate", "/house/.env>"}, {"fsync", "/house/.env>"}, {"fsync", "/ledger/end-"},
		},
		"recover": {{"flock", "/locks/"}, {"fsync", "/house/.env>"}, {"fsync", "/house>"}, {"fsync", "/ledger/end-"}},
	} {
		sc := faultScenarios()[name]
		for _, pt := range sc.trace(t) {
			if len(want) > 0 && pt.call == want[0].name && strings.Contains(pt.line, want[0].part) {
				want = want[1:]
			}
		}
		if len(want) > 0 {
			t.Errorf("%s: no %s of %s after the calls that must come before it", name, want[0].name, want[0].part)
		}
	}
}

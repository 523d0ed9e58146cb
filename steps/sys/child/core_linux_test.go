package child

import (
	"fmt"
	"regexp"
	"testing"

	"golang.org/x/sys/unix"
)

// A child is forbidden to write a core dump, as this program is, unless it is one that gets its limit back.
func TestCoreLimit(t *testing.T) {
	var had unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &had); err != nil {
		t.Fatal(err)
	}
	if had.Max == 0 {
		t.Skip("SKIPPED: core dumps are forbidden here")
	}
	want := unix.Rlimit{Cur: min(had.Max, 4<<20), Max: had.Max}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &want); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		core.taken = false
		if err := unix.Setrlimit(unix.RLIMIT_CORE, &had); err != nil {
			t.Error(err)
		}
	})
	ForbidCore()
	ForbidCore() // the second time does not forget the limit
	for _, gets := range []bool{true, false, true} {
		limit := uint64(0)
		if gets {
			limit = want.Cur
		}
		res, err := Command{Path: "/bin/cat", Args: []string{"/proc/self/limits"}, Core: gets}.Run(t.Context())
		if err != nil || !regexp.MustCompile(fmt.Sprintf(`(?m)^Max core file size +%d `, limit)).Match(res.Stdout) {
			t.Errorf("want a limit of %d: %v\n%s", limit, err, res.Stdout)
		}
		var now unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_CORE, &now); err != nil || now.Cur != 0 {
			t.Errorf("this process may write a core dump of %d bytes, %v", now.Cur, err)
		}
	}
}

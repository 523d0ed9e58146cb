package vendor

import (
	"strings"
	"testing"
)

// Where there is no /dev/stdin the target is refused, with a way out.
func TestWithoutDevStdin(t *testing.T) {
	for system, refused := range map[string]bool{"windows": true, "linux": false, "darwin": false} {
		err := readsDevStdin("kubectl", system)
		if (err != nil) != refused {
			t.Errorf("%s: %v", system, err)
		}
		if refused && (!strings.Contains(err.Error(), "WSL") || !strings.Contains(err.Error(), "manual")) {
			t.Errorf("%v names no way out", err)
		}
	}
}

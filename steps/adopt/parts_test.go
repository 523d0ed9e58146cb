package adopt

import (
	"slices"
	"testing"
)

// Settings that are a class have what their reader needs before it reads, where it needs
// something.
func TestWhatAReaderNeedsFirst(t *testing.T) {
	t.Parallel()
	for _, setup := range []string{"", "env = environ.Env()"} {
		m := manner{way: way{Call: "env", Form: "default", Setup: setup}, key: "JWT_SECRET_KEY", least: 50}
		m.Unit = "    "
		if lines := m.classLines(); slices.Contains(lines, m.Unit+setup) != (setup != "") {
			t.Errorf("%q: %q", setup, lines)
		}
	}
}

package style

import "testing"

// The Linux console's font has no sign beyond ASCII, whatever the locale says.
func TestTheLinuxConsoleHasASCIIAlone(t *testing.T) {
	t.Setenv("LC_ALL", "en_US.UTF-8")
	for term, want := range map[string]bool{"linux": false, "xterm-256color": true} {
		if t.Setenv("TERM", term); UTF8() != want {
			t.Errorf("%s: %v", term, UTF8())
		}
	}
}

//go:build linux && !keysplit_gopsutil

package process

import "testing"

func TestParseAddr(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000:1F40":                         "0.0.0.0:8000",
		"00000000000000000000000001000000:1F90": "[::1]:8080",
		"0100007F":                              "",
		"01:1F90":                               "",
		"zz00007F:1F90":                         "",
	} {
		got, ok := parseAddr(text)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("parseAddr(%q) = %v, %v, want %q", text, got, ok, want)
		}
	}
}

package steps

import "testing"

func TestPlainHTTPStaysOnThisMachine(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"127.0.0.1:80": true, "127.8.9.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true,
		"10.0.0.1:80": false, "[::]:80": false, "0.0.0.0:80": false, "[::ffff:10.0.0.1]:80": false, "junk": false,
	} {
		if got := loopbackOnly("tcp", address, nil) == nil; got != want {
			t.Errorf("loopbackOnly(%q) = %v", address, got)
		}
	}
	for scheme, guarded := range map[string]bool{"https": false, "http": true} {
		if got := NewDialer(scheme, 0).Control != nil; got != guarded {
			t.Errorf("%s: guarded %v", scheme, got)
		}
	}
}

package trust

import "testing"

// Only forms that no resolver has a say in are this machine: whatever a name or a
// number in another spelling leads to is asked about.
func TestOnlyThisMachineIsLoopback(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"http://localhost:8000":            true,
		"http://LOCALHOST":                 true,
		"https://localhost:8443/prefix":    true,
		"http://127.0.0.1:8000":            true,
		"http://127.8.9.10":                true,
		"http://[::1]:8000":                true,
		"http://[::ffff:127.0.0.1]:8000":   true,
		"http://localhost.evil.example":    false,
		"http://localhost.":                false,
		"http://evil.localhost":            false,
		"http://localhost@evil.example":    false,
		"http://127.0.0.1@evil.example":    false,
		"http://127.0.0.1:8000@evil.com/":  false,
		"http://127.0.0.1.nip.io":          false,
		"http://127.0.0.1.":                false,
		"http://127.1":                     false,
		"http://0x7f.1":                    false,
		"http://0x7f000001":                false,
		"http://2130706433":                false,
		"http://0177.0.0.1":                false,
		"http://0.0.0.0:8000":              false,
		"http://[::]:8000":                 false,
		"http://[::ffff:10.0.0.1]":         false,
		"http://10.0.0.1":                  false,
		"https://staging.example.com":      false,
		"http://ⓛocalhost":                 false,
		"http://locаlhost":                 false, // a Cyrillic letter
		"http://evil.example/localhost":    false,
		"http://evil.example#@localhost":   false,
		"http://evil.example?@127.0.0.1":   false,
		`http://evil.example\@127.0.0.1`:   false,
		"//127.0.0.1.evil.example":         false,
		"http://[fe80::1%25lo]":            false,
		"":                                 false,
		"http://":                          false,
		"http://１２７.０.０.１":                 false, // full-width digits
		"http://127。0。0。1":                 false,
		"http://[0:0:0:0:0:0:0:1]:8000/":   true,
		"http://[::127.0.0.1]":             false,
		"http://[64:ff9b::127.0.0.1]:8000": false,
	} {
		if got := loopback(address); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
}

package restart

import (
	"strings"
	"testing"
)

// A command that splits has a first word, and no word holds an outer quote that
// was not inside another.
func FuzzSplit(f *testing.F) {
	f.Add(`systemctl restart "a b" 'c'`)
	f.Add("'")
	f.Add("\"\" x\t\xff")
	f.Fuzz(func(t *testing.T, text string) {
		words, err := split(text)
		if err == nil && (len(words) == 0 || words[0] == "") {
			t.Errorf("words %q", words)
		}
		if n := len(strings.Join(words, "")); n > len(text)*3 { // an invalid byte becomes three
			t.Errorf("%d bytes of %d", n, len(text))
		}
	})
}

// What systemctl and kubectl print is read without trust.
func FuzzOutput(f *testing.F) {
	f.Add("LoadState=loaded\nEnvironmentFiles=/a (ignore_errors=no)\nMainPID=1\n")
	f.Add(`{"items":[{"status":{"containerStatuses":[{"state":{"waiting":{"reason":"CreateContainerConfigError"}}}]}}]}`)
	f.Fuzz(func(t *testing.T, out string) {
		var u unit
		u.read(out)
		for _, file := range u.files {
			if file == "" || strings.Contains(file, "\n") {
				t.Errorf("file %q", file)
			}
		}
		for _, p := range podsDown([]byte(out)) {
			_, _ = p.misses()
			_ = p.troubled()
		}
	})
}

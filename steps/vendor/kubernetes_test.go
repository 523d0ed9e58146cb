package vendor

import (
	"strings"
	"testing"
)

func TestWorkloadsAreParsed(t *testing.T) {
	for spec, want := range map[string]string{"a/statefulset/b": "a statefulset/b", "statefulset/b,daemonset/c": " statefulset/b daemonset/c", "b": " deployment/b"} {
		m, err := parseWorkloads(spec)
		k, _ := m.(workloads)
		if got := k.namespace + " " + strings.Join(k.all, " "); err != nil || got != want {
			t.Errorf("%s: %q, %v", spec, got, err)
		}
	}
	for _, spec := range []string{"a/b/c", "a,b/c", "-a", "a,,b", ""} {
		if _, err := parseWorkloads(spec); err == nil {
			t.Errorf("%q was taken", spec)
		}
	}
}

package vendor

import "testing"

// Of services that are built alike the one that is published, that starts a server or that
// has Django's variables serves; a worker does not.
func TestWhichServiceServes(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	built := func(change func(*service)) service {
		s := service{Build: ".", Environment: map[string]any{"A": "1"}}
		change(&s)
		return s
	}
	other := built(func(*service) {})
	for name, one := range map[string]service{
		"published":     built(func(s *service) { s.Ports = []any{"8000:8000"} }),
		"starts":        built(func(s *service) { s.Command = "gunicorn shop.wsgi" }),
		"has variables": built(func(s *service) { s.Environment = map[string]any{"DJANGO_SETTINGS_MODULE": "shop"} }),
	} {
		if got := serving(composeFile{Services: map[string]service{"aa": other, "zz": one}}, root, root); got != "zz" {
			t.Errorf("%s: %q serves", name, got)
		}
		if got := serving(composeFile{Services: map[string]service{"aa": other, "worker": one}}, root, root); got != "aa" {
			t.Errorf("%s, of a worker: %q serves", name, got)
		}
	}
}

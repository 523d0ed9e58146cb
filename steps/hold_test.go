package steps

import "testing"

// Of a look that nobody is to see only the wait for another run is shown.
func TestOnlyWaits(t *testing.T) {
	t.Parallel()
	var seen []string
	emit := OnlyWaits(func(ev Event) { seen = append(seen, ev.ID) })
	for _, id := range []string{"project", waits, "env-file"} {
		emit(Event{ID: id})
	}
	if len(seen) != 1 || seen[0] != waits {
		t.Errorf("shown: %q", seen)
	}
}
